"""A report as GitHub-flavoured markdown, for a pull request or a step summary."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gate.surfaces.report.page import Page
from gate.surfaces.report.report import COLUMNS, Report, voiced

_SIGNS = {"promote": "✅", "hold": "⏸️", "rollback": "⛔", "observed": "👁️"}
# `$` twice in a line begins a formula on GitHub.
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&$])")
# What would begin a list, a rule or a heading at the start of a line or of a list's item.
_BLOCK = re.compile(r"^([0-9]{1,9}(?=[.)](?: |$))|(?=[-+=](?:[-+= ]|$)))")
# GitHub looks for mentions and references after markdown has taken its backslashes away, so only
# a character between helps, one without width: https://github.com/github/cmark-gfm/issues/181
_REFERENCE = re.compile(r"([@#])")


def markdown(told: Report) -> str:
    """The whole report; what came from outside is escaped, so it can neither format nor mention."""
    parts = [
        f"### {_SIGNS[told.headline.split()[0].lower()]} {told.headline}: {escape(told.subject)}",
        "\n".join(f"{escape(line)}  " for line in told.context),
        _list("Because", list(map(voiced, told.reasons))),
        _list("Warnings", list(map(voiced, told.warnings))),
        _list("Would have said (audited)", list(map(voiced, told.audited))),
        _list("Evidence asked for", told.demands),
        _list("Note", told.notes),
        _table(told),
        _trends(told),
        _list("Error budget", told.budgets),
        _list("Change risk", told.risk),
        _list("Not seen", told.gaps),
        _list("What would change this", told.changes),
        f"<sub>decision `{told.id}`</sub>",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def page_markdown(told: Page) -> str:
    """The page likewise."""
    parts = [f"### {told.title}: {escape(told.subject)}"]
    parts.append("\n".join(f"{escape(line)}  " for line in told.context))
    for section in told.sections:
        parts.append(f"**{escape(section.title)}**")
        if section.rows:
            parts.append(_rows(section.columns, section.rows))
        parts.append("\n".join(f"- {escape(line)}" for line in section.lines))
    return "\n\n".join(part for part in parts if part) + "\n"


def escape(text: str) -> str:
    r"""Text that markdown shows as it is, on one line.

    >>> print(escape("a|b <i> @team"))
    a\|b \<i\> @&#8203;team
    """
    plain = _SPECIAL.sub(r"\\\1", " ".join(text.split()))
    return _REFERENCE.sub(r"\1&#8203;", _BLOCK.sub(r"\1\\", plain))


def _list(title: str, lines: list[str] | tuple[str, ...]) -> str:
    if not lines:
        return ""
    return "\n".join([f"**{title}**", "", *(f"- {escape(line)}" for line in lines)])


def _table(told: Report) -> str:
    notes = [f"{row.cells[0]}: {row.note}" for row in told.rows]
    table = _rows(COLUMNS, [row.cells for row in told.rows])
    return table + "\n\n" + "\n".join(f"- {escape(note)}" for note in notes)


def _trends(told: Report) -> str:
    """The marks as code, so that their columns stand under each other."""
    if not told.trends:
        return ""
    lines = ["| over time | canary against the margin |", "| --- | --- |"]
    lines += [f"| {escape(label)} | `{marks}` |" for label, marks in told.trends]
    return "\n".join([*lines, "", f"<sub>{escape(told.scale)}</sub>"])


def _rows(columns: Sequence[str], rows: Sequence[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(escape(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)
