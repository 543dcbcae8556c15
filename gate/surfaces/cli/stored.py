"""A decision that was stored: from a file, standard input, or the ledger."""

from __future__ import annotations

import sys
from pathlib import Path

from gate.decision import Decision, from_json
from gate.errors import LedgerError, UsageError


def stored(path: str) -> Decision:
    """The decision in a file (`-` is standard input); raises UsageError for anything else."""
    try:
        return from_json(_read(path))
    except LedgerError as error:
        raise UsageError(
            f"{path}: {error.message}",
            "a decision with its evidence comes from: gate ledger show ID --format stored",
        ) from None


def _read(path: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
