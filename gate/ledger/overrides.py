"""Overrides in the ledger: what was granted and what was taken back, both for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import orjson

from gate.errors import AlreadyStoredError, LedgerError, NothingStoredError, UsageError
from gate.ledger.ledger import Entry, Kind, Ledger, Record
from gate.override import Override, checked

# As long as they are counted, and few enough that each decision may carry its own copy.
FOR = 30 * 86_400.0
MOST = 100


def grant(ledger: Ledger, override: Override) -> Override:
    """Stored durably when this returns, with its id; raises UsageError for one that may not be."""
    asked = checked(override, override.created_at)
    body = orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)
    granted = replace(asked, id=hashlib.sha256(body).hexdigest()[:16])
    record = Record(
        id=granted.id,
        service=granted.service,
        outcome="granted",
        at=granted.created_at,
        body=orjson.dumps(granted, option=orjson.OPT_SORT_KEYS),
        kind=Kind.OVERRIDE,
    )
    with suppress(AlreadyStoredError):  # the id is a digest of every word
        ledger.append(record)
    return granted


def revoke(ledger: Ledger, id_: str, *, by: str, at: float) -> Override:
    """The override as taken back; raises UsageError where there is nothing to take back."""
    if not by.strip():
        raise UsageError("a revocation needs who revokes (--by)", "nothing was recorded")
    entry = ledger.entry(id_)
    if entry.record.kind != Kind.OVERRIDE:
        raise UsageError(f"{id_!r} is a {entry.record.kind}, no override")
    granted = _override(entry)
    if granted.expires_at <= at:
        raise UsageError(f"override {granted.id} has expired; there is nothing to take back")
    for one in overrides(ledger, granted.service, at):
        if one.id == granted.id and one.revoked_at is not None:
            raise UsageError(f"override {granted.id} was revoked already, by {one.revoked_by}")
    body = orjson.dumps({"at": at, "by": by, "override": granted.id}, option=orjson.OPT_SORT_KEYS)
    ledger.append(
        Record(
            id=hashlib.sha256(body).hexdigest()[:16],
            service=granted.service,
            outcome="revoked",
            at=at,
            body=body,
            kind=Kind.REVOCATION,
        )
    )
    return replace(granted, revoked_at=at, revoked_by=by)


def overrides(ledger: Ledger, service: str | None, as_of: float) -> tuple[Override, ...]:
    """Those granted in the 30 days up to `as_of`, newest first, as they stood then."""
    try:
        taken_back = {one["override"]: one for one in _revocations(ledger, service, as_of)}
        granted = [
            _override(entry)
            for entry in ledger.entries(service, MOST, Kind.OVERRIDE)
            if as_of - FOR < entry.record.at <= as_of
        ]
    except NothingStoredError:
        return ()
    return tuple(
        replace(one, revoked_at=back["at"], revoked_by=back["by"])
        if (back := taken_back.get(one.id))
        else one
        for one in granted
    )


def _revocations(ledger: Ledger, service: str | None, as_of: float) -> Iterator[Any]:
    for entry in ledger.entries(service, None, Kind.REVOCATION):
        if entry.record.at <= as_of:
            told = _read(entry)
            if not {"at", "by", "override"} <= set(told):
                raise _unreadable(entry, "it names no override")
            yield told


def _override(entry: Entry) -> Override:
    raw = _read(entry)
    try:
        return Override(**{**raw, "rules": tuple(raw.get("rules", ()))})
    except TypeError as error:
        raise _unreadable(entry, str(error)) from None


def _read(entry: Entry) -> Any:
    try:
        raw = orjson.loads(entry.record.body)
    except orjson.JSONDecodeError as error:
        raise _unreadable(entry, str(error)) from None
    if not isinstance(raw, dict):
        raise _unreadable(entry, "it is no mapping")
    return raw


def _unreadable(entry: Entry, why: str) -> LedgerError:
    return LedgerError(f"entry {entry.number} (id {entry.record.id!r}) cannot be read: {why}")
