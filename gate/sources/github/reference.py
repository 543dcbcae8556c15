"""A pull request as people write it: `owner/name#123`."""

from __future__ import annotations

import re

from gate.errors import UsageError

# An owner (with _ for managed users), and a name that is not all dots.
REPO = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*/[.]*[A-Za-z0-9_-][A-Za-z0-9._-]*")
_REFERENCE = re.compile(rf"({REPO.pattern})#([1-9][0-9]{{0,17}})")


def reference(text: str) -> tuple[str, int]:
    """The repository and the number; raises UsageError.

    >>> reference("acme/shop#123")
    ('acme/shop', 123)
    """
    found = _REFERENCE.fullmatch(text)
    if not found:
        raise UsageError(f"{text!r} names no pull request", "write OWNER/NAME#123")
    return found[1], int(found[2])
