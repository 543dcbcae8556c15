"""The baseline's last hour is asked for as evidence is, with nothing beside it."""

from __future__ import annotations

import pytest

from gate.evidence.evidence import Cause, Gap, Pair
from gate.evidence.past import past, window_before
from gate.evidence.source import SourceError
from gate.service import Arms
from tests.parts.rollouts import SLO, FixedSource, a_metric, a_request, a_service, counts

NOW = 1_700_002_000.5
REQUEST = a_request(canary="v1", baseline="v1", as_of=NOW, since=0.0)


def watched(**said):
    """A service's past, and every question its source was asked."""
    asked = []

    def answer(one):
        asked.append(one)
        series = counts(0.01, minutes=one.window.count)
        return Pair("errors", baseline=series, canary=series)

    service = a_service(a_metric("errors"), slos=(SLO,), **said)
    return past(service, REQUEST, {"m": FixedSource(errors=answer)}, 5.0), asked


def test_it_asks_about_whole_intervals_up_to_the_lag():
    found, (asked,) = watched(lag=30.0)
    assert found.window == asked.window == window_before(a_service(lag=30.0), NOW)
    assert found.window.count == 60
    assert found.window.end == 1_700_001_960.0
    assert len(found.seen["errors"].total) == 60


def test_without_a_history_an_hour_is_looked_at_all_the_same():
    assert watched(history=0.0)[0].window.count == 60
    assert watched(history=600.0)[0].window.count == 10


OWN = 'v="{{canary}}"'


@pytest.mark.parametrize(
    ("arms", "selector"),
    [
        (
            Arms(canary='v="{{canary}}"', baseline='v="{{baseline}}"', health="up"),
            'v="{{baseline}}"',
        ),
        (
            Arms(canary='v="{{canary}}"', baseline='v="{{canary}}"', offset=86_400.0),
            'v="{{canary}}"',
        ),
    ],
)
def test_the_version_that_runs_now_stands_where_the_canary_will(arms, selector):
    _, (asked,) = watched(arms=arms)
    assert asked.arms.canary == selector
    assert asked.words["canary"] == asked.words["baseline"] == "v1"
    assert asked.arms.offset == 60.0  # no version may be compared with itself at the same time
    assert not asked.arms.health


def test_what_is_not_seen_is_a_gap_and_what_is_doubtful_a_doubt():
    def down(asked):
        raise SourceError(Cause.TIMEOUT, "no answer")

    doubt = Gap("metric errors", Cause.EMPTY, "there is no http_requests_total")
    series = counts(0.01, minutes=60)
    doubtful = Pair("errors", baseline=series, canary=series, doubts=(doubt,))
    service = a_service(a_metric("errors"), a_metric("logins"))
    found = past(service, REQUEST, {"m": FixedSource(errors=doubtful, logins=down)}, 5.0)
    assert set(found.seen) == {"errors"}
    assert found.doubts == (doubt,)
    assert found.gaps == {"logins": Gap("metric logins", Cause.TIMEOUT, "no answer")}
