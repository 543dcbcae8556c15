"""A report as GitHub-flavoured markdown, for a pull request or a step summary."""

from __future__ import annotations

import re

from gate.surfaces.report.report import COLUMNS, Report

_SIGNS = {"promote": "✅", "hold": "⏸️", "rollback": "⛔"}
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&])")
# GitHub looks for mentions and references after markdown has taken its backslashes away, so only
# a character between helps, one without width: https://github.com/github/cmark-gfm/issues/181
_REFERENCE = re.compile(r"([@#])")


def markdown(told: Report) -> str:
    """The whole report; what came from outside is escaped, so it can neither format nor mention."""
    parts = [
        f"### {_SIGNS[told.outcome]} {told.outcome}: {escape(told.subject)}",
        "\n".join(f"{escape(line)}  " for line in told.context),
        _list("Because", [f"{r.outcome}: {r.rule}: {r.message}" for r in told.reasons]),
        _table(told),
        _list("Error budget", told.budgets),
        _list("Change risk", told.risk),
        _list("Not seen", told.gaps),
        _list("What would change this", told.changes),
        f"<sub>decision `{told.id}`</sub>",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def escape(text: str) -> str:
    r"""Text that markdown shows as it is, on one line.

    >>> print(escape("a|b <i> @team"))
    a\|b \<i\> @&#8203;team
    """
    plain = _SPECIAL.sub(r"\\\1", " ".join(text.split()))
    return _REFERENCE.sub(r"\1&#8203;", plain)


def _list(title: str, lines: list[str] | tuple[str, ...]) -> str:
    if not lines:
        return ""
    return "\n".join([f"**{title}**", "", *(f"- {escape(line)}" for line in lines)])


def _table(told: Report) -> str:
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + " --- |" * len(COLUMNS)]
    lines += ["| " + " | ".join(escape(cell) for cell in row.cells) + " |" for row in told.rows]
    notes = [f"{row.cells[0]}: {row.note}" for row in told.rows]
    return "\n".join(lines) + "\n\n" + "\n".join(f"- {escape(note)}" for note in notes)
