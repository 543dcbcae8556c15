"""Reading a file of labelled commits, packed by gzip or not."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

from gate.errors import UsageError
from gate.risk.commits import Commit, parse


@dataclass(frozen=True, slots=True)
class Labelled:
    """The commits of a file, oldest first, and the SHA-256 of the file."""

    commits: list[Commit]
    sha256: str


def read(path: Path) -> Labelled:
    """The commits in the file; raises UsageError where it cannot be read or holds none."""
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8")
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file") from None
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
    return Labelled(parse(text, str(path)), hashlib.sha256(raw).hexdigest())
