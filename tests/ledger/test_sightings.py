"""A rollout's window starts when the gate first saw it, whoever asks and after any restart."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from gate.deployment import Deployment, Result
from gate.ledger.ledger import Kind
from gate.ledger.memory import remember
from gate.ledger.sightings import Rollout, first_seen
from gate.ledger.sqlite import SqliteLedger

ROLLOUT = Rollout(service="shop", namespace="prod", canary="7d4b9c")


def told(ledger, at, version="7d4b9c", result=Result.ABORTED, namespace=""):
    ended = Deployment(
        service="shop", version=version, result=result, at=at, namespace=namespace
    )  # fmt: skip
    remember(ledger, ended)


def test_later_asks_continue_the_first_also_after_a_restart(tmp_path):
    path = tmp_path / "ledger.db"
    assert first_seen(SqliteLedger(path), ROLLOUT, 100.0).at == 100.0
    assert first_seen(SqliteLedger(path), ROLLOUT, 900.0).at == 100.0


def test_another_canary_namespace_or_release_is_another_rollout(tmp_path):
    ledger = SqliteLedger(tmp_path / "ledger.db")
    first_seen(ledger, ROLLOUT, 100.0)
    for other in ({"canary": "5f8c2a"}, {"namespace": "stage"}, {"release": "c1"}):
        assert first_seen(ledger, replace(ROLLOUT, **other), 200.0).at == 200.0


def test_a_version_whose_end_was_told_begins_anew(tmp_path):
    ledger = SqliteLedger(tmp_path / "ledger.db")
    first_seen(ledger, ROLLOUT, 100.0)
    told(ledger, 150.0, version="another")
    assert first_seen(ledger, ROLLOUT, 160.0).at == 100.0
    told(ledger, 200.0)
    again = first_seen(ledger, ROLLOUT, 300.0)
    assert (again.at, again.number) == (300.0, 1)
    assert first_seen(ledger, ROLLOUT, 400.0) == again


def test_word_of_another_namespace_ends_nothing_here(tmp_path):
    ledger = SqliteLedger(tmp_path / "ledger.db")
    nowhere = replace(ROLLOUT, namespace="")
    first_seen(ledger, ROLLOUT, 100.0)
    first_seen(ledger, nowhere, 100.0)
    told(ledger, 200.0, namespace="stage")
    assert first_seen(ledger, ROLLOUT, 300.0).at == 100.0
    assert first_seen(ledger, nowhere, 300.0).at == 300.0  # it may be the one that ended
    told(ledger, 400.0, namespace="prod")
    assert first_seen(ledger, ROLLOUT, 500.0).at == 500.0


def test_of_many_who_see_it_at_once_one_is_believed(tmp_path):
    path = tmp_path / "ledger.db"
    with ThreadPoolExecutor(8) as pool:
        seen = list(
            pool.map(lambda k: first_seen(SqliteLedger(path), ROLLOUT, 100.0 + k), range(8))
        )
    assert len({one.at for one in seen}) == 1
    assert len(list(SqliteLedger(path).entries(kind=Kind.ROLLOUT))) == 1
    assert SqliteLedger(path).verify().faults == ()
