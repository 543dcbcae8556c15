import json
import math
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.budget.budget import burn
from gate.errors import UsageError
from gate.evidence.evidence import Cause
from gate.evidence.source import Asked, SourceError
from gate.metric import DEFAULT_MARGINS, Direction, Kind, Metric
from gate.request import Request, Window
from gate.series import Buckets, Counts
from gate.service import Arms, ChangeRange
from gate.slo import Slo, TimeWindow
from gate.sources.file import FileSource, FileSpec
from gate.sources.recording import columnar, exposition, selector, tidy

NAN = math.nan
ARMS = Arms(canary='version="{{canary}}"', baseline='version="{{baseline}}"')
WINDOW = Window(0, 60, 3)
ERRORS = {"bad": 'req{ {{selector}},code=~"5.." }', "total": "req{ {{selector}} }"}


def metric(kind: Kind, **queries: str) -> Metric:
    return Metric(
        name="m",
        kind=kind,
        queries=queries,
        source="file",
        worse=Direction.HIGHER,
        margin=DEFAULT_MARGINS[kind],
        critical=True,
    )


def asking(window=WINDOW, arms=ARMS, history=0.0, **words: str) -> Asked:
    return Asked(
        request=Request(service="s", canary="c", baseline="b", as_of=window.end, since=0),
        window=window,
        history=window.before(history),
        arms=arms,
        words={"canary": "c", "baseline": "b"} | words,
        deadline=math.inf,
    )


@pytest.fixture
def source(tmp_path):
    """A source of a file with this text."""

    def made(text, suffix=".csv", **spec):
        (tmp_path / f"seen{suffix}").write_text(text)
        return FileSource(FileSpec(path=f"seen{suffix}", **spec), tmp_path)

    return made


def columns(*series, **more) -> str:
    """A JSON recording of `(name, labels, values)`, a value a minute from 60 s on."""
    return json.dumps(
        {
            "series": [
                {"name": name, "labels": labels, "start": 60, "step": 60, "values": values}
                for name, labels, values in series
            ],
            **more,
        }
    )


def both(name, values, **labels):
    return [(name, {"version": version, **labels}, values) for version in "bc"]


def cause(source, *arguments) -> tuple[Cause, str]:
    with pytest.raises(SourceError) as caught:
        source(*arguments)
    return caught.value.cause, caught.value.message


def refusal(source, kind=Kind.EVENTS, queries=ERRORS, asked=None) -> tuple[Cause, str]:
    return cause(source.pair, metric(kind, **queries), asked or asking())


# Events


def test_events_are_summed_over_series_and_within_the_interval(source):
    text = (
        "time,name,value,version,code\n"
        "0,req,999,c,200\n"  # at the start: belongs to the interval before
        "1,req,10,c,200\n60,req,20,c,200\n60,req,3,c,503\n"
        "61,req,40,c,200\n"
        "1970-01-01T00:03:00Z,req,50,c,200\n"
        "60,req,100,b,200\n"
    )
    pair = source(text).pair(metric(Kind.EVENTS, **ERRORS), asking())
    np.testing.assert_array_equal(pair.canary.total, [33, 40, 50])
    np.testing.assert_array_equal(pair.canary.bad, [3, 0, 0])
    np.testing.assert_array_equal(pair.baseline.total, [100, NAN, NAN])
    np.testing.assert_array_equal(pair.baseline.bad, [0, NAN, NAN])
    assert pair.concurrent
    assert pair.doubts == ()


def test_pods_that_name_themselves_are_told_apart(source):
    text = columns(
        *both("req", [10, 10, 10], code="200", pod="x"),
        *both("req", [8, 9, None], code="200", pod="y"),
        ("req", {"version": "c", "code": "500", "pod": "y"}, [2, 1, None]),
    )
    pair = source(text, ".json").pair(metric(Kind.EVENTS, **ERRORS), asking())
    assert isinstance(pair.canary, Counts)
    assert list(pair.canary.by_pod) == ["x", "y"]
    np.testing.assert_array_equal(pair.canary.by_pod["y"].bad, [2, 1, NAN])
    np.testing.assert_array_equal(pair.canary.by_pod["y"].total, [10, 10, NAN])
    np.testing.assert_array_equal(pair.canary.by_pod["x"].bad, [0, 0, 0])


