"""What a test answers about one item, of whatever kind, and the evidence it needs for a finding."""

from __future__ import annotations

from dataclasses import dataclass

from gate.analysis.question import Effect


@dataclass(frozen=True, slots=True)
class Needed:
    """The natural-log evidence at which an item is believed to be worse, or not worse."""

    worse: float
    not_worse: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a test found.

    `notes`: what the reader should know beside the evidence. `passed`: the sentence that a
    difference was there and is no more, empty where none is known; only of use where the finding
    is not already `not_worse`. `clear_in`: intervals until that finding, were the canary as good
    as the baseline; infinite where no end can be told.
    """

    log_e_worse: float
    log_e_not_worse: float
    effect: Effect
    counted: str
    events_baseline: float
    events_canary: float
    method: str
    clear_in: float
    notes: tuple[str, ...] = ()
    passed: str = ""
