"""`gate plan` as a team would ask it before a rollout."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from gate.surfaces.cli.main import run
from tests.parts.broken import BROKEN
from tests.parts.prometheus import History, prometheus
from tests.parts.services import service_file

EXAMPLE = Path(__file__).parents[2] / "examples" / "recorded" / "gate.yaml"
PLAN = ["plan", "-f", str(EXAMPLE), "--weight", "5%"]
RECORDED = ["--baseline", "v1.8.0", "--as-of", "2026-11-02T10:00:00Z"]


def told(capfd, *flags: str, code: int = 0) -> str:
    assert run([*PLAN, *flags]) == code
    out, err = capfd.readouterr()
    assert err == ""
    return " ".join(out.split())


def numbers(capfd, *flags: str) -> dict:
    assert run([*flags, "--format", "json"]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    return json.loads(out)


def by_label(plan: dict) -> dict:
    return {one["label"]: one for one in plan["metrics"]}


def test_it_tells_before_the_wait_that_the_margin_forgives_the_effect(capfd):
    out = told(capfd, "--traffic", "200rps", "--effect", "+20%", *RECORDED)
    assert "PLAN checkout 5% of 200/s" in out
    assert "errors: +20% is within the margin of 1.25 x baseline + 0.05%: never called worse" in out
    assert "at 5% of 200/s a canary as good as the baseline is shown safe after 41 min" in out
    assert "at 50% after 8 min (errors last)" in out
    assert "with a margin of 1.5 x baseline, memory would be shown safe after" in out


def test_it_tells_that_five_percent_of_ten_requests_a_second_never_tells(capfd):
    out = told(capfd, "--traffic", "10rps", "--effect", "2x", *RECORDED)
    assert "errors: 2x is not called worse within 1d" in out
    assert "at 5% of 10/s errors worse by 2x: not seen within a day; at 10% after 19 h" in out


def test_markdown_is_tables(capfd):
    assert run([*PLAN, *RECORDED, "--format", "markdown"]) == 0
    out = capfd.readouterr().out
    assert "| metric | baseline | if worse | seen after |" in out
    assert "| metric | +5% | +10% | +20% | +50% | 2x | 5x | 10x | curve |" in out


def test_json_has_numbers_and_why_there_are_none(capfd):
    plan = numbers(capfd, *PLAN, "--traffic", "12k rpm", "--effect", "2x", "--pods", "5", *RECORDED)
    assert plan["schema"] == "gate.plan/v1"
    assert plan["traffic_per_second"] == 200.0
    errors = by_label(plan)["errors"]
    assert errors["worse"]["after_seconds"] > errors["safe"]["after_seconds"] > 0
    assert errors["canary"] == pytest.approx(2 * errors["baseline"])
    assert errors["curve"][0]["never"] == "within margin"
    assert [one["weight"] for one in plan["elsewhere"]] == [0.1, 0.25, 0.5]
    assert plan["metrics"][3]["safe"]["never"] != "unknown"


def test_each_metric_may_have_its_own_effect(capfd):
    effects = ["--effect", "3x", "--effect", "errors=+0.3pp", "--effect", "latency=+100ms"]
    metrics = by_label(numbers(capfd, *PLAN, *RECORDED, *effects))
    differences = {
        label: metrics[label]["canary"] - metrics[label]["baseline"]
        for label in ("errors", "latency p50", "latency p99")
    }
    assert differences == pytest.approx({"errors": 0.003, "latency p50": 0.1, "latency p99": 0.1})
    assert metrics["memory"]["worsened"]["ratio"] == 3.0


def test_a_share_may_be_assumed_where_there_is_no_history(capfd):
    out = told(capfd, "--traffic", "200rps", "--assume", "errors=0.1%", "--effect", "5x")
    assert "assumed, not seen: errors" in out
    assert "0.1% assumed" in out
    assert "latency p50: not asked: no history: name the version that runs now" in out


def test_an_assumption_stands_in_for_a_source_that_is_down(capfd, tmp_path):
    with BROKEN["500"].serve() as url:
        file = ["plan", "-f", str(service_file(tmp_path, url)), "--baseline", "v1"]
        flags = ["--weight", "50%", "--traffic", "200rps", "--timeout", "1s"]
        assert run([*file, *flags, "--assume", "errors=1%"]) == 0
        out = " ".join(capfd.readouterr().out.split())
        assert "latency p50: server error" in out
        assert "shown safe after" in out
        assert run([*file, *flags]) == 30
    assert "nothing can be said of errors, latency p50" in " ".join(capfd.readouterr().out.split())


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--weight", "5"], "'5' is not a share between 0 and 100%: write 5% or 0.05"),
        (["--weight", "100%"], "write 5% or 0.05"),
        (["--traffic", "12"], "write 200rps, 12k rpm, 50/min or 2M/d"),
        (["--effect", "-20%"], "write +20%, 2x, errors=+0.3pp or latency=+50ms"),
        (["--effect", "1x"], "is not how much worse"),
        (["--effect", "nanx"], "is not how much worse"),
        (["--effect", "2x%"], "is not how much worse"),
        (["--effect", "0.5x"], "is not how much worse"),
        (["--effect", "errors=1e400pp"], "is not how much worse"),
        (["--effect", "+0%"], "is not how much worse"),
        (["--effect", "much"], "is not how much worse"),
        (["--effect", "errors="], "is not how much worse"),
        (["--effect", "+0.3pp"], "does not say of which metric"),
        (["--effect", "memory=+50ms"], "does not fit memory, which is measured bytes"),
        (["--effect", "latency=+1pp"], "does not fit latency, which is measured s"),
        (["--effect", "eror=2x"], "did you mean 'errors'?"),
        (["--assume", "errors"], "write errors=0.1%"),
        (["--assume", "errors=120%"], "write errors=0.1%"),
        (["--assume", "latency=1%"], "only a share of bad events can be assumed"),
        (["--assume", "errors=1%"], "--traffic is missing"),
        (["--pods", "0"], "0 is not in the range"),
        (["--as-of", "2999-01-01T00:00:00Z"], "lies in the future"),
        (["-f", "no.yaml"], "no.yaml: no such file"),
    ],
)
def test_a_wrong_flag_is_one_message_and_exit_2(capfd, flags, complaint):
    assert run([*PLAN, *flags]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert complaint in err
    assert "Traceback" not in err


def test_a_baseline_without_any_error_is_planned_too(capfd):
    flags = ["--traffic", "200rps", "--assume", "errors=0%", "--effect", "errors=+1pp"]
    errors = by_label(numbers(capfd, *PLAN, *flags))["errors"]
    assert errors["worse"]["after_seconds"] < errors["safe"]["after_seconds"]


def counter(start: float, a_minute: float, name: str, **labels: str) -> History:
    """A counter scraped every 15 seconds for two hours."""
    points = [(start + 15 * i, i * a_minute / 4) for i in range(2 * 240)]
    return History(name, {"version": "v1", "pod": "a", **labels}, points)


@pytest.mark.slow
def test_the_history_comes_from_a_real_prometheus(capfd, tmp_path):
    start = time.time() // 60 * 60 - 3 * 3600
    buckets = (("0.05", 300), ("0.1", 1_500), ("0.25", 2_700), ("0.5", 2_950), ("+Inf", 3_000))
    series = [
        counter(start, 2_970, "http_requests_total", code="200"),
        counter(start, 30, "http_requests_total", code="500"),
        *(counter(start, n, "http_request_duration_seconds_bucket", le=le) for le, n in buckets),
    ]
    with prometheus(history=series) as url:
        file = str(service_file(tmp_path, url))
        flags = ["--weight", "20%", "--baseline", "v1", "--as-of", str(start + 6_000)]
        plan = numbers(capfd, "plan", "-f", file, *flags, "--effect", "3x")
    assert plan["traffic_per_second"] == pytest.approx(50, rel=0.01)
    metrics = by_label(plan)
    assert metrics["errors"]["baseline"] == pytest.approx(0.01, rel=0.01)
    assert metrics["latency p50"]["baseline"] == pytest.approx(0.1, rel=0.01)
    assert all(0 < one["safe"]["after_seconds"] < 7_200 for one in plan["metrics"])
    assert all(0 < one["worse"]["after_seconds"] < 3_600 for one in plan["metrics"])