def test_one_series_without_a_pod_and_none_is_told_apart(source):
    text = columns(*both("req", [10, 10, 10], pod="x"), *both("req", [5, 5, 5]))
    pair = source(text, ".json").pair(metric(Kind.EVENTS, **ERRORS), asking())
    assert isinstance(pair.canary, Counts)
    assert pair.canary.total.tolist() == [15, 15, 15]
    assert pair.canary.by_pod == {}


def test_what_was_written_as_not_seen_voids_its_interval(source):
    text = columns(
        *both("req", [10, 10, 10], code="200"),
        ("req", {"version": "c", "code": "500"}, [1, None, 1]),
    )
    pair = source(text, ".json").pair(metric(Kind.EVENTS, **ERRORS), asking())
    np.testing.assert_array_equal(pair.canary.total, [11, NAN, 11])
    np.testing.assert_array_equal(pair.canary.bad, [1, NAN, 1])


def test_good_events_leave_the_others_bad(source):
    text = columns(*both("req", [10, 20, 0]), *both("ok", [9, 20, 0]))
    queries = {"good": "ok{ {{selector}} }", "total": "req{ {{selector}} }"}
    pair = source(text, ".json").pair(metric(Kind.EVENTS, **queries), asking())
    np.testing.assert_array_equal(pair.canary.bad, [1, 0, 0])


def test_a_canary_without_good_events_is_all_bad_and_a_baseline_is_not_seen(source):
    queries = {"good": "ok{ {{selector}} }", "total": "req{ {{selector}} }"}
    good = [("ok", {"version": "b"}, [9, 9, 9])]
    pair = source(columns(*both("req", [10, 10, 10]), *good), ".json").pair(
        metric(Kind.EVENTS, **queries), asking()
    )
    np.testing.assert_array_equal(pair.canary.bad, [10, 10, 10])
    nobody = source(columns(*both("req", [10, 10, 10])), ".json")
    assert refusal(nobody, queries=queries)[0] is Cause.EMPTY


def test_cumulative_counters_grow_and_restart(source):
    text = columns(
        # 40 before the restart, then 5 since it, and no sample in the last interval
        ("req", {"version": "c"}, [100, 140, 5]),
        ("req", {"version": "b"}, [0, 7, 7]),
    )
    asked = asking(Window(60, 60, 3))
    counters = source(text, ".json", counters="cumulative")
    pair = counters.pair(metric(Kind.EVENTS, **ERRORS), asked)
    np.testing.assert_array_equal(pair.canary.total, [40, 5, NAN])
    np.testing.assert_array_equal(pair.baseline.total, [7, 0, NAN])


def test_a_cumulative_series_first_seen_in_the_window_counts_from_there(source):
    counters = source(columns(*both("req", [100, 110, 130])), ".json", counters="cumulative")
    pair = counters.pair(metric(Kind.EVENTS, **ERRORS), asking())
    np.testing.assert_array_equal(pair.canary.total, [NAN, 10, 20])


def test_growth_through_a_missed_scrape_is_not_lost(source):
    counters = source(columns(*both("req", [100, 110, None, 130])), ".json", counters="cumulative")
    pair = counters.pair(metric(Kind.EVENTS, **ERRORS), asking(Window(60, 60, 3)))
    np.testing.assert_array_equal(pair.canary.total, [10, NAN, 20])


def test_growth_of_another_time_is_not_charged_to_the_first_interval(source):
    text = columns(*both("req", [100] + [None] * 9 + [900, 910]))
    counters = source(text, ".json", counters="cumulative")
    pair = counters.pair(metric(Kind.EVENTS, **ERRORS), asking(Window(600, 60, 2)))
    np.testing.assert_array_equal(pair.canary.total, [NAN, 10])


@pytest.mark.parametrize(
    ("series", "expected", "words"),
    [
        ([], Cause.EMPTY, "no series is named 'req'"),
        (both("reqs", [1, 1, 1]), Cause.EMPTY, "did you mean 'reqs'?"),
        ([("req", {"version": "b"}, [1])], Cause.EMPTY, "canary req{"),
        (both("req", [None, None, None]), Cause.EMPTY, "no events were counted"),
        (both("req", [1, -1, 1]), Cause.MALFORMED, "counted -1 at 1970-01-01T00:02:00Z"),
        (
            [*both("req", [1, 1, 1]), ("req", {"version": "c", "code": "500"}, [-3])],
            Cause.MALFORMED,
            "counted -3",
        ),
    ],
)
def test_events_that_cannot_be_are_gaps(source, series, expected, words):
    got, message = refusal(source(columns(*series), ".json"))
    assert got is expected
    assert words in message
    assert "seen.json" in message or "counted -" in message


