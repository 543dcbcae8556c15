"""Reading a file of labelled commits, packed by gzip or not."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from gate.risk.commits import Commit, parse
from gate.surfaces.cli.outcomes import content


@dataclass(frozen=True, slots=True)
class Labelled:
    """The commits of a file, oldest first, and the SHA-256 of the file."""

    commits: list[Commit]
    sha256: str


def read(path: Path) -> Labelled:
    """The commits in the file; raises UsageError where it cannot be read or holds none."""
    raw, text = content(path)
    return Labelled(parse(text, str(path)), hashlib.sha256(raw).hexdigest())
