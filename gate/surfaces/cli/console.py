"""Writing to the terminal such that it can never change a verdict's exit code."""

from __future__ import annotations

import os
import sys


def emit(text: str | bytes) -> None:
    """To standard output; a closed pipe or a full disk loses the text, not the exit code."""
    data = text.encode() if isinstance(text, str) else text
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except (OSError, ValueError):
        _silence(sys.stdout)


def tell(text: str) -> None:
    """To standard error: progress, complaints, hints."""
    try:
        print(text, file=sys.stderr, flush=True)  # noqa: T201  this is the place that prints
    except (OSError, ValueError):
        _silence(sys.stderr)


def rewrite(text: str) -> None:
    """To standard error, in the place of the line that stood there; for a terminal."""
    try:
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)  # noqa: T201
    except (OSError, ValueError):
        _silence(sys.stderr)


def width() -> int:
    """Columns of the terminal; 80 in a pipe, so that a log looks the same wherever it was made."""
    try:
        return max(60, os.get_terminal_size(sys.stdout.fileno()).columns)
    except (OSError, ValueError):
        return 80


def coloured(environ: dict[str, str]) -> bool:
    """Whether standard output is a terminal that wants colour (https://no-color.org)."""
    return not environ.get("NO_COLOR") and sys.stdout.isatty()


def _silence(stream: object) -> None:
    """Python flushes the streams once more at exit; let that go nowhere instead of failing."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())  # type: ignore[attr-defined]
        os.close(null)
    except (OSError, ValueError, AttributeError):
        return
