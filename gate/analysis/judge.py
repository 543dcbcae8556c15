"""Which test for which metric; evidence in, analysis out.

A metric's kind chooses its test, never the data. Events, histograms and samples become count
questions and are answered together in one vectorised pass; gauges are compared by pods.

Of a metric with quantiles every one named is asked for, and beside them one question more,
`overall`: whether the values are slower *anywhere* in their distribution. It looks at fixed
quantiles, so that a fault which the named ones miss (a twentieth of the requests that hangs) is not
overlooked. And where the service has an `earlier` baseline, every metric is compared with that too,
with a wider margin, because what harms both arms alike shows nowhere else. Both are alarms: never
critical, and told only when they ring and no other question of their metric does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gate.analysis import counting, events, gauges, histograms, samples
from gate.analysis.answer import Answer, Needed
from gate.analysis.comparison import Analysis, Comparison, Finding, Interval, times
from gate.analysis.fitness import Fitness, fit_history, fitness, unseen
from gate.analysis.multiplicity import combined, weights
from gate.analysis.question import Question, Unfit
from gate.analysis.rates import Memory
from gate.analysis.warmup import still_cold, warm, warming_up
from gate.evidence.evidence import EARLIER_GAPS, Evidence, Pair
from gate.metric import Margin, Metric
from gate.request import Window
from gate.series import Buckets, Counts, Levels, Samples
from gate.service import Service

NO_MARGIN = "; no margin: an equal canary cannot be shown not worse in finite time"
DIFFERENT = "the arms hold different kinds of data"
OVERALL = "overall"
EARLIER = "beside earlier"
# Times as far may a canary be from another time's baseline: a week apart, load and its mix differ
# by what the usual margins forgive, before anything is wrong.
FARTHER = 2.0
# Where it looks: the body, the shoulder and the tail of a distribution.
EVERYWHERE = (0.25, 0.5, 0.75, 0.9, 0.95, 0.99)


@dataclass(frozen=True, slots=True, eq=False)
class _Gauges:
    """Both arms of a gauge, and the baseline before."""

    baseline: Levels
    canary: Levels
    history: Levels | None


_Part = counting.Item | _Gauges | str


@dataclass(frozen=True, slots=True, eq=False)
class _Item:
    """One comparison to be made: count questions, a pair of gauges, or a sentence why not.

    Which items there are follows from the service alone, so each one's share of alpha does too.
    """

    metric: Metric
    aspect: str
    critical: bool
    part: _Part
    doubts: tuple[str, ...]


def judge(service: Service, evidence: Evidence, memory: Memory | None = None) -> Analysis:
    """Every metric of the service compared; one without a pair is unfit, with its gap's reason.

    `memory`: what earlier looks at the same rollout have summed already. The answer is the same,
    bit for bit, without it.
    """
    before = evidence.window.before(service.history)
    items = [item for metric in service.metrics for item in _items(metric, evidence, before)]
    if service.earlier:
        past = _seen_earlier(evidence)
        for metric in service.metrics:
            items += [_earlier(one) for one in _items(wider(metric), past, before)]
    share = weights([item.critical for item in items])
    found = list(_comparisons(items, share, service, memory))
    return Analysis(
        comparisons=tuple(_told(found)),
        log_e_worse=combined([one.log_e_worse for one in found], share),
        alpha=service.alpha,
        beta=service.beta,
        minutes=evidence.window.step * evidence.window.count / 60.0,
        concurrent=all(pair.concurrent for pair in evidence.pairs),
    )


def _seen_earlier(evidence: Evidence) -> Evidence:
    """The second baseline's pairs in the place of the first's, and what was not seen of them."""
    ending = f" {EARLIER_GAPS}"
    gaps = tuple(
        replace(gap, about=gap.about.removesuffix(ending))
        for gap in evidence.gaps
        if gap.about.endswith(ending)
    )
    return replace(evidence, pairs=evidence.earlier, gaps=gaps)


def _told(found: Sequence[Comparison]) -> Iterator[Comparison]:
    """All but the alarms that are silent, or say again what a question of their metric says.

    An alarm beside an earlier time that could not be seen is told too: somebody asked for it.
    """
    said = {(one.metric, one.finding) for one in found if not _alarm(one)}
    for one in found:
        rings = one.finding is Finding.WORSE
        blind = one.finding is Finding.UNFIT and one.aspect.endswith(EARLIER)
        if not _alarm(one) or ((rings or blind) and (one.metric, one.finding) not in said):
            yield one


def _alarm(one: Comparison) -> bool:
    return one.aspect == OVERALL or one.aspect.endswith(EARLIER)


def _earlier(item: _Item) -> _Item:
    return replace(item, aspect=f"{item.aspect} {EARLIER}".lstrip(), critical=False)


def wider(metric: Metric) -> Metric:
    """The metric with the margin that is fair beside another time: twice as far from equal."""
    return replace(metric, margin=metric.margin.scaled(FARTHER))


def _items(metric: Metric, evidence: Evidence, before: Window) -> Iterator[_Item]:
    pair = next((pair for pair in evidence.pairs if pair.metric == metric.name), None)
    fit = fitness(pair, evidence.window) if pair else Fitness(unseen(metric, evidence))
    unusable = fit.unusable
    if still_cold(metric, evidence.window) and not unusable:
        unusable = warming_up(metric)
    aspects = _aspects(metric)
    parts: dict[str, _Part] = dict.fromkeys(aspects, unusable)
    if pair and not unusable:
        judged = _judged(metric, pair, evidence.window, before)
        parts = _parts(metric, aspects, judged, evidence.window, before)
    for aspect, part in parts.items():
        yield _Item(metric, aspect, metric.critical and aspect != OVERALL, part, fit.doubts)


def _aspects(metric: Metric) -> dict[str, tuple[float, ...]]:
    """The questions about one metric, and the quantiles that each looks at."""
    if not metric.quantiles:
        return {"": ()}
    return {f"p{100 * one:g}": (one,) for one in metric.quantiles} | {OVERALL: EVERYWHERE}


def _judged(metric: Metric, pair: Pair, window: Window, before: Window) -> Pair:
    """The pair without its warm-up, and without a history that is not fit to be one."""
    return replace(
        pair,
        baseline=warm(pair.baseline, metric, window),
        canary=warm(pair.canary, metric, window),
        history=fit_history(pair, before),
    )


def _parts(
    metric: Metric,
    aspects: dict[str, tuple[float, ...]],
    pair: Pair,
    window: Window,
    before: Window,
) -> dict[str, _Part]:
    """What the pair is asked in each aspect; a sentence where its data cannot carry it."""
    match pair.baseline, pair.canary, pair.history:
        case Counts() as baseline, Counts() as canary, (Counts() | None) as past:
            one = events.question(metric, baseline, canary, past, window.step)
            return dict.fromkeys(aspects, (one,))
        case Levels() as baseline, Levels() as canary, (Levels() | None) as past:
            return dict.fromkeys(aspects, _Gauges(baseline, canary, past))
    asked = {
        quantile: _at(metric, quantile, pair, window, before)
        for quantile in sorted({one for quantiles in aspects.values() for one in quantiles})
    }
    return {aspect: _together(asked, quantiles) for aspect, quantiles in aspects.items()}


def _together(asked: dict[float, Question | str], quantiles: tuple[float, ...]) -> _Part:
    """Those of the questions that can be asked, or why none can."""
    found = [asked[one] for one in quantiles]
    questions = tuple(one for one in found if not isinstance(one, str))
    return questions or next((one for one in found if isinstance(one, str)), DIFFERENT)


def _at(
    metric: Metric, quantile: float, pair: Pair, window: Window, before: Window
) -> Question | str:
    """The question at one quantile, or why it cannot be asked."""
    try:
        match pair.baseline, pair.canary, pair.history:
            case Buckets() as baseline, Buckets() as canary, (Buckets() | None) as past:
                return histograms.question(metric, quantile, baseline, canary, past, window.step)
            case Samples() as baseline, Samples() as canary, (Samples() | None) as past:
                return samples.question(metric, quantile, (baseline, canary, past), window, before)
    except Unfit as why:
        return str(why)
    return DIFFERENT


def _comparisons(
    items: Sequence[_Item], share: Sequence[float], service: Service, memory: Memory | None
) -> Iterator[Comparison]:
    not_worse = -math.log(service.beta)
    levels = [Needed(-math.log(service.alpha * part), not_worse) for part in share]
    counted = {row: item.part for row, item in enumerate(items) if isinstance(item.part, tuple)}
    answers = dict(
        zip(
            counted,
            counting.answers(
                list(counted.values()), [levels[row] for row in counted], service.step, memory
            ),
            strict=True,
        )
    )
    for index, (item, level) in enumerate(zip(items, levels, strict=True)):
        answer = answers.get(index) or _by_pods(item, level)
        if isinstance(answer, str):
            yield _unfit(item, answer)
        else:
            yield _comparison(item, answer, level, service.step)


def _by_pods(item: _Item, level: Needed) -> Answer | str:
    if not isinstance(item.part, _Gauges):
        return str(item.part)
    seen = item.part.baseline, item.part.canary, item.part.history
    try:
        answer = gauges.compare(item.metric, *seen, level.worse, level.not_worse)
    except Unfit as why:
        return str(why)
    return Answer(
        log_e_worse=answer.log_e_worse,
        log_e_not_worse=answer.log_e_not_worse,
        effect=answer.effect,
        counted="pods",
        events_baseline=float(answer.pods_baseline),
        events_canary=float(answer.pods_canary),
        method=answer.method,
        clear_in=math.inf if answer.clear_in is None else answer.clear_in,
    )


def _finding(item: _Item, answer: Answer, level: Needed) -> tuple[Finding, str]:
    """Doubts let a metric convict, never acquit."""
    worse, not_worse = answer.log_e_worse, answer.log_e_not_worse
    if worse >= level.worse:
        return Finding.WORSE, f"evidence {times(worse)}, {times(level.worse)} needed"
    if item.doubts:
        return Finding.UNFIT, "; ".join(item.doubts)
    if not_worse >= level.not_worse:
        return Finding.NOT_WORSE, f"evidence {times(not_worse)}, {times(level.not_worse)} needed"
    return Finding.UNCLEAR, (
        f"evidence for worse {times(worse)} of {times(level.worse)}, "
        f"for not worse {times(not_worse)} of {times(level.not_worse)}"
        f"{NO_MARGIN if item.metric.margin == Margin(1.0, 0.0) else ''}"
    )


def _comparison(item: _Item, answer: Answer, level: Needed, step: float) -> Comparison:
    finding, why = _finding(item, answer, level)
    effect = answer.effect
    clear_in = answer.clear_in * step
    passed = answer.passed if finding in {Finding.WORSE, Finding.UNCLEAR} else ""
    confidence = 1.0 - math.exp(-level.worse) - math.exp(-level.not_worse)
    return Comparison(
        metric=item.metric.name,
        aspect=item.aspect,
        finding=finding,
        why=why,
        notes=(*answer.notes, passed) if passed else answer.notes,
        critical=item.critical,
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
        clear_in=clear_in if finding is Finding.UNCLEAR and math.isfinite(clear_in) else None,
        method=answer.method,
    )


def _unfit(item: _Item, why: str) -> Comparison:
    return Comparison(
        metric=item.metric.name,
        aspect=item.aspect,
        finding=Finding.UNFIT,
        why=why,
        critical=item.critical,
        unit=item.metric.unit,
        worse=item.metric.worse,
        margin=item.metric.margin,
    )
