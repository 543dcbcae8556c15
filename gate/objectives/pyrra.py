"""Pyrra: `pyrra.dev/v1alpha1` ServiceLevelObjective.

https://github.com/pyrra-dev/pyrra (the CRD, kubernetes/api/v1alpha1). Its indicators name metrics,
not queries; the queries here are those that Pyrra's own rules are made of (slo/rules.go), without
its grouping.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import Field

from gate.document import Duration, Place, Section
from gate.errors import did_you_mean
from gate.objectives import promql, target
from gate.objectives.manifest import CamelSection, Manifest, Metadata, Text
from gate.objectives.promql import Selector
from gate.slo import Slo, TimeWindow

KIND = "ServiceLevelObjective"
# Pyrra puts labels of this prefix on its rules, without it.
PREFIX = "pyrra.dev/"


class MetricSection(Section):
    """A metric with its matchers."""

    metric: Text


class RatioSection(Section):
    """Two of errors, success and total events."""

    errors: MetricSection | None = None
    success: MetricSection | None = None
    total: MetricSection | None = None
    grouping: list[str] = Field(default_factory=list)


class LatencySection(Section):
    """Events in a bucket of a histogram, and all of them."""

    success: MetricSection
    total: MetricSection
    grouping: list[str] = Field(default_factory=list)


class NativeSection(Section):
    """Events of a native histogram faster than `latency`."""

    total: MetricSection
    latency: Duration = Field(gt=0)
    grouping: list[str] = Field(default_factory=list)


class GaugeSection(Section):
    """A gauge that is 1 when all is well and 0 when not."""

    metric: Text
    grouping: list[str] = Field(default_factory=list)


class IndicatorSection(Section):
    """Exactly one of these."""

    ratio: RatioSection | None = None
    latency: LatencySection | None = None
    native: NativeSection | None = Field(None, alias="latencyNative")
    gauge: GaugeSection | None = Field(None, alias="bool_gauge")


class SpecSection(Section):
    """What is promised."""

    description: str = ""
    target: str | float
    window: Duration = Field(gt=0)
    indicator: IndicatorSection
    alerting: Any = None
    partial_response_strategy: Any = None
    rulenamespace: Any = None
    latency: Any = None  # in Pyrra's examples/nginx.yaml, and in no version of the CRD


class ObjectiveSection(CamelSection):
    """A whole ServiceLevelObjective."""

    api_version: str
    kind: str
    metadata: Metadata
    spec: SpecSection
    status: Any = None


def read(manifests: Sequence[Manifest]) -> Iterator[Slo]:
    """The objectives given; raises UsageError with the place of what is wrong."""
    for manifest in manifests:
        if manifest.kind != KIND:
            guess = did_you_mean(manifest.kind, [KIND])
            raise manifest.refuse(
                ("kind",), f"unknown kind {manifest.kind!r}{guess}", f"known: {KIND}"
            )
        yield _slo(manifest, manifest.fit(ObjectiveSection))


def _slo(manifest: Manifest, section: ObjectiveSection) -> Slo:
    spec = section.spec
    if spec.latency is not None:
        manifest.warn(
            ("spec", "latency"), "`latency` is no key of Pyrra's here; the bucket's `le` counts"
        )
    with manifest.blaming(("spec", "target")):
        objective = target.percent(spec.target)
    labels = section.metadata.labels or {}
    return Slo(
        name=section.metadata.name,
        objective=objective,
        window=TimeWindow(length=spec.window),
        queries=_queries(manifest, spec.indicator),
        recorded={"slo": section.metadata.name},
        labels={key.removeprefix(PREFIX): value for key, value in labels.items()},
        description=spec.description,
        origin=manifest.origin(),
    )


def _queries(manifest: Manifest, given: IndicatorSection) -> dict[str, str]:
    at: Place = ("spec", "indicator")
    kinds = {
        "ratio": given.ratio,
        "latency": given.latency,
        "latencyNative": given.native,
        "bool_gauge": given.gauge,
    }
    written = {key: section for key, section in kinds.items() if section is not None}
    if len(written) != 1:
        found = " and ".join(written) or "none"
        raise manifest.refuse(
            at,
            f"exactly one indicator is wanted, and there is {found}",
            f"write {', '.join(kinds)}",
        )
    ((key, section),) = written.items()
    here: Place = (*at, key)
    if section.grouping:
        manifest.warn(
            (*here, "grouping"),
            f"Pyrra keeps a budget for each {', '.join(section.grouping)}; "
            "here all of them share one",
        )
    match section:
        case RatioSection():
            return _ratio(manifest, here, section)
        case LatencySection():
            return _latency(manifest, here, section)
        case NativeSection():
            return _native(manifest, here, section)
        case GaugeSection():
            return _gauge(manifest, here, section)


def _ratio(manifest: Manifest, at: Place, section: RatioSection) -> dict[str, str]:
    """In this order, so that two of the three decide: bad, good, total."""
    given = {
        name: _selector(manifest, (*at, key), metric).over("increase")
        for name, key, metric in (
            ("bad", "errors", section.errors),
            ("good", "success", section.success),
            ("total", "total", section.total),
        )
        if metric is not None
    }
    if len(given) != 2:
        raise manifest.refuse(
            at, "a ratio needs two of errors, success and total", "write errors and total"
        )
    if "total" not in given:  # no series of errors yet must not hide the good ones
        given["total"] = f"({given['bad']} or vector(0)) + {given.pop('good')}"
    return given


def _latency(manifest: Manifest, at: Place, section: LatencySection) -> dict[str, str]:
    success = _selector(manifest, (*at, "success"), section.success)
    if not promql.has_le(success.text):
        raise manifest.refuse(
            (*at, "success", "metric"),
            "the metric has no matcher for `le`, so it adds up all buckets, each in the next",
            'name the bucket of the promise, for example le="0.1"',
        )
    good = Selector(promql.either_spelling_of_le(success.text), success.offset)
    total = _selector(manifest, (*at, "total"), section.total)
    return {"good": good.over("increase"), "total": total.over("increase")}


def _native(manifest: Manifest, at: Place, section: NativeSection) -> dict[str, str]:
    every = _selector(manifest, (*at, "total"), section.total).over("increase")
    count = f"histogram_count({every})"
    return {
        "good": f"histogram_fraction(0, {section.latency:g}, {every}) * {count}",
        "total": count,
    }


def _gauge(manifest: Manifest, at: Place, section: GaugeSection) -> dict[str, str]:
    with manifest.blaming((*at, "metric")):
        gauge = promql.selector(section.metric)
    return {"good": gauge.over("sum_over_time"), "total": gauge.over("count_over_time")}


def _selector(manifest: Manifest, at: Place, section: MetricSection) -> Selector:
    with manifest.blaming((*at, "metric")):
        return promql.selector(section.metric)
