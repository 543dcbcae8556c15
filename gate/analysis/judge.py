"""Which test for which metric; evidence in, analysis out.

A metric's kind chooses its test, never the data. Events, histograms and samples become count
questions and are answered together in one vectorised pass of `rates`; gauges are compared by pods.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gate.analysis import events, gauges, histograms, samples
from gate.analysis.comparison import Analysis, Comparison, Finding, Interval
from gate.analysis.fitness import Fitness, fit_history, fitness, unseen
from gate.analysis.forecast import clear_in
from gate.analysis.multiplicity import combined, weights
from gate.analysis.question import Effect, Question, Shares, Side, Unfit
from gate.analysis.rates import Table, bets, difference_bounds, leaning, shares, table
from gate.analysis.warmup import still_cold, warm, warming_up
from gate.evidence.evidence import Evidence, Pair
from gate.metric import Metric
from gate.request import Window
from gate.series import Buckets, Counts, Levels, Samples
from gate.service import Service

_Part = Question | tuple[Levels, Levels] | str


@dataclass(frozen=True, slots=True, eq=False)
class _Item:
    """One comparison to be made: a count question, a pair of gauges, or a sentence why not.

    Which items there are follows from the service alone, so each one's share of alpha does too.
    """

    metric: Metric
    aspect: str
    part: _Part
    doubts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What a test found, of whatever kind."""

    log_e_worse: float
    log_e_not_worse: float
    effect: Effect
    counted: str
    events_baseline: float
    events_canary: float
    method: str


def judge(service: Service, evidence: Evidence) -> Analysis:
    """Every metric of the service compared; one without a pair is unfit, with its gap's reason."""
    before = evidence.window.before(service.history)
    items = [item for metric in service.metrics for item in _items(metric, evidence, before)]
    share = weights([item.metric.critical for item in items])
    comparisons = tuple(_comparisons(items, share, service))
    return Analysis(
        comparisons=comparisons,
        log_e_worse=combined([one.log_e_worse for one in comparisons], share),
        alpha=service.alpha,
        beta=service.beta,
        minutes=evidence.window.step * evidence.window.count / 60.0,
        concurrent=all(pair.concurrent for pair in evidence.pairs),
    )


def _items(metric: Metric, evidence: Evidence, before: Window) -> Iterator[_Item]:
    pair = next((pair for pair in evidence.pairs if pair.metric == metric.name), None)
    fit = fitness(pair, evidence.window) if pair else Fitness(unseen(metric, evidence))
    judged = _judged(metric, pair, evidence.window, before) if pair and not fit.unusable else None
    for quantile in metric.quantiles or (None,):
        aspect = "" if quantile is None else f"p{100 * quantile:g}"
        part: _Part = fit.unusable
        if still_cold(metric, evidence.window) and not part:
            part = warming_up(metric)
        elif judged:
            part = _part(metric, quantile, judged, evidence.window, before)
        yield _Item(metric, aspect, part, fit.doubts)


def _judged(metric: Metric, pair: Pair, window: Window, before: Window) -> Pair:
    """The pair without its warm-up, and without a history that is not fit to be one."""
    return replace(
        pair,
        baseline=warm(pair.baseline, metric, window),
        canary=warm(pair.canary, metric, window),
        history=fit_history(pair, before),
    )


def _part(
    metric: Metric, quantile: float | None, pair: Pair, window: Window, before: Window
) -> _Part:
    """What the pair is asked; a sentence where its data cannot carry it."""
    try:
        match pair.baseline, pair.canary, pair.history:
            case Counts() as baseline, Counts() as canary, (Counts() | None) as past:
                return events.question(metric, baseline, canary, past)
            case Buckets() as baseline, Buckets() as canary, (Buckets() | None) as past if quantile:
                return histograms.question(metric, quantile, baseline, canary, past)
            case Samples() as baseline, Samples() as canary, (Samples() | None) as past if quantile:
                return samples.question(metric, quantile, (baseline, canary, past), window, before)
            case Levels() as baseline, Levels() as canary, _:
                return baseline, canary
    except Unfit as why:
        return str(why)
    return "the arms hold different kinds of data"


@dataclass(frozen=True, slots=True)
class _Levels:
    """The log evidence at which an item is believed to be worse, or not worse."""

    worse: float
    not_worse: float


def _comparisons(
    items: Sequence[_Item], share: Sequence[float], service: Service
) -> Iterator[Comparison]:
    not_worse = -math.log(service.beta)
    levels = [_Levels(-math.log(service.alpha * part), not_worse) for part in share]
    rows = {index: item.part for index, item in enumerate(items) if isinstance(item.part, Question)}
    answers = dict(
        zip(rows, _counted(list(rows.values()), [levels[row] for row in rows]), strict=True)
    )
    for index, (item, level) in enumerate(zip(items, levels, strict=True)):
        answer = answers.get(index) or _by_pods(item, level)
        if isinstance(answer, str):
            yield _unfit(item, answer)
        else:
            yield _comparison(item, answer, level, service.step)


