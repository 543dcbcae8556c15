"""One judge over one rollout, and many of them on two processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

from bench.verdicts.judge import Judge
from bench.verdicts.judges import JUDGES
from bench.verdicts.rollout import MINUTES, Rollout
from bench.verdicts.simulation import Traffic, rollout
from gate.verdict import Outcome

CHUNK = 4  # rollouts handed to a process at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a judge did with one rollout.

    `promoted` and `rolled_back`: the minute of the first such look, None without one. The judge is
    asked on after its promote, so `rolled_back` may be later than `promoted`; what it then says
    would have been too late for this rollout, but counts for its false-alarm rate.
    `bad_served`: failed requests of the canary until the rollback, or in the whole hour; a promote
    ends no harm.
    """

    scenario: str
    judge: str
    traffic: Traffic
    promoted: int | None
    rolled_back: int | None
    bad_served: int

    @property
    def verdict(self) -> Outcome:
        """What came first."""
        if self.promoted is not None and self.promoted < (self.rolled_back or MINUTES + 1):
            return Outcome.PROMOTE
        return Outcome.HOLD if self.rolled_back is None else Outcome.ROLLBACK


@dataclass(frozen=True, slots=True)
class Task:
    """Rollout `index` of a scenario, for all judges."""

    scenario: str
    traffic: Traffic
    seed: int
    index: int
    every: int = 1  # minutes from one look to the next


def trials(tasks: Sequence[Task], judges: Sequence[str], workers: int) -> Iterator[Trial]:
    """Every judge on every task, in the tasks' order."""
    if workers == 1:
        for task in tasks:
            yield from _judged(task, judges)
        return
    with ProcessPoolExecutor(workers) as pool:
        for found in pool.map(partial(_judged, judges=judges), tasks, chunksize=CHUNK):
            yield from found


def _judged(task: Task, judges: Sequence[str]) -> list[Trial]:
    shown = rollout(task.scenario, task.traffic, task.seed, task.index)
    return [watched(task, name, JUDGES[name], shown) for name in judges]


def watched(task: Task, name: str, judge: Callable[[], Judge], shown: Rollout) -> Trial:
    """A new judge on this rollout, to the first rollback or the end of the hour."""
    promoted, rolled_back = None, None
    asked = judge()
    for minute in range(task.every, MINUTES + 1, task.every):
        outcome = asked.look(shown, minute)
        if outcome is Outcome.PROMOTE and promoted is None:
            promoted = minute
        if outcome is Outcome.ROLLBACK:
            rolled_back = minute
            break
    return Trial(
        scenario=task.scenario, judge=name, traffic=task.traffic, promoted=promoted,
        rolled_back=rolled_back, bad_served=shown.bad_served(rolled_back or MINUTES),
    )  # fmt: skip


def known(names: Sequence[str], among: Mapping[str, object]) -> list[str]:
    """The names, all of them if none is given; raises ValueError for one that is not there."""
    for name in names:
        if name not in among:
            raise ValueError(f"unknown: {name!r}; there are {', '.join(among)}")
    return list(names or among)
