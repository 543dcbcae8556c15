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
from gate.analysis.rates import Bets, Table, bets, difference_bounds, leaning, shares, table
from gate.series import Array
from gate.units import duration

# Seconds between two moments from which a fault may count afresh.
BLOCK = 600.0
# A margin widened by less than this is not worth a word.
WORTH_TELLING = 1.05

Item = tuple[Question, ...]


def answers(items: Sequence[Item], needed: Sequence[Needed], step: float) -> list[Answer | str]:
    """One for each item; a sentence where nothing was seen. `step` in seconds."""
    if not items:
        return []
    questions = [question for item in items for question in item]
    pass_ = _Pass(questions, [level for item, level in zip(items, needed, strict=True)
                              for _ in item], step)  # fmt: skip
    ends = np.cumsum([len(item) for item in items])
    return [
        pass_.answer(range(end - len(item), end)) for item, end in zip(items, ends, strict=True)
    ]


class _Pass:
    """Everything that is computed for all rows, one row a question, at once."""

    def __init__(self, questions: list[Question], needed: list[Needed], step: float) -> None:
        self._questions, self._needed, self._step = questions, needed, step
        self._block = max(1, round(BLOCK / step))
        ratio = np.array([one.ratio for one in questions])
        lenient = ratio * np.array([one.lenience for one in questions])
        self._absolute = np.array([one.absolute for one in questions])
        for_worse = _table(questions, [one.worse for one in questions])
        for_not_worse = _table(questions, [one.not_worse for one in questions])
        self._worse = bets(for_worse, lenient, 1, self._block).log_e_since(self._absolute)
        self._safe = bets(for_not_worse, ratio, -1, self._block)
        weights = leaning(_expected(questions), ratio, self._absolute)
        self._not_worse = self._safe.log_e(self._absolute, weights)
        sides = [Side(one.not_worse.bad_canary, one.worse.bad_baseline) for one in questions]
        self._seen = _table(questions, sides)
        self._shares = self._bounded(for_worse, for_not_worse)

    def answer(self, rows: range) -> Answer | str:
        """What the rows say together; the one most in favour of "worse" is shown."""
        seen = self._seen
        rows_seen = [row for row in rows if seen.baseline[row].any() and seen.canary[row].any()]
        if not rows_seen:
            counted = self._questions[rows[0]].counted
            return f"no {counted} were seen in both arms at the same time"
        worse = np.logaddexp.reduce(self._worse, axis=1)
        row = max(rows_seen, key=lambda one: float(worse[one]))
        question = self._questions[row]
        return Answer(
            log_e_worse=float(np.logaddexp.reduce(worse[rows_seen]) - math.log(len(rows_seen))),
            log_e_not_worse=float(self._not_worse[rows_seen].min()),
            effect=question.scale.effect(self._shares[row]),
            counted=question.counted,
            events_baseline=float(seen.baseline[row].sum() * question.dispersion.index),
            events_canary=float(seen.canary[row].sum() * question.dispersion.index),
            method=_method(question),
            notes=(*self._lately(row), *question.notes),
            passed=self._passed(row),
        )

    def _bounded(self, for_worse: Table, for_not_worse: Table) -> list[Shares]:
        low = np.array([one.worse for one in self._needed])
        high = np.array([one.not_worse for one in self._needed])
        columns = *shares(self._seen), *difference_bounds((for_worse, for_not_worse), low, high)
        return [Shares(*map(float, row)) for row in zip(*columns, low, high, strict=True)]

    def _lately(self, row: int) -> tuple[str, ...]:
        """Since when, if a shown fault did not begin with the rollout."""
        since = int(np.argmax(self._worse[row]))
        shown = np.logaddexp.reduce(self._worse[row]) >= self._needed[row].worse
        if not shown or since in (0, self._worse.shape[1] - 1):
            return ()
        return (f"most of it from the last {self._since(since)}",)

    def _passed(self, row: int) -> str:
        """Whether the later half alone is shown not worse: a transient, no lasting shift."""
        middle = self._safe.won.shape[1] // 2
        if not middle:
            return ""
        own = Bets(self._safe.won[[row]], self._safe.paid[[row]])
        whole, late = (own.log_e(self._absolute[[row]], start=at)[0] for at in (0, middle))
        if late < self._needed[row].not_worse or whole > 0:
            return ""
        return (
            f"the last {self._since(middle)} alone are shown not worse: what was there has passed "
            "(if it was a cold start, give the metric a longer warmup)"
        )

    def _since(self, block: int) -> str:
        intervals = self._seen.canary.shape[1] - block * self._block
        return duration(intervals * self._step)


def forecast(question: Question, needed: Needed, step: float) -> float | None:
    """Seconds until the question's "not worse" is shown, see `forecast.clear_in`."""
    seen = _table([question], [question.not_worse])
    weights = leaning(
        _expected([question]), np.array([question.ratio]), np.array([question.absolute])
    )
    return clear_in(seen, question, weights[0], needed.not_worse, step)


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
