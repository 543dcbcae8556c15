"""The known defects of Kayenta's judge, where a canary config runs into them.

Found on the genuine judge, and reproduced in `gate.analysis.kayenta`. Those that depend on the data
alone (random verdicts on nearly equal constants, too few points) cannot be read from a config.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gate.kayenta import Measure, NanStrategy, Rule
from gate.kayenta_config import KayentaConfig, MetricConfig

# A change of 1e-4 in the metric's unit is the finest the judge can see.
_SMALL_UNIT = re.compile(r"second|ratio|\brate\b|_rate|rate\(|\)\s*/|\s/\s", re.IGNORECASE)
_MAY_BE_NEGATIVE = re.compile(
    r"\b(deriv|delta|idelta)\(|\s-\s|celsius|balance|drift", re.IGNORECASE
)
_SPLIT = re.compile(r"\b(by|without)\s*\(")


@dataclass(frozen=True, slots=True)
class Defect:
    """One defect, which part of the config runs into it, what happens, and what to do."""

    name: str
    where: str
    happens: str
    do: str

    def __str__(self) -> str:
        return f"{self.name} ({self.where}): {self.happens}\n  {self.do}"


def defects(config: KayentaConfig) -> Iterator[Defect]:
    """One for each defect the config runs into, however many metrics do."""
    for find in _FINDERS:
        yield from find(config)


def _error_is_100(config: KayentaConfig) -> Iterator[Defect]:
    yield from _of_metrics(
        config,
        lambda metric: metric.rule.nan_strategy is NanStrategy.REMOVE,
        "Error labels score 100",
        "where the points left cannot be compared (one an arm, or one canary point beside an "
        "all-zero baseline) the label is Error, the score stays 100 and `critical` is forgotten",
        "never take a score with an Error label for a pass; the gate calls such a metric unfit "
        "and holds, whichever its judge",
    )


def _unit(config: KayentaConfig) -> Iterator[Defect]:
    yield from _of_metrics(
        config,
        lambda metric: bool(_SMALL_UNIT.search(_text(metric))),
        "unit-dependent tolerance",
        "the judge searches shifts to 1e-4 in the metric's own unit: around 1e-4 it misses most "
        "20 % changes, around 1e-5 even a doubling",
        "report the metric in a smaller unit (ms, per million) if its values may be that small; "
        "under `judge: kayenta` a Pass on less than that is unclear, and the gate's own judge does "
        "not depend on the unit",
    )


def _negative(config: KayentaConfig) -> Iterator[Defect]:
    yield from _of_metrics(
        config,
        lambda metric: (
            metric.rule.effect.measure is Measure.MEAN_RATIO
            and bool(_MAY_BE_NEGATIVE.search(_text(metric)))
        ),
        "negative metrics never fail",
        "the ratio of two negative means points the other way, so no change of a metric below "
        "zero is ever High or Low",
        "add a constant, or set effectSize.measure to cles; under `judge: kayenta` such a Pass is "
        "unclear, and the gate's own judge compares differences",
    )


def _sparse(config: KayentaConfig) -> Iterator[Defect]:
    yield from _of_metrics(
        config,
        lambda metric: metric.rule.nan_strategy is NanStrategy.REPLACE,
        "sparse errors are invisible",
        "beside a baseline of zeros (nanStrategy replace makes them) the canary must be above zero "
        "in 27 of 60 points before it is High",
        "count errors with kind events and `judge: gate`, which needs a handful of them; under "
        "`judge: kayenta` such a Pass is unclear if the means differ by more than the margin",
    )


def _must_have_data(config: KayentaConfig) -> Iterator[Defect]:
    yield from _of_metrics(
        config,
        lambda metric: (
            metric.rule.must_have_data and metric.rule.nan_strategy is NanStrategy.REPLACE
        ),
        "mustHaveData without effect",
        "with nanStrategy replace a metric without any data passes, whatever mustHaveData says",
        "use nanStrategy remove; in the gate a metric that was not seen is unfit, and does not "
        "count as passed",
    )


def _ungrouped(config: KayentaConfig) -> Iterator[Defect]:
    yield from _of_metrics(
        config,
        lambda metric: not metric.groups,
        "ungrouped metrics are ignored",
        "a metric in no group does not count: it may be High while the score is 100",
        "put it in a group; under `judge: kayenta` it is a group of its own, imported with weight "
        "0, and holds if it is worse; for the gate's own judge every metric counts",
    )


def _mixed_tags(config: KayentaConfig) -> Iterator[Defect]:
    yield from _of_metrics(
        config,
        lambda metric: bool(metric.query.group_by_fields or _SPLIT.search(_text(metric))),
        "untagged series are thrown away",
        "where one arm's series carry labels and the other's do not, the latter's data is dropped "
        "as a placeholder",
        "let both arms' queries return the same labels, or one series each",
    )


def _unknown_words(config: KayentaConfig) -> Iterator[Defect]:
    yield from _of_metrics(
        config,
        _has_unknown_word,
        "unknown words become defaults",
        "a direction, nanStrategy, outliers.strategy or effectSize.measure that the judge does not "
        "know, in exactly these letters, is silently either, remove, keep or meanRatio",
        "correct the word; the gate refuses unknown words by name",
    )


def _same_name(config: KayentaConfig) -> Iterator[Defect]:
    names = [metric.name for metric in config.metrics]
    yield from _of_metrics(
        config,
        lambda metric: names.count(metric.name) > 1,
        "one name, one rule",
        "of metrics that share a name the first one's configuration judges all",
        "give each metric its own name, as the file printed here does",
    )


def _all_muted(config: KayentaConfig) -> Iterator[Defect]:
    if all(metric.canary.muted for metric in config.metrics):
        yield Defect(
            "nothing that counts scores 0",
            "all metrics are muted",
            "with nothing left to score, the score is 0 and every canary fails",
            "unmute what should decide; in the file printed here all of them count",
        )


def _weights(config: KayentaConfig) -> Iterator[Defect]:
    """The best score there is, when all metrics pass, is what the groups' weights sum to."""
    weights = config.classifier.group_weights
    unsaid = sorted(_groups(config) - weights.keys())
    best = sum(weights[name] for name in _groups(config) & weights.keys())
    rest = 100.0 - sum(weights.values())
    if _groups(config) and abs(best + (rest if unsaid else 0.0) - 100.0) > 1e-6:
        yield Defect(
            "weights that do not sum to 100",
            f"a perfect canary scores {best + (rest if unsaid else 0.0):g}",
            "weights are neither checked nor normalised, and a weighted group without a metric "
            "that counts is lost",
            "let the weights of the groups that have metrics sum to 100; the gate refuses others, "
            "so those in the file printed here are scaled to 100; its own judge has no weights",
        )
    if unsaid and rest <= 1e-6:
        yield Defect(
            "groups that weigh nothing",
            f"groups {_listed(unsaid)}",
            f"groups without a weight share what the others leave of 100, here {rest:g}: their "
            "failures do not lower the score",
            "give each group a weight; under `judge: kayenta` a group weighs 0 only where that is "
            "written, as in the file printed here; for the gate's own judge every metric counts",
        )


