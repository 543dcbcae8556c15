"""`gate.yaml`: the Service file, from YAML to the words of the gate.

Why two shapes for one thing: the models here are what people may write (presets, defaults, short
forms); `gate.service.Service` is what the gate works on, complete and without choices. `gate show`
prints the second, so nothing a preset or default does stays hidden.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from gate.arms_file import ArmsSection, arms, earlier
from gate.budget.margin import most
from gate.change_file import ChangeSection, change, model
from gate.document import (
    AsWritten,
    Document,
    Duration,
    FreeWord,
    Name,
    Place,
    Section,
    Share,
    Text,
    fit,
    read,
    refuse,
)
from gate.errors import did_you_mean
from gate.judge_file import (
    GateJudgeSection,
    JudgeSection,
    KayentaJudgeSection,
    RuleSection,
    chosen,
    kayenta,
    refuse_rules,
    rule,
)
from gate.kayenta import Direction as Fails
from gate.metric import (
    DEFAULT_MARGINS,
    DEFAULT_QUANTILES,
    DEFAULT_WARMUP,
    QUERIES,
    BudgetShare,
    Direction,
    Kind,
    Margin,
    Metric,
)
from gate.presets import PRESETS
from gate.service import ChangeRange, Service
from gate.slo import Slo
from gate.slo_section import AnySlo, objectives


class BudgetShareSection(Section):
    """A margin from what is left of the error budget of one of the `slos`."""

    slo: Name | None = None
    share: Share
    within: Duration = Field(gt=0)
    at_least: float = Field(0.0002, gt=0, lt=1)


class MarginSection(Section):
    """How much worse is still fine: `canary <= ratio * baseline + absolute`, or from a `budget`."""

    ratio: float = Field(1.0, ge=1, allow_inf_nan=False)
    absolute: float = Field(0.0, ge=0, allow_inf_nan=False)
    budget: BudgetShareSection | None = None


class MetricSection(RuleSection):
    """One metric, or one preset that stands for several."""

    name: Name | None = None
    preset: str | None = None
    only: list[str] | None = Field(None, min_length=1)
    kind: Kind | None = None
    source: str | None = None
    worse: Direction | None = None
    margin: MarginSection | None = None
    critical: bool | None = None
    warmup: Duration | None = Field(None, ge=0)
    unit: str | None = None
    quantiles: list[Annotated[float, Field(gt=0, lt=1)]] | None = Field(None, min_length=1)
    bad: Text | None = None
    good: Text | None = None
    total: Text | None = None
    buckets: Text | None = None
    value: Text | None = None
    values: Text | None = None


class ServiceSection(Section):
    """A whole Service file."""

    apiVersion: Literal["gate/v1"]  # noqa: N815  the spelling of Kubernetes files
    kind: Literal["Service"]
    name: Name
    tier: int = Field(1, ge=0, le=2)
    owner: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    sources: dict[str, dict[str, Any]] = Field(min_length=1)
    arms: ArmsSection
    step: Duration = Field(60.0, gt=0)
    lag: Duration = Field(30.0, ge=0)
    history: Duration = Field(3_600.0, ge=0)
    metrics: list[MetricSection] = Field(min_length=1)
    slos: list[AnySlo] = Field(default_factory=list)
    change: ChangeSection | None = None
    variables: dict[FreeWord, AsWritten] = Field(default_factory=dict)
    policy: str = "standard"
    judge: JudgeSection = "gate"


@dataclass(frozen=True, slots=True)
class ServiceFile:
    """A service, and the sources it names, still as written (`gate.wiring` knows the kinds).

    `warnings`: what the SLO files it names say that may not be meant, `file:line: sentence` each.
    """

    service: Service
    sources: Mapping[str, Mapping[str, Any]]
    document: Document
    warnings: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Paths in the file are relative to this."""
        return Path(self.document.file).parent


def load(path: Path) -> ServiceFile:
    """The Service file at `path`; raises UsageError naming file, line and column."""
    return from_document(read(path, "name the file with -f FILE"))


def from_document(document: Document) -> ServiceFile:
    """The Service of a document; raises UsageError."""
    section = fit(document, ServiceSection)
    entries = list(_entries(document, section))
    slos, warnings = objectives(document, section.slos, partial(_source, section=section))
    metrics = tuple(_metric(document, place, one, section, slos) for place, one in entries)
    _check_unique(document, metrics, slos)
    service = Service(
        name=section.name,
        tier=section.tier,
        owner=section.owner,
        labels=section.labels,
        arms=arms(document, section.arms),
        earlier=earlier(document, section.arms),
        metrics=metrics,
        slos=slos,
        change=_change(document, section),
        risk_model=model(document, section.change),
        policy=section.policy,
        step=section.step,
        lag=section.lag,
        variables=section.variables,
        **_judged(document, section, entries, metrics),
    )
    return ServiceFile(service, section.sources, document, warnings)


