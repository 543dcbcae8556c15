"""Findings of a lint on standard output, in the form that was asked for, and the exit code."""

from __future__ import annotations

from collections.abc import Sequence

from gate.finding import Finding, Level, Lint
from gate.surfaces.cli.console import emit, tell

LINTED = ["text", "json", "sarif", "github"]


def show_findings(
    found: Sequence[Finding], files: Sequence[str], lint: Lint, form: str, *, strict: bool
) -> int:
    """0, or 2 where there are errors; if `strict`, also where there are warnings."""
    from gate.surfaces.report import findings as told

    if form == "json":
        emit(told.as_json(found, files, lint))
    elif form == "sarif":
        emit(told.as_sarif(found, lint))
    else:
        emit(told.as_github(found, lint) if form == "github" else told.as_text(found))
    levels = [one.level for one in found]
    errors, warnings = levels.count(Level.ERROR), levels.count(Level.WARNING)
    tell(f"{len(files)} checked: {errors} errors, {warnings} warnings")
    return 2 if errors or (strict and warnings) else 0
