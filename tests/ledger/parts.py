"""Small real things for stories about ledgers."""

import sqlite3
from contextlib import closing
from pathlib import Path

from gate.ledger.ledger import Record
from gate.ledger.sqlite import SqliteLedger


def a_record(id_="d-1", *, service="web", at=1.7e9, body=b'{"outcome": "promote"}'):
    return Record(id_, service, "promote", at, body)


def a_ledger(folder: Path, *ids: str) -> SqliteLedger:
    """A ledger that holds a decision for each id."""
    ledger = SqliteLedger(folder / "ledger.db")
    for id_ in ids:
        ledger.append(a_record(id_))
    return ledger


def tamper(ledger: SqliteLedger, *statements: str) -> None:
    """What anyone who may write the file can do: drop the triggers, then change at will."""
    with closing(sqlite3.connect(ledger.path)) as db, db:
        for trigger in ("only_appended", "never_changed", "never_removed"):
            db.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            db.execute(statement)
