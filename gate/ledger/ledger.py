"""The ledger's promise: append-only, hash-chained, and a refusal rather than a gap.

The chain: the digest of entry n is SHA-256 over the digest of entry n - 1 and everything entry n
says (see `digest`). Changing, removing or reordering a stored entry breaks every digest after it.
It shows tampering to whoever kept a later digest; it cannot stop one who rewrites the whole file.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from gate.errors import LedgerError

GENESIS = "0" * 64


class Kind(StrEnum):
    """What an entry tells."""

    DECISION = "decision"
    DEPLOYMENT = "deployment"
    OVERRIDE = "override"
    PROTECTION = "protection"
    REVOCATION = "revocation"
    ROLLOUT = "rollout"


@dataclass(frozen=True, slots=True)
class Record:
    """One thing to be remembered.

    `at` in Unix seconds; `outcome` its word (the verdict of a decision, the result of a
    deployment); `body` the whole as JSON, kept byte for byte.
    """

    id: str
    service: str
    outcome: str
    at: float
    body: bytes
    kind: Kind = Kind.DECISION


@dataclass(frozen=True, slots=True)
class Entry:
    """A record in its place: `number` counts from 1, `previous` is the digest before it."""

    number: int
    record: Record
    previous: str
    digest: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` found: entries read, the last digest, and one sentence for each fault."""

    entries: int
    last: str
    faults: tuple[str, ...]


class Ledger(Protocol):
    """Where decisions are kept. Every method raises LedgerError when it cannot do its work."""

    def append(self, record: Record) -> Entry:
        """Stored durably when this returns; nothing stored when it raises."""

    def entry(self, id_: str) -> Entry:
        """The entry with this id, or with the only id that starts so; UnknownEntryError."""

    def entries(
        self,
        service: str | None = None,
        limit: int | None = None,
        kind: Kind | None = Kind.DECISION,
        before: int | None = None,
    ) -> Iterator[Entry]:
        """Newest first; of every kind where it is None; only those numbered below `before`."""

    def check(self) -> None:
        """Whether it could be appended to now."""

    def verify(self) -> Verification:
        """The whole chain, recomputed from the stored bytes."""


def digest(previous: str, number: int, record: Record) -> str:
    """Hex SHA-256 over eight fields, so prefixed that no two entries share an encoding.

    The fields, in order: previous, number (decimal), kind, id, service, outcome, at (Python's
    shortest decimal that reads back the same: `1700000000.25`), body. Each is its length in bytes
    (8 bytes, big-endian) and then its bytes (text as UTF-8). Ledgers on disk depend on this format.
    """
    fields = (
        previous.encode(),
        str(number).encode(),
        record.kind.encode(),
        record.id.encode(),
        record.service.encode(),
        record.outcome.encode(),
        repr(record.at).encode(),
        record.body,
    )
    whole = hashlib.sha256()
    for field in fields:
        whole.update(len(field).to_bytes(8, "big"))
        whole.update(field)
    return whole.hexdigest()


def following(number: int, previous: str, record: Record) -> Entry:
    """The record's entry after entry `number` (0 when there is none), whose digest is `previous`.

    Raises LedgerError for a record that would not come back from storage as it went in.
    """
    if not record.id:
        raise LedgerError(f"a {record.kind} without an id cannot be stored")
    if not math.isfinite(record.at):
        raise LedgerError(f"{record.kind} {record.id!r}: at is no time: {record.at}")
    # An int or a NumPy float prints otherwise than the float it is read back as, and storage does
    # not keep the sign of zero: -0.0 + 0.0 is 0.0.
    record = replace(record, at=float(record.at) + 0.0)
    try:
        return Entry(number + 1, record, previous, digest(previous, number + 1, record))
    except UnicodeEncodeError as error:
        raise LedgerError(f"{record.kind} {record.id!r}: not valid Unicode: {error}") from error


def intact(entry: Entry) -> bool:
    """Whether the entry still says what its digest was computed from."""
    return digest(entry.previous, entry.number, entry.record) == entry.digest


def verification(entries: Iterable[Entry]) -> Verification:
    """The chain of these entries, oldest first, checked link by link.

    It cannot see entries cut from the end: for that, compare `last` with a digest kept elsewhere.
    """
    count, number, last = 0, 0, GENESIS
    faults: list[str] = []
    for entry in entries:
        faults += _faults(entry, number + 1, last)
        count, number, last = count + 1, entry.number, entry.digest
    return Verification(count, last, tuple(faults))


def _faults(entry: Entry, number: int, previous: str) -> Iterator[str]:
    """What is wrong with an entry that should have this number and follow this digest."""
    name = f"entry {entry.number} (id {entry.record.id!r})"
    if entry.number != number:
        yield f"{name} stands where entry {number} belongs: what was stored between is missing"
    elif entry.previous != previous:
        yield f"{name} does not link to what stands before it: one of the two was replaced"
    if not intact(entry):
        yield f"{name} was changed: its content does not match its digest"
