"""What is told of anything but a verdict: titled sections of tables and lines, plain strings."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any


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


def printable(value: Any) -> Any:
    """The same with one line in each text, and with what a terminal would obey made visible."""
    if isinstance(value, str):
        return value if value.isprintable() else "".join(map(_visible, " ".join(value.split())))
    if value is None:
        return None
    if isinstance(value, tuple):
        return tuple(printable(one) for one in value)
    return replace(
        value, **{one.name: printable(getattr(value, one.name)) for one in fields(value)}
    )


def _visible(letter: str) -> str:
    return letter if letter.isprintable() else letter.encode("unicode_escape").decode()
