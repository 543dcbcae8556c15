"""The SLI of OpenSLO v1: a ratio of events, a ratio made elsewhere, or a value with a threshold.

https://github.com/OpenSLO/OpenSLO#sli, and `#ratio-metric` there. The standard leaves `spec` to
each source; of Prometheus it shows `query`, and Nobl9 writes `promql`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from gate.document import Place
from gate.errors import did_you_mean
from gate.objectives import promql
from gate.objectives.manifest import CamelSection, Manifest, Metadata

# Types of source that answer PromQL, in small letters.
TYPES = ("prometheus", "amazonprometheus", "thanos", "cortex", "mimir", "victoriametrics")
QUERY_KEYS = ("query", "promql")


class MetricSourceSection(CamelSection):
    """Where a query is asked, and the query."""

    metric_source_ref: str = ""
    type: str = ""
    spec: dict[str, Any] = Field(min_length=1)


class MetricSection(CamelSection):
    """One query of an SLI."""

    metric_source: MetricSourceSection


class RatioSection(CamelSection):
    """Good or bad of total events, or `raw`."""

    counter: bool | None = None
    good: MetricSection | None = None
    bad: MetricSection | None = None
    total: MetricSection | None = None
    raw_type: Literal["success", "failure"] | None = None
    raw: MetricSection | None = None


class SliSpecSection(CamelSection):
    """What is measured."""

    description: str = ""
    threshold_metric: MetricSection | None = None
    ratio_metric: RatioSection | None = None


class IndicatorSection(CamelSection):
    """An SLI written inside an SLO."""

    api_version: str = ""
    kind: str = ""
    metadata: Metadata | None = None
    spec: SliSpecSection


class SliSection(CamelSection):
    """A whole object of kind SLI."""

    api_version: str
    kind: str
    metadata: Metadata
    spec: SliSpecSection


class DataSourceSpecSection(CamelSection):
    """What a source is; how to reach it is in gate.yaml, with its secrets elsewhere."""

    description: str = ""
    type: str
    connection_details: Any = None


class DataSourceSection(CamelSection):
    """A whole object of kind DataSource."""

    api_version: str
    kind: str
    metadata: Metadata
    spec: DataSourceSpecSection


@dataclass(frozen=True, slots=True)
class Indicator:
    """The queries of an SLI, as `gate.slo.Slo` has them, and the name of the DataSource."""

    queries: Mapping[str, str]
    source: str


@dataclass(frozen=True, slots=True)
class _Sli:
    """An SLI being read: where it stands, and the DataSources it may name."""

    manifest: Manifest
    at: Place
    sources: Mapping[str, Manifest]

    def query(self, at: Place, section: MetricSection) -> str:
        """The query of one metric, still as written, once its source is known to take PromQL."""
        here: Place = (*at, "metricSource")
        self._check_type(here, section.metric_source)
        spec = section.metric_source.spec
        given = [key for key in QUERY_KEYS if isinstance(spec.get(key), str)]
        if len(given) == 1:
            return str(spec[given[0]])
        found = ", ".join(map(repr, spec))
        raise self.manifest.refuse(
            (*here, "spec"),
            f"one PromQL text is wanted here, and there is {found}",
            f"write it as one of: {', '.join(QUERY_KEYS)}",
        )

    def _check_type(self, here: Place, metric: MetricSourceSection) -> None:
        kind = self._kind(here, metric)
        if kind.lower() not in TYPES:
            raise self.manifest.refuse(
                (*here, "type") if metric.type else here,
                f"the gate cannot ask a source of type {kind!r}{did_you_mean(kind, TYPES)}",
                f"known: {', '.join(TYPES)}; move an SLO measured elsewhere out of what is read",
            )

    def _kind(self, here: Place, metric: MetricSourceSection) -> str:
        """As written, or of the DataSource named; a name nobody declared needs a type beside it."""
        name = metric.metric_source_ref
        source = self.sources.get(name)
        declared = source.fit(DataSourceSection).spec.type if source else ""
        if metric.type and declared and metric.type.lower() != declared.lower():
            raise self.manifest.refuse(
                (*here, "type"),
                f"the type is {metric.type!r} here and {declared!r} in the DataSource {name!r}",
                "drop it here",
            )
        if metric.type or declared:
            return metric.type or declared
        if name:
            raise self.manifest.refuse(
                (*here, "metricSourceRef"),
                f"no DataSource is named {name!r}{did_you_mean(name, self.sources)}",
                f"the files read hold: {', '.join(sorted(self.sources)) or 'none'}; "
                "add it to what is read, or write `type: Prometheus` here",
            )
        raise self.manifest.refuse(
            here, "a metricSource needs a type or a metricSourceRef", "add `type: Prometheus`"
        )


def indicator(
    manifest: Manifest, at: Place, spec: SliSpecSection, sources: Mapping[str, Manifest]
) -> Indicator:
    """What an SLI's spec at a place measures; raises UsageError."""
    sli = _Sli(manifest, at, sources)
    ratio, threshold = spec.ratio_metric, spec.threshold_metric
    if threshold is not None and ratio is None:
        return _value(sli, threshold)
    if ratio is None or threshold is not None:
        raise manifest.refuse(
            at, "an SLI needs one of ratioMetric and thresholdMetric", "write one"
        )
    return _events(sli, ratio) if ratio.raw is None else _raw(sli, ratio, ratio.raw)


