"""Full disks, read-only mounts and other users, each in a process of its own."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from gate.errors import LedgerError
from gate.ledger.sqlite import SqliteLedger
from tests.ledger.parts import a_ledger, a_record

APPEND_TILL_IT_FAILS = """
import sys, pathlib
from gate.errors import LedgerError
from tests.ledger.parts import a_record
from gate.ledger.sqlite import SqliteLedger
ledger = SqliteLedger(pathlib.Path(sys.argv[1]))
stored = 0
try:
    while stored < 1000:
        ledger.append(a_record(f"d-{stored + 1}", body=bytes(20_000)))
        stored += 1
except LedgerError as error:
    print(error.message)
print(stored)
"""
READ_ALL = """
import sys, pathlib
from gate.errors import LedgerError
from tests.ledger.parts import a_record
from gate.ledger.sqlite import SqliteLedger
ledger = SqliteLedger(pathlib.Path(sys.argv[1]))
print([entry.record.id for entry in ledger.entries()], ledger.verify().faults)
try:
    ledger.append(a_record("new"))
except LedgerError as error:
    print(error.message)
"""
READ_SLOWLY = """
import sys, pathlib
from gate.errors import LedgerError
from gate.ledger.sqlite_file import SqliteFile
try:
    with SqliteFile(pathlib.Path(sys.argv[1]), 1.0).reading() as db:
        print("reading", flush=True)
        sys.stdin.readline()
except LedgerError as error:
    print(error.message)
"""
AS_NOBODY = "import os; os.setgroups([]); os.setgid(65534); os.setuid(65534)"


def started(code, *arguments, before=()):
    """The code as a process of its own."""
    return subprocess.Popen(
        [*before, sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def python(code, *arguments, before=()):
    """What the code prints, as a process of its own."""
    process = started(code, *arguments, before=before)
    said, complaint = process.communicate()
    assert process.returncode == 0, complaint
    return said


def with_mount(folder, options):
    """A command that runs another with something mounted there, for that process only."""
    mount = f'mount {options} "$0" && exec "$@"'
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, str(folder)]
    if subprocess.run([*command, "true"], capture_output=True).returncode:
        pytest.skip("this system lets nobody mount a file system of his own")
    return command


def test_looking_whose_the_file_is_keeps_the_locks_of_this_process(tmp_path):
    ledger = a_ledger(tmp_path, "d-1")
    try_to_lock = "import sqlite3, sys; sqlite3.connect(sys.argv[1], 0).execute('BEGIN EXCLUSIVE')"
    with closing(sqlite3.connect(ledger.path, isolation_level=None)) as holder:
        holder.execute("PRAGMA journal_mode = DELETE")  # whose locks are on the file itself
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LedgerError, match="locked"):
            SqliteLedger(ledger.path, timeout=0).verify()
        with pytest.raises(AssertionError, match="database is locked"):
            python(try_to_lock, ledger.path)


def test_a_full_disk_is_an_error_and_what_was_answered_is_kept(tmp_path):
    disk = with_mount(tmp_path, "-t tmpfs -o size=512k none")
    then_read = APPEND_TILL_IT_FAILS + "print(ledger.verify().entries, ledger.verify().faults)"
    said, stored, verified = python(then_read, tmp_path / "ledger.db", before=disk).splitlines()

    assert "the disk" in said
    assert int(stored) > 3
    assert verified == f"{stored} ()"


def test_a_file_that_may_not_grow_is_an_error_and_what_was_answered_is_kept(tmp_path):
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))"
    path = tmp_path / "ledger.db"
    said, stored = python(limited + APPEND_TILL_IT_FAILS, path).splitlines()

    assert "the disk failed or is full" in said
    assert int(stored) > 3
    assert (SqliteLedger(path).verify().entries, SqliteLedger(path).verify().faults) == (
        int(stored),
        (),
    )


def test_a_ledger_on_read_only_media_can_be_read(tmp_path):
    ledger = a_ledger(tmp_path, "d-1", "d-2")
    read_only = with_mount(tmp_path, f"--bind -o ro {tmp_path}")
    read, refused = python(READ_ALL, ledger.path, before=read_only).splitlines()

    assert read == "['d-2', 'd-1'] ()"
    assert "it cannot be opened" in refused


def test_a_ledger_written_while_it_was_read_without_locks_is_said(tmp_path):
    ledger = a_ledger(tmp_path, "d-1")
    read_only = with_mount(tmp_path, f"--bind -o ro {tmp_path}")
    process = started(READ_SLOWLY, ledger.path, before=read_only)
    assert process.stdout.readline() == "reading\n"
    ledger.append(a_record("d-2"))
    said, complaint = process.communicate("go on\n")

    assert "it was written while it was read" in said, complaint


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_another_user_may_read_but_not_append_and_is_told(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shared")
    folder.chmod(0o755)
    ledger = a_ledger(folder, "d-1", "d-2")
    for parent in [one for one in folder.parents if one.name.startswith(("pytest-", "popen-"))]:
        parent.chmod(0o711)  # pytest closes its folders to others
    as_nobody = READ_ALL.replace("ledger =", f"{AS_NOBODY}\nledger =")
    read, refused = python(as_nobody, ledger.path).splitlines()
    assert read == "['d-2', 'd-1'] ()"
    assert "it may only be read" in refused

    ledger.path.chmod(0o600)
    said = python(APPEND_TILL_IT_FAILS.replace("ledger =", f"{AS_NOBODY}\nledger ="), ledger.path)
    assert "it cannot be opened" in said
