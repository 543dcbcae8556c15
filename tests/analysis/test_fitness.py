import math
from dataclasses import replace

import numpy as np
import pytest

from gate.analysis.comparison import Finding
from gate.analysis.fitness import fitness, seen
from gate.analysis.judge import judge
from gate.evidence.evidence import Cause, Evidence, Gap, Pair
from gate.metric import Kind
from gate.request import Window
from gate.series import Buckets, Counts, Levels, Samples, array
from tests.parts.rollouts import T0, WINDOW, a_metric, a_pair, a_series, a_service, an_evidence

KINDS = tuple(Kind)
MINUTES = WINDOW.count


def a_pair_of(kind):
    return Pair(kind.value, a_series(kind), a_series(kind))


def judged(pair, window=WINDOW):
    kind = Kind(pair.metric) if pair.metric in set(Kind) else Kind.EVENTS
    metric = a_metric(pair.metric, kind)
    return judge(a_service(metric), Evidence(window, (pair,))).comparisons[0]


def holed(series, rows):
    """The series with these intervals unseen."""
    if isinstance(series, Samples):
        interval = np.ceil((series.times - T0) / 60).astype(int) - 1
        keep = ~np.isin(interval, rows)
        return Samples(array(series.times[keep]), array(series.values[keep]))
    name = {Counts: "total", Buckets: "counts", Levels: "values"}[type(series)]
    values = np.array(getattr(series, name))
    values[list(rows)] = math.nan
    return replace(series, **{name: array(values)})


@pytest.mark.parametrize("kind", KINDS)
def test_whole_data_is_fit(kind):
    fit = fitness(a_pair_of(kind), WINDOW)
    assert (fit.unusable, fit.doubts) == ("", ())
    assert seen(a_series(kind), WINDOW).all()


@pytest.mark.parametrize("kind", KINDS)
def test_no_interval_yet_is_unfit(kind):
    one = judged(a_pair_of(kind), Window(T0, 60.0, 0))
    assert one.finding is Finding.UNFIT
    assert one.why == "no whole interval has passed since the canary started"


