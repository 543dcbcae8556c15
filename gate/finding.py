"""What a lint finds in files that people write, and what its checks are called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from gate.errors import UsageError

_PLACED = re.compile(r"(.+?):(\d+):(\d+): (.*)")


class Level(StrEnum):
    """An error is refused; a warning may be meant; a note tells what could not be looked at."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One complaint; `check` is a key of the lint's checks, `rule` what it is about, if named."""

    check: str
    level: Level
    file: str
    line: int
    column: int
    message: str
    hint: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Lint:
    """A lint as its findings are told: the schema of its JSON, its title, and its checks."""

    schema: str
    title: str
    checks: Mapping[str, str]


def finding(
    check: str, level: Level, where: str, message: str, hint: str = "", rule: str = ""
) -> Finding:
    """`where` is `file:line:column`, with or without more behind."""
    placed = _PLACED.match(f"{where}: ")
    file, line, column = placed.group(1, 2, 3) if placed else (where, "1", "1")
    return Finding(
        check=check, level=level, file=file, line=int(line), column=int(column),
        message=message, hint=hint, rule=rule,
    )  # fmt: skip


def complaints(error: UsageError) -> tuple[Finding, ...]:
    """Those of a reader as findings `invalid`: lines with places, hints indented below them.

    Raises the error again where it names no place: then there is no file to look into.
    """
    found: list[Finding] = []
    for line in str(error).splitlines():
        placed = _PLACED.fullmatch(line)
        if placed and not line.startswith(" "):
            found.append(finding("invalid", Level.ERROR, placed[0], placed[4]))
        elif found:
            last = found.pop()
            hint = f"{last.hint}; {line.strip()}" if last.hint else line.strip()
            found.append(replace(last, hint=hint))
        else:
            raise error
    return tuple(found)
