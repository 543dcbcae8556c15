"""The ledger's promise: append-only, hash-chained, and a refusal rather than a gap.

The chain: the digest of entry n is SHA-256 over the digest of entry n - 1 and everything entry n
says (see `digest`). Changing, removing or reordering a stored entry breaks every digest after it.
It shows tampering to whoever kept a later digest; it cannot stop one who rewrites the whole file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Record:
    """One decision to be remembered.

    `decided_at` in Unix seconds; `outcome` the word of the verdict; `body` the whole decision as
    JSON, kept byte for byte.
    """

    id: str
    service: str
    outcome: str
    decided_at: float
    body: bytes


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
        """The entry with this id, or with the only id that starts so."""

    def entries(self, service: str | None = None, limit: int | None = None) -> Iterator[Entry]:
        """Newest first."""

    def verify(self) -> Verification:
        """The whole chain, recomputed from the stored bytes."""


def digest(previous: str, number: int, record: Record) -> str:
    """Hex SHA-256 of the length-prefixed fields, so that no two entries share an encoding."""
    fields = (
        previous.encode(),
        str(number).encode(),
        record.id.encode(),
        record.service.encode(),
        record.outcome.encode(),
        repr(record.decided_at).encode(),
        record.body,
    )
    whole = hashlib.sha256()
    for field in fields:
        whole.update(len(field).to_bytes(8, "big"))
        whole.update(field)
    return whole.hexdigest()
