"""Decisions go in, come out the same, and show it when somebody changed them."""

import sqlite3
from contextlib import closing

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gate.errors import LedgerError
from gate.ledger.ledger import GENESIS
from gate.ledger.sqlite import PAGE, SqliteLedger
from tests.ledger.parts import a_ledger, a_record, tamper


def test_a_decision_comes_back_as_it_was_stored(tmp_path):
    ledger = a_ledger(tmp_path)
    first = ledger.append(a_record("d-1", body=b"\x00\xff not even JSON"))
    second = ledger.append(a_record("d-2"))

    assert ledger.entry("d-1") == first
    assert ledger.entry("d-2") == second
    assert (first.number, first.previous) == (1, GENESIS)
    assert (second.number, second.previous) == (2, first.digest)
    assert ledger.verify().last == second.digest


@settings(deadline=None, max_examples=40)
@given(body=st.binary(), at=st.floats(allow_nan=False, allow_infinity=False))
@example(body=b"", at=-0.0)
def test_any_body_and_any_time_come_back_identical(tmp_path_factory, body, at):
    ledger = a_ledger(tmp_path_factory.mktemp("ledger"))
    stored = ledger.append(a_record(at=at, body=body))

    assert ledger.entry("d-1").record == a_record(at=at, body=body)
    assert ledger.entry("d-1") == stored
    assert ledger.verify().faults == ()


def test_entries_are_newest_first_by_service_and_limited(tmp_path):
    ledger = a_ledger(tmp_path)
    for number in range(1, 2 * PAGE + 2):
        service = "api" if number % 2 else "web"
        ledger.append(a_record(f"d-{number}", service=service))

    def numbers(**asked):
        return [entry.number for entry in ledger.entries(**asked)]

    newest_first = list(range(2 * PAGE + 1, 0, -1))
    assert numbers() == newest_first
    assert numbers(limit=PAGE + 1) == newest_first[: PAGE + 1]
    assert numbers(limit=0) == []
    assert numbers(service="web") == newest_first[1::2]
    assert numbers(service="api", limit=2) == newest_first[0:4:2]
    assert numbers(service="nobody") == []


def test_reading_only_some_entries_leaves_nothing_open(tmp_path):
    ledger = a_ledger(tmp_path, "d-1", "d-2", "d-3")
    unfinished = ledger.entries()

    assert next(unfinished).number == 3
    assert [file.name for file in tmp_path.iterdir()] == ["ledger.db"]  # no side files: all closed
    ledger.append(a_record("d-4"))
    assert [entry.number for entry in unfinished] == [2, 1]


def test_the_beginning_of_an_id_is_enough_when_it_is_the_only_one(tmp_path):
    ledger = a_ledger(tmp_path, "ab", "abc", "xyz")

    assert ledger.entry("x").record.id == "xyz"
    assert ledger.entry("abc").record.id == "abc"
    assert ledger.entry("ab").record.id == "ab"  # whole, though another begins with it
    with pytest.raises(LedgerError, match="begins with 'a'") as refusal:
        ledger.entry("a")
    assert refusal.value.hint == "Give more of it: ab, abc."


@pytest.mark.parametrize("unknown", ["", "d-2", "%", "d_1", "D-1", "d-11"])
def test_an_unknown_id_says_where_to_look(tmp_path, unknown):
    with pytest.raises(LedgerError, match="nothing has the id") as refusal:
        a_ledger(tmp_path, "d-1").entry(unknown)
    assert "gate ledger list" in refusal.value.hint


def test_an_id_that_is_not_text_is_refused(tmp_path):
    ledger = a_ledger(tmp_path, "d-1")
    with pytest.raises(LedgerError, match="not valid Unicode"):
        ledger.entry("\udcff")  # how a stray byte on the command line arrives


