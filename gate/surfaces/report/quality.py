"""The quality of scores of change risk as a table: a row a score."""

from __future__ import annotations

from collections.abc import Mapping

from gate.risk.level import Level
from gate.risk.quality import Quality
from gate.surfaces.report.page import Page, Section, printable

COLUMNS = ("scores", "AUC", "PR-AUC", "Brier", "recall", *Level)
LEGEND = (
    "AUC, PR-AUC: by order alone; Brier: squared error of the likelihood, lower is better",
    "recall: of the bug-introducing commits, in 20% of the lines, likeliest for its size first",
    "low to critical: how much more often a commit of this level introduced a bug than any",
)


def cells(name: str, one: Quality) -> tuple[str, ...]:
    """A cell for each of `COLUMNS`; `-` for what is not defined."""
    figures = (_figure(value, 3) for value in (one.auc, one.pr_auc, one.brier, one.recall))
    lifts = (_figure((one.lift or {}).get(level), 2) for level in Level)
    return (name, *figures, *lifts)


def quality_page(
    file: str, commits: int, found: Mapping[str, Quality], notes: tuple[str, ...]
) -> Page:
    """The table with its legend; `notes` first."""
    rows = tuple(cells(name, one) for name, one in found.items())
    page: Page = printable(
        Page(
            title="Risk model",
            subject=f"{file}, {commits:,} commits",
            context=notes,
            sections=(Section(title="Quality", columns=COLUMNS, rows=rows, lines=LEGEND),),
        )
    )
    return page


def _figure(value: float | None, places: int) -> str:
    return "-" if value is None else f"{value:.{places}f}"
