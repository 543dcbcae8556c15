"""Sloth: `prometheus/v1` specs, and the same as `sloth.slok.dev/v1` PrometheusServiceLevel.

https://sloth.dev/specs/default/ and https://sloth.dev/specs/kubernetes/. Sloth takes the window
from its flag --default-slo-period (30 days), not from the spec, so it is an argument here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import Field

from gate import units
from gate.document import Place, Section
from gate.errors import UsageError, did_you_mean
from gate.objectives import promql, target
from gate.objectives.manifest import CamelSection, Labels, Manifest, Metadata, Text
from gate.slo import Slo, TimeWindow

PERIOD = 30 * units.UNITS["d"]
KINDS = ("PrometheusServiceLevel", "AlertWindows")
# The spelling of prometheus/v1, and that of Kubernetes. Sloth's own examples have used each in the
# place of the other, so both are read everywhere.
SPELLINGS = {
    "error_query": "errorQuery",
    "total_query": "totalQuery",
    "error_ratio_query": "errorRatioQuery",
}


class EventsSection(Section):
    """Bad and all events."""

    error_query: Text | None = None
    total_query: Text | None = None
    error_query_camel: Text | None = Field(None, alias="errorQuery")
    total_query_camel: Text | None = Field(None, alias="totalQuery")


class RawSection(Section):
    """A share of bad events made elsewhere."""

    error_ratio_query: Text | None = None
    error_ratio_query_camel: Text | None = Field(None, alias="errorRatioQuery")


class SliSection(Section):
    """How an SLO is measured; exactly one of these."""

    events: EventsSection | None = None
    raw: RawSection | None = None
    plugin: Any = None


class SloSection(Section):
    """One SLO. Alerts, plugins and intervals shape rules that Sloth writes, not the objective."""

    name: Text
    objective: float
    description: str = ""
    labels: Labels | None = None
    sli: SliSection
    alerting: Any = None
    plugins: Any = None
    interval: Any = None
    info_labels: Any = Field(None, alias="infoLabels")


class SpecSection(Section):
    """All SLOs of a service, as under `spec` in Kubernetes."""

    service: Text
    labels: Labels | None = None
    slos: list[SloSection] = Field(min_length=1)
    slo_plugins: Any = Field(None, alias="sloPlugins")


class PlainSection(Section):
    """A whole prometheus/v1 document."""

    version: str
    service: Text
    labels: Labels | None = None
    slos: list[SloSection] = Field(min_length=1)
    slo_plugins: Any = None


class KubernetesSection(CamelSection):
    """A whole PrometheusServiceLevel."""

    api_version: str
    kind: str
    metadata: Metadata
    spec: SpecSection
    status: Any = None


def read(manifests: Sequence[Manifest], period: float = PERIOD) -> Iterator[Slo]:
    """The objectives of all specs given, over `period` seconds; raises UsageError with the place.

    `AlertWindows` are passed over: the gate computes its own from the window. One made for another
    period is worth a warning.
    """
    for manifest in manifests:
        if manifest.version == "prometheus/v1":
            plain = manifest.fit(PlainSection)
            yield from _slos(manifest, (), plain, period)
        elif manifest.kind == "AlertWindows":
            _warn_period(manifest, period)
        elif manifest.kind == "PrometheusServiceLevel":
            yield from _slos(manifest, ("spec",), manifest.fit(KubernetesSection).spec, period)
        else:
            guess = did_you_mean(manifest.kind, KINDS)
            raise manifest.refuse(
                ("kind",), f"unknown kind {manifest.kind!r}{guess}", f"known: {', '.join(KINDS)}"
            )


def _warn_period(manifest: Manifest, period: float) -> None:
    spec = manifest.data.get("spec")
    told = str(spec.get("sloPeriod") or "") if isinstance(spec, dict) else ""
    try:
        same = units.seconds(told) == period
    except UsageError:
        same = False
    if not same:
        manifest.warn(
            ("spec", "sloPeriod"),
            f"alert windows for {told or 'an unknown period'} are passed over; "
            f"SLOs of Sloth are read over {units.duration(period)}",
        )


def _slos(
    manifest: Manifest, at: Place, spec: SpecSection | PlainSection, period: float
) -> Iterator[Slo]:
    for index, one in enumerate(spec.slos):
        here: Place = (*at, "slos", index)
        with manifest.blaming((*here, "objective")):
            objective = target.percent(one.objective)
        # Names repeat between services; this is what Sloth itself calls an SLO.
        name = f"{spec.service}-{one.name}"
        yield Slo(
            name=name,
            objective=objective,
            window=TimeWindow(length=period),
            queries=_queries(manifest, (*here, "sli"), one.sli),
            recorded={"sloth_id": name, "sloth_service": spec.service, "sloth_slo": one.name},
            labels={**(spec.labels or {}), **(one.labels or {})},
            service=spec.service,
            description=one.description,
            origin=manifest.origin(here),
        )


def _queries(manifest: Manifest, at: Place, sli: SliSection) -> dict[str, str]:
    if sli.plugin is not None:
        raise manifest.refuse(
            (*at, "plugin"),
            "a plugin is a program that writes the queries, and the gate does not run it",
            "write the queries it makes (`sloth generate` shows them) as events or raw",
        )
    if sli.events is not None and sli.raw is None:
        here: Place = (*at, "events")
        pair = {
            "bad": _query(manifest, here, sli.events, "error_query"),
            "total": _query(manifest, here, sli.events, "total_query"),
        }
        queries, remark = promql.as_counts(pair)
        manifest.warn(here, remark)
        return queries
    if sli.raw is not None and sli.events is None:
        return {"error_ratio": _query(manifest, (*at, "raw"), sli.raw, "error_ratio_query")}
    raise manifest.refuse(at, "an SLI needs exactly one of events, raw and plugin", "write events")


def _query(manifest: Manifest, at: Place, section: Section, key: str) -> str:
    camel = SPELLINGS[key]
    usual, other = (key, camel) if manifest.version == "prometheus/v1" else (camel, key)
    texts = {key: getattr(section, key), camel: getattr(section, f"{key}_camel")}
    if texts[usual] is None and texts[other] is None:
        raise manifest.refuse(at, f"{usual} is missing", "write the query as Sloth takes it")
    if texts[other] is not None:
        if texts[usual] is not None:
            raise manifest.refuse((*at, other), f"`{other}` is `{usual}` once more", "drop one")
        manifest.warn((*at, other), f"`{other}` is spelled `{usual}` in {manifest.version}")
    written = usual if texts[usual] is not None else other
    with manifest.blaming((*at, written)):
        return promql.templated(texts[written] or "")
