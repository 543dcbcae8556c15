"""Which files something was read from, so that whoever keeps it can tell when they change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

_FILES: ContextVar[set[Path] | None] = ContextVar("files", default=None)


@contextmanager
def noting() -> Iterator[set[Path]]:
    """Collects the files and folders that are read within, also those that cannot be."""
    around, files = _FILES.get(), set[Path]()
    token = _FILES.set(files)
    try:
        yield files
    finally:
        _FILES.reset(token)
        if around is not None:
            around |= files


def noted(path: Path) -> Path:
    """The path, which is about to be read, or will be later."""
    files = _FILES.get()
    if files is not None:
        files.add(path)
    return path