def test_an_arm_outside_the_window_says_when_it_was_recorded(source):
    got, message = refusal(
        source(columns(*both("req", [1, 1])), ".json"), asked=asking(Window(600, 60, 2))
    )
    assert got is Cause.EMPTY
    assert "recorded from 1970-01-01T00:01:00Z to 1970-01-01T00:02:00Z, nothing from" in message


def test_more_bad_events_than_events_is_a_contradiction(source):
    queries = {"bad": "err{ {{selector}} }", "total": "req{ {{selector}} }"}
    text = columns(*both("req", [10, 10, 10]), *both("err", [20, 20, 20]))
    assert refusal(source(text, ".json"), queries=queries)[0] is Cause.MALFORMED


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("errs{ {{selector}} }", "no series is named 'errs'"),
        ('req{ {{selector}},status=~"5.." }', "no such series has a label 'status'"),
    ],
)
def test_zero_errors_by_a_mistyped_query_do_not_acquit(source, query, why):
    text = columns(*both("req", [10, 10, 10], code="200"))
    pair = source(text, ".json").pair(metric(Kind.EVENTS, **(ERRORS | {"bad": query})), asking())
    (doubt,) = pair.doubts
    assert why in doubt.detail
    assert doubt.about == "metric m"


def test_an_empty_window_is_empty(source):
    text = columns(*both("req", [10, 10, 10]))
    assert refusal(source(text, ".json"), asked=asking(Window(60, 60, 0)))[0] is Cause.EMPTY


LATER = Window(600, 60, 3)


def test_the_history_is_the_baseline_before_the_canary(source):
    rows = [f"{600 + 60 * k - 30},req,200,b,{100 + k}" for k in (-1, 0, 1, 2, 3)]
    rows += [f"{600 + 60 * k - 30},req,200,c,10" for k in (1, 2, 3)]
    file = source("time,name,code,version,value\n" + "\n".join(rows) + "\n")
    pair = file.pair(metric(Kind.EVENTS, **ERRORS), asking(LATER, history=120.0))
    assert pair.history.total.tolist() == [99.0, 100.0]
    assert pair.baseline.total.tolist() == [101.0, 102.0, 103.0]


def test_a_history_that_was_not_recorded_is_none_and_no_gap(source):
    rows = [f"{600 + 60 * k - 30},req,200,{v},100" for k in (1, 2, 3) for v in "bc"]
    file = source("time,name,code,version,value\n" + "\n".join(rows) + "\n")
    pair = file.pair(metric(Kind.EVENTS, **ERRORS), asking(LATER, history=120.0))
    assert pair.history is None
    assert pair.baseline.total.tolist() == [100.0, 100.0, 100.0]


def test_a_historical_baseline_is_the_canary_earlier(source):
    text = columns(
        ("req", {"version": "c"}, [1, 2, 3, 10, 20, 30]), ("t", {"version": "c"}, [5] * 6)
    )
    arms = Arms(canary=ARMS.canary, baseline=ARMS.canary, offset=180.0)
    asked = asking(Window(180, 60, 3), arms)
    pair = source(text, ".json").pair(metric(Kind.EVENTS, **ERRORS), asked)
    np.testing.assert_array_equal(pair.canary.total, [10, 20, 30])
    np.testing.assert_array_equal(pair.baseline.total, [1, 2, 3])
    assert not pair.concurrent
    samples = source(text, ".json").pair(metric(Kind.SAMPLES, values="t{ {{selector}} }"), asked)
    np.testing.assert_array_equal(samples.baseline.times, samples.canary.times)


# Histograms


def test_buckets_are_separated_and_summed_over_pods(source):
    text = columns(
        *both("lat_bucket", [1, 2, 3], le="0.1", pod="x"),
        *both("lat_bucket", [5, 5, None], le="0.5", pod="x"),
        *both("lat_bucket", [6, 5, 5], le="+Inf", pod="x"),
        *both("lat_bucket", [1, 0, 1], le="0.1", pod="y"),
        *both("lat_bucket", [1, 0, 1], le="0.50", pod="y"),
        *both("lat_bucket", [1, 0, 1], le="+Inf", pod="y"),
    )
    pair = source(text, ".json").pair(
        metric(Kind.HISTOGRAM, buckets="lat_bucket{ {{selector}} }"), asking()
    )
    np.testing.assert_array_equal(pair.canary.edges, [0.1, 0.5])
    np.testing.assert_array_equal(pair.canary.counts[:2], [[2, 4, 1], [2, 3, 0]])
    assert isinstance(pair.canary, Buckets)
    np.testing.assert_array_equal(pair.canary.by_pod["x"].counts[:2], [[1, 4, 1], [2, 3, 0]])
    np.testing.assert_array_equal(pair.canary.by_pod["y"].counts[0], [1, 0, 0])


