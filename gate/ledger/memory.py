"""What the ledger remembers of a service, for the next decision; and how it gets to know.

What is read here goes into the evidence, so that a decision can be made again without the ledger.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson

from gate.change import Change
from gate.deployment import Deployment, History, Result
from gate.errors import AlreadyStoredError, LedgerError, NothingStoredError
from gate.ledger.ledger import Entry, Kind, Ledger, Record

# A quarter, and few enough that each decision may carry its own copy.
FOR = 90 * 86_400.0
MOST = 100
# Decisions of a service that are searched for one about a version: days of looking every minute.
SEARCHED = 1_000


def history(ledger: Ledger, service: str, as_of: float) -> History:
    """What was told of the service in the 90 days up to `as_of`; raises LedgerError.

    A ledger that is not there yet remembers nothing; one that cannot be read is an error.
    """
    try:
        return History(tuple(_deployments(ledger, service, as_of)))
    except NothingStoredError:
        return History()


def remember(ledger: Ledger, deployment: Deployment) -> Entry:
    """Stored durably when this returns; told twice in the same words, it is stored once."""
    body = orjson.dumps(deployment, option=orjson.OPT_SORT_KEYS)
    record = Record(
        id=hashlib.sha256(body).hexdigest()[:16],
        service=deployment.service,
        outcome=deployment.result,
        at=deployment.at,
        body=body,
        kind=Kind.DEPLOYMENT,
    )
    try:
        return ledger.append(record)
    except AlreadyStoredError:  # the id is a digest of every word
        return ledger.entry(record.id)


def told_before(ledger: Ledger, deployment: Deployment) -> Entry | None:
    """The newest word about that version, where it says the same but for the time."""
    try:
        for entry in ledger.entries(deployment.service, MOST, Kind.DEPLOYMENT):
            told = as_deployment(entry)
            if told.version == deployment.version:
                return entry if replace(told, at=deployment.at) == deployment else None
    except NothingStoredError:
        pass
    return None


def with_decision(ledger: Ledger, deployment: Deployment) -> Deployment:
    """The same with what the latest decision about that version saw of its change.

    Where it names revisions of its own that do not begin the decision's, nothing is taken. Of the
    service's decisions the last `SEARCHED` are looked at.
    """
    change = _decided(ledger, deployment.service, deployment.version)
    if change is None or not (
        change.base.startswith(deployment.base) and change.head.startswith(deployment.head)
    ):
        return deployment
    return replace(
        deployment,
        base=change.base,
        head=change.head,
        components=change.components,
        counted=change.counted,
    )


def _decided(ledger: Ledger, service: str, version: str) -> Change | None:
    """The change in the latest decision about the version."""
    import cattrs

    named = orjson.dumps(version)
    try:
        for entry in ledger.entries(service, SEARCHED):
            if named not in entry.record.body:  # most are of other releases
                continue
            raw: Any = orjson.loads(entry.record.body)
            if raw["request"]["canary"] == version and raw["evidence"]["change"]:
                return cattrs.structure(raw["evidence"]["change"], Change)
    except (NothingStoredError, cattrs.BaseValidationError, KeyError, TypeError):
        return None  # no ledger yet, or a decision of another form
    return None


def as_deployment(entry: Entry) -> Deployment:
    """The deployment that an entry tells; raises LedgerError."""
    try:
        raw = orjson.loads(entry.record.body)
        lists = {name: tuple(value) for name, value in raw.items() if isinstance(value, list)}
        return Deployment(**{**raw, **lists, "result": Result(raw["result"])})
    except (AttributeError, TypeError, KeyError, ValueError) as error:
        raise LedgerError(
            f"entry {entry.number} (id {entry.record.id!r}) cannot be read: {error}"
        ) from None


def _deployments(ledger: Ledger, service: str, as_of: float) -> Iterator[Deployment]:
    for entry in ledger.entries(service, MOST, Kind.DEPLOYMENT):
        if as_of - FOR < entry.record.at <= as_of:
            yield as_deployment(entry)
