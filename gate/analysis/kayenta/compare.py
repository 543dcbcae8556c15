"""Kayenta's judge in the place of the gate's own: evidence in, analysis out.

Why not its score alone: what it could not judge it leaves out, or counts as passed, and a Pass says
only that no difference was significant. So here a label is read with care. High and Low, the way
the metric's rule calls worse, are *worse*. No data and Error are *unfit*. A Pass is *not worse*
only where the judge's own interval, the means and the number of points show it; otherwise unclear.

The score is a comparison of its own, with the baseline's 100 and the limit `pass`. It is bounded:
from below, everything counts as failed that was not shown not worse; from above, only what was
shown worse. It is not worse when even the lower bound passes, and worse when even the upper one
is below `marginal`, so that missing data neither promotes nor rolls back.

None of this holds over repeated looks: each is a test of its own, and no error probability over
the rollout is claimed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gate.analysis.comparison import Analysis, Comparison, Finding, Interval
from gate.analysis.fitness import Fitness, fitness, unseen
from gate.analysis.kayenta.judge import judge
from gate.analysis.kayenta.points import points
from gate.analysis.kayenta.reading import Item, interval, read, without_numbers
from gate.analysis.kayenta.score import score
from gate.analysis.kayenta.words import Judgement, Label, MetricPair, Result, Verdict
from gate.analysis.warmup import cold_intervals, still_cold, warming_up
from gate.evidence.evidence import Evidence, Pair
from gate.kayenta import Kayenta
from gate.metric import Direction, Margin, Metric
from gate.request import Window
from gate.series import Counts
from gate.service import Service

METHOD = "Kayenta's Mann-Whitney test at this look alone, not valid at repeated looks"
SCORE = "score", "(Kayenta)"  # brackets are in no metric's name
LEVEL = 0.98  # of the judge's interval; fixed in Kayenta
_PASSED = Verdict(label=Label.PASS)


@dataclass(frozen=True, slots=True)
class _Judged:
    """A result as it is to be read."""

    item: Item
    result: Result
    finding: Finding
    why: str


def compare(service: Service, kayenta: Kayenta, evidence: Evidence) -> Analysis:
    """Every metric of the service compared, and the score; the metrics' rules are Kayenta's."""
    items = [item for metric in service.metrics for item in _items(metric, evidence)]
    judgement = judge(kayenta.rules, kayenta.thresholds, [item.pair for item in items])
    with np.errstate(all="ignore"):  # what overflows is not finite, and so unfit
        judged = [
            _Judged(item, result, *read(item, result))
            for item, result in zip(items, judgement.results, strict=True)
        ]
    return Analysis(
        comparisons=(_of_score(judgement, judged, kayenta), *map(_comparison, judged)),
        log_e_worse=None,
        alpha=None,
        beta=None,
        minutes=evidence.window.step * evidence.window.count / 60.0,
        concurrent=all(pair.concurrent for pair in evidence.pairs),
        score=judgement.score,
    )


def _items(metric: Metric, evidence: Evidence) -> Iterator[Item]:
    window = evidence.window
    pair = next((pair for pair in evidence.pairs if pair.metric == metric.name), None)
    fit = fitness(pair, window) if pair else Fitness(unseen(metric, evidence))
    if pair and not fit.unusable:
        fit = replace(fit, unusable=_not_yet(pair, metric, window))
    first = cold_intervals(metric, window)
    for quantile in metric.quantiles or (None,):
        aspect = "" if quantile is None else f"p{100 * quantile:g}"
        control, experiment = (
            points(arm, quantile, window)[first:] if arm and not fit.unusable else np.array([])
            for arm in (pair and pair.baseline, pair and pair.canary)
        )
        told = MetricPair(name=metric.name, id=aspect, control=control, experiment=experiment)
        yield Item(metric, aspect, told, fit, _events(pair, first))


def _not_yet(pair: Pair, metric: Metric, window: Window) -> str:
    """Why a pair that is usable by itself is not judged."""
    if type(pair.baseline) is not type(pair.canary):
        return "the arms hold different kinds of data"
    return warming_up(metric) if still_cold(metric, window) else ""


def _events(pair: Pair | None, first: int) -> float | None:
    counts = pair.canary if pair else None
    return float(np.nansum(counts.total[first:])) if isinstance(counts, Counts) else None


def _comparison(one: _Judged) -> Comparison:
    metric, result = one.item.metric, one.result
    empty = Comparison(
        metric=metric.name,
        aspect=one.item.aspect,
        finding=one.finding,
        why=one.why,
        critical=_decides(one),
        unit=metric.unit,
        worse=metric.worse,
        margin=metric.margin,
    )
    if one.item.fit.unusable or without_numbers(result):
        return empty
    worse = Direction.LOWER if result.verdict.label is Label.LOW else metric.worse
    baseline, canary, found = result.control.mean, result.experiment.mean, interval(result)
    return replace(
        empty,
        worse=worse,
        baseline=baseline,
        canary=canary,
        difference=canary - baseline,
        interval=Interval(found.low, found.high, LEVEL) if found else None,
        limit=replace(metric, worse=worse).limit(baseline),
        counted="points",
        events_baseline=float(result.control.count),
        events_canary=float(result.experiment.count),
        method=METHOD,
    )


def _decides(one: _Judged) -> bool:
    """A critical metric decides by itself, but for a failure that Kayenta calls an ordinary one."""
    rule, verdict = one.result.rule, one.result.verdict
    return rule.critical and (one.finding is not Finding.WORSE or verdict.critical)


def _of_score(judgement: Judgement, judged: Sequence[_Judged], kayenta: Kayenta) -> Comparison:
    passing, marginal = kayenta.thresholds.passing, kayenta.thresholds.marginal
    heard = [one for one in judged if not one.result.rule.muted]
    least, most = _least(heard, kayenta), _most(heard, kayenta)
    why = f"Kayenta score {judgement.score:g} of {passing:g} needed"
    if judgement.reason:
        why += f" ({judgement.reason})"
    if most < marginal:
        finding, why = Finding.WORSE, f"{why}, and from {marginal:g} on it is marginal"
    elif least >= passing:
        finding = Finding.NOT_WORSE
    else:
        blind = any(one.finding is Finding.UNFIT for one in heard)
        finding = Finding.UNFIT if blind else Finding.UNCLEAR
        why += f"; {least:g} if all that was not shown not worse had failed"
    return Comparison(
        metric=SCORE[0],
        aspect=SCORE[1],
        finding=finding,
        why=why,
        critical=True,
        unit="",
        worse=Direction.LOWER,
        margin=Margin(1.0, 100.0 - passing),
        baseline=100.0,
        canary=judgement.score,
        difference=judgement.score - 100.0,
        limit=passing,
        counted="metrics",
        method=METHOD,
    )


def _least(judged: Sequence[_Judged], kayenta: Kayenta) -> float:
    """The score, had all failed that was not shown not worse, and as badly as it could."""
    failed = Verdict(label=Label.HIGH)
    return _score(
        kayenta,
        (
            replace(
                one.result,
                verdict=_PASSED
                if one.finding is Finding.NOT_WORSE
                else replace(failed, critical=one.result.rule.critical),
            )
            for one in judged
        ),
    )


def _most(judged: Sequence[_Judged], kayenta: Kayenta) -> float:
    """The score, had only what was shown worse not passed."""
    return _score(
        kayenta,
        (
            one.result if one.finding is Finding.WORSE else replace(one.result, verdict=_PASSED)
            for one in judged
        ),
    )


def _score(kayenta: Kayenta, results: Iterable[Result]) -> float:
    return score(tuple(results), kayenta.rules.group_weights).value
