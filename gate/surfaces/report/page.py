"""What is told of anything but a verdict: titled sections of tables and lines, plain strings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A table where there are rows (a cell for each of `columns`), and lines under it."""

    title: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`title` says what this is, `subject` of what, `context` under which conditions."""

    title: str
    subject: str
    context: tuple[str, ...]
    sections: tuple[Section, ...]