def _counted(questions: list[Question], levels: list[_Levels]) -> list[_Answer | str]:
    """All count questions of the decision in one pass."""
    if not questions:
        return []
    ratio = np.array([one.ratio for one in questions])
    absolute = np.array([one.absolute for one in questions])
    for_worse = _table(questions, [one.worse for one in questions])
    for_not_worse = _table(questions, [one.not_worse for one in questions])
    worse = bets(for_worse, ratio, 1).log_e(absolute)
    weights = leaning(_expected(questions), ratio, absolute)
    not_worse = bets(for_not_worse, ratio, -1).log_e(absolute, weights)
    bounds = difference_bounds(
        for_worse,
        np.array([level.worse for level in levels]),
        np.array([level.not_worse for level in levels]),
    )
    share = shares(for_worse)
    return [
        _Answer(
            log_e_worse=float(worse[row]),
            log_e_not_worse=float(not_worse[row]),
            effect=one.scale.effect(
                Shares(
                    baseline=float(share[0][row]),
                    canary=float(share[1][row]),
                    low=float(bounds[0][row]),
                    high=float(bounds[1][row]),
                    log_low=levels[row].worse,
                    log_high=levels[row].not_worse,
                )
            ),
            counted=one.counted,
            events_baseline=float(for_worse.baseline[row].sum() * one.dispersion.index),
            events_canary=float(for_worse.canary[row].sum() * one.dispersion.index),
            method=f"{one.method}, {one.dispersion.told}",
        )
        if for_worse.baseline[row].any() and for_worse.canary[row].any()
        else f"no {one.counted} were seen in both arms at the same time"
        for row, one in enumerate(questions)
    ]


def _table(questions: Sequence[Question], sides: Sequence[Side]) -> Table:
    """One row a question; events that come in clumps count as clumps."""
    index = np.array([[one.dispersion.index] for one in questions])
    return table(
        np.stack([side.bad_canary for side in sides]) / index,
        np.stack([one.canary for one in questions]) / index,
        np.stack([side.bad_baseline for side in sides]) / index,
        np.stack([one.baseline for one in questions]) / index,
    )


def _expected(questions: Sequence[Question]) -> Table:
    """One typical interval a row, all zero where nothing is expected."""
    shares = np.array([one.expected or (0.0, 0.0) for one in questions])
    known = np.array([one.expected is not None for one in questions])
    baseline, canary = (
        np.array([np.nansum(part) for part in parts]) * known
        for parts in ([one.baseline for one in questions], [one.canary for one in questions])
    )
    return Table(
        *(
            part[:, None]
            for part in (shares[:, 1] * canary, canary, shares[:, 0] * baseline, baseline)
        )
    )


def _by_pods(item: _Item, level: _Levels) -> _Answer | str:
    if isinstance(item.part, (str, Question)):
        return str(item.part)
    try:
        answer = gauges.compare(item.metric, *item.part, level.worse, level.not_worse)
    except Unfit as why:
        return str(why)
    return _Answer(
        log_e_worse=answer.log_e_worse,
        log_e_not_worse=answer.log_e_not_worse,
        effect=answer.effect,
        counted="pods",
        events_baseline=float(answer.pods_baseline),
        events_canary=float(answer.pods_canary),
        method=gauges.METHOD,
    )


def _clear_in(item: _Item, level: _Levels, step: float) -> float | None:
    if not isinstance(item.part, Question):
        return None
    seen = _table([item.part], [item.part.not_worse])
    one = item.part
    weights = leaning(_expected([one]), np.array([one.ratio]), np.array([one.absolute]))
    return clear_in(seen, one, weights[0], level.not_worse, step)


def _finding(item: _Item, answer: _Answer, level: _Levels) -> tuple[Finding, str]:
    """Doubts let a metric convict, never acquit."""
    worse, not_worse = answer.log_e_worse, answer.log_e_not_worse
    if worse >= level.worse:
        return Finding.WORSE, f"evidence {_times(worse)}, {_times(level.worse)} needed"
    if item.doubts:
        return Finding.UNFIT, "; ".join(item.doubts)
    if not_worse >= level.not_worse:
        return Finding.NOT_WORSE, f"evidence {_times(not_worse)}, {_times(level.not_worse)} needed"
    return Finding.UNCLEAR, (
        f"evidence for worse {_times(worse)} of {_times(level.worse)}, "
        f"for not worse {_times(not_worse)} of {_times(level.not_worse)}"
    )


def _times(log_e: float) -> str:
    """An e-value for people: how many times its start the bet has grown to."""
    if log_e > math.log(1e6):
        return f"1e{log_e / math.log(10):.0f}"
    return f"{math.exp(log_e):,.{0 if log_e > math.log(10) else 1}f}"


def _comparison(item: _Item, answer: _Answer, level: _Levels, step: float) -> Comparison:
    finding, why = _finding(item, answer, level)
    effect = answer.effect
    confidence = 1.0 - math.exp(-level.worse) - math.exp(-level.not_worse)
    return Comparison(
        metric=item.metric.name,
        aspect=item.aspect,
        finding=finding,
        why=why,
        critical=item.metric.critical,
        unit=item.metric.unit,
        worse=item.metric.worse,
        margin=item.metric.margin,
        baseline=effect.baseline,
        canary=effect.canary,
        difference=effect.canary - effect.baseline,
        interval=Interval(effect.low, effect.high, confidence),
        limit=effect.limit,
        log_e_worse=answer.log_e_worse,
        log_e_not_worse=answer.log_e_not_worse,
        counted=answer.counted,
        events_baseline=answer.events_baseline,
        events_canary=answer.events_canary,
        clear_in=_clear_in(item, level, step) if finding is Finding.UNCLEAR else None,
        method=answer.method,
    )


def _unfit(item: _Item, why: str) -> Comparison:
    return Comparison(
        metric=item.metric.name,
        aspect=item.aspect,
        finding=Finding.UNFIT,
        why=why,
        critical=item.metric.critical,
        unit=item.metric.unit,
        worse=item.metric.worse,
        margin=item.metric.margin,
    )
