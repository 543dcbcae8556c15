"""A report for a terminal: readable without colour, in 80 columns, and in a log file."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from gate.surfaces.report.page import Page
from gate.surfaces.report.report import COLUMNS, Report, voiced

_STYLES = {"promote": "bold green", "hold": "bold yellow", "rollback": "bold red"}
_FINDINGS = {
    "worse": "red", "not worse": "green", "soft pass": "yellow", "unclear": "yellow",
    "unfit": "yellow",
}  # fmt: skip
_RIGHT = ("baseline", "canary", "difference", "limit")


def text(told: Report, *, width: int = 80, colour: bool = False) -> str:
    """The report as lines no longer than `width`, ANSI colours only if asked for."""
    console = _console(width, colour=colour)
    style = _STYLES[told.outcome]
    console.print(Text(told.headline, style=style) + Text(f"  {told.subject}", style="bold"))
    for line in told.context:
        console.print(line, style="dim")
    _section(console, "Because", list(map(voiced, told.reasons)))
    _section(console, "Warnings", list(map(voiced, told.warnings)))
    _section(console, "Would have said (audited)", list(map(voiced, told.audited)))
    _section(console, "Evidence asked for", told.demands)
    _section(console, "Note", told.notes)
    console.print("\nEvidence", style="bold")
    _table(console, COLUMNS, [row.cells for row in told.rows])
    _list(console, [f"{row.cells[0]}: {row.note}" for row in told.rows])
    _trends(console, told)
    _section(console, "Error budget", told.budgets)
    _section(console, "Change risk", told.risk)
    _section(console, "Not seen", told.gaps)
    _section(console, "What would change this", told.changes)
    console.print(f"\ndecision {told.id}: gate ledger show {told.id}", style="dim")
    return _written(console)


def page_text(told: Page, *, width: int = 80, colour: bool = False) -> str:
    """The page likewise."""
    console = _console(width, colour=colour)
    console.print(Text(f"{told.title.upper()}  {told.subject}", style="bold"))
    for line in told.context:
        console.print(line, style="dim")
    for section in told.sections:
        console.print(f"\n{section.title}", style="bold")
        if section.rows:
            _table(console, section.columns, section.rows)
        _list(console, section.lines)
    return _written(console)


def _console(width: int, *, colour: bool) -> Console:
    return Console(
        file=io.StringIO(), width=width, force_terminal=colour, no_color=not colour,
        highlight=False, legacy_windows=False, emoji=False, markup=False,
    )  # fmt: skip


def _written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)  # noqa: S101  as given above
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"


def _section(console: Console, title: str, lines: list[str] | tuple[str, ...]) -> None:
    if lines:
        console.print(f"\n{title}", style="bold")
        _list(console, lines)


def _list(console: Console, lines: list[str] | tuple[str, ...]) -> None:
    """The first line hangs out by its dash, the rest are indented under it."""
    for line in lines:
        grid = Table.grid("", Column(overflow="fold"), padding=(0, 1))  # fold: cut no digest or URL
        grid.add_row(" -", Text(line))
        console.print(grid)


def _trends(console: Console, told: Report) -> None:
    if told.trends:
        console.print("\nOver time", style="bold")
        _table(console, ("metric", "canary against the margin"), told.trends)
        _list(console, [told.scale])


def _table(console: Console, columns: Sequence[str], rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    if sum(widths) + len(widths) < console.width:
        console.print(Padding(_grid(columns, rows), (0, 0, 0, 1)))
    else:  # a number cut or torn in two could be misread
        named = (zip(columns, row, strict=True) for row in rows)
        _list(console, [", ".join(f"{name} {cell}" for name, cell in row) for row in named])


def _grid(columns: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Table:
    table = Table(box=None, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for name in columns:
        table.add_column(Text(name, style="dim"), justify="right" if name in _RIGHT else "left")
    for row in rows:
        table.add_row(*(Text(cell, style=_FINDINGS.get(cell, "")) for cell in row))
    return table