@pytest.mark.parametrize(
    ("series", "words"),
    [
        (both("lat_bucket", [1, 1, 1], le="0.1"), 'no le="+Inf"'),
        (both("lat_bucket", [1, 1, 1], le="+Inf"), "no finite le"),
        (both("lat_bucket", [1, 1, 1]), "has no label le"),
        (both("lat_bucket", [1, 1, 1], le="wide"), "is not a bucket edge"),
        (
            [*both("lat_bucket", [9], le="0.1"), *both("lat_bucket", [5], le="+Inf")],
            "exceeds the whole",
        ),
    ],
)
def test_buckets_that_cannot_be_are_malformed(source, series, words):
    query = {"buckets": "lat_bucket{ {{selector}} }"}
    got, message = refusal(source(columns(*series), ".json"), Kind.HISTOGRAM, query)
    assert got is Cause.MALFORMED
    assert words in message


# Gauges and samples


def test_a_gauge_is_the_last_value_of_each_pod(source):
    text = "time,name,value,version,pod\n" + "".join(
        f"{row}\n"
        for version in "bc"
        for row in (
            f"10,mem,1,{version},z",
            f"50,mem,2,{version},z",
            f"60,mem,,{version},z",
            f"180,mem,5,{version},z",
            f"60,mem,7,{version},a",
        )
    )
    pair = source(text).pair(metric(Kind.GAUGE, value="mem{ {{selector}} }"), asking())
    assert pair.canary.pods == ("a", "z")
    np.testing.assert_array_equal(pair.canary.values, [[7, 2], [NAN, NAN], [NAN, 5]])


def test_two_series_of_one_pod_are_refused(source):
    text = columns(
        *both("mem", [1, 1, 1], pod="x", container="app"),
        *both("mem", [9, 9, 9], pod="x", container="proxy"),
    )
    query = {"value": "mem{ {{selector}} }"}
    assert refusal(source(text, ".json"), Kind.GAUGE, query)[0] is Cause.BAD_QUERY


def test_samples_are_in_order_and_finite(source):
    text = (
        "time,name,value,version,pod\n"
        "30,t,3,c,x\n10,t,1,c,y\n20,t,NaN,c,x\n180,t,4,c,x\n181,t,9,c,x\n0,t,9,c,x\n9,t,1,b,x\n"
    )
    pair = source(text).pair(metric(Kind.SAMPLES, values="t{ {{selector}} }"), asking())
    np.testing.assert_array_equal(pair.canary.times, [10, 30, 180])
    np.testing.assert_array_equal(pair.canary.values, [1, 3, 4])


def test_an_infinite_sample_is_malformed(source):
    text = "time,name,value,version\n30,t,3,b\n30,t,+Inf,c\n"
    query = {"values": "t{ {{selector}} }"}
    assert refusal(source(text), Kind.SAMPLES, query)[0] is Cause.MALFORMED


# Health


@pytest.mark.parametrize(
    ("canary", "baseline", "doubts"),
    [
        ([1, 1], [1, 1, 1], []),
        ([1, 0], [1, 1, 1], ["1 of 2 canary targets is down (p1)"]),
        ([1, None], [1, 1, 1], ["1 of 2 canary targets is down (p1)"]),
        ([1, 1], [0, 1, 1], []),
        ([1, 1], [0, 0, 1], ["2 of 3 baseline targets are down (p0, p1)"]),
        ([], [], []),
    ],
)
def test_targets_that_are_down_are_doubts(source, canary, baseline, doubts):
    up = [
        ("up", {"version": version, "pod": f"p{i}"}, [1, value])
        for version, values in (("c", canary), ("b", baseline))
        for i, value in enumerate(values)
    ]
    arms = Arms(canary=ARMS.canary, baseline=ARMS.baseline, health="up{ {{selector}} }")
    pair = source(columns(*both("req", [1, 1, 1], code="200"), *up), ".json").pair(
        metric(Kind.EVENTS, **ERRORS), asking(arms=arms)
    )
    assert [doubt.detail for doubt in pair.doubts] == doubts
    assert all(doubt.cause is Cause.STALE for doubt in pair.doubts)


