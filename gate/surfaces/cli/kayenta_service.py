"""A canary config of Kayenta as the text of a Service file, with comments on what is lost."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gate.kayenta import Direction, Measure, NanStrategy
from gate.kayenta_config import JUDGE, KayentaConfig, MetricConfig
from gate.metric import Kind
from gate.surfaces.cli.kayenta_query import PLACEHOLDER, Query, query, worded
from gate.surfaces.cli.kayenta_rules import counted, judge_keys, rule_keys
from gate.surfaces.cli.yamltext import comment, quoted

LARGEST_RATIO = 1000.0  # beyond this a margin allows everything

CRITICAL = {"critical_increase", "critical_decrease"}
BOTH_WAYS = "Kayenta failed it both ways; for a fall, repeat the metric with `worse: lower`"
NO_CRITICAL = "criticalIncrease, criticalDecrease: whatever is beyond the margin is worse here"
NO_ZEROS = (
    "Kayenta read missing points as 0, the gate as not seen; if nothing to count means no series, "
    "use kind events"
)
MUST_HAVE_DATA = "mustHaveData: what must be seen before a promote is `critical: true` here"

NO_MARGIN = (
    "Kayenta fails any significant change, however small; effect_size says from where on. A Pass "
    "counts as shown within the gate's default margin"
)
MUST_HAVE_ZEROS = "mustHaveData has no effect beside nanStrategy replace; what is unseen is unfit"
IGNORED = "Kayenta ignored it, being in no group; its weight is 0 until you give it one"

_KAYENTA_HEADER = """\
Judged by Kayenta's judge at each look; looking often makes false alarms likelier. What it could \
not judge does not count as passed, and a Pass is shown from 50 points an arm on: about an hour at \
this step, the warm-up included. Kayenta itself takes the thresholds from the pipeline that starts \
the analysis: compare them. For the gate's own judge import with --judge gate.
Replace every REPLACE_ME, then see what the gate understands: gate show -f FILE"""
_GATE_HEADER = """\
The gate has no score: each critical metric must be shown not worse than its margin before a \
promote, so group weights and score thresholds are not translated; the policy decides.
Kayenta compares the points of time series as if they were independent. The gate judges a gauge \
by its pods, errors as events (bad and total) and latencies as histograms, which shows more, \
sooner: rewrite the metrics below where you can.
Replace every REPLACE_ME, then see what the gate understands: gate show -f FILE"""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A metric of the file to be."""

    name: str
    metric: MetricConfig
    query: Query
    critical: bool


def service_file(config: KayentaConfig, name: str, *, own_judge: bool) -> str:
    """The file's text; it loads as it is, and judges once the placeholders are filled.

    `own_judge`: for the gate's own judge, else for Kayenta's.
    """
    entries = _entries(config, own_judge=own_judge)
    names = {entry.name: entry.metric for entry in entries}
    usual = _usual_matcher(entries)
    header = _GATE_HEADER if own_judge else _KAYENTA_HEADER
    lines = [
        *comment(f"Imported from Kayenta's canary config {config.name or 'without a name'!r}."),
        *_judge(config),
        *(line for part in header.split("\n") for line in comment(part)),
        "apiVersion: gate/v1",
        "kind: Service",
        f"name: {quoted(name)}",
        "",
        "sources:",
        f"  prometheus: {{kind: prometheus, url: 'http://{PLACEHOLDER}:9090'}}",
        "",
        *_arms(usual),
        *_variables(entries),
        "step: 1m # the step of Kayenta's scopes, 60 s where it was not said otherwise",
        "",
        *(() if own_judge else judge_keys(config, names)),
        "metrics:",
        *(line for entry in entries for line in _metric(entry, usual, config, own_judge=own_judge)),
        "policy: standard",
    ]
    return "\n".join(lines) + "\n"


def plain_name(text: str, otherwise: str) -> str:
    """The text as a name the gate takes: letters, digits, spaces and `._/-`.

    >>> plain_name("Latency (p99, ms)", "metric")
    'Latency p99 ms'
    """
    words = re.sub(r"[^A-Za-z0-9._/-]+", " ", text).split()
    return " ".join(words).lstrip("._/- ") or otherwise


def _entries(config: KayentaConfig, *, own_judge: bool) -> list[_Entry]:
    needed = _needed(config.metrics)
    names: list[str] = []
    for metric in config.metrics:
        names.append(_free(plain_name(metric.name, "metric"), names))
    return [
        _Entry(name, metric, query(metric, config, by_pod=own_judge), metric in needed)
        for name, metric in zip(names, config.metrics, strict=True)
    ]


def _free(name: str, taken: Sequence[str]) -> str:
    """The name, or the first of `name 2`, `name 3`, ... that is not taken."""
    numbered = (f"{name} {number}" for number in range(2, len(taken) + 3))
    return next(free for free in (name, *numbered) if free not in taken)


def _needed(metrics: Sequence[MetricConfig]) -> list[MetricConfig]:
    """The critical ones; where none is, all that are heard, for something must earn a promote."""
    heard = [metric for metric in metrics if not metric.canary.muted]
    return [one for one in heard if one.canary.critical] or heard or list(metrics)


