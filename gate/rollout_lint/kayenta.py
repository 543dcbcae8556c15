"""Argo's Kayenta provider, which may ask a Kayenta or the gate."""

from __future__ import annotations

from collections.abc import Iterator

from gate.finding import Finding
from gate.rollout_lint.part import Part


def kayenta(metric: Part) -> Iterator[Finding]:
    """What cannot work, whoever is asked."""
    its = metric.at("provider", "kayenta")
    limit = its["threshold"]
    if not limit.written:
        told = "`threshold` is missing (Argo's own page calls it `thresholds`): Argo refuses it"
        yield limit.wrong("threshold", told, "write `threshold: {pass: 90, marginal: 75}`")
        return
    passing, marginal = limit["pass"].number, limit["marginal"].number
    if passing is None or marginal is None or passing <= marginal:
        yield limit.wrong(
            "threshold",
            "no score is left for hold: the gate answers 400, and Kayenta's marginal scores fail",
            "let `pass` be above `marginal`: 90 and 75",
        )
    if marginal is not None and marginal <= 0:
        told = f"marginal {marginal}: a score of 0 is not a failure"
        yield limit["marginal"].odd("threshold", told, "write `marginal: 75`")
    yield from _window(metric, its)


def _window(metric: Part, its: Part) -> Iterator[Finding]:
    for scope in its["scopes"].items():
        start = scope.at("experimentScope", "start")
        if not (start.written or metric["interval"].written or its["lookback"].true):
            told = "without interval, start or lookback every measurement is an Error"
            yield scope.wrong("kayenta-window", told, "write `interval: 30s` in the metric")
