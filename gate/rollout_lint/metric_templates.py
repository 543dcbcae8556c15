"""Flagger's MetricTemplates, asking the gate as if it were a Prometheus."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from gate.errors import did_you_mean
from gate.finding import Finding
from gate.rollout_lint import prometheus
from gate.rollout_lint.address import by_way
from gate.rollout_lint.part import Part

PROVIDERS = (
    "prometheus", "influxdb", "datadog", "externalmetrics", "stackdriver", "cloudwatch", "newrelic",
    "graphite", "dynatrace", "keptn", "splunk",
)  # fmt: skip
RIGHT = "write `thresholdRange: {min: 0}`, and let confirm-promotion wait for the promote"


def findings(template: Part) -> Iterator[Finding]:
    """All that is wrong with a MetricTemplate by itself."""
    provider, query = template.at("spec", "provider"), template.at("spec", "query")
    told = provider["type"].text
    if told not in PROVIDERS:
        guess = did_you_mean(told, PROVIDERS)
        message = f"unknown provider {told!r}{guess}: Flagger takes it for a Prometheus, silently"
        yield provider["type"].wrong("provider", message, f"known: {', '.join(PROVIDERS)}")
    if prometheus.asks(query):
        yield from prometheus.plain(query)
        if "variables." not in query.text:
            yield query.wrong(
                "constant-version",
                "Flagger's variables are the same for each release: the gate takes all of them for "
                "one rollout, and judges the last one by those before",
                'add release="{{ variables.release }}", and `templateVariables` to the Canary',
            )
        way = "an outage of its ingress is a failed check"
        yield from by_way(provider["address"], consequence=way)


def asks_by_name(metric: Part) -> bool:
    """Whether a Canary's metric looks as if it were our verdict."""
    return prometheus.asks(metric["query"]) or metric["name"].text.startswith(("gate", "verdict"))


def use(metric: Part, templates: Mapping[str, Part]) -> Iterator[Finding]:
    """A metric of a Canary: what its range makes of 1, 0 and -1."""
    reference = metric["templateRef"]
    if not reference.written:
        return
    called = reference["name"].text
    template = templates.get(called)
    if template is None:
        told = f"the MetricTemplate {called!r} is not among these files, and was not looked at"
        yield reference.note("template-not-given", told, "name its file too")
    elif prometheus.asks(template.at("spec", "query")):
        yield from _range(metric)


def _range(metric: Part) -> Iterator[Finding]:
    part = metric["thresholdRange"]
    low, high = part["min"].amount, part["max"].amount
    if not part.written and metric["threshold"].written:
        part, high = metric["threshold"], metric["threshold"].amount
    least = -math.inf if low is None else low
    most = math.inf if high is None else high
    passes = {value: least <= value <= most for value in (1, 0, -1)}
    if passes[-1]:
        told = "the range lets -1 pass: a rollback verdict is a passed check"
        yield part.wrong("threshold-range", told, RIGHT)
    if not passes[1]:
        told = "the range does not let 1 pass: a promote verdict is a failed check"
        yield part.wrong("threshold-range", told, RIGHT)
    if passes[1] and not passes[0]:
        told = "the range does not let 0 pass: holds are failed checks, and roll back in the end"
        yield part.odd("threshold-range", told, RIGHT)
