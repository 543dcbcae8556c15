"""The picture over time: what each mark stands for, and that it never breaks a report."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gate.metric import Direction, Kind, Margin
from gate.request import Window
from gate.series import Buckets, Counts, Levels, Samples, array
from gate.surfaces.report.trend import scale, trends
from tests.parts.rollouts import a_metric, an_evidence
from tests.surfaces.test_report import a_decision, a_pair, a_service, recorded


def marks(kind, baseline, canary, *, rows=0, **metric):
    """The marks of one metric, over as many minutes as there are rows."""
    rows = rows or len(getattr(baseline, "values", getattr(baseline, "bad", None)))
    window = Window(1_700_000_040.0, 60.0, rows)
    pair = replace(a_pair(), metric="m", baseline=baseline, canary=canary, history=None)
    evidence = replace(an_evidence(pair), window=window)
    decision = a_decision(service=a_service(a_metric("m", kind, **metric)), evidence=evidence)
    return dict(trends(decision))


def counts(*bad):
    return Counts(array(bad), array([1000.0] * len(bad)))


def test_each_mark_is_the_difference_in_shares_of_the_margin():
    # 1.5 x 1 % + 0.5 %: one per cent of room above the baseline's 10 of 1,000.
    shown = marks(
        Kind.EVENTS,
        counts(*[10.0] * 9),
        counts(8.0, 10.0, 12.0, 15.0, 20.0, 24.0, 29.0, 39.0, 50.0),
        margin=Margin(1.5, 0.005),
    )
    assert shown == {"m": "▁▁▂▃▄▅▆▇█"}


def test_where_lower_is_worse_the_picture_is_mirrored():
    levels = [
        Levels(("a",), array([[v] for v in row])) for row in ([100.0] * 3, [120.0, 95.0, 60.0])
    ]
    assert marks(Kind.GAUGE, *levels, worse=Direction.LOWER, margin=Margin(1.25, 0.0)) == {
        "m": "▁▂▆"
    }


def test_what_was_not_seen_is_no_calm():
    nan = float("nan")
    assert marks(Kind.EVENTS, counts(1.0, nan, 1.0), counts(1.0, 1.0, nan)) == {"m": "▁··"}
    assert marks(Kind.EVENTS, counts(nan, nan), counts(1.0, 1.0)) == {}


def test_without_room_every_difference_is_beyond():
    shown = marks(Kind.EVENTS, counts(0.0, 0.0), counts(0.0, 1.0), margin=Margin(1.25, 0.0))
    assert shown == {"m": "▁█"}


@pytest.mark.parametrize("count", [1, 30, 31, 1440])
def test_there_are_at_most_thirty_marks(count):
    (shown,) = marks(Kind.EVENTS, counts(*[1.0] * count), counts(*[1.0] * count)).values()
    assert 1 <= len(shown) <= 30


def test_the_scale_says_how_long_a_mark_is():
    assert scale(Window(0.0, 60.0, 60)).startswith("2m a mark: ")


def test_quantiles_are_read_in_buckets_and_samples():
    edges = array([0.1, 0.2, 0.4])
    fast, slow = ([100.0, 0.0, 0.0, 0.0], [0.0, 0.0, 100.0, 0.0])
    by_bucket = [Buckets(edges, array(rows)) for rows in ([fast] * 2, [fast, slow])]
    times = array([1_700_000_041.0, 1_700_000_101.0])
    one_by_one = [Samples(times, array(values)) for values in ([1.0, 1.0], [1.0, 9.0])]
    for kind, arms in ((Kind.HISTOGRAM, by_bucket), (Kind.SAMPLES, one_by_one)):
        assert marks(kind, *arms, rows=2, quantiles=(0.5,)) == {"m p50": "▁█"}


def test_a_recorded_regression_is_seen_from_its_start():
    shown = dict(trends(recorded("v1.9.1", 1793703600.0, 3600.0)))
    assert set(shown["errors"]) == {"█"}
    assert set(shown["memory"]) <= {"▁", "▂"}
