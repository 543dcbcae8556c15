import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gate.evidence.evidence import Cause
from gate.evidence.source import SourceError
from gate.metric import Arm
from gate.sources import shaping

NAN = float("nan")


def test_absent_errors_are_zero_only_where_there_is_a_total():
    counts = shaping.counts(np.array([5, NAN, 5]), np.array([NAN, 1, 2]), "it")
    np.testing.assert_array_equal(counts.bad, [0, NAN, 2])
    np.testing.assert_array_equal(counts.total, [5, NAN, 5])


def test_extrapolation_may_pass_the_whole_a_little_and_is_cut():
    counts = shaping.counts(np.array([100.0, 100.0]), np.array([102.0, 1.0]), "it")
    np.testing.assert_array_equal(counts.bad, [100, 1])


@pytest.mark.parametrize(
    ("total", "bad", "cause"),
    [
        ([NAN], [1.0], Cause.EMPTY),
        ([], [], Cause.EMPTY),
        ([1.0], [2.0], Cause.MALFORMED),
        ([0.0], [1.0], Cause.MALFORMED),
        ([-1.0], [0.0], Cause.MALFORMED),
        ([np.inf], [0.0], Cause.MALFORMED),
        ([1.0], [-1.0], Cause.MALFORMED),
    ],
)
def test_counts_that_cannot_be(total, bad, cause):
    with pytest.raises(SourceError, match=r"^it: ") as caught:
        shaping.counts(np.array(total), np.array(bad), "it")
    assert caught.value.cause is cause


def test_a_baseline_without_good_events_is_not_seen():
    nothing = np.array([NAN, 0.0])
    with pytest.raises(SourceError, match="no good events"):
        shaping.counts_of_good(np.array([9.0, 9.0]), nothing, Arm.BASELINE, "it")
    canary = shaping.counts_of_good(np.array([9.0, 9.0]), nothing, Arm.CANARY, "it")
    np.testing.assert_array_equal(canary.bad, [9, 9])


separate = arrays(np.float64, (4, 5), elements=st.integers(0, 10**6).map(float))


@given(separate)
def test_buckets_come_back_as_they_were_counted(counts):
    edges = ["0.1", "0.25", "1", "2.5", "+Inf"]
    by_le = dict(zip(edges, counts.cumsum(axis=1).T, strict=True))
    buckets = shaping.buckets_by_le(by_le, "it")
    np.testing.assert_array_equal(buckets.counts, counts)
    np.testing.assert_array_equal(buckets.edges, [0.1, 0.25, 1, 2.5])


def test_an_interval_that_lacks_a_bucket_is_not_seen():
    by_le = {"1.0": np.array([1.0, NAN]), "+Inf": np.array([2.0, 2.0])}
    np.testing.assert_array_equal(shaping.buckets_by_le(by_le, "it").counts, [[1, 1], [NAN, NAN]])


def test_no_buckets_at_all():
    with pytest.raises(SourceError, match="no buckets"):
        shaping.buckets_by_le({}, "it")


def test_pods_never_seen_are_left_out():
    rows = [({"pod": "b"}, np.array([1.0, NAN])), ({"pod": "a"}, np.array([NAN, NAN]))]
    assert shaping.levels(rows, "it").pods == ("b",)


def test_many_targets_down_are_named_in_short():
    (doubt,) = shaping.health_doubts("m", dict.fromkeys("edcba", 0.0), {})
    assert doubt.detail == "5 of 5 canary targets are down (a, b, c, …)"
