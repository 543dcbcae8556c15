"""The quality of scores of change risk as a table: a row a score."""

from __future__ import annotations

from collections.abc import Mapping

from gate.risk.level import Level
from gate.risk.quality import Quality

COLUMNS = ("scores", "AUC", "PR-AUC", "Brier", "recall", *(f"lift {one}" for one in Level))


def cells(name: str, one: Quality) -> tuple[str, ...]:
    """A cell for each of `COLUMNS`; `-` for what is not defined."""
    figures = (_figure(value, 3) for value in (one.auc, one.pr_auc, one.brier, one.recall))
    lifts = (_figure((one.lift or {}).get(level), 2) for level in Level)
    return (name, *figures, *lifts)


def plain(found: Mapping[str, Quality]) -> str:
    """Columns side by side."""
    rows = [COLUMNS, *(cells(name, one) for name, one in found.items())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _figure(value: float | None, places: int) -> str:
    return "-" if value is None else f"{value:.{places}f}"
