"""A source that is down is left alone for a while, and tried again."""

from __future__ import annotations

import pytest

from gate.evidence.evidence import Cause
from gate.evidence.source import SourceError
from gate.sources.breaker import Breaker, Guarded


class Moody:
    """Fails with the cause it is given, or answers; counts how often it was asked."""

    def __init__(self) -> None:
        self.cause: Cause | None = Cause.TIMEOUT
        self.asked = 0

    def pair(self, wanted, asked):
        self.asked += 1
        if self.cause:
            raise SourceError(self.cause, "silent")
        return wanted


class Hand:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def failed(source, times):
    for _ in range(times):
        with pytest.raises(SourceError, match="silent"):
            source.pair("metric", None)


def test_after_some_failures_it_is_not_asked_until_the_pause_is_over():
    moody, clock = Moody(), Hand()
    source = Guarded(moody, Breaker(3, 10.0, clock))
    failed(source, 3)
    with pytest.raises(SourceError, match=r"not asked for another 10 s, .*the last: silent") as one:
        source.pair("metric", None)
    assert (one.value.cause, moody.asked) == (Cause.TIMEOUT, 3)
    clock.now = 10.0
    failed(source, 1)  # the trial
    with pytest.raises(SourceError, match="not asked"):
        source.pair("metric", None)
    clock.now, moody.cause = 20.0, None
    assert source.pair("metric", None) == "metric"
    assert source.pair("metric", None) == "metric"


def test_only_one_trial_is_made_at_a_time():
    moody, clock = Moody(), Hand()
    source = Guarded(moody, Breaker(1, 10.0, clock))
    failed(source, 1)
    clock.now = 10.0

    def meanwhile(wanted, asked):
        with pytest.raises(SourceError, match="not asked"):
            source.pair("another", None)
        return wanted

    moody.pair = meanwhile
    assert source.pair("metric", None) == "metric"


@pytest.mark.parametrize("cause", [Cause.BAD_QUERY, Cause.EMPTY, Cause.REFUSED, Cause.PARTIAL])
def test_an_answer_that_is_bad_news_is_an_answer(cause):
    moody = Moody()
    source = Guarded(moody, Breaker(2, 10.0, Hand()))
    failed(source, 1)
    moody.cause = cause
    failed(source, 1)
    moody.cause = Cause.TIMEOUT
    failed(source, 1)
    assert moody.asked == 3


def test_what_the_source_does_not_have_the_guarded_one_has_not_either():
    assert getattr(Guarded(Moody(), Breaker()), "indicators", None) is None
