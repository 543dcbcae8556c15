"""The judges of the bench, by the name on the command line; each rollout gets a new one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bench.verdicts.judge import Judge
from bench.verdicts.kayenta import Kayenta
from bench.verdicts.ours import BLIND, STRICT, USERS, Gate
from bench.verdicts.thresholds import Thresholds
from bench.verdicts.welch import Welch
from gate.policy.demand import Settle

JUDGES: Mapping[str, Callable[[], Judge]] = {
    "gate": Gate,
    "gate-users": lambda: Gate(USERS),  # CPU and memory are watched but not critical
    "gate-narrow": lambda: Gate(STRICT),  # margins of 5 % on latency and 10 % on gauges
    "gate-blind": lambda: Gate(BLIND),  # nothing is known of the time before the canary
    # The policy settles for an error probability of a fifth after half an hour.
    "gate-settle": lambda: Gate(settle=Settle(after=1800.0, beta=0.2)),
    "gate-users-settle": lambda: Gate(USERS, Settle(after=1800.0, beta=0.2)),
    "kayenta": Kayenta,
    "kayenta-once": lambda: Kayenta(once=True),
    "kayenta-1.25": lambda: Kayenta(allowed_increase=1.25),
    "welch": Welch,
    "thresholds": Thresholds,
}
# Those asked when none is named: one of each sort, and the slow ones only where they must be.
USUAL = ("gate", "kayenta-once", "welch", "thresholds")
