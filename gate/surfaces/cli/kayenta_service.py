"""A canary config of Kayenta as the text of a Service file, with comments on what is lost."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

from gate.kayenta import Direction, Measure, NanStrategy
from gate.kayenta_config import JUDGE, KayentaConfig, MetricConfig
from gate.metric import Kind
from gate.surfaces.cli.kayenta_query import PLACEHOLDER, Query, query, worded

WIDTH = 98
LARGEST_RATIO = 1000.0  # beyond this a margin allows everything

CRITICAL = {"critical_increase", "critical_decrease"}
BOTH_WAYS = "Kayenta failed it both ways; for a fall, repeat the metric with `worse: lower`"
NO_CRITICAL = "criticalIncrease, criticalDecrease: whatever is beyond the margin is worse here"
NO_ZEROS = (
    "Kayenta read missing points as 0, the gate as not seen; if nothing to count means no series, "
    "use kind events"
)
MUST_HAVE_DATA = "mustHaveData: what must be seen before a promote is `critical: true` here"

_HEADER = """\
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


def service_file(config: KayentaConfig, name: str) -> str:
    """The file's text; it loads as it is, and judges once the placeholders are filled."""
    entries = _entries(config)
    usual = _usual_matcher(entries)
    lines = [
        *_comment(f"Imported from Kayenta's canary config {config.name or 'without a name'!r}."),
        *_judge(config),
        *(line for part in _HEADER.split("\n") for line in _comment(part)),
        "apiVersion: gate/v1",
        "kind: Service",
        f"name: {_quoted(name)}",
        "",
        "sources:",
        f"  prometheus: {{kind: prometheus, url: 'http://{PLACEHOLDER}:9090'}}",
        "",
        *_arms(usual),
        *_variables(entries),
        "step: 1m # the step of Kayenta's scopes, 60 s where it was not said otherwise",
        "",
        "metrics:",
        *(line for entry in entries for line in _metric(entry, usual)),
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


def _entries(config: KayentaConfig) -> list[_Entry]:
    needed = _needed(config.metrics)
    names: list[str] = []
    for metric in config.metrics:
        names.append(_free(plain_name(metric.name, "metric"), names))
    return [
        _Entry(name, metric, query(metric, config), metric in needed)
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
        yield from _comment(f"It was judged by {config.judge.name}, not by {JUDGE}.")


def _arms(matcher: str) -> Iterator[str]:
    if not matcher:
        yield from _comment("How the arms' labels differ is not in Kayenta's config.")
        matcher = f'{PLACEHOLDER}="${{scope}}"'
    yield "arms:"
    for arm in ("canary", "baseline"):
        yield f"  {arm}: {_quoted(worded(matcher, f'{{{{{arm}}}}}'))}"
    yield ""


def _usual_matcher(entries: Sequence[_Entry]) -> str:
    matchers = Counter(entry.query.matcher for entry in entries if entry.query.matcher)
    return matchers.most_common(1)[0][0] if matchers else ""


def _variables(entries: Sequence[_Entry]) -> Iterator[str]:
    names = dict.fromkeys(name for entry in entries for name in entry.query.variables)
    if names:
        yield from _comment("What Kayenta's scopes filled in; or give them with --var NAME=VALUE.")
        yield "variables:"
        yield from (f"  {name}: {PLACEHOLDER}" for name in names)
        yield ""


def _metric(entry: _Entry, usual: str) -> Iterator[str]:
    samples, margin = entry.query.kind is Kind.SAMPLES, _ratio(entry.metric)
    falls = entry.metric.rule.direction is Direction.DECREASE
    for note in _lost(entry, usual):
        yield from _comment(note, indent="  ")
    yield f"  - name: {_quoted(entry.name)}"
    yield f"    kind: {entry.query.kind}"
    yield f"    worse: {'lower' if falls else 'higher'}"
    yield f"    critical: {'true' if entry.critical else 'false'}"
    if margin:
        yield f"    margin: {{ratio: {margin:.6g}}}"
    if samples:
        yield "    quantiles: [0.5]"
    yield f"    {'values' if samples else 'value'}: {_quoted(entry.query.text)}"
    yield ""


def _ratio(metric: MetricConfig) -> float | None:
    """The allowed change as a margin; None where the gate's default must do."""
    effect = metric.rule.effect
    if effect.measure is Measure.CLES:
        return None
    ratio = effect.allowed_increase
    if metric.rule.direction is Direction.DECREASE:
        ratio = 1.0 / effect.allowed_decrease if effect.allowed_decrease > 0 else 0.0
    return ratio if 1.0 < ratio <= LARGEST_RATIO else None


def _lost(entry: _Entry, usual: str) -> Iterator[str]:
    """What of the metric the gate has no word for."""
    metric, rule, canary = entry.metric, entry.metric.rule, entry.metric.canary
    yield f"Kayenta's {metric.name!r}, {_weighed(rule.groups)}"
    yield from entry.query.notes
    unknown = sorted({**(canary.model_extra or {}), **(metric.model_extra or {})})
    for holds, note in (
        (entry.query.matcher not in ("", usual), f"Kayenta selected by {entry.query.matcher} here"),
        (rule.direction is Direction.EITHER, BOTH_WAYS),
        (_ratio(metric) is None, f"{_effect(metric)}, so the gate's default margin holds"),
        (rule.critical and canary.effect_size.model_fields_set & CRITICAL, NO_CRITICAL),
        (rule.nan_strategy is NanStrategy.REPLACE, NO_ZEROS),
        (rule.outlier_factor is not None, "Kayenta dropped outliers; the gate keeps them"),
        (rule.must_have_data and not entry.critical, MUST_HAVE_DATA),
        (rule.muted, "Kayenta did not count it (muted); here, shown worse, it holds a release"),
        (metric.scope_name not in (None, "default"), f"Kayenta's scope: {metric.scope_name}"),
        (unknown, f"not translated: {', '.join(unknown)}"),
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


def _comment(text: str, indent: str = "") -> Iterator[str]:
    """As comment lines; whatever is in the text, it cannot leave them."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    for line in textwrap.wrap(shown, WIDTH - len(indent) - 2, break_on_hyphens=False):
        yield f"{indent}# {line}"


def _quoted(text: str) -> str:
    """On one line, in single quotes where that can be."""
    style = "'" if text.isprintable() else '"'
    dumped: str = yaml.safe_dump(text, default_style=style, width=10**9, allow_unicode=True)
    return dumped.rstrip("\n")
