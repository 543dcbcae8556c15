"""Reading a file of labelled commits, packed by gzip or not."""

from __future__ import annotations

import gzip
from pathlib import Path

from gate.errors import UsageError


def contents(path: Path) -> str:
    """The text of the file; raises UsageError where it cannot be read."""
    try:
        raw = path.read_bytes()
        return (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8")
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file") from None
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
