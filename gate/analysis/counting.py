"""All count questions of a decision, answered together in one vectorised pass of `rates`.

An item is one question, or several about the same metric (`latency overall`). Of several, "worse"
needs the mean of their e-values, which is an e-value however they depend on each other (Vovk &
Wang 2021, section 3), and "not worse" needs every one of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gate.analysis.answer import Answer, Needed
from gate.analysis.forecast import clear_in
from gate.analysis.question import Question, Shares, Side
from gate.analysis.rates import (
    FEWEST_EVENTS,
    Memory,
    Table,
    bets,
    difference_bounds,
    leaning,
    shares,
    starts,
    table,
)
from gate.series import Array
from gate.units import duration

# Seconds; beyond a day a rollout is not waiting, it is running.
LONGEST = 24 * 3600.0
# Seconds between two moments from which a fault may count afresh.
BLOCK = 600.0
# A margin widened by less than this is not worth a word.
WORTH_TELLING = 1.05

PASSED = (
    "the last {} alone are shown not worse: what was there has passed (if it was a cold start, "
    "give the metric a longer warmup)"
)

Item = tuple[Question, ...]


def answers(
    items: Sequence[Item], needed: Sequence[Needed], step: float, memory: Memory | None = None
) -> list[Answer | str]:
    """One for each item; a sentence where nothing was seen. `step` in seconds."""
    if not items:
        return []
    questions = [question for item in items for question in item]
    levels = [level for item, level in zip(items, needed, strict=True) for _ in item]
    rows = _Rows(questions, levels, step, memory)
    ends = np.cumsum([len(item) for item in items])
    return [rows.answer(range(end - len(item), end)) for item, end in zip(items, ends, strict=True)]


class _Rows:
    """Everything that is computed for all rows, one row a question, at once."""

    def __init__(
        self, questions: list[Question], needed: list[Needed], step: float, memory: Memory | None
    ) -> None:
        self._questions, self._step = questions, step
        block = max(1, round(BLOCK / step))
        self._starts = starts(questions[0].canary.shape[0], block)
        kept = block, memory
        ratio, absolute, lenience = (
            np.array(part)
            for part in zip(*((q.ratio, q.absolute, q.lenience) for q in questions), strict=True)
        )
        low, high = (np.array([n.worse for n in needed]), np.array([n.not_worse for n in needed]))
        for_worse = _table(questions, [one.worse for one in questions])
        for_not_worse = _table(questions, [one.not_worse for one in questions])
        since = bets(for_worse, ratio * lenience, 1, *kept).log_e_since(absolute)
        self._worse = np.logaddexp.reduce(since, axis=1)
        self._since = np.where(self._worse >= low, since.argmax(axis=1), 0)
        safe = bets(for_not_worse, ratio, -1, *kept)
        weights = leaning(_expected(questions), ratio, absolute)
        self._not_worse = safe.log_e(absolute, weights)
        growth = bets(_typical(questions, for_not_worse), ratio, -1).logs(absolute)
        most = LONGEST / step
        self._clear_in = clear_in(safe.logs(absolute), growth, weights, high, most)
        self._middle = safe.won.shape[1] // 2
        passed = (safe.log_e(absolute, start=self._middle) >= high) & (safe.log_e(absolute) <= 0)
        self._passed = passed & (self._middle > 0)
        sides = [Side(one.not_worse.bad_canary, one.worse.bad_baseline) for one in questions]
        self._seen = _table(questions, sides)
        bounds = difference_bounds((for_worse, for_not_worse), low, high, *kept)
        columns = zip(*shares(self._seen), *bounds, low, high, strict=True)
        self._shares = [Shares(*map(float, row)) for row in columns]

    def answer(self, rows: range) -> Answer | str:
        """What the rows say together; the one most in favour of "worse" is shown."""
        seen = self._seen
        rows_seen = [row for row in rows if seen.baseline[row].any() and seen.canary[row].any()]
        if not rows_seen:
            counted = self._questions[rows[0]].counted
            return f"no {counted} were seen in both arms at the same time"
        row = max(rows_seen, key=lambda one: float(self._worse[one]))
        question = self._questions[row]
        return Answer(
            log_e_worse=float(
                np.logaddexp.reduce(self._worse[rows_seen]) - math.log(len(rows_seen))
            ),
            log_e_not_worse=float(self._not_worse[rows_seen].min()),
            effect=question.scale.effect(self._shares[row]),
            counted=question.counted,
            events_baseline=float(seen.baseline[row].sum() * question.dispersion.index),
            events_canary=float(seen.canary[row].sum() * question.dispersion.index),
            method=_method(question),
            clear_in=float(self._clear_in[rows_seen].max()),
            notes=(*self._lately(row), *question.notes),
            passed=PASSED.format(self._last(self._middle)) if self._passed[row] else "",
        )

    def _lately(self, row: int) -> tuple[str, ...]:
        """Since when, if a shown fault did not begin with the rollout."""
        since = int(self._since[row])
        if not 0 < since < len(self._starts):  # from the first on, or it never started
            return ()
        return (f"most of it from the last {self._last(since)}",)

    def _last(self, block: int) -> str:
        """How long it has been since the block began."""
        return duration((self._seen.canary.shape[1] - self._starts[block]) * self._step)


def _typical(questions: Sequence[Question], seen: Table) -> Table:
    """The mean interval so far with the canary as good as the baseline, one a row."""
    intervals = np.maximum((seen.baseline > 0).sum(axis=1), 1)
    sums = (seen.canary, seen.bad_baseline, seen.baseline)
    canary, bad, baseline = (one.sum(axis=1) / intervals for one in sums)
    of_all = (max(float(np.nansum(one.baseline)), FEWEST_EVENTS) for one in questions)
    alike = np.array([np.nansum(q.alike) / n for q, n in zip(questions, of_all, strict=True)])
    return Table(*(part[:, None] for part in (canary * alike, canary, bad, baseline)))


def _method(one: Question) -> str:
    told = f"{one.method}, {one.dispersion.told}"
    if one.lenience <= WORTH_TELLING:
        return told
    return f"{told}, worse only beyond {one.lenience:.2f} times the margin, for the pods differ"


def _table(questions: Sequence[Question], sides: Sequence[Side]) -> Table:
    """One row a question; events that come in clumps count as clumps."""
    index = np.array([[one.dispersion.index] for one in questions])
    return table(
        np.stack([side.bad_canary for side in sides]) / index,
        np.stack([one.canary for one in questions]) / index,
        np.stack([side.bad_baseline for side in sides]) / index,
        np.stack([one.baseline for one in questions]) / index,
    )


def _expected(questions: Sequence[Question]) -> Table:
    """One typical interval a row, all zero where nothing is expected."""
    of_all = np.array([one.expected or (0.0, 0.0) for one in questions])
    known = np.array([one.expected is not None for one in questions])
    baseline, canary = (
        np.array([np.nansum(part) for part in parts]) * known
        for parts in ([one.baseline for one in questions], [one.canary for one in questions])
    )
    parts: tuple[Array, ...] = (of_all[:, 1] * canary, canary, of_all[:, 0] * baseline, baseline)
    return Table(*(part[:, None] for part in parts))