def _judged(
    document: Document,
    section: ServiceSection,
    entries: list[tuple[Place, MetricSection]],
    metrics: tuple[Metric, ...],
) -> dict[str, Any]:
    """What of the service only its judge reads."""
    judge = chosen(section.judge)
    if isinstance(judge, GateJudgeSection):
        _check_critical(document, metrics)
        for place, one in entries:
            refuse_rules(document, place, one)
        return {"history": section.history, "alpha": judge.alpha, "beta": judge.beta}
    if section.arms.earlier:
        raise refuse(document, ("arms", "earlier"), "`earlier` means nothing to Kayenta's judge")
    if "history" in section.model_fields_set:
        raise refuse(document, ("history",), "`history` means nothing to Kayenta's judge")
    rules = [
        rule(document, place, one, metric)
        for (place, one), metric in zip(entries, metrics, strict=True)
    ]
    return {"kayenta": kayenta(document, judge, rules)}


def _check_unique(document: Document, metrics: tuple[Metric, ...], slos: tuple[Slo, ...]) -> None:
    for place, names in (
        ("metrics", [metric.name for metric in metrics]),
        ("slos", [slo.name for slo in slos]),
    ):
        for name in names:
            if names.count(name) > 1:
                raise refuse(document, (place,), f"two {place} are named {name!r}", "rename one")


def _check_critical(document: Document, metrics: tuple[Metric, ...]) -> None:
    if not any(metric.critical for metric in metrics):
        raise refuse(
            document,
            ("metrics",),
            "no metric is critical, so nothing could ever earn a promote",
            "leave `critical` out (it is true by default) or set it to true for one metric",
        )


def _entries(document: Document, section: ServiceSection) -> Iterator[tuple[Place, MetricSection]]:
    """Each metric with its place, presets unfolded."""
    for index, metric in enumerate(section.metrics):
        place: Place = ("metrics", index)
        for full in _expanded(document, place, metric):
            yield place, full


def _expanded(document: Document, place: Place, metric: MetricSection) -> list[MetricSection]:
    """The metrics a preset stands for, or the metric itself."""
    if metric.preset is None:
        if metric.only is not None:
            raise refuse(document, (*place, "only"), "`only` picks from a preset; there is none")
        return [metric]
    if metric.preset not in PRESETS:
        guess = did_you_mean(metric.preset, PRESETS)
        raise refuse(
            document,
            (*place, "preset"),
            f"unknown preset {metric.preset!r}{guess}",
            f"known presets: {', '.join(PRESETS)}",
        )
    preset = PRESETS[metric.preset]
    names = metric.only if metric.only is not None else list(preset)
    for name in names:
        if name not in preset:
            raise refuse(
                document,
                (*place, "only"),
                f"preset {metric.preset!r} has no {name!r}{did_you_mean(name, preset)}",
                f"it has: {', '.join(preset)}",
            )
    changes = {key: getattr(metric, key) for key in metric.model_fields_set - {"preset", "only"}}
    _check_overrides(document, place, changes, names)
    usual = (MetricSection.model_validate({"name": name, **preset[name]}) for name in names)
    return [one.model_copy(update=changes) for one in usual]


def _check_overrides(
    document: Document, place: Place, changes: Mapping[str, Any], names: list[str]
) -> None:
    """One margin, name or query cannot fit both errors and seconds."""
    shared = {"source", "critical", "warmup", *RuleSection.model_fields}
    for key in changes:
        if key not in shared and len(names) > 1:
            raise refuse(
                document,
                (*place, key),
                f"`{key}` cannot apply to {' and '.join(names)} at once",
                f"write one entry for each, with `only: [{names[0]}]`",
            )


def _metric(
    document: Document,
    place: Place,
    metric: MetricSection,
    section: ServiceSection,
    slos: tuple[Slo, ...],
) -> Metric:
    if metric.name is None or metric.kind is None:
        missing = "name" if metric.name is None else "kind"
        kinds = "" if missing == "name" else f"one of: {', '.join(Kind)}"
        raise refuse(document, place, f"a metric needs a {missing}", kinds)
    distribution = metric.kind in (Kind.HISTOGRAM, Kind.SAMPLES)
    whose = ""
    if isinstance(chosen(section.judge), KayentaJudgeSection) and metric.kind is Kind.SAMPLES:
        distribution, whose = False, " for Kayenta's judge: it compares the means of intervals"
    if metric.quantiles is not None and not distribution:
        raise refuse(document, (*place, "quantiles"), f"{metric.kind} has no quantiles{whose}")
    if metric.quantiles and len(set(metric.quantiles)) < len(metric.quantiles):
        raise refuse(document, (*place, "quantiles"), "a quantile is written twice")
    spends = _spends(document, (*place, "margin"), metric, slos)
    return Metric(
        name=metric.name,
        kind=metric.kind,
        queries=_queries(document, place, metric),
        source=_source(document, place, metric.source, section=section),
        worse=_worse(document, place, metric),
        margin=_margin(metric.kind, metric.margin, spends),
        critical=metric.critical is not False and not metric.muted,
        warmup=DEFAULT_WARMUP[metric.kind] if metric.warmup is None else metric.warmup,
        unit=metric.unit or ("of events" if metric.kind is Kind.EVENTS else ""),
        quantiles=tuple(metric.quantiles or DEFAULT_QUANTILES) if distribution else (),
        spends=spends,
    )


