"""Parts of the gate that are installed only where they are wanted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gate.errors import UsageError


@contextmanager
def needed() -> Iterator[None]:
    """Around the imports of the server; UsageError where its extra is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the server needs {error.name}, which is not installed",
            "pip install 'releasegate[server]'",
        ) from None
