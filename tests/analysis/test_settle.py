import math
from dataclasses import replace

import numpy as np
import pytest

from gate.analysis.comparison import Analysis, Comparison, Finding
from gate.analysis.judge import judge
from gate.analysis.settle import settled
from gate.metric import DEFAULT_MARGINS, Direction, Kind, Margin
from tests.analysis.chance import at_least, at_most
from tests.parts.releases import an_hour_of, errors, traffic, until
from tests.parts.rollouts import a_metric, a_service

HOUR = 3600.0


def a_comparison(not_worse, finding=Finding.UNCLEAR, **said):
    usual = {"metric": "errors", "unit": "", "worse": Direction.HIGHER, "critical": True}
    return Comparison(
        **{**usual, **said}, finding=finding, why="", margin=Margin(1.2, 0.0),
        log_e_worse=-1.0, log_e_not_worse=not_worse, clear_in=600.0,
    )  # fmt: skip


def an_analysis(*comparisons, log_e_worse=-1.0, minutes=60.0):
    return Analysis(
        comparisons=comparisons, log_e_worse=log_e_worse, alpha=0.01, beta=0.05,
        minutes=minutes, concurrent=True,
    )  # fmt: skip


ALMOST = a_comparison(math.log(6))  # 5 settles at 20 %, 20 would be needed at 5 %


def test_what_is_unclear_for_long_settles_at_the_weaker_level_and_says_so():
    (one,) = settled(an_analysis(ALMOST), HOUR, 0.2).comparisons
    assert (one.finding, one.settled, one.clear_in) == (Finding.NOT_WORSE, 0.2, None)
    assert one.why == "SOFT PASS: evidence 6.0, 5.0 needed by now"
    assert settled(an_analysis(ALMOST), HOUR, 0.2).safe


@pytest.mark.parametrize(
    "analysis",
    [
        an_analysis(ALMOST, minutes=59.0),
        an_analysis(a_comparison(math.log(4.9))),
        an_analysis(replace(ALMOST, critical=False)),
        an_analysis(replace(ALMOST, finding=Finding.UNFIT)),
        an_analysis(replace(ALMOST, finding=Finding.WORSE)),
        an_analysis(ALMOST, a_comparison(-9.0, Finding.WORSE, metric="cpu", critical=False)),
        an_analysis(ALMOST, log_e_worse=math.log(5.1)),
        an_analysis(ALMOST, log_e_worse=None),
        an_analysis(replace(ALMOST, log_e_not_worse=None)),
    ],
    ids=[
        "too early", "too little", "not critical", "unfit", "worse", "another is worse",
        "evidence for worse", "a judge that promises nothing", "no evidence",
    ],
)  # fmt: skip
def test_nothing_else_settles(analysis):
    assert settled(analysis, HOUR, 0.2) == analysis


def passes(rng, canary, rollouts):
    """How many of the rollouts are ever called not worse in an hour, soft passes included."""
    service = a_service(a_metric(margin=DEFAULT_MARGINS[Kind.EVENTS]))
    traffic_ = traffic(60, requests=3_000, weights=(0.1,))
    hits = soft = 0
    for _ in range(rollouts):
        seen = an_hour_of(errors(rng, traffic_, baseline=0.01, canary=canary))
        analyses = [
            settled(judge(service, until(seen, minutes)), 1200.0, 0.2)
            for minutes in range(5, 61, 5)
        ]
        hits += any(one.safe for one in analyses)
        soft += any(one.comparisons[0].settled is not None for one in analyses)
    return hits, soft


@pytest.mark.slow
def test_a_canary_beyond_its_margin_passes_less_often_than_the_weaker_level():
    limit = DEFAULT_MARGINS[Kind.EVENTS].limit(0.01)
    hits, soft = passes(np.random.default_rng(1), 1.01 * limit, rollouts := 120)
    assert at_most(hits, rollouts) < 0.2
    assert soft  # or the simulation would say nothing about the soft pass


@pytest.mark.slow
def test_a_healthy_canary_passes_by_it():
    _, soft = passes(np.random.default_rng(2), 0.01, rollouts := 60)
    assert at_least(soft, rollouts) > 0.05
