"""The one file of a SQLite ledger: made, opened to read or to write, and refused if not ours.

Why a connection for each call: nothing is shared between threads, survives a fork or stays open
behind an unfinished iterator. Why WAL: a reader never makes a decision wait, nor waits for one.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from gate.errors import LedgerError, NothingStoredError

APPLICATION_ID = int.from_bytes(b"gate", "big")  # how a SQLite file says whose it is
FORMAT = 2  # of the schema below; a file in any other is refused

OURS = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT};"
# The insert trigger is what stops INSERT OR REPLACE, which removes rows past the delete trigger.
SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    service TEXT NOT NULL,
    outcome TEXT NOT NULL,
    at REAL NOT NULL,
    body BLOB NOT NULL,
    kind TEXT NOT NULL,
    previous TEXT NOT NULL,
    digest TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS entries_of_service ON entries (service, kind, number);
CREATE INDEX IF NOT EXISTS entries_of_kind ON entries (kind, number);
CREATE TRIGGER IF NOT EXISTS only_appended BEFORE INSERT ON entries
WHEN NEW.number IS NOT (SELECT COALESCE(MAX(number), 0) + 1 FROM entries)
    OR EXISTS (SELECT 1 FROM entries WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER IF NOT EXISTS never_changed BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER IF NOT EXISTS never_removed BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
"""

# SQLite's kinds of failure: what to say, and what to do about it.
FAILURES = {
    "BUSY": ("another process keeps it locked", "Try again; `fuser` shows who holds the file."),
    "FULL": ("the disk is full", "Free space there, then ask again."),
    "IOERR": ("the disk failed or is full", "Check free space, quotas and the system log."),
    "READONLY": ("it may only be read", "Check the owner and mode of the file and its folder."),
    "CANTOPEN": (
        "it cannot be opened",
        "Check that this user may read and write the file and its folder, and the disk's mount.",
    ),
    "NOTADB": ("it is not a ledger", "Check the path; nothing was changed there."),
    "CORRUPT": ("the file is damaged", "Keep it for the record and restore a copy."),
}


class SqliteFile:
    """The file at `path`, made with its folder when it is first written.

    `timeout` in seconds: how long to wait for another process's lock before LedgerError.
    """

    def __init__(self, path: Path, timeout: float) -> None:
        self.path = path
        self.timeout = timeout

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection that may append. Closing it undoes what was not committed."""
        present = self._present()
        if not present:
            self._make_folder()
        with self._connection("rw" if present else "rwc") as db:
            # EXTRA is FULL, and also syncs the folder should the file not be in WAL mode yet.
            db.execute("PRAGMA synchronous = EXTRA")
            if not present:
                db.executescript(f"BEGIN IMMEDIATE; {OURS} {SCHEMA} COMMIT;")
            # Another process at work keeps this from switching. It is then left to a later
            # append: without WAL a commit is just as durable, only readers have to wait for it.
            with suppress(sqlite3.OperationalError):
                db.execute("PRAGMA journal_mode = WAL")
            yield db

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for reading, which makes no ledger where there is none."""
        if not self._present():
            raise NothingStoredError(
                f"{self.path}: no decision is stored here",
                "Check the path; the first decision makes the file.",
            )
        if self._out_of_reach():
            with self._connection("ro&immutable=1") as db, self._unwritten():
                yield db
        else:
            with self._connection("rw") as db:
                db.execute("PRAGMA query_only = ON")
                yield db

    def _out_of_reach(self) -> bool:
        """Whether this process can neither make SQLite's side files nor find them made.

        On read-only media, or in another user's folder. SQLite reads a WAL file without its side
        files only as `immutable`: taking for granted that nobody writes.
        """
        file = self.path.resolve()
        return not os.access(file.parent, os.W_OK) and not Path(f"{file}-wal").exists()

    @contextmanager
    def _unwritten(self) -> Iterator[None]:
        """LedgerError if somebody wrote the file meanwhile, after all."""
        before = self._stamp()
        yield
        if self._stamp() != before or not self._out_of_reach():
            raise LedgerError(f"{self.path}: it was written while it was read", "Try again.")

    def _present(self) -> bool:
        """Whether a ledger is there. Anything else that is there is refused and left as it is.

        Why through SQLite: opening and closing the file by hand would drop the locks that other
        threads of this process hold on it (https://www.sqlite.org/howtocorrupt.html, 2.2).
        `immutable` takes no locks and makes no side files.
        """
        if self._stamp() is None:
            return False
        with self._connection("ro&immutable=1") as db:
            # Or a file that another process makes longer just now would count as damaged.
            db.execute("PRAGMA writable_schema = ON")
            (application,) = db.execute("PRAGMA application_id").fetchone()
            (version,) = db.execute("PRAGMA user_version").fetchone()
        if application != APPLICATION_ID:
            raise self._failure("NOTADB", "another program's SQLite file")
        if version != FORMAT:
            raise LedgerError(
                f"{self.path}: the ledger has format {version}, this gate knows format {FORMAT}",
                "Use the version of gate that wrote it.",
            )
        return True

    def _stamp(self) -> tuple[int, int] | None:
        """Size and time of last change of the file; None where there is nothing in it yet."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LedgerError(f"{self.path}: {error.strerror}", FAILURES["CANTOPEN"][1]) from error
        if not stat.S_ISREG(status.st_mode):
            raise LedgerError(f"{self.path}: it is not a file", "Give the path of a file.")
        return (status.st_size, status.st_mtime_ns) if status.st_size else None

    def _make_folder(self) -> None:
        """The folder of the ledger; a new one is open to this user only."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise LedgerError(
                f"{self.path}: its folder cannot be made: {error.strerror}",
                "Give a path where this user may write.",
            ) from error

    @contextmanager
    def _connection(self, mode: str) -> Iterator[sqlite3.Connection]:
        """A connection, closed afterwards; what SQLite complains of is a LedgerError."""
        uri = f"{self.path.absolute().as_uri()}?mode={mode}"
        try:
            with closing(
                sqlite3.connect(uri, uri=True, timeout=self.timeout, isolation_level=None)
            ) as db:
                # Bytes that are no UTF-8 were not stored by the gate: the digest will tell.
                db.text_factory = lambda raw: raw.decode(errors="replace")
                yield db
        except sqlite3.Error as error:
            # SQLITE_IOERR_WRITE is an IOERR; complaints of the Python module have no name.
            name = getattr(error, "sqlite_errorname", "").removeprefix("SQLITE_")
            raise self._failure(name.split("_")[0], str(error)) from error
        except UnicodeEncodeError as error:
            raise LedgerError(f"{self.path}: not valid Unicode: {error.object!r}") from error

    def _failure(self, kind: str, said: str) -> LedgerError:
        """The error for one of SQLite's kinds of failure, with its own words for it."""
        what, hint = FAILURES.get(kind, ("it cannot be used", "Check the path and the file."))
        return LedgerError(f"{self.path}: {what} ({said})", hint)
