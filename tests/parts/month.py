"""Thirty days of a service's counters, a sample every minute, with known budgets.

The traffic swings tenfold over a day, is flat, or stops at night; an outage fails half of all
requests for two hours. What was really spent is counted here, from the increments themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.parts.prometheus import History

DAY, HOUR, SAMPLE = 86_400.0, 3_600.0, 60.0
END = 1_793_577_600.0  # 2026-11-02 00:00 UTC
START = END - 30 * DAY
COUNT = round(30 * DAY / SAMPLE)


@dataclass(frozen=True)
class Month:
    """Events in each minute: the k-th ends at START + (k + 1) * SAMPLE; seen from `first` on.

    Its samples are `late` by so many seconds, as real scrapes are on no grid.
    """

    name: str
    total: np.ndarray
    bad: np.ndarray
    first: int = 0
    late: float = 0.0

    @property
    def share(self) -> float:
        """The exact bad share over the month: occurrences."""
        return float(self.bad.sum() / self.total.sum())

    @property
    def mean_of_ratios(self) -> float:
        """What Sloth records by default: every ratio weighs the same. NaN with an empty one."""
        return float(np.mean(self._ratios()))

    def _ratios(self) -> np.ndarray:
        """Of five minutes, one every five minutes."""
        bad, total = (one.reshape(-1, 5).sum(axis=1) for one in (self.bad, self.total))
        with np.errstate(invalid="ignore"):
            return bad / total

    def history(self) -> list[History]:
        """Its counters, of two pods, one of which restarts on the 20th day."""
        return [
            series
            for pod, reset in (("a", None), ("b", 20 * 1440))
            for series in (
                self._counter("5xx", self.bad / 2, pod, reset),
                self._counter("2xx", (self.total - self.bad) / 2, pod, reset),
            )
        ]

    def _counter(self, code: str, grown: np.ndarray, pod: str, reset: int | None) -> History:
        values = np.concatenate([[0.0], grown.cumsum()])
        if reset is not None:
            values[reset + 1 :] -= values[reset]
        labels = {"app": self.name, "code": code, "pod": pod}
        times = START + self.late + SAMPLE * np.arange(COUNT + 1)
        points = list(zip(times, values, strict=True))[self.first :]
        return History("http_requests_total", labels, points)

    def recorded(self) -> list[History]:
        """Sloth's recordings: the ratio of each five minutes, and their mean over the month."""
        ratios = self._ratios()
        times = START + 300.0 * np.arange(1, len(ratios) + 1)
        labels = {"sloth_id": f"{self.name}-availability", "sloth_service": self.name}
        mean = np.full(len(ratios), self.mean_of_ratios)
        return [
            History(
                f"slo:sli_error:ratio_rate{window}",
                labels | {"sloth_window": window},
                list(zip(times[-last:], values[-last:], strict=True)),
            )
            for window, values, last in (
                ("5m", ratios, len(ratios) - self.first // 5),
                ("30d", mean, 3),
            )
        ]


def month(
    name: str, traffic: str, outage_at: float | None, *, share: float = 0.5, days: float = 30
) -> Month:
    """Traffic `flat`, `swinging` (10:1 over a day, the peak at noon) or `nightly` (none at night).

    The outage begins at this hour of the 12th day and fails `share` of two hours' requests. Only
    the last `days` have any samples.
    """
    hour = (np.arange(COUNT) * SAMPLE / HOUR) % 24
    peak = 600.0
    total = {
        "flat": np.full(COUNT, peak),
        "swinging": np.round(peak * (0.55 - 0.45 * np.cos(hour / 24 * 2 * np.pi))),
        "nightly": np.where((hour >= 6) & (hour < 22), peak, 0.0),
    }[traffic]
    bad = total * 0.0001
    if outage_at is not None:
        first = round((11 * 24 + outage_at) * HOUR / SAMPLE)
        bad[first : first + 120] = total[first : first + 120] * share
    return Month(name, total, bad, round((30 - days) * 1440))