def test_health_after_the_window_is_not_yet_known(source):
    text = columns(*both("req", [1, 1, 1], code="200"), *both("up", [1, 1, 1, 0], pod="p"))
    arms = Arms(canary=ARMS.canary, baseline=ARMS.baseline, health="up{ {{selector}} }")
    pair = source(text, ".json").pair(metric(Kind.EVENTS, **ERRORS), asking(arms=arms))
    assert pair.doubts == ()


# Objectives


def slo(length=600.0, **more) -> Slo:
    return Slo(name="availability", objective=0.999, window=TimeWindow(length=length), **more)


QUERIES = {"bad": 'req{code="500"}', "total": "req"}


def test_indicators_written_in_the_file_longest_first(source):
    text = json.dumps(
        {
            "indicators": [
                {"slo": "availability", "window": 120, "error_ratio": 0.5},
                {"slo": "latency", "window": "30d", "bad": 1, "total": 2},
                {"slo": "availability", "window": "10m", "bad": 1, "total": 4},
            ]
        }
    )
    long, short = source(text, ".json").indicators(slo(), asking())
    assert (long.window, long.bad_share, long.bad, long.total) == (600, 0.25, 1, 4)
    assert (short.window, short.bad_share, short.total) == (120, 0.5, None)


def test_an_objective_over_another_window_is_not_this_one(source):
    text = '{"indicators": [{"slo": "availability", "window": "7d", "error_ratio": 0}]}'
    got, message = cause(source(text, ".json").indicators, slo(), asking())
    assert got is Cause.EMPTY
    assert "no indicator of availability over 10m (written: 7d)" in message


@pytest.mark.parametrize("counters", ["per-interval", "cumulative"])
def test_indicators_measured_from_series(source, counters):
    bad, total = np.full(11, 1), np.full(11, 99)
    if counters == "cumulative":
        bad, total = bad.cumsum(), total.cumsum()
    text = columns(("req", {"code": "500"}, bad.tolist()), ("req", {"code": "200"}, total.tolist()))
    recorded = source(text, ".json", counters=counters)
    asked = asking(Window(600, 60, 1))
    (long,) = recorded.indicators(slo(queries=QUERIES), asked)
    assert (long.window, long.bad, long.total) == (600, 10, 1000)
    assert (long.bad_share, long.coverage) == (0.01, 1.0)


def test_a_recording_has_the_windows_of_the_alerts_and_those_before_the_canary(source):
    # Two days with 99 good a minute; an error a minute in the hour before the canary came.
    minutes = 2 * 24 * 60
    start = minutes - 80  # of the incident; the canary came an hour later, 20 minutes ago
    bad = np.where((np.arange(minutes) >= start) & (np.arange(minutes) < start + 60), 1, 0)
    text = columns(("req", {"code": "500"}, bad.tolist()), ("req", {"code": "200"}, [99] * minutes))
    two_days = slo(172_800.0, queries=QUERIES)
    asked = asking(Window(60.0 * (minutes - 20), 60, 20))
    asked = replace(asked, request=replace(asked.request, since=1_200.0))
    found = source(text, ".json").indicators(two_days, asked)
    now = {one.window: one.bad for one in found if not one.until}
    before = {one.window: one.bad for one in found if one.until}
    assert now == {172_800.0: 60, 3_600.0: 40, 300.0: 0, 1_200.0: 0}
    assert before == {3_600.0: 60, 300.0: 5}
    assert {one.until for one in found} == {0.0, 1_200.0}


def test_a_recording_without_an_error_has_no_bad_events(source):
    (long,) = source(columns(("req", {"code": "200"}, [9] * 10)), ".json").indicators(
        slo(queries=QUERIES), asking(Window(540, 60, 1))
    )
    assert (long.bad, long.total) == (0, 90)


@pytest.mark.parametrize("hole", [range(2, 5), range(7, 10)])
def test_a_window_covered_in_part_says_how_far(source, hole):
    values = [None if i in hole else 5 for i in range(10)]
    recorded = source(columns(("req", {"code": "200"}, values)), ".json")
    objective = slo(queries=QUERIES)
    (long,) = found = recorded.indicators(objective, asking(Window(540, 60, 1)))
    assert long.coverage == pytest.approx(0.7)
    budget = burn(objective, found)
    assert budget.remaining is None
    assert budget.unknown == "70.0% of the time was seen, 90% needed"


