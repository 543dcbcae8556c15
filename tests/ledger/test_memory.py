"""What became of releases is remembered beside the decisions, and read for the next one."""

from dataclasses import replace

import pytest

from gate.deployment import Deployment, History, Result
from gate.errors import LedgerError
from gate.ledger.ledger import Kind
from gate.ledger.memory import history, remember
from gate.ledger.sqlite import SqliteLedger
from tests.ledger.parts import a_ledger, a_record, tamper

DAY = 86_400.0
NOW = 1.7e9
WELL = Deployment(service="web", version="v1", result=Result.COMPLETED, at=NOW - DAY)


def test_what_was_told_comes_back_newest_first_and_only_of_that_service_and_time(tmp_path):
    ledger = a_ledger(tmp_path, "d-1")
    late = replace(WELL, version="v2", result=Result.ROLLED_BACK, at=NOW)
    for one in (replace(WELL, at=NOW - 91 * DAY), WELL, replace(WELL, service="api"), late):
        remember(ledger, one)
    remember(ledger, replace(WELL, version="v3", at=NOW + 1))

    assert history(ledger, "web", NOW) == History((late, WELL))
    assert [entry.record.id for entry in ledger.entries()] == ["d-1"]
    assert len(list(ledger.entries(kind=None))) == 6
    assert ledger.verify().faults == ()


def test_the_same_word_told_twice_is_kept_once_and_another_word_beside_it(tmp_path):
    ledger = SqliteLedger(tmp_path / "ledger.db")
    first = remember(ledger, WELL)

    assert remember(ledger, WELL) == first
    remember(ledger, replace(WELL, result=Result.INCIDENT, at=NOW))
    assert [one.result for one in history(ledger, "web", NOW).deployments] == [
        Result.INCIDENT,
        Result.COMPLETED,
    ]


def test_a_ledger_not_there_yet_remembers_nothing_and_is_not_made_by_asking(tmp_path):
    ledger = SqliteLedger(tmp_path / "ledger.db")

    assert history(ledger, "web", NOW) == History()
    assert not ledger.path.exists()


def test_a_history_that_was_changed_is_an_error_and_no_history(tmp_path):
    ledger = SqliteLedger(tmp_path / "ledger.db")
    remember(ledger, WELL)
    tamper(ledger, "UPDATE entries SET body = replace(body, 'completed', 'incident')")

    with pytest.raises(LedgerError, match="was changed"):
        history(ledger, "web", NOW)


def test_an_entry_of_another_form_is_an_error(tmp_path):
    ledger = SqliteLedger(tmp_path / "ledger.db")
    ledger.append(replace(a_record("x"), kind=Kind.DEPLOYMENT, at=NOW, body=b"[]"))

    with pytest.raises(LedgerError, match="cannot be read"):
        history(ledger, "web", NOW)
