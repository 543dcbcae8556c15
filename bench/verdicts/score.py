"""Many trials of one judge in one scenario, counted."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scipy.special import betaincinv

from bench.verdicts.scenarios import SCENARIOS
from bench.verdicts.simulation import Traffic
from bench.verdicts.trial import Trial
from gate.verdict import Outcome

CONFIDENCE = 0.95  # of each bound alone


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `of`, with one-sided Clopper-Pearson bounds."""

    hits: int
    of: int

    @property
    def percent(self) -> float:
        """As measured."""
        return 100.0 * self.hits / self.of

    @property
    def low(self) -> float:
        """The true percentage is at least this with 95 % confidence.

        >>> round(Share(5, 100).low, 4), round(Share(5, 100).high, 4)
        (1.9906, 10.2253)
        """
        if self.hits == 0:
            return 0.0
        return 100.0 * float(betaincinv(self.hits, self.of - self.hits + 1, 1 - CONFIDENCE))

    @property
    def high(self) -> float:
        """The true percentage is at most this with 95 % confidence."""
        if self.hits == self.of:
            return 100.0
        return 100.0 * float(betaincinv(self.hits + 1, self.of - self.hits, CONFIDENCE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A judge in a scenario.

    `rolled_back`: as the verdict, before any promote; with a fault, from its onset on. `alarmed`:
    the same at any look of the hour, promoted or not: what a judge that goes on watching would say,
    and the rate that alpha speaks of. `too_soon`: before the onset. `promoted`: as the verdict.
    Medians are over the trials in which it happened, None where it never did; `after` in minutes
    from the onset, `promoted_at` from the start.
    """

    scenario: str
    judge: str
    traffic: Traffic
    rolled_back: Share
    alarmed: Share
    too_soon: Share
    after: float | None
    alarmed_after: float | None
    promoted: Share
    promoted_at: float | None
    bad_served: float

    @property
    def is_fault(self) -> bool:
        """Whether a rollback is right in this scenario."""
        return SCENARIOS[self.scenario].fault is not None


def scores(trials: Iterable[Trial]) -> list[Score]:
    """One score for each scenario, judge and traffic, in the order they first appear."""
    groups: dict[tuple[str, str, Traffic], list[Trial]] = {}
    for trial in trials:
        groups.setdefault((trial.scenario, trial.judge, trial.traffic), []).append(trial)
    return [_score(group) for group in groups.values()]


def _score(trials: Sequence[Trial]) -> Score:
    first, number = trials[0], len(trials)
    fault = SCENARIOS[first.scenario].fault
    onset = fault.onset if fault else 0
    alarms = [one for one in trials if one.rolled_back is not None and one.rolled_back > onset]
    verdicts = [one for one in alarms if one.verdict is Outcome.ROLLBACK]
    promotes = [one.promoted for one in trials if one.verdict is Outcome.PROMOTE]
    early = [one for one in trials if one.rolled_back is not None and one.rolled_back <= onset]
    return Score(
        scenario=first.scenario,
        judge=first.judge,
        traffic=first.traffic,
        rolled_back=Share(len(verdicts), number),
        alarmed=Share(len(alarms), number),
        too_soon=Share(len(early), number),
        after=_median([(one.rolled_back or 0) - onset for one in verdicts]),
        alarmed_after=_median([(one.rolled_back or 0) - onset for one in alarms]),
        promoted=Share(len(promotes), number),
        promoted_at=_median([minute for minute in promotes if minute is not None]),
        bad_served=statistics.median(one.bad_served for one in trials),
    )


def _median(minutes: Sequence[int]) -> float | None:
    return statistics.median(minutes) if minutes else None
