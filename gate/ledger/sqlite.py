"""The ledger in one SQLite file.

Why the standard library's `sqlite3`: every `gate` command pays for its imports, and SQLAlchemy
costs about 0.25 s of them. One file needs no set-up, and several threads and processes of one
machine may write to it at once. PostgreSQL is for several machines and comes with the server.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gate.errors import AlreadyStoredError, LedgerError, UnknownEntryError
from gate.ledger.ledger import (
    GENESIS,
    Entry,
    Kind,
    Record,
    Verification,
    following,
    intact,
    verification,
)
from gate.ledger.sqlite_file import SqliteFile

PAGE = 50  # entries read at once by `entries`; the body of one is tens of kilobytes

# The casts give every field its type whatever was put into the file behind the gate's back, so
# that `verify` reports such an entry instead of stumbling over it.
SELECT = """
SELECT CAST(number AS INTEGER), COALESCE(CAST(id AS TEXT), ''),
    COALESCE(CAST(service AS TEXT), ''), COALESCE(CAST(outcome AS TEXT), ''),
    COALESCE(CAST(at AS REAL), 0.0), COALESCE(CAST(body AS BLOB), x''),
    COALESCE(CAST(kind AS TEXT), ''), COALESCE(CAST(previous AS TEXT), ''),
    COALESCE(CAST(digest AS TEXT), '')
FROM entries
"""
INSERT = "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
LAST = "SELECT number, digest FROM entries ORDER BY number DESC LIMIT 1"
EXISTS = "SELECT 1 FROM entries WHERE id = ?"
OLDEST_FIRST = SELECT + "ORDER BY number"
NUMBERED = SELECT + "WHERE number = ?"
BEFORE = SELECT + "WHERE number < ? {} ORDER BY number DESC LIMIT ?"
IDS_BETWEEN = "SELECT id, number FROM entries WHERE id >= ? AND id < ? ORDER BY id LIMIT 3"


class SqliteLedger:
    """A ledger in the file at `path`, which the first append makes, with its folder.

    `timeout` in seconds: how long a call waits for another process's lock before LedgerError.
    """

    def __init__(self, path: Path, timeout: float = 10.0) -> None:
        self.path = path
        self._file = SqliteFile(path, timeout)

    def append(self, record: Record) -> Entry:
        """Stored durably when this returns; LedgerError also for an id already stored."""
        with self._file.writing() as db:
            db.execute("BEGIN IMMEDIATE")
            number, previous = db.execute(LAST).fetchone() or (0, GENESIS)
            entry = following(number, previous, record)
            if db.execute(EXISTS, (record.id,)).fetchone():
                raise AlreadyStoredError(
                    f"{self.path}: {record.kind} {record.id!r} is already stored"
                )
            db.execute(INSERT, _row(entry))
            db.execute("COMMIT")
        return entry

    def entry(self, id_: str) -> Entry:
        """The entry with this id, or with the only id that starts so.

        UnknownEntryError for no such id; LedgerError for several, and for one that was changed.
        """
        with self._file.reading() as db:
            row = db.execute(NUMBERED, (self._number(db, id_),)).fetchone()
        return self._unchanged(_entry(row))

    def entries(
        self,
        service: str | None = None,
        limit: int | None = None,
        kind: Kind | None = Kind.DECISION,
        before: int | None = None,
    ) -> Iterator[Entry]:
        """Newest first, read page by page: between two entries no connection is open.

        What is appended meanwhile is not among them. LedgerError at an entry that was changed.
        """
        before, left = 2**63 - 1 if before is None else before, limit
        while left is None or left > 0:
            size = PAGE if left is None else min(PAGE, left)
            page = self._page(service, kind, before, size)
            yield from map(self._unchanged, page)
            if len(page) < size:
                return
            before = page[-1].number
            left = None if left is None else left - size

    def check(self) -> None:
        """Whether it could be appended to now: takes the lock an append needs, and lets it go."""
        with self._file.writing() as db:
            db.execute("BEGIN IMMEDIATE")
            db.execute("ROLLBACK")

    def verify(self) -> Verification:
        """The whole chain, recomputed from the stored bytes as they are at one moment."""
        with self._file.reading() as db:
            return verification(map(_entry, db.execute(OLDEST_FIRST)))

    def _page(self, service: str | None, kind: Kind | None, before: int, size: int) -> list[Entry]:
        """The newest entries numbered below `before`, at most `size` of them."""
        wanted = {"service": service, "kind": kind}
        given = {column: value for column, value in wanted.items() if value is not None}
        query = BEFORE.format("".join(f"AND {column} = ? " for column in given))
        with self._file.reading() as db:
            return [_entry(row) for row in db.execute(query, (before, *given.values(), size))]

    def _number(self, db: sqlite3.Connection, start: str) -> int:
        """The number of the entry whose id is `start`, or alone begins with it."""
        found = dict(db.execute(IDS_BETWEEN, (start, start + "\U0010ffff")))
        if not start or not found:
            message = f"{self.path}: nothing has the id {start!r}"
            raise UnknownEntryError(message, "`gate ledger list` shows those there are.")
        if start not in found and len(found) > 1:
            message = f"{self.path}: several entries have an id that begins with {start!r}"
            raise LedgerError(message, f"Give more of it: {', '.join(found)}.")
        # An id comes before all that begin with it.
        return int(next(iter(found.values())))

    def _unchanged(self, entry: Entry) -> Entry:
        """The entry as it was stored: what is read here may count as history in a rule."""
        if not intact(entry):
            message = f"{self.path}: entry {entry.number} (id {entry.record.id!r}) was changed"
            raise LedgerError(message, "`gate ledger verify` names every fault.")
        return entry


def _row(entry: Entry) -> tuple[object, ...]:
    record = entry.record
    said = (record.id, record.service, record.outcome, record.at, record.body, record.kind)
    return (entry.number, *said, entry.previous, entry.digest)


def _entry(row: tuple[Any, ...]) -> Entry:
    number, id_, service, outcome, at, body, kind, previous, digest = row
    record = Record(id_, service, outcome, at, body, kind)
    return Entry(number, record, previous, digest)
