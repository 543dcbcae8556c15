"""What stands in the way of a ledger is said, and never harmed or taken for an answer."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from gate.errors import LedgerError
from gate.ledger.sqlite import SqliteLedger
from gate.ledger.sqlite_file import APPLICATION_ID, SqliteFile
from tests.ledger.parts import a_ledger, a_record


def test_reading_where_nothing_is_makes_nothing(tmp_path):
    ledger = SqliteLedger(tmp_path / "folder" / "ledger.db")
    for read in (lambda: ledger.entry("d-1"), lambda: next(ledger.entries()), ledger.verify):
        with pytest.raises(LedgerError, match="no decision is stored here"):
            read()
    assert list(tmp_path.iterdir()) == []


def test_the_first_append_makes_the_file_in_a_folder_of_its_own(tmp_path):
    path = tmp_path / "new folder #1?" / "ledger%20.db"
    SqliteLedger(path).append(a_record())

    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert list(path.parent.iterdir()) == [path]
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA application_id").fetchone() == (0x67617465,)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_an_empty_file_is_a_ledger_not_yet_begun(tmp_path):
    (tmp_path / "ledger.db").touch()
    with pytest.raises(LedgerError, match="no decision is stored here"):
        a_ledger(tmp_path).verify()
    assert a_ledger(tmp_path, "d-1").verify().entries == 1


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_the_file_of_another_program_is_refused_and_left_as_it_is(tmp_path, mode):
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as theirs:
        theirs.execute(f"PRAGMA journal_mode = {mode}")
        theirs.execute("CREATE TABLE entries (number INTEGER PRIMARY KEY)")
        theirs.commit()
        before = {file: file.read_bytes() for file in tmp_path.iterdir()}
        for use in (SqliteLedger(path).verify, lambda: SqliteLedger(path).append(a_record())):
            with pytest.raises(LedgerError, match="not a ledger"):
                use()
        assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_what_is_no_database_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("buy milk\n" * 500)
    for use in (SqliteLedger(path).verify, lambda: SqliteLedger(path).append(a_record())):
        with pytest.raises(LedgerError, match="not a ledger"):
            use()
    assert path.read_text() == "buy milk\n" * 500


@pytest.mark.parametrize("path", [Path("/"), Path("/dev/null")])
def test_what_is_not_a_file_is_refused(path):
    with pytest.raises(LedgerError, match="not a file"):
        SqliteLedger(path).append(a_record())


def test_a_path_through_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError, match="Not a directory"):
        SqliteLedger(tmp_path / "file" / "ledger.db").append(a_record())


def test_a_folder_that_cannot_be_made_is_refused():
    with pytest.raises(LedgerError, match="its folder cannot be made"):
        SqliteLedger(Path("/proc/gate/ledger.db")).append(a_record())


def test_a_ledger_of_a_newer_gate_is_refused(tmp_path):
    ledger = a_ledger(tmp_path, "d-1")
    with closing(sqlite3.connect(ledger.path)) as db:
        db.execute("PRAGMA user_version = 3")
    with pytest.raises(LedgerError, match="has format 3, this gate knows format 2"):
        ledger.append(a_record("d-2"))


def test_a_damaged_ledger_is_refused(tmp_path):
    ledger = a_ledger(tmp_path, "d-1")
    size = ledger.path.stat().st_size
    with ledger.path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))
    for use in (ledger.verify, lambda: ledger.append(a_record("d-2")), lambda: ledger.entry("d")):
        with pytest.raises(LedgerError, match="the file is damaged"):
            use()


def test_a_ledger_without_its_table_is_refused(tmp_path):
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as db:
        db.executescript(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 2;")
    with pytest.raises(LedgerError, match="no such table: entries"):
        a_ledger(tmp_path).append(a_record())


def test_a_lock_that_is_kept_too_long_is_said_and_readers_do_not_mind(tmp_path):
    ledger = SqliteLedger(a_ledger(tmp_path, "d-1").path, timeout=0.05)
    with closing(sqlite3.connect(ledger.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="another process keeps it locked"):
            ledger.append(a_record("d-2"))
        assert ledger.entry("d-1").number == 1
        assert ledger.verify().entries == 1
    assert ledger.append(a_record("d-2")).number == 2


def test_what_keeps_a_ledger_from_wal_mode_does_not_keep_a_decision_from_it(tmp_path):
    ledger = a_ledger(tmp_path, "d-1")
    with closing(
        sqlite3.connect(ledger.path, isolation_level=None, check_same_thread=False)
    ) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN IMMEDIATE")
        done = threading.Timer(0.2, other.rollback)
        done.start()
        assert ledger.append(a_record("d-2")).number == 2
        done.join()


def test_every_commit_waits_for_the_disk(tmp_path):
    with SqliteFile(tmp_path / "ledger.db", 1.0).writing() as db:
        assert db.execute("PRAGMA synchronous").fetchone() == (3,)  # EXTRA
