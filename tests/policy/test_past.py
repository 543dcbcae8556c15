"""What the facts say of earlier releases."""

from __future__ import annotations

from dataclasses import replace

from gate.deployment import Deployment, History, Result
from gate.policy.past import past
from tests.parts.rollouts import SMALL, a_request

NOW = a_request().as_of
MINUTE = 60.0


def told(version: str, result: Result, minutes_ago: float = 60.0, **said) -> Deployment:
    at = NOW - minutes_ago * MINUTE
    return Deployment(service="shop", version=version, result=result, at=at, **said)


def known(*deployments: Deployment, change=None):
    newest_first = tuple(sorted(deployments, key=lambda one: -one.at))
    return dict(past(History(newest_first), a_request(), change))


def completed(count: int, **said) -> list[Deployment]:
    return [told(f"v1.{n}", Result.COMPLETED, 1000.0 + n, **said) for n in range(count)]


def test_a_version_spoken_of_twice_is_one_release_and_its_worst_word_counts():
    facts = known(
        *completed(4),
        told("v1.9", Result.INCIDENT, 300.0),
        told("v1.9", Result.COMPLETED, 200.0),
    )
    assert facts["history.deployments"] == 5
    assert facts["history.failure_rate"] == 0.2
    assert facts["history.last_result"] == "incident"
    assert facts["history.minutes_since_last"] == 200.0


def test_four_releases_have_no_rate_and_an_aborted_one_is_in_none():
    assert "history.failure_rate" not in known(*completed(4))
    assert "history.failure_rate" not in known(*completed(4), told("v1.9", Result.ABORTED))
    facts = known(*completed(4), told("v2.0", Result.ROLLED_BACK), told("v1.9", Result.ABORTED))
    assert (facts["history.deployments"], facts["history.failure_rate"]) == (6, 0.2)


def test_a_release_aborted_first_and_completed_later_was_completed():
    twice = told("v1.9", Result.ABORTED, 90.0), told("v1.9", Result.COMPLETED, 30.0)
    assert known(*completed(4), *twice)["history.failure_rate"] == 0.0


def test_the_last_word_is_of_another_version_than_the_one_that_is_decided_about():
    facts = known(told("v1", Result.COMPLETED, 90.0), told("v2", Result.ROLLED_BACK, 10.0))
    assert facts["history.last_result"] == "completed"
    assert facts["history.minutes_since_last"] == 90.0
    assert "history.last_result" not in known(told("v2", Result.ROLLED_BACK))


def test_the_rate_of_a_component_is_of_the_releases_that_touched_it():
    change = replace(SMALL, components=("payments",))
    others = completed(9, components=("search",))
    bad = [told(f"v0.{n}", Result.ROLLED_BACK, components=("payments", "search")) for n in range(5)]
    facts = known(*others, *bad, change=change)
    assert facts["history.component_failure_rate"] == 1.0
    assert facts["history.failure_rate"] == 5 / 14
    for unknown in (SMALL, replace(SMALL, components=("search",))):
        few = known(*others[:4], *bad[:0], change=unknown)
        assert "history.component_failure_rate" not in few


def test_nothing_told_is_a_count_of_none_and_no_rate():
    assert known() == {
        "history.deployments": 0,
        "history.known_good": False,
        "history.overrides_30d": 0,
    }