def _thresholds(config: KayentaConfig) -> Iterator[Defect]:
    if config.classifier.score_thresholds:
        yield Defect(
            "score thresholds of the config are ignored",
            "classifier.scoreThresholds",
            "the judge takes the request's thresholds, and where the score equals `marginal` it "
            "says Marginal while the orchestrator fails",
            "compare those of the pipeline with `judge.pass` and `judge.marginal` in the file "
            "printed here; the gate holds between them, `marginal` included",
        )


def _judge_settings(config: KayentaConfig) -> Iterator[Defect]:
    if config.judge.judge_configurations:
        yield Defect(
            "judge settings are ignored",
            "judge.judgeConfigurations",
            "the tolerance (25 % of the shift) and the confidence (98 %) are fixed in the judge",
            "remove them; for the gate's own judge set judge.alpha, judge.beta and each margin",
        )


_FINDERS: tuple[Callable[[KayentaConfig], Iterator[Defect]], ...] = (
    _error_is_100,
    _unit,
    _negative,
    _sparse,
    _must_have_data,
    _ungrouped,
    _all_muted,
    _weights,
    _mixed_tags,
    _unknown_words,
    _same_name,
    _thresholds,
    _judge_settings,
)


def _of_metrics(
    config: KayentaConfig,
    concerned: Callable[[MetricConfig], bool],
    name: str,
    happens: str,
    do: str,
) -> Iterator[Defect]:
    """The defect, if it concerns any metric that counts."""
    heard = [metric for metric in config.metrics if not metric.canary.muted]
    if found := [metric.name for metric in heard if concerned(metric)]:
        yield Defect(name, f"metric{'s' if len(found) > 1 else ''} {_listed(found)}", happens, do)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(repr(name) for name in dict.fromkeys(names[:5])) + more


def _groups(config: KayentaConfig) -> set[str]:
    """Those that count."""
    rules: list[Rule] = [metric.rule for metric in config.metrics]
    return {group for rule in rules if not rule.muted for group in rule.groups}


def _has_unknown_word(metric: MetricConfig) -> bool:
    canary, rule = metric.canary, metric.rule
    return (
        canary.direction != rule.direction
        or canary.nan_strategy != rule.nan_strategy
        or canary.outliers.strategy not in ("keep", "remove")
        or canary.effect_size.measure != rule.effect.measure
    )


def _text(metric: MetricConfig) -> str:
    """What may tell the unit: the metric's name and query."""
    asked = metric.query
    return " ".join(filter(None, (metric.name, asked.metric_name, asked.custom_inline_template)))
