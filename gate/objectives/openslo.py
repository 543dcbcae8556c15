"""OpenSLO v1: SLO, with its SLI, DataSource and Service where they stand apart.

https://github.com/OpenSLO/OpenSLO (README, sections SLO, Objectives, SLI, Ratio Metric). Where its
published examples break its rules they are read as meant, with a warning: an `op` beside a ratio,
`duration: 1m` for a month, no `budgetingMethod`. Alerts are the gate's own, so the alert kinds are
passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import Field

from gate.document import Place
from gate.errors import did_you_mean
from gate.objectives import openslo_window, target
from gate.objectives.manifest import CamelSection, Manifest, Metadata, Text
from gate.objectives.openslo_indicator import Indicator, IndicatorSection, SliSection, indicator
from gate.objectives.openslo_window import WindowSection
from gate.slo import Budgeting, Slo

KINDS = (
    "SLO",
    "SLI",
    "DataSource",
    "Service",
    "AlertPolicy",
    "AlertCondition",
    "AlertNotificationTarget",
)
METHODS = {
    "Occurrences": Budgeting.OCCURRENCES,
    "Timeslices": Budgeting.TIMESLICES,
    "RatioTimeslices": Budgeting.RATIO_TIMESLICES,
}


class ObjectiveSection(CamelSection):
    """One threshold and target of an SLO."""

    display_name: str = ""
    op: Literal["lte", "gte", "lt", "gt"] | None = None
    value: float | None = Field(None, allow_inf_nan=False)
    target: float | None = None
    target_percent: float | None = None
    time_slice_target: float | None = Field(None, gt=0, le=1)
    time_slice_window: str | float | None = None
    indicator: Any = None
    indicator_ref: Any = None
    composite_weight: Any = None


class SpecSection(CamelSection):
    """What an SLO promises."""

    description: str = ""
    service: Text
    indicator: IndicatorSection | None = None
    indicator_ref: Text | None = None
    time_window: list[WindowSection] = Field(default_factory=list, max_length=1)
    budgeting_method: Literal["Occurrences", "Timeslices", "RatioTimeslices"] | None = None
    objectives: list[ObjectiveSection] = Field(min_length=1)
    alert_policies: Any = None


class SloSection(CamelSection):
    """A whole object of kind SLO."""

    api_version: str
    kind: str
    metadata: Metadata
    spec: SpecSection


class ServiceSection(CamelSection):
    """A whole object of kind Service: here for its labels, such as serviceTier."""

    api_version: str
    kind: str
    metadata: Metadata
    spec: Any = None


@dataclass(frozen=True, slots=True)
class _Objects:
    """Everything given, by kind and name, for references between files."""

    by_kind: Mapping[str, Mapping[str, Manifest]]

    def named(self, kind: str) -> Mapping[str, Manifest]:
        return self.by_kind.get(kind, {})


def read(manifests: Sequence[Manifest]) -> Iterator[Slo]:
    """The objectives of all SLOs given; raises UsageError with the place of what is wrong."""
    objects = _sorted(manifests)
    for manifest in objects.named("SLO").values():
        yield from _slos(manifest, objects)


def _sorted(manifests: Sequence[Manifest]) -> _Objects:
    by_kind: dict[str, dict[str, Manifest]] = {}
    for manifest in manifests:
        if manifest.kind not in KINDS:
            guess = did_you_mean(manifest.kind, KINDS)
            raise manifest.refuse(
                ("kind",), f"unknown kind {manifest.kind!r}{guess}", f"known: {', '.join(KINDS)}"
            )
        if not manifest.name:
            raise manifest.refuse(("metadata",), "metadata.name is missing")
        named = by_kind.setdefault(manifest.kind, {})
        if manifest.name in named:
            raise manifest.refuse(
                ("metadata", "name"),
                f"a second {manifest.kind} is named {manifest.name!r}",
                f"the first is at {named[manifest.name].origin()}; rename one",
            )
        named[manifest.name] = manifest
    return _Objects(by_kind)


def _slos(manifest: Manifest, objects: _Objects) -> Iterator[Slo]:
    section = manifest.fit(SloSection)
    spec = section.spec
    _refuse_composite(manifest, spec)
    measured = _indicator(manifest, spec, objects)
    shared = Slo(
        name=section.metadata.name,
        objective=0.0,
        window=_window(manifest, spec),
        budgeting=_method(manifest, spec),
        source=measured.source,
        queries=measured.queries,
        service=spec.service,
        labels=_labels(manifest, section, objects),
        description=spec.description or section.metadata.display_name,
    )
    for index, one in enumerate(spec.objectives):
        at: Place = ("spec", "objectives", index)
        slo = _with_threshold(manifest, at, one, _with_slices(manifest, at, one, shared))
        alone = len(spec.objectives) == 1
        yield replace(
            slo,
            name=slo.name if alone else f"{slo.name}/{one.display_name or index + 1}",
            objective=_target(manifest, at, one),
            origin=manifest.origin(at),
        )


def _refuse_composite(manifest: Manifest, spec: SpecSection) -> None:
    for index, one in enumerate(spec.objectives):
        for key in ("indicator", "indicator_ref", "composite_weight"):
            if getattr(one, key) is not None:
                written = {"indicator_ref": "indicatorRef", "composite_weight": "compositeWeight"}
                raise manifest.refuse(
                    ("spec", "objectives", index, written.get(key, key)),
                    "a composite SLO mixes the budgets of several indicators by weight, "
                    "so it has no events of its own to count",
                    "declare each part as an SLO of its own",
                )


def _indicator(manifest: Manifest, spec: SpecSection, objects: _Objects) -> Indicator:
    if (spec.indicator is None) == (spec.indicator_ref is None):
        raise manifest.refuse(
            ("spec", "indicator"), "an SLO needs one of indicator and indicatorRef", "write one"
        )
    sources = objects.named("DataSource")
    if spec.indicator is not None:
        return indicator(manifest, ("spec", "indicator", "spec"), spec.indicator.spec, sources)
    name = spec.indicator_ref or ""
    known = objects.named("SLI")
    if name not in known:
        raise manifest.refuse(
            ("spec", "indicatorRef"),
            f"no SLI is named {name!r}{did_you_mean(name, known)}",
            f"the files read hold: {', '.join(sorted(known)) or 'none'}; "
            "name a folder to read the files below it together",
        )
    sli = known[name]
    return indicator(sli, ("spec",), sli.fit(SliSection).spec, sources)


def _labels(manifest: Manifest, section: SloSection, objects: _Objects) -> dict[str, str]:
    """Of the SLO, over those of its Service, if that is among the objects."""
    services = objects.named("Service")
    name = section.spec.service
    if name not in services:
        if services:  # `service` may be a mere name (Notes (SLO)), so this is no error
            manifest.warn(
                ("spec", "service"), f"no Service is named {name!r}{did_you_mean(name, services)}"
            )
        return section.metadata.labels or {}
    service = services[name].fit(ServiceSection)
    return {**(service.metadata.labels or {}), **(section.metadata.labels or {})}


def _window(manifest: Manifest, spec: SpecSection) -> Any:
    if not spec.time_window:
        raise manifest.refuse(
            ("spec", "timeWindow"),
            "spec.timeWindow is missing, and a budget is a share of a window",
            "add `timeWindow: [{duration: 4w, isRolling: true}]`",
        )
    return openslo_window.window(manifest, ("spec", "timeWindow", 0), spec.time_window[0])


def _method(manifest: Manifest, spec: SpecSection) -> Budgeting:
    if spec.budgeting_method is None:  # so in the README's own example of an inlined SLI
        manifest.warn(("spec",), "budgetingMethod is missing; read as Occurrences")
        return Budgeting.OCCURRENCES
    return METHODS[spec.budgeting_method]


def _target(manifest: Manifest, at: Place, one: ObjectiveSection) -> float:
    if (one.target is None) == (one.target_percent is None):
        raise manifest.refuse(at, "an objective needs one of target and targetPercent", "write one")
    if one.target is not None:
        with manifest.blaming((*at, "target")):
            return target.share(one.target)
    with manifest.blaming((*at, "targetPercent")):
        return target.percent(one.target_percent or 0.0)


def _with_slices(manifest: Manifest, at: Place, one: ObjectiveSection, slo: Slo) -> Slo:
    given = {"timeSliceTarget": one.time_slice_target, "timeSliceWindow": one.time_slice_window}
    wanted = {
        Budgeting.OCCURRENCES: (),
        Budgeting.TIMESLICES: ("timeSliceTarget", "timeSliceWindow"),
        Budgeting.RATIO_TIMESLICES: ("timeSliceWindow",),
    }[slo.budgeting]
    for key, value in given.items():
        if value is None and key in wanted:
            raise manifest.refuse(
                at, f"{key} is missing, and {slo.budgeting} needs it", f"add `{key}`"
            )
        if value is not None and key not in wanted:
            manifest.warn((*at, key), f"{key} has no meaning with {slo.budgeting}; left out")
    if one.time_slice_window is None or not wanted:
        return slo
    with manifest.blaming((*at, "timeSliceWindow")):
        length = openslo_window.slice_length(one.time_slice_window)
    if length >= slo.window.length:
        raise manifest.refuse(
            (*at, "timeSliceWindow"), "a time slice must be shorter than the window", "write 1m"
        )
    share = one.time_slice_target if "timeSliceTarget" in wanted else None
    return replace(slo, slice_length=length, slice_target=share)


def _with_threshold(manifest: Manifest, at: Place, one: ObjectiveSection, slo: Slo) -> Slo:
    given = {"op": one.op, "value": one.value}
    if "value" in (slo.queries or {}):
        for key, value in given.items():
            if value is None:
                raise manifest.refuse(
                    at, f"{key} is missing, and a thresholdMetric needs it", f"add `{key}`"
                )
        return replace(slo, op=one.op or "", threshold=one.value)
    for key, value in given.items():
        if value is not None:
            manifest.warn((*at, key), f"`{key}` has no meaning beside a ratioMetric; left out")
    return slo
