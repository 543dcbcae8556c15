"""A decision on standard output, in the form that was asked for."""

from __future__ import annotations

import os

from gate.decision import Decision
from gate.surfaces.cli.console import coloured, emit, width

FORMATS = ["text", "json", "markdown"]


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

        emit(text(told, width=min(width(), 120), colour=coloured(dict(os.environ))))