def _judge(config: KayentaConfig) -> Iterator[str]:
    if config.judge.name not in (None, JUDGE):
        yield from comment(f"It was judged by {config.judge.name}, not by {JUDGE}.")


def _arms(matcher: str) -> Iterator[str]:
    if not matcher:
        yield from comment("How the arms' labels differ is not in Kayenta's config.")
        matcher = f'{PLACEHOLDER}="${{scope}}"'
    yield "arms:"
    for arm in ("canary", "baseline"):
        yield f"  {arm}: {quoted(worded(matcher, f'{{{{{arm}}}}}'))}"
    yield ""


def _usual_matcher(entries: Sequence[_Entry]) -> str:
    matchers = Counter(entry.query.matcher for entry in entries if entry.query.matcher)
    return matchers.most_common(1)[0][0] if matchers else ""


def _variables(entries: Sequence[_Entry]) -> Iterator[str]:
    names = dict.fromkeys(name for entry in entries for name in entry.query.variables)
    if names:
        yield from comment("What Kayenta's scopes filled in; or give them with --var NAME=VALUE.")
        yield "variables:"
        yield from (f"  {name}: {PLACEHOLDER}" for name in names)
        yield ""


def _metric(entry: _Entry, usual: str, config: KayentaConfig, *, own_judge: bool) -> Iterator[str]:
    kind, margin = entry.query.kind, _ratio(entry.metric)
    for note in (*_seen(entry, usual), *(_lost(entry) if own_judge else _kept(entry))):
        yield from comment(note, indent="  ")
    yield f"  - name: {quoted(entry.name)}"
    yield f"    kind: {kind}"
    if own_judge:
        yield from _own_keys(entry)
    else:
        yield from rule_keys(entry.metric.rule, muted=entry.metric not in counted(config))
    if margin:
        yield f"    margin: {{ratio: {margin:.6g}}}"
    if kind is Kind.SAMPLES and own_judge:
        yield "    quantiles: [0.5]"
    yield f"    {'values' if kind is Kind.SAMPLES else 'value'}: {quoted(entry.query.text)}"
    yield ""


def _own_keys(entry: _Entry) -> Iterator[str]:
    falls = entry.metric.rule.direction is Direction.DECREASE
    yield f"    worse: {'lower' if falls else 'higher'}"
    yield f"    critical: {'true' if entry.critical else 'false'}"


def _ratio(metric: MetricConfig) -> float | None:
    """The allowed change as a margin; None where the gate's default must do."""
    effect = metric.rule.effect
    if effect.measure is Measure.CLES:
        return None
    ratio = effect.allowed_increase
    if metric.rule.direction is Direction.DECREASE:
        ratio = 1.0 / effect.allowed_decrease if effect.allowed_decrease > 0 else 0.0
    return ratio if 1.0 < ratio <= LARGEST_RATIO else None


def _seen(entry: _Entry, usual: str) -> Iterator[str]:
    """Where the metric comes from, and what has no word whichever judge it is."""
    metric = entry.metric
    yield f"Kayenta's {metric.name!r}, {_weighed(metric.groups)}"
    yield from entry.query.notes
    unknown = sorted({**(metric.canary.model_extra or {}), **(metric.model_extra or {})})
    if entry.query.matcher not in ("", usual):
        yield f"Kayenta selected by {entry.query.matcher} here"
    if metric.scope_name not in (None, "default"):
        yield f"Kayenta's scope: {metric.scope_name}"
    if unknown:
        yield f"not translated: {', '.join(unknown)}"


def _kept(entry: _Entry) -> Iterator[str]:
    """What Kayenta's judge does otherwise here."""
    rule = entry.metric.rule
    for holds, note in (
        (_ratio(entry.metric) is None, NO_MARGIN),
        (rule.nan_strategy is NanStrategy.REPLACE and rule.must_have_data, MUST_HAVE_ZEROS),
        (not rule.groups and not rule.muted, IGNORED),
        (rule.muted, "muted: it does not count; shown worse, it holds a release"),
    ):
        if holds:
            yield note


def _lost(entry: _Entry) -> Iterator[str]:
    """What of the metric the gate's own judge has no word for."""
    metric, rule, canary = entry.metric, entry.metric.rule, entry.metric.canary
    for holds, note in (
        (rule.direction is Direction.EITHER, BOTH_WAYS),
        (_ratio(metric) is None, f"{_effect(metric)}, so the gate's default margin holds"),
        (rule.critical and canary.effect_size.model_fields_set & CRITICAL, NO_CRITICAL),
        (rule.nan_strategy is NanStrategy.REPLACE, NO_ZEROS),
        (rule.outlier_factor is not None, "Kayenta dropped outliers; the gate keeps them"),
        (rule.must_have_data and not entry.critical, MUST_HAVE_DATA),
        (rule.muted, "Kayenta did not count it (muted); here, shown worse, it holds a release"),
    ):
        if holds:
            yield note


def _weighed(groups: Sequence[str]) -> str:
    return f"in {', '.join(groups)}" if groups else "in no group"


def _effect(metric: MetricConfig) -> str:
    effect = metric.rule.effect
    if effect.measure is Measure.CLES:
        return "an effect measured as CLES has no counterpart"
    return "Kayenta allowed no change that is significant, which no finite data can show"
