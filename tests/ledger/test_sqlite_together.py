"""Several writers at once, and writers that die: the chain stays whole."""

import multiprocessing
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gate.ledger.sqlite import SqliteLedger
from tests.ledger.parts import a_ledger, a_record

PROCESSES = multiprocessing.get_context("spawn")


def append_all(path, name, count, start):
    """As one of several processes that begin at the same moment."""
    start.wait()
    ledger = SqliteLedger(Path(path))
    for number in range(count):
        ledger.append(a_record(f"{name}-{number}", body=bytes(100_000)))


def append_for_ever(path, answers):
    """Sends each id once its append has returned."""
    ledger = SqliteLedger(Path(path))
    number = ledger.verify().entries
    while True:
        number += 1
        ledger.append(a_record(f"d-{number}", body=bytes(100_000)))
        answers.send(f"d-{number}")


@pytest.mark.slow
def test_processes_that_append_at_once_make_one_unbroken_chain(tmp_path):
    path = tmp_path / "new" / "ledger.db"  # so that they make the file at once, too
    start = PROCESSES.Barrier(5)
    writers = [
        PROCESSES.Process(target=append_all, args=(path, name, 50, start)) for name in "abcd"
    ]
    for writer in writers:
        writer.start()
    start.wait()
    for writer in writers:
        writer.join()

    assert [writer.exitcode for writer in writers] == [0, 0, 0, 0]
    found = SqliteLedger(path).verify()
    assert (found.entries, found.faults) == (200, ())
    ids = {entry.record.id for entry in SqliteLedger(path).entries()}
    assert ids == {f"{name}-{number}" for name in "abcd" for number in range(50)}


def test_threads_share_a_ledger_while_others_read_it(tmp_path):
    ledger = a_ledger(tmp_path, "first")

    def write(name):
        for number in range(20):
            ledger.append(a_record(f"{name}-{number}"))

    def read(_):
        numbers = [entry.number for entry in ledger.entries()]
        return (ledger.verify().faults, numbers == list(range(len(numbers), 0, -1)))

    with ThreadPoolExecutor(max_workers=8) as threads:
        writing = threads.map(write, "abcdef")
        reading = threads.map(read, range(30))
        assert set(reading) == {((), True)}
        assert list(writing) == [None] * 6
    assert (ledger.verify().entries, ledger.verify().faults) == (121, ())


@pytest.mark.slow
def test_a_writer_killed_while_it_appends_leaves_what_was_answered_and_a_valid_chain(tmp_path):
    ledger = a_ledger(tmp_path, "first")
    for round_ in range(1, 6):
        answers, ours = PROCESSES.Pipe(duplex=False)
        writer = PROCESSES.Process(target=append_for_ever, args=(ledger.path, ours))
        writer.start()
        ours.close()
        answered = [answers.recv() for _ in range(7 * round_)]
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        while answers.poll():
            try:
                answered.append(answers.recv())
            except EOFError:
                break
        answers.close()

        assert writer.exitcode == -signal.SIGKILL
        assert ledger.verify().faults == ()
        assert set(answered) <= {entry.record.id for entry in ledger.entries()}
    assert ledger.append(a_record("last")).number == ledger.verify().entries
