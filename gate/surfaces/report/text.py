"""A report for a terminal: readable without colour, in 80 columns, and in a log file."""

from __future__ import annotations

import io

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gate.surfaces.report.report import COLUMNS, Report, Row

_STYLES = {"promote": "bold green", "hold": "bold yellow", "rollback": "bold red"}
_FINDINGS = {"worse": "red", "not worse": "green", "unclear": "yellow", "unfit": "yellow"}


def text(told: Report, *, width: int = 80, colour: bool = False) -> str:
    """The report as lines no longer than `width`, ANSI colours only if asked for."""
    console = Console(
        file=io.StringIO(), width=width, force_terminal=colour, no_color=not colour,
        highlight=False, legacy_windows=False, emoji=False, markup=False,
    )  # fmt: skip
    style = _STYLES[told.outcome]
    console.print(Text(told.outcome.upper(), style=style) + Text(f"  {told.subject}", style="bold"))
    for line in told.context:
        console.print(line, style="dim")
    _section(console, "Because", [f"{r.outcome}: {r.rule}: {r.message}" for r in told.reasons])
    _evidence(console, told.rows)
    _section(console, "Error budget", told.budgets)
    _section(console, "Change risk", told.risk)
    _section(console, "Not seen", told.gaps)
    _section(console, "What would change this", told.changes)
    console.print(f"\ndecision {told.id}: gate ledger show {told.id}", style="dim")
    assert isinstance(console.file, io.StringIO)  # noqa: S101  as given above
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"


def _section(console: Console, title: str, lines: list[str] | tuple[str, ...]) -> None:
    if not lines:
        return
    console.print(f"\n{title}", style="bold")
    for line in lines:
        # The first line hangs out by its dash, the rest are indented under it.
        grid = Table.grid(padding=(0, 1))
        grid.add_row(" -", Text(line))
        console.print(grid)


def _evidence(console: Console, rows: tuple[Row, ...]) -> None:
    console.print("\nEvidence", style="bold")
    table = Table(
        box=None, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0), header_style="dim"
    )
    for name in COLUMNS:
        right = name in ("baseline", "canary", "difference", "limit")
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in rows:
        finding = row.cells[-1]
        table.add_row(*row.cells[:-1], Text(finding, style=_FINDINGS[finding]))
    console.print(Padding(table, (0, 0, 0, 1)))
    for row in rows:
        grid = Table.grid(padding=(0, 1))
        grid.add_row(" -", Text(f"{row.cells[0]}: {row.note}"))
        console.print(grid)