def test_an_id_is_stored_once(tmp_path):
    ledger = a_ledger(tmp_path, "d-1", "d-2")
    with pytest.raises(LedgerError, match="'d-1' is already stored"):
        ledger.append(a_record("d-1", body=b"another"))

    assert ledger.verify().entries == 2
    assert ledger.entry("d-1").record == a_record("d-1")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET outcome = 'hold'",
        "DELETE FROM entries WHERE number = 2",
        "INSERT OR REPLACE INTO entries SELECT 1, 'new', '', '', 1, '', '', '', ''",
        "INSERT OR REPLACE INTO entries SELECT 3, 'd-1', '', '', 1, '', '', '', ''",
        "INSERT INTO entries SELECT 9, 'new', '', '', 1, '', '', '', ''",
    ],
)
def test_the_file_itself_refuses_changes(tmp_path, statement):
    ledger = a_ledger(tmp_path, "d-1", "d-2")
    with (
        closing(sqlite3.connect(ledger.path)) as db,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        db.execute(statement)

    assert ledger.verify().entries == 2
    assert ledger.verify().faults == ()


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE entries SET body = x'00' WHERE number = 2", "entry 2 (id 'b') was changed"),
        ("UPDATE entries SET outcome = 'hold' WHERE number = 3", "entry 3 (id 'c') was changed"),
        ("UPDATE entries SET at = 'x' WHERE number = 1", "entry 1 (id 'a') was changed"),
        ("UPDATE entries SET id = x'ff' WHERE number = 4", "entry 4 (id '�') was changed"),
        ("UPDATE entries SET id = x'ff' WHERE number = 4", "its content does not match its digest"),
        ("DELETE FROM entries WHERE number = 2", "entry 3 (id 'c') stands where entry 2 belongs"),
        ("DELETE FROM entries WHERE number = 1", "entry 2 (id 'b') stands where entry 1 belongs"),
    ],
)
def test_tampering_is_named_by_entry(tmp_path, statement, fault):
    ledger = a_ledger(tmp_path, "a", "b", "c", "d")
    tamper(ledger, statement)

    (said,) = ledger.verify().faults
    assert fault in said


def test_a_changed_entry_with_its_digest_made_to_match_breaks_the_next_link(tmp_path):
    ledger = a_ledger(tmp_path / "kept", "a", "b", "c")
    forger = a_ledger(tmp_path / "forged", "a")
    forged = forger.append(a_record("b", body=b'{"outcome": "rollback"}'))
    tamper(
        ledger,
        f"UPDATE entries SET body = x'{forged.record.body.hex()}', digest = '{forged.digest}'"
        " WHERE number = 2",
    )

    (said,) = ledger.verify().faults
    assert said.startswith("entry 3 (id 'c') does not link to what stands before it")


def test_entries_that_change_places_are_found(tmp_path):
    ledger = a_ledger(tmp_path, "a", "b", "c", "d")
    tamper(
        ledger,
        "UPDATE entries SET number = 99 WHERE number = 2",
        "UPDATE entries SET number = 2 WHERE number = 3",
        "UPDATE entries SET number = 3 WHERE number = 99",
    )

    faults = ledger.verify().faults
    assert [fault.split(" does ")[0] for fault in faults if "link" in fault] == [
        "entry 2 (id 'c')",
        "entry 3 (id 'b')",
        "entry 4 (id 'd')",
    ]
    assert sum("was changed" in fault for fault in faults) == 2  # the number is in the digest


def test_a_tail_cut_off_shows_only_to_who_kept_a_later_digest(tmp_path):
    ledger = a_ledger(tmp_path, "a", "b", "c")
    kept = ledger.verify()
    tamper(ledger, "DELETE FROM entries WHERE number = 3")

    after = ledger.verify()
    assert after.faults == ()  # what is left is a valid chain
    assert kept.last not in {entry.digest for entry in ledger.entries()}
    assert after.last != kept.last


def test_a_changed_entry_is_not_handed_out(tmp_path):
    ledger = a_ledger(tmp_path, "a", "b", "c")
    tamper(ledger, "UPDATE entries SET body = x'00' WHERE number = 2")

    with pytest.raises(LedgerError, match=r"entry 2 \(id 'b'\) was changed") as refusal:
        ledger.entry("b")
    assert "gate ledger verify" in refusal.value.hint
    reading = ledger.entries()
    assert next(reading).record.id == "c"
    with pytest.raises(LedgerError, match="was changed"):
        next(reading)


def test_what_is_not_stored_faithfully_is_not_stored_at_all(tmp_path):
    ledger = a_ledger(tmp_path, "a")
    with pytest.raises(LedgerError, match="without an id"):
        ledger.append(a_record(""))
    assert ledger.verify().entries == 1


def test_a_ledger_is_found_by_another_that_has_the_same_path(tmp_path):
    written = a_ledger(tmp_path, "a").entry("a")
    assert SqliteLedger(tmp_path / "ledger.db").entry("a") == written