def test_unseen_errors_are_uncovered_time_too(source):
    text = columns(
        ("req", {"code": "200"}, [5] * 10), ("req", {"code": "500"}, [1] * 5 + [None] * 5)
    )
    recorded = source(text, ".json")
    (long,) = recorded.indicators(slo(queries=QUERIES), asking(Window(540, 60, 1)))
    assert long.coverage == pytest.approx(0.5)


def test_a_recording_coarser_than_the_window_does_not_cover_it(source):
    text = '{"series": [{"name": "req", "start": 0, "step": 300, "values": [5, 5, 5]}]}'
    (long,) = source(text, ".json").indicators(
        slo(240.0, queries=QUERIES), asking(Window(540, 60, 1))
    )
    assert long.coverage == 0


def test_no_events_are_no_indicator(source):
    recorded = source(columns(("req", {"code": "200"}, [0] * 10)), ".json")
    got, _ = cause(recorded.indicators, slo(queries=QUERIES), asking(Window(540, 60, 1)))
    assert got is Cause.EMPTY


def test_an_error_ratio_cannot_be_selected(source):
    recorded = source(columns(), ".json")
    got, _ = cause(recorded.indicators, slo(queries={"error_ratio": "x"}), asking())
    assert got is Cause.BAD_QUERY


# Changes

CHANGE = {
    "base": "b",
    "head": "c",
    "commits": 1,
    "files": 2,
    "directories": 1,
    "lines_added": 3,
    "lines_deleted": 4,
}
RANGE = ChangeRange(source="file", base="b", head="c")


def test_the_change_of_the_canary(source):
    recorded = source(json.dumps({"changes": {"c": CHANGE, "d": CHANGE | {"files": 9}}}), ".json")
    assert recorded.change(RANGE, asking()).files == 2


def test_one_change_for_any_canary(source):
    text = json.dumps({"change": CHANGE | {"notes": ["shallow"]}})
    assert source(text, ".json").change(RANGE, asking()).notes == ("shallow",)


def test_a_change_that_was_not_recorded(source):
    got, message = cause(
        source(json.dumps({"changes": {"d": CHANGE}}), ".json").change, RANGE, asking()
    )
    assert got is Cause.EMPTY
    assert "no change of 'c'" in message


# Formats

OPENMETRICS = r"""# HELP req Requests.
# TYPE req counter
req_total{version="c",path="/a\"b\\n"} 5 60 # {trace_id="x"} 0.5 59
req_total{version="c",path="/a\"b\\n"} 8 120
req_total{version="b",path="}"} 1e1 60
req_total{version="b",path="}",} NaN 90
req_total{version="b",path="}"} 2e1 120.000
# EOF
"""
PROMETHEUS = """# TYPE req_total counter
req_total{version="c"} 5 60000

req_total {version="c"} 8 120000
req_total{version="b"} 10 60000
req_total{version="b"} 20 120000
"""


@pytest.mark.parametrize(("text", "suffix"), [(OPENMETRICS, ".om"), (PROMETHEUS, ".prom")])
def test_openmetrics_and_prometheus_text_are_cumulative(source, text, suffix):
    queries = {"bad": 'req_total{ {{selector}},version="" }', "total": "req_total{ {{selector}} }"}
    pair = source(text, suffix).pair(metric(Kind.EVENTS, **queries), asking())
    np.testing.assert_array_equal(pair.canary.total, [NAN, 3, NAN])
    np.testing.assert_array_equal(pair.baseline.total, [NAN, 10, NAN])


def test_escapes_in_label_values():
    first, _ = exposition.parse(OPENMETRICS, "f.om")
    assert first.labels["path"] == '/a"b\\n'


