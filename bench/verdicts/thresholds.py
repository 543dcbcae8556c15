"""Fixed thresholds on the canary alone, as Argo Rollouts and Flagger users write them.

The numbers are those of the two projects' own examples. Flagger: success rate at least 99 % and a
maximal p99, looked at each minute (https://docs.flagger.app/usage/metrics). Argo Rollouts:
`failureLimit: 3`, so that the fourth failed measurement ends the rollout, whether or not others lay
between (https://argo-rollouts.readthedocs.io/en/stable/features/analysis/). Flagger's p99 of 500 ms
is its example's; here it is half as much again as the service's p99 in the hour before, which is
how such a number comes about. There is no usual threshold for CPU and memory, so there is none.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.verdicts.rollout import MINUTES, Rollout, quantile
from gate.verdict import Outcome

MOST_ERRORS = 1.0  # percent
SLOWEST = 1.5  # times the p99 before
FAILURE_LIMIT = 3


@dataclass(slots=True)
class Thresholds:
    """Back at the fourth bad minute; on after the hour."""

    failed: int = 0
    slowest: float = 0.0

    def look(self, rollout: Rollout, minute: int) -> Outcome:
        """Measure the last minute."""
        if not self.slowest:
            whole = rollout.before.latency.sum(axis=0, keepdims=True)
            self.slowest = SLOWEST * 1000 * float(quantile(whole, 0.99)[0])
        errors, p99 = (rollout.series[name][1][minute - 1] for name in ("errors", "p99"))
        self.failed += bool(errors > MOST_ERRORS or p99 > self.slowest)
        if self.failed > FAILURE_LIMIT:
            return Outcome.ROLLBACK
        return Outcome.PROMOTE if minute == MINUTES else Outcome.HOLD
