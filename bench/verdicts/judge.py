"""What the bench asks of a judge."""

from __future__ import annotations

from typing import Protocol

from bench.verdicts.rollout import Rollout
from gate.verdict import Outcome


class Judge(Protocol):
    """Looks at one rollout, minute after minute from 1 to 60; a new one for each rollout.

    It may keep what it likes between looks, and reads nothing later than `minute`.
    """

    def look(self, rollout: Rollout, minute: int) -> Outcome:
        """What to do, after `minute` whole minutes."""