@pytest.mark.parametrize("arm", ["baseline", "canary"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_arm_never_seen_is_unfit(kind, arm):
    pair = a_pair_of(kind)
    pair = replace(pair, **{arm: holed(getattr(pair, arm), range(MINUTES))})
    one = judged(pair)
    assert one.finding is Finding.UNFIT
    assert one.why.startswith(f"{arm}: no ")


@pytest.mark.parametrize("arm", ["baseline", "canary"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_arm_silent_at_the_end_may_not_acquit(kind, arm):
    pair = a_pair_of(kind)
    for last, doubt in ((1, None), (2, f"{arm}: no data in the last 2 intervals")):
        late = replace(pair, **{arm: holed(getattr(pair, arm), range(MINUTES - last, MINUTES))})
        assert fitness(late, WINDOW).doubts == ((doubt,) if doubt else ())
    assert judged(late).finding is Finding.UNFIT


@pytest.mark.parametrize("kind", KINDS)
def test_too_many_holes_may_not_acquit(kind):
    pair = a_pair_of(kind)
    some = replace(pair, canary=holed(pair.canary, range(0, 12, 2)))
    assert fitness(some, WINDOW).doubts == ()
    many = replace(some, baseline=holed(pair.baseline, range(1, 6, 2)))
    assert fitness(many, WINDOW).doubts == ("only 70% of the intervals were seen in both arms",)
    assert judged(many).finding is Finding.UNFIT


def test_a_canary_that_is_asked_nothing_any_more_may_not_acquit():
    # Its counters go on, at zero: not a hole, and yet nothing was seen.
    pair = a_pair()
    assert judged(pair).finding is Finding.NOT_WORSE
    total = np.array(pair.canary.total)
    total[-3:] = 0.0
    hung = replace(pair, canary=Counts(array(np.minimum(pair.canary.bad, total)), array(total)))
    one = judged(hung)
    assert one.finding is Finding.UNFIT
    assert one.why == "canary: no traffic in the last 3 intervals"


def test_a_canary_with_little_traffic_may_pause():
    total = np.array([3.0, 2.0, 0.0] * 9 + [4.0, 0.0, 0.0])
    rare = replace(a_pair(), canary=Counts(array(np.zeros(MINUTES)), array(total)))
    assert fitness(rare, WINDOW).doubts == ()


def test_doubts_may_convict():
    gap = Gap("metric errors", Cause.STALE, "pod-3 is down")
    for canary, finding, why in (
        (0.002, Finding.UNFIT, "stale: pod-3 is down"),
        (0.05, Finding.WORSE, "evidence"),
    ):
        one = judged(replace(a_pair(canary=canary), doubts=(gap,)))
        assert one.finding is finding
        assert one.why.startswith(why)


def test_a_metric_without_a_pair_is_unfit_with_its_gaps_reason():
    service = a_service(a_metric("errors"), a_metric("latency", Kind.HISTOGRAM))
    gaps = (Gap("metric errors", Cause.TIMEOUT, "prometheus: 10 s"),)
    analysis = judge(service, Evidence(WINDOW, gaps=gaps))
    assert [(one.finding, one.why) for one in analysis.comparisons] == [
        (Finding.UNFIT, "timeout: prometheus: 10 s"),
        (Finding.UNFIT, "not seen, and nothing says why"),
    ]
    assert not analysis.safe
    assert analysis.log_e_worse == pytest.approx(0.0)


def test_arms_seen_at_different_times_only_are_unfit():
    for kind in (Kind.EVENTS, Kind.HISTOGRAM, Kind.SAMPLES):
        pair = a_pair_of(kind)
        apart = replace(
            pair,
            baseline=holed(pair.baseline, range(15, 30)),
            canary=holed(pair.canary, range(15)),
        )
        one = judged(apart)
        assert one.finding is Finding.UNFIT
        assert "in both arms at the same time" in one.why


HALF = np.full(MINUTES, 0.5)
ROWS = np.ones((MINUTES, 3))
TIMES = T0 + np.arange(1.0, 1_500.0)
FAULTS = {
    "infinite values": Counts(array(HALF), array(HALF * math.inf)),
    "values beyond 1e+100": Counts(array(HALF), array(HALF * 1e120)),
    "negative counts": Counts(array(-HALF), array(HALF)),
    "more bad events than events": Counts(array(HALF * 2), array(HALF)),
    "no traffic": Counts(array(HALF * 0), array(HALF * 0)),
    "not one row for each of the 30 intervals": Counts(array(HALF), array(HALF[:29])),
    "not one count an interval": Counts(array(HALF[:, None]), array(HALF)),
    "bucket counts and edges do not match": Buckets(array([1.0]), array(ROWS)),
    "only a +Inf bucket": Buckets(array([]), array(ROWS[:, :1])),
    "bucket edges do not ascend": Buckets(array([2.0, 1.0]), array(ROWS)),
    "no observations": Buckets(array([1.0, 2.0]), array(ROWS * 0)),
    "not one column for each pod": Levels(("a",), array(ROWS)),
    "times and values differ in length": Samples(array(TIMES), array(TIMES[:9])),
    "times do not ascend": Samples(array(TIMES[::-1]), array(TIMES)),
}
ALSO_FAULTS = {
    "bucket edges do not ascend": Buckets(array([math.nan]), array(ROWS[:, :2])),
    "infinite values": Buckets(array([1.0, math.inf]), array(ROWS)),
    "negative counts": Buckets(array([1.0, 2.0]), array(-ROWS)),
    "not one row for each of the 30 intervals": Levels(("a",), array(ROWS[:4, :1])),
}


@pytest.mark.parametrize("arm", ["baseline", "canary"])
@pytest.mark.parametrize(
    ("fault", "series"), [*FAULTS.items(), *ALSO_FAULTS.items()], ids=lambda part: str(part)[:40]
)
def test_a_fault_is_named_and_nothing_is_computed(fault, series, arm):
    kind = {Counts: Kind.EVENTS, Buckets: Kind.HISTOGRAM, Levels: Kind.GAUGE,
            Samples: Kind.SAMPLES}[type(series)]  # fmt: skip
    one = judged(replace(a_pair_of(kind), **{arm: series}))
    assert (one.finding, one.why) == (Finding.UNFIT, f"{arm}: {fault}")
    assert one.baseline is one.difference is one.interval is one.log_e_not_worse is None


def test_a_gap_is_told_without_the_metrics_name():
    pair = replace(a_pair(), doubts=(Gap("metric errors", Cause.PARTIAL, "2 of 3 shards"),))
    assert fitness(pair, WINDOW).doubts == ("partial: 2 of 3 shards",)


def test_one_unfit_metric_leaves_the_others_as_they_were():
    service = a_service(a_metric("errors"), a_metric("other"))
    alone = judge(service, an_evidence(a_pair("errors")))
    both = judge(service, an_evidence(a_pair("errors"), replace(
        a_pair("other"), canary=Counts(array(-HALF), array(HALF)))))  # fmt: skip
    assert alone.comparisons[0] == both.comparisons[0]
    assert not both.safe
