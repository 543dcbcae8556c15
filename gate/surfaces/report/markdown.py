"""A report as GitHub-flavoured markdown, for a pull request or a step summary."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from gate.surfaces.report.page import Page
from gate.surfaces.report.report import COLUMNS, Report, voiced
from gate.verdict import Reason, Remark

_SIGNS = {"promote": "✅", "hold": "⏸️", "rollback": "⛔", "observed": "👁️"}
# `$` twice in a line begins a formula on GitHub.
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&$])")
# What would begin a list, a rule or a heading at the start of a line or of a list's item.
_BLOCK = re.compile(r"^([0-9]{1,9}(?=[.)](?: |$))|(?=[-+=](?:[-+= ]|$)))")
# GitHub looks for mentions, references and addresses after markdown has taken its backslashes away,
# so only a character between helps, one without width:
# https://github.com/github/cmark-gfm/issues/181
_REFERENCE = re.compile(r"([@#]|:(?=//)|www(?=[.])|GH(?=-[0-9]))", re.IGNORECASE)
_URL = re.compile(r"https?://[^\s<>]+")


def markdown(told: Report) -> str:
    """The whole report; what came from outside is escaped, so it can neither format nor mention."""
    parts = [
        f"### {_SIGNS[told.headline.split()[0].lower()]} {told.headline}: {escape(told.subject)}",
        "\n".join(f"{escape(line)}  " for line in told.context),
        _voices("Because", told.reasons),
        _voices("Warnings", told.warnings),
        _voices("Would have said (audited)", told.audited),
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


def _voices(title: str, ones: Sequence[Reason | Remark]) -> str:
    return _items(title, [_voice(one) for one in ones])


def _voice(one: Reason | Remark) -> str:
    """Where to read more is the policy's own word, and the one address that may be a link."""
    if not _URL.fullmatch(one.docs):
        return escape(voiced(one))
    return f"{escape(voiced(replace(one, docs='')))} <{one.docs}>"


def _list(title: str, lines: Sequence[str]) -> str:
    return _items(title, [escape(line) for line in lines])


def _items(title: str, items: Sequence[str]) -> str:
    return "\n".join([f"**{title}**", "", *(f"- {one}" for one in items)]) if items else ""


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
