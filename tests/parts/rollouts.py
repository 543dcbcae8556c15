"""A small service, half an hour of its evidence, and sources that answer as they are told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from gate.change import Change
from gate.evidence.evidence import Evidence, Pair
from gate.metric import DEFAULT_MARGINS, QUERIES, Direction, Kind, Metric
from gate.policy.load import from_text, load
from gate.policy.policy import Policy
from gate.request import Request, Window
from gate.series import Buckets, Counts, Levels, Samples, Series, array
from gate.service import Arms, Service
from gate.slo import Indicator, Slo, TimeWindow

ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "examples" / "recorded" / "gate.yaml"
STANDARD = load(ROOT / "policies" / "standard.yaml")

T0 = 1_700_000_040.0  # a multiple of 60
MINUTES = 30
WINDOW = Window(T0, 60.0, MINUTES)

SLO = Slo(name="availability", objective=0.999, window=TimeWindow(length=2_592_000.0), source="m")
MONTH = Indicator("availability", 2_592_000.0, 0.0004)  # 40 % of the budget
HOUR = Indicator("availability", 3_600.0, 0.0006)
SMALL = Change(
    base="v1", head="v2", commits=1, files=2, directories=1, lines_added=30, lines_deleted=4
)


def a_request(**said: Any) -> Request:
    """May v2 go on, after half an hour beside v1?"""
    usual = {"service": "shop", "canary": "v2", "baseline": "v1", "as_of": WINDOW.end}
    return Request(**{**usual, "since": 60.0 * MINUTES, **said})


def a_metric(name: str = "errors", kind: Kind = Kind.EVENTS, **said: Any) -> Metric:
    """A critical metric of the source `m`, with the usual margin."""
    usual: dict[str, Any] = {
        "queries": dict.fromkeys(QUERIES[kind][0], "x"),
        "source": "m",
        "worse": Direction.HIGHER,
        "margin": DEFAULT_MARGINS[kind],
        "critical": True,
        "quantiles": (0.5,) if kind in (Kind.HISTOGRAM, Kind.SAMPLES) else (),
    }
    return Metric(name=name, kind=kind, **{**usual, **said})


def a_service(*metrics: Metric, **said: Any) -> Service:
    """The shop, which watches its errors where nothing else is said."""
    usual: dict[str, Any] = {
        "name": "shop",
        "tier": 1,
        "arms": Arms(canary='version="{{canary}}"', baseline='version="{{baseline}}"'),
        "metrics": metrics or (a_metric(),),
        "policy": "standard",
        "step": 60.0,
        "lag": 0.0,
        "history": 3600.0,
    }
    return Service(**{**usual, **said})


def counts(share: float, rate: int = 5_000, minutes: int = MINUTES) -> Counts:
    """The same traffic every minute, `share` of it bad."""
    return Counts(bad=array([rate * share] * minutes), total=array([rate] * minutes))


def a_pair(metric: str = "errors", canary: float = 0.002, baseline: float = 0.002) -> Pair:
    """Both arms' errors as shares of 5000 requests a minute."""
    before = counts(baseline, minutes=60)
    return Pair(metric, baseline=counts(baseline), canary=counts(canary), history=before)


def a_series(kind: Kind, *, holes: bool = False) -> Series:
    """One arm of a metric of this kind; with `holes`, some of it was not seen."""
    hole = np.nan if holes else 1.0
    minutes = np.arange(MINUTES, dtype=np.float64)
    if kind is Kind.EVENTS:
        bad = 10 + minutes % 3
        bad[4] *= hole
        return Counts(bad=array(bad), total=array(np.full(MINUTES, 5000.25)))
    if kind is Kind.HISTOGRAM:
        rows = np.array([5, 80, 90, 60, 9, 1]) + minutes[:, None] % np.array([2, 7, 5, 3, 2, 2])
        rows[4] *= hole
        return Buckets(edges=array([0.05, 0.07, 0.08, 0.1, 0.15]), counts=array(rows))
    if kind is Kind.GAUGE:
        levels = 4e8 + 1e6 * np.sin(minutes[:, None] + np.arange(4))
        levels[4, 1] *= hole
        return Levels(pods=("a", "b", "c", "d"), values=array(levels))
    times = T0 + 0.1 + 2.0 * np.arange(60 * MINUTES / 2)
    return Samples(times=array(times), values=array(0.08 + 0.01 * np.cos(times)))


def an_evidence(*pairs: Pair, **said: Any) -> Evidence:
    return Evidence(window=WINDOW, pairs=pairs or (a_pair(),), **said)


class FixedSource:
    """Answers each question about `name` with what it was told, or does it, if it can be called."""

    def __init__(self, **answers: Any) -> None:
        self._answers = answers

    def pair(self, metric: Any, asked: Any) -> Any:
        return self._answer(metric.name, asked)

    def indicators(self, slo: Any, asked: Any) -> Any:
        return self._answer(slo.name, asked)

    def change(self, wanted: Any, asked: Any) -> Any:
        return self._answer("change", asked)

    def _answer(self, name: str, asked: Any) -> Any:
        answer = self._answers[name]
        return answer(asked) if isinstance(answer, Callable) else answer


def a_policy(*rules: str) -> Policy:
    """A policy of rules in YAML's short form, without their braces."""
    head = "apiVersion: gate/v1\nkind: ReleasePolicy\nname: test\nrules:\n"
    return from_text(head + "".join(f"  - {{{rule}}}\n" for rule in rules), "test.yaml")