@pytest.mark.parametrize(
    ("text", "suffix", "words"),
    [
        ("", ".csv", "seen.csv:1: the header has no column 'time'"),
        ("time,name\n", ".csv", "seen.csv:1: the header has no column 'value'"),
        ("time,name,value,pod,pod\n", ".csv", "appears twice"),
        ("time,name,value,\n", ".csv", "has no name"),
        ("time,name,value\n1,x,1\n\n2,x\n", ".csv", "seen.csv:4: 2 columns, the header has 3"),
        ("time,name,value\n1,x,many\n", ".csv", "seen.csv:2: value 'many' is not a number"),
        ("time,name,value\n1,x,1_000\n", ".csv", "seen.csv:2: value '1_000' is not a number"),
        ("time,name,value\n1,,1\n", ".csv", "seen.csv:2: the name is empty"),
        ("time,name,value\nnoon,x,1\n", ".csv", "neither Unix seconds nor RFC 3339"),
        ("time,name,value\n2026-11-02T10:00:00,x,1\n", ".csv", "has no zone"),
        ("time,name,value\nnan,x,1\n", ".csv", "seen.csv:2: time nan is not in Unix seconds"),
        ("time,name,value\n1793613600000,x,1\n", ".csv", "is not in Unix seconds"),
        ('time,name,value\n1,"x,1\n', ".csv", "not CSV"),
        ("time,name,value\n1,x,1\n1,x,1\n1,x,2\n", ".csv", "seen.csv:4: x{} has two values"),
        ("time,name,value\n1,x,1\n1,x,\n", ".csv", "seen.csv:3: x{} has two values"),
        ("{", ".json", "seen.json:1:2: not JSON"),
        ("[]", ".json", "seen.json: document: "),
        ('{"serie": []}', ".json", "unknown key 'serie'; did you mean 'series'?"),
        ('{"series": [{"name": "x", "values": [1]}]}', ".json", "either start and step, or times"),
        (
            '{"series": [{"name": "x", "times": [1, 2], "values": [1]}]}',
            ".json",
            "seen.json: series.0: 2 times, but 1 values",
        ),
        (
            '{"series": [{"name": "x", "times": [1], "values": ["1"]}]}',
            ".json",
            "seen.json: series.0.values.0: ",
        ),
        (
            '{"series": [{"name": "x", "times": [1, 1], "values": [1, 2]}]}',
            ".json",
            "seen.json: series.0: x{} has two values",
        ),
        (
            '{"indicators": [{"slo": "s", "window": "soon", "error_ratio": 0}]}',
            ".json",
            "'soon' is not a duration",
        ),
        ('{"indicators": [{"slo": "s", "window": 5}]}', ".json", "bad and total, or error_ratio"),
        (
            '{"indicators": [{"slo": "s", "window": 5, "bad": 2, "total": 1}]}',
            ".json",
            "bad (2) exceeds total (1)",
        ),
        ('{"change": {"base": "a"}}', ".json", "change.head: field required"),
        ("x 1\n", ".prom", "seen.prom:1: x has no timestamp"),
        ("x 1 60\n# EOF\ny 1 60\n", ".om", "seen.om:3: there is more after # EOF"),
        ("x one 60\n# EOF\n", ".om", "seen.om:1: value 'one' is not a number"),
        ('x{a="1" b="2"} 1 60\n', ".prom", "seen.prom:1: not labels"),
        ('x{a="1",a="2"} 1 60\n', ".prom", "label 'a' appears twice"),
        ("x{ 1 60\n", ".prom", "seen.prom:1: not a sample"),
    ],
)
def test_what_is_not_the_format_is_malformed_and_says_where(source, text, suffix, words):
    got, message = refusal(source(text, suffix))
    assert got is Cause.MALFORMED
    assert words in message


def test_the_same_sample_twice_counts_once(source):
    text = "time,name,value,version\n1,req,5,c\n1,req,5,c\n1,req,5,b\n"
    pair = source(text).pair(metric(Kind.EVENTS, **ERRORS), asking())
    assert pair.canary.total[0] == 5


def test_not_utf8_names_the_line(tmp_path):
    (tmp_path / "seen.csv").write_bytes(b"time,name,value\n1,\xff,1\n")
    got, message = refusal(FileSource(FileSpec(path="seen.csv"), tmp_path))
    assert got is Cause.MALFORMED
    assert "seen.csv:2: not UTF-8" in message


@pytest.mark.parametrize("path", ["nothing.csv", "."])
def test_a_file_that_is_not_there(tmp_path, path):
    got, _ = refusal(FileSource(FileSpec(path=path, format="csv"), tmp_path))
    assert got is Cause.UNREACHABLE


def test_a_file_that_is_too_large(tmp_path):
    with (tmp_path / "seen.csv").open("wb") as file:
        file.truncate(256 * 2**20 + 1)
    assert refusal(FileSource(FileSpec(path="seen.csv"), tmp_path))[0] is Cause.TOO_LARGE


def test_an_unknown_suffix_asks_for_the_format(source):
    got, message = refusal(source("", ".log"))
    assert got is Cause.BAD_QUERY
    assert "give format: csv, json, openmetrics" in message


def test_the_format_may_be_given(source):
    text = columns(*both("req", [1, 1, 1]))
    assert source(text, ".log", format="json").pair(metric(Kind.EVENTS, **ERRORS), asking())


