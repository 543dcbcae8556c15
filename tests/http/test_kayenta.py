"""What Argo's Kayenta provider asks, in its order, and what it makes of the score."""

from __future__ import annotations

import pytest

from tests.http.parts import BAD, BASELINE, GOOD, HOUR, STARTED, running


def start(release, passing=90, marginal=75, place="location"):
    """As `expectedBody` of its tests; before 1.9 the place was called region."""
    scopes = {
        arm: {"scope": version, place: "shop", "step": 60, "start": "2019-03-29T01:08:34Z",
              "end": "2019-03-29T01:38:34Z"}
        for arm, version in (("controlScope", BASELINE), ("experimentScope", release))
    }  # fmt: skip
    return {"scopes": {"default": scopes}, "thresholds": {"pass": passing, "marginal": marginal}}


def phase(told, passing=90, marginal=75):
    """As `metricproviders/kayenta` decides."""
    if told["complete"] is False:
        return "Running"
    score = int(told["result"]["judgeResult"]["score"]["score"])
    if score >= passing:
        return "Successful"
    return "Inconclusive" if score >= marginal else "Failed"


def begun(server, body):
    query = "application=checkout&metricsAccountName=m&configurationAccountName=c"
    status, configs = server.get(f"/canaryConfig?{query}")
    assert (status, configs[0]["name"]) == (200, "checkout")
    assert isinstance(configs[0]["updatedTimestamp"], int)
    status, told = server.post(f"/canary/{configs[0]['id']}?{query}", body)
    assert status == 200, told
    return told["canaryExecutionId"]


@pytest.mark.parametrize(
    ("release", "seconds", "expected"),
    [(GOOD, HOUR, "Successful"), (BAD, HOUR, "Failed"), (BAD, 60.0, "Inconclusive")],
)
@pytest.mark.parametrize("place", ["location", "region"])
def test_the_score_says_the_verdict(server, release, seconds, expected, place):
    server.clock.now = STARTED[release]
    begun(server, start(release, place=place))
    server.clock.now += seconds
    status, told = server.get(f"/canary/{begun(server, start(release, place=place))}")
    assert (status, phase(told)) == (200, expected)


def test_a_run_outlives_a_restart(tmp_path):
    run = begun(running(tmp_path), start(BAD))
    again = running(tmp_path)
    again.clock.now += HOUR
    assert phase(again.get(f"/canary/{run}")[1]) == "Failed"


@pytest.mark.parametrize(("passing", "marginal"), [(90, 90), (75, 90)])
def test_thresholds_without_room_for_hold_are_refused(server, passing, marginal):
    status, told = server.post("/canary/checkout", start(BAD, passing, marginal))
    assert status == 400
    assert "hold" in told["error"]["reason"]


@pytest.mark.parametrize("passing", [1, 0, -5, 100])
def test_no_thresholds_turn_a_rollback_into_anything_else(server, passing):
    body = start(BAD, passing, passing - 1)
    begun(server, body)
    server.clock.now += HOUR
    told = server.get(f"/canary/{begun(server, body)}")[1]
    assert phase(told, passing, passing - 1) == "Failed"


@pytest.mark.parametrize("run", ["x", "bnVsbA", "WzFd", "%00", "e30", "W10"])
def test_a_run_nobody_started_is_404(server, run):
    assert server.get(f"/canary/{run}")[0] == 404
