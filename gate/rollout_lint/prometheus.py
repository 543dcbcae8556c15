"""Argo's Prometheus provider, asking the gate as if it were a Prometheus."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gate.finding import Finding
from gate.rollout_lint.address import by_way
from gate.rollout_lint.answers import conditions
from gate.rollout_lint.part import Part

SERIES = "gate_verdict"
# What the conditions see: a vector of one number; without a verdict, of none.
VALUES = {"promote": [1.0], "hold": [0.0], "rollback": [-1.0], "none": []}
RIGHT = "write `successCondition: result[0] == 1` and `failureCondition: result[0] == -1`"
_QUERY = re.compile(r"\s*gate_verdict\s*\{([^{}]|\{\{[^{}]*\}\})*\}\s*", re.DOTALL)


def asks(query: Part) -> bool:
    """Whether it is our series that is asked for."""
    return SERIES in query.text


def prometheus(metric: Part) -> Iterator[Finding]:
    """The traps of a metric that asks the gate by this provider."""
    its = metric.at("provider", "prometheus")
    yield from by_way(its["address"], consequence="an outage of its ingress is one of the gate")
    yield from plain(its["query"])
    if its["rangeQuery"].written:
        told = "the gate answers instant queries alone: every measurement is an Error"
        yield its["rangeQuery"].wrong("query", told, "leave out `rangeQuery`")
    yield from conditions(metric, VALUES, RIGHT)


def plain(query: Part) -> Iterator[Finding]:
    """Whether the query is what the gate answers: a selector with the labels it needs."""
    if not _QUERY.fullmatch(query.text):
        yield query.wrong(
            "query",
            "the gate answers a plain selector, and no expression: every answer is an error",
            f'ask for {SERIES}{{service="...",canary="...",baseline="..."}}',
        )
        return
    for label in ("service", "canary", "baseline"):
        if not re.search(rf'\b{label}\s*=\s*"[^"]+"', query.text):
            told = f"the label {label} is missing: the gate cannot tell what is asked"
            yield query.wrong("query", told, f'add {label}="..."')
