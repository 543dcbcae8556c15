"""One metric of an analysis: which provider it asks, and what can go wrong there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gate.finding import Finding
from gate.rollout_lint import job, kayenta, prometheus, web
from gate.rollout_lint.limits import limits
from gate.rollout_lint.part import Part

_ARG = re.compile(r"\{\{\s*args\.([^{}]+?)\s*\}\}")


def asks(metric: Part) -> bool:
    """Whether the metric asks the gate. (Of a Kayenta one cannot tell.)"""
    provider = metric["provider"]
    return (
        web.asks(provider["web"])
        or prometheus.asks(provider.at("prometheus", "query"))
        or any(job.commands(provider["job"]))
    )


def findings(metric: Part) -> Iterator[Finding]:
    """All that is wrong with a metric by itself."""
    provider = metric["provider"]
    polled = asks(metric) and not provider["job"].written
    yield from limits(metric, gate=polled)
    if provider["web"].written:
        told = web.web if web.asks(provider["web"]) else web.any_web
        yield from told(metric)
    if prometheus.asks(provider.at("prometheus", "query")):
        yield from prometheus.prometheus(metric)
    if provider["kayenta"].written:
        yield from kayenta.kayenta(metric)
    if any(job.commands(provider["job"])):
        yield from job.job(metric)


def versions(metric: Part) -> tuple[Part, Part] | None:
    """What the metric names as canary and as baseline; None where it names none."""
    provider = metric["provider"]
    body = provider.at("web", "jsonBody")
    if body["canaryHash"].written:
        return body["canaryHash"], body["stableHash"]
    for scope in provider.at("kayenta", "scopes").items():
        return scope.at("experimentScope", "scope"), scope.at("controlScope", "scope")
    return _labels(provider.at("prometheus", "query"))


def _labels(query: Part) -> tuple[Part, Part] | None:
    found = [re.search(rf'\b{arm}\s*=\s*"([^"]*)"', query.text) for arm in ("canary", "baseline")]
    if not prometheus.asks(query) or not all(found):
        return None
    canary, baseline = (Part(query.document, query.place, one[1]) for one in found if one)
    return canary, baseline


def arg(version: Part) -> str:
    """The argument a version is taken from; empty where it is none."""
    match = _ARG.fullmatch(version.text)
    return match[1] if match else ""