def _value(sli: _Sli, threshold: MetricSection) -> Indicator:
    at: Place = (*sli.at, "thresholdMetric")
    text = sli.query(at, threshold)
    with sli.manifest.blaming(at):
        queries = {"value": promql.worded(text)}
    return Indicator(queries, threshold.metric_source.metric_source_ref)


def _raw(sli: _Sli, ratio: RatioSection, raw: MetricSection) -> Indicator:
    at: Place = (*sli.at, "ratioMetric")
    for key in ("good", "bad", "total"):
        if getattr(ratio, key) is not None:
            raise sli.manifest.refuse((*at, key), f"`{key}` cannot stand beside `raw`", "drop one")
    if ratio.raw_type is None:
        raise sli.manifest.refuse(
            at,
            "rawType is missing: is this ratio of good or of bad events?",
            "add `rawType: success` (good of all) or `rawType: failure` (bad of all)",
        )
    text = sli.query((*at, "raw"), raw)
    with sli.manifest.blaming((*at, "raw")):
        query, remark = promql.averaged(text)
    sli.manifest.warn((*at, "raw"), remark)
    bad = query if ratio.raw_type == "failure" else f"1 - ({query})"
    return Indicator({"error_ratio": bad}, raw.metric_source.metric_source_ref)


def _events(sli: _Sli, ratio: RatioSection) -> Indicator:
    at: Place = (*sli.at, "ratioMetric")
    given = {key: section for key in ("good", "bad", "total") if (section := getattr(ratio, key))}
    if set(given) not in ({"good", "total"}, {"bad", "total"}):
        raise sli.manifest.refuse(
            at,
            "a ratioMetric needs good and total, bad and total, or raw; "
            f"it has {' and '.join(given) or 'none'}",
            "write one of these pairs",
        )
    queries: dict[str, str] = {}
    for key, section in given.items():
        text = sli.query((*at, key), section)
        with sli.manifest.blaming((*at, key)):
            queries[key], remark = promql.counted(text, counter=ratio.counter)
        sli.manifest.warn((*at, key), remark)
    queries, remark = promql.as_counts(queries)
    sli.manifest.warn(at, remark)
    return Indicator(queries, _one_source(sli, at, given))


def _one_source(sli: _Sli, at: Place, given: Mapping[str, MetricSection]) -> str:
    names = {section.metric_source.metric_source_ref for section in given.values()}
    if len(names) > 1:
        raise sli.manifest.refuse(
            at, "the two queries of a ratio name different sources", "ask both of the same one"
        )
    return names.pop()
