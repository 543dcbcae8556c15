"""What the server tells about itself at /metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from gate import __version__
from gate.decision import Decision
from gate.verdict import Outcome

SECONDS = (0.005, 0.025, 0.1, 0.5, 1, 2, 4, 8, 16, 32)


class Metrics:
    """Counters of one server, in a registry of their own. `waiting` tells the length of the queue,
    `current` whether the files are those in force.

    Every service is there from the start, so that a rate over its counters misses no first one.
    """

    def __init__(
        self, waiting: Callable[[], int], current: Callable[[], bool], services: Iterable[str]
    ) -> None:
        # They double the series, and say what nobody asks.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._decisions = Counter(
            "gate_decisions", "Decisions stored.", ["service", "outcome"], registry=self._registry
        )
        self._gaps = Counter(
            "gate_gaps", "Things not seen for a decision, and why.",
            ["service", "about", "cause"], registry=self._registry,
        )  # fmt: skip
        self._budget = Gauge(
            "gate_budget_remaining_ratio", "Error budget left at the last decision.",
            ["service", "slo"], registry=self._registry,
        )  # fmt: skip
        self._risk = Gauge(
            "gate_change_risk_likelihood", "Of the change last decided about.",
            ["service"], registry=self._registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "gate_http_request_seconds", "Time to answer.",
            ["route", "status"], buckets=SECONDS, registry=self._registry,
        )  # fmt: skip
        self._protection = Counter(
            "gate_protection_steps", "Of requests from GitHub: what was done, and faults.",
            ["step"], registry=self._registry,
        )  # fmt: skip
        waits = Gauge("gate_waiting", "Questions no worker has begun.", registry=self._registry)
        waits.set_function(waiting)
        files = Gauge(
            "gate_configuration_current", "0 where changed files could not be loaded.",
            registry=self._registry,
        )  # fmt: skip
        files.set_function(current)
        build = Gauge("gate_build_info", "Always 1.", ["version"], registry=self._registry)
        build.labels(__version__).set(1)
        for service in services:
            for outcome in Outcome:
                self._decisions.labels(service, outcome)

    def decided(self, decision: Decision) -> None:
        """Counts a new decision and what it knew."""
        service, conclusion = decision.request.service, decision.conclusion
        self._decisions.labels(service, conclusion.verdict.outcome).inc()
        for gap in decision.evidence.gaps:
            self._gaps.labels(service, gap.about, gap.cause).inc()
        for budget in conclusion.budgets:
            if budget.remaining is not None:
                self._budget.labels(service, budget.slo).set(budget.remaining)
        if conclusion.risk is not None:
            self._risk.labels(service).set(conclusion.risk.likelihood)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Counts an answer by its route, which is one of few, and its status."""
        self._seconds.labels(route, str(status)).observe(seconds)

    def protected(self, step: str) -> None:
        """Counts a step of a request from GitHub; its words are few."""
        self._protection.labels(step).inc()

    def protecting(self, waiting: Callable[[], int], steps: Iterable[str]) -> None:
        """Tells how many requests from GitHub have no end yet; `steps` are all that is counted."""
        for step in steps:
            self._protection.labels(step)
        held = Gauge(
            "gate_protection_waiting", "Deployments on GitHub that wait for the gate.",
            registry=self._registry,
        )  # fmt: skip
        held.set_function(waiting)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)