def _margin(kind: Kind, margin: MarginSection | None, spends: BudgetShare | None) -> Margin:
    if spends is not None:
        return Margin(1.0, spends.at_least)
    return Margin(margin.ratio, margin.absolute) if margin else DEFAULT_MARGINS[kind]


def _spends(
    document: Document, place: Place, metric: MetricSection, slos: tuple[Slo, ...]
) -> BudgetShare | None:
    """The share of which budget the metric may spend; raises UsageError."""
    if metric.margin is None or metric.margin.budget is None:
        return None
    budget, at = metric.margin.budget, (*place, "budget")
    if metric.margin.model_fields_set > {"budget"}:
        raise refuse(document, at, "a margin from the budget has no other part", "drop the rest")
    if metric.kind is not Kind.EVENTS:
        raise refuse(document, at, f"a budget is of events, and {metric.kind} has none")
    names = {slo.name: slo for slo in slos}
    if budget.slo is None and len(names) != 1:
        raise refuse(
            document, at, "say which SLO's budget",
            f"add `slo:` with one of: {', '.join(names)}" if names else "declare one under `slos:`",
        )  # fmt: skip
    name = budget.slo or next(iter(names))
    if name not in names:
        raise refuse(
            document, (*at, "slo"), f"unknown SLO {name!r}{did_you_mean(name, names)}",
            f"SLOs of this file: {', '.join(names) or 'none'}",
        )  # fmt: skip
    spends = BudgetShare(name, budget.share, budget.within, budget.at_least)
    slo = names[name]
    if (widest := most(spends, slo.objective, slo.window.length)) >= 1:
        raise refuse(
            document, at,
            f"a canary that fails every request would spend no more than that ({widest:.3g} x)",
            "make `within` longer or `share` smaller",
        )  # fmt: skip
    return spends


def _worse(document: Document, place: Place, metric: MetricSection) -> Direction:
    lower = metric.worse is Direction.LOWER or metric.direction is Fails.DECREASE
    if metric.kind is Kind.EVENTS and lower:
        raise refuse(
            document,
            (*place, "worse" if metric.worse else "direction"),
            "more bad events are always worse",
            "to count good events write `good:` instead of `bad:`",
        )
    return Direction.LOWER if lower else Direction.HIGHER


def _queries(document: Document, place: Place, metric: MetricSection) -> dict[str, str]:
    every = {name for sets in QUERIES.values() for names in sets for name in names}
    given = {name: text for name in sorted(every) if (text := getattr(metric, name)) is not None}
    kind = metric.kind
    if kind is not None and frozenset(given) not in QUERIES[kind]:
        wanted = " or ".join(" and ".join(sorted(names)) for names in QUERIES[kind])
        raise refuse(
            document,
            place,
            f"metric {metric.name!r} of kind {kind} needs the queries {wanted}; "
            f"it has {' and '.join(given) or 'none'}",
        )
    if "buckets" in given and _loses_le(given["buckets"]):
        raise refuse(
            document,
            (*place, "buckets"),
            "the query adds up all buckets: no `le` is left to tell them apart",
            "write sum by (le) (...), or sum by (le, pod) (...) to tell the pods apart",
        )
    return given


def _loses_le(query: str) -> bool:
    """Whether it certainly aggregates a classic histogram's buckets without keeping their edges.

    >>> _loses_le('sum(increase(x_bucket[1m]))'), _loses_le('sum by (le) (increase(x_bucket[1m]))')
    (True, False)
    """
    if "_bucket" not in query or not re.search(r"\b(sum|avg|min|max)\b", query):
        return False  # a native histogram has no le, and selectors alone lose none
    kept = [re.split(r"[\s,]+", one) for one in re.findall(r"\bby\s*\(([^)]*)\)", query)]
    lost = [re.split(r"[\s,]+", one) for one in re.findall(r"\bwithout\s*\(([^)]*)\)", query)]
    return any("le" in one for one in lost) or not (lost or any("le" in one for one in kept))


def _source(
    document: Document, place: Place, source: str | None, *, section: ServiceSection
) -> str:
    if source is None:
        if len(section.sources) > 1:
            raise refuse(
                document,
                place,
                "there are several sources; say which one answers",
                f"add `source:` with one of: {', '.join(section.sources)}",
            )
        return next(iter(section.sources))
    if source not in section.sources:
        guess = did_you_mean(source, section.sources)
        raise refuse(
            document,
            (*place, "source"),
            f"unknown source {source!r}{guess}",
            f"sources of this file: {', '.join(section.sources)}",
        )
    return source


def _change(document: Document, section: ServiceSection) -> ChangeRange | None:
    if section.change is None:
        return None
    source = _source(document, ("change",), section.change.source, section=section)
    pull = section.change.pull
    pulls = _source(document, ("change", "pull"), pull.source, section=section) if pull else None
    return change(document, section.change, source, section.name, pulls)
