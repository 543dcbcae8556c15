"""Gate's own judge under the essence of its standard policy."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bench.verdicts.rollout import BEFORE, Rollout
from gate.analysis.comparison import Finding
from gate.analysis.judge import judge
from gate.analysis.settle import settled
from gate.metric import DEFAULT_MARGINS, DEFAULT_WARMUP, Direction, Kind, Margin, Metric
from gate.policy.demand import Settle
from gate.service import Arms, Service
from gate.verdict import Outcome

FIRST_PROMOTE = 10.0  # minutes, as in policies/standard.yaml
KINDS = {
    "errors": Kind.EVENTS,
    "latency": Kind.HISTOGRAM,
    "cpu": Kind.GAUGE,
    "memory": Kind.GAUGE,
}
# Narrower than the defaults: +10 % at the median and +20 % at the p99 are then worse than the
# margin, and not within it or on it.
NARROW = {**DEFAULT_MARGINS, Kind.HISTOGRAM: Margin(1.05, 0.0), Kind.GAUGE: Margin(1.10, 0.0)}


def a_service(margins: dict[Kind, Margin], *, gauges_critical: bool) -> Service:
    """Errors, p50 and p99, CPU and memory; the first three are critical in any case."""
    metrics = tuple(
        Metric(
            name=name, kind=kind, queries={}, source="", worse=Direction.HIGHER,
            margin=margins[kind], critical=gauges_critical or kind is not Kind.GAUGE,
            quantiles=(0.5, 0.99) if kind is Kind.HISTOGRAM else (), warmup=DEFAULT_WARMUP[kind],
        )
        for name, kind in KINDS.items()
    )  # fmt: skip
    return Service(
        name="web", tier=1, arms=Arms(canary="", baseline=""), metrics=metrics, policy="",
        step=60.0, lag=0.0, history=60.0 * BEFORE,
    )  # fmt: skip


ALL = a_service(DEFAULT_MARGINS, gauges_critical=True)
USERS = a_service(DEFAULT_MARGINS, gauges_critical=False)
BLIND = replace(ALL, history=0.0)
STRICT = a_service(NARROW, gauges_critical=True)


@dataclass(frozen=True, slots=True)
class Gate:
    """Shown worse goes back, shown safe for ten minutes goes on, the rest waits.

    `settle`: as in a policy's evidence table.
    """

    service: Service = ALL
    settle: Settle | None = None

    def look(self, rollout: Rollout, minute: int) -> Outcome:
        """Judge the evidence so far, and apply the policy."""
        analysis = judge(self.service, rollout.evidence(minute))
        if self.settle:
            analysis = settled(analysis, self.settle.after, self.settle.beta)
        if analysis.found(Finding.WORSE, critical_only=True):
            return Outcome.ROLLBACK
        if analysis.found(Finding.WORSE):
            return Outcome.HOLD
        if analysis.safe and analysis.minutes >= FIRST_PROMOTE:
            return Outcome.PROMOTE
        return Outcome.HOLD