def test_the_file_is_read_once_also_by_many_threads(source, tmp_path):
    recorded = source(columns(*both("req", [1, 2, 3])), ".json")
    seen = []
    threads = [
        threading.Thread(
            target=lambda: seen.append(recorded.pair(metric(Kind.EVENTS, **ERRORS), asking()))
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (tmp_path / "seen.json").unlink()
    recorded.pair(metric(Kind.EVENTS, **ERRORS), asking())
    assert len(seen) == 8


# Selectors


@pytest.mark.parametrize(
    ("text", "labels", "matches"),
    [
        ("up", {}, True),
        ("up{}", {"a": "1"}, True),
        ('up{a="1",}', {"a": "1"}, True),
        ('up{a="1"}', {}, False),
        ('up{a=""}', {}, True),
        ('up{a!="1"}', {}, True),
        ('up{a=~"1|2"}', {"a": "2"}, True),
        ('up{a=~"1|2"}', {"a": "22"}, False),
        ('up{a=~".*"}', {}, True),
        ('up{a=~".+"}', {}, False),
        ('up{a!~"1.*"}', {"a": "12"}, False),
        ('up{ a = \'}\' , b = "{,\\"" }', {"a": "}", "b": '{,"'}, True),
        ('up{a=~"x{2}\\\\.y"}', {"a": "xx.y"}, True),
        ("up{a=`\\d`}", {"a": "\\d"}, True),
        ('down{a="1"}', {"a": "1"}, False),
    ],
)
def test_selectors(text, labels, matches):
    assert selector.parse(text).matches("up", labels) is matches


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 1),
        ("rate(up[5m])", 5),
        ('up{a="1"', 9),
        ('up{a="1" b="2"}', 10),
        ("up{a=1}", 6),
        ('up{a=="1"}', 6),
        ('up{a=~"("}', 7),
        ('up{"a"="1"}', 4),
        ('up{a="1"}[5m]', 10),
        ('up{,a="1"}', 4),
    ],
)
def test_what_is_no_selector_is_shown_with_its_position(text, position):
    got, message = cause(selector.parse, text)
    assert got is Cause.BAD_QUERY
    assert f"selector {text!r}, position {position}:" in message


def test_an_unknown_word_in_a_query_is_refused_by_name(source):
    recorded = source(columns(*both("req", [1])), ".json")
    with pytest.raises(UsageError, match=r"unknown word \{\{selctor\}\}"):
        recorded.pair(metric(Kind.EVENTS, total="req{ {{selctor}} }", bad="x"), asking())


# The example


def example() -> Path:
    return Path(__file__).parents[2] / "examples" / "recorded"


def test_the_example_shows_each_release(tmp_path):
    recorded = FileSource(FileSpec(path="recording.json"), example())
    queries = {
        "bad": 'http_requests_total{ {{selector}},code=~"5.." }',
        "total": "http_requests_total{ {{selector}} }",
    }
    shares = {}
    for version, start, minutes in (
        ("v1.9.0", 1793613600, 60),
        ("v1.9.1", 1793700000, 60),
        ("v1.9.2", 1793786400, 8),
    ):
        asked = asking(Window(start, 60, minutes), canary=version, baseline="v1.8.0")
        pair = recorded.pair(metric(Kind.EVENTS, **queries), asked)
        assert not np.isnan(pair.baseline.total).any()
        shares[version] = pair.canary.bad.sum() / pair.canary.total.sum()
        assert pair.canary.total.size == minutes
    assert shares["v1.9.0"] == pytest.approx(0.002, rel=0.3)
    assert shares["v1.9.1"] == pytest.approx(0.015, rel=0.1)


# Whatever is in the file


def complaint(parse, *arguments) -> Cause | None:
    try:
        parse(*arguments)
    except SourceError as error:
        return error.cause
    return None


@pytest.mark.parametrize("parse", [tidy.parse, columnar.parse, exposition.parse])
@given(text=st.text() | st.text('x1,{}[]="\\\n# :.naEOF-').map("time,name,value\n".__add__))
def test_any_text_is_a_recording_or_malformed(parse, text):
    assert complaint(parse, text, "f") in (None, Cause.MALFORMED)


@given(st.text() | st.text('x{}=~!"a,\\ '))
def test_any_text_is_a_selector_or_a_bad_query(text):
    assert complaint(selector.parse, text) in (None, Cause.BAD_QUERY)
