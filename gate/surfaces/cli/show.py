"""A decision on standard output, in the form that was asked for."""

from __future__ import annotations

import os
from typing import Any

from gate.decision import Decision
from gate.surfaces.cli.console import coloured, emit, width
from gate.surfaces.report.page import Page

FORMATS = ["text", "json", "markdown"]
MOST_COLUMNS = 120


def show(decision: Decision, form: str, code: int) -> None:
    """Each form is imported when it is asked for: rich alone costs as much as the judge."""
    if form == "json":
        from gate.surfaces.report.document import as_json

        emit(as_json(decision, code))
        return
    from gate.surfaces.report.report import report

    told = report(decision)
    if form == "markdown":
        from gate.surfaces.report.markdown import markdown

        emit(markdown(told))
    else:
        from gate.surfaces.report.text import text

        emit(text(told, **_terminal()))


def show_page(page: Page, form: str) -> None:
    """A page likewise, as text or markdown."""
    if form == "markdown":
        from gate.surfaces.report.markdown import page_markdown

        emit(page_markdown(page))
    else:
        from gate.surfaces.report.text import page_text

        emit(page_text(page, **_terminal()))


def _terminal() -> dict[str, Any]:
    return {"width": min(width(), MOST_COLUMNS), "colour": coloured(dict(os.environ))}
