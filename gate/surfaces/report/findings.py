"""Findings about files, for people, programs, code scanning and pull requests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import orjson

from gate import __version__
from gate.finding import Finding, Level, Lint

# The words of GitHub's workflow commands; SARIF's are those of `Level`.
_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}
# Of each command GitHub shows so many of a step, and drops the rest without a word.
MOST_ANNOTATIONS = 10
SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


def as_text(findings: Sequence[Finding]) -> str:
    """`file:line:column: level: message [check]`, and under it what to do."""
    return "".join(
        f"{one.file}:{one.line}:{one.column}: {one.level}: {one.message} [{one.check}]\n"
        + (f"  {one.hint}\n" if one.hint else "")
        for one in findings
    )


def as_json(findings: Sequence[Finding], files: Sequence[str], lint: Lint) -> bytes:
    """One JSON object and a newline."""
    levels = [one.level for one in findings]
    return _json(
        {
            "schema": lint.schema,
            "files": files,
            "errors": levels.count(Level.ERROR),
            "warnings": levels.count(Level.WARNING),
            "notes": levels.count(Level.NOTE),
            "findings": findings,
        }
    )


def as_sarif(findings: Sequence[Finding], lint: Lint) -> bytes:
    """SARIF 2.1.0, as code scanning reads it.

    https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
    """
    checks = list(lint.checks)
    driver = {
        "name": "gate",
        "version": __version__,
        "rules": [{"id": name, "shortDescription": {"text": lint.checks[name]}} for name in checks],
    }
    results = [
        {
            "ruleId": one.check,
            "ruleIndex": checks.index(one.check),
            "level": one.level,
            "message": {"text": _told(one)},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": _uri(one.file)},
                        "region": {"startLine": one.line, "startColumn": one.column},
                    }
                }
            ],
        }
        for one in findings
    ]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return _json({"$schema": SARIF, "version": "2.1.0", "runs": [run]})


def as_github(findings: Sequence[Finding], lint: Lint) -> str:
    """Workflow commands, which GitHub shows beside the lines of a pull request.

    Where there are more than it shows, the last one of their kind counts the rest.
    https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
    """
    told = ""
    for level in Level:
        of_it = [one for one in findings if one.level is level]
        shown = of_it if len(of_it) <= MOST_ANNOTATIONS else of_it[: MOST_ANNOTATIONS - 1]
        told += "".join(_command(one, lint) for one in shown)
        if rest := len(of_it) - len(shown):
            more = f"{rest} more; --format text or json tells all"
            told += f"::{_COMMANDS[level]} title={_property(lint.title)}::{more}\n"
    return told


def _command(one: Finding, lint: Lint) -> str:
    return (
        f"::{_COMMANDS[one.level]} file={_property(one.file)},line={one.line},col={one.column},"
        f"title={_property(f'{lint.title}: {one.check}')}::{_escaped(_told(one))}\n"
    )


def _told(one: Finding) -> str:
    return f"{one.message}\n{one.hint}" if one.hint else one.message


def _uri(file: str) -> str:
    """Relative to where lint ran, as the file was named; absolute paths as file URIs."""
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def _escaped(text: str) -> str:
    r"""What would end the command, or the line, as the runner reads it back.

    >>> _escaped("50%\nmore")
    '50%25%0Amore'
    """
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _json(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
