"""Which paths the .gitattributes of a commit call generated or vendored.

It is asked of base, not of head or of what happens to be checked out (in CI: head): a change does
not excuse itself from being counted.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from gate.sources.clone import Clone

# https://github.com/github-linguist/linguist/blob/main/docs/overrides.md
_NOT_WRITTEN = ("linguist-generated", "linguist-vendored")


def not_written(
    clone: Clone, commit: str, paths: Iterable[bytes], deadline: float
) -> frozenset[bytes]:
    """Those of the paths; raises SourceError.

    git before 2.40 reads attributes of no other tree than an index's, so one is made of the commit,
    beside the clone's own.
    """
    asked = b"".join(path + b"\0" for path in paths)
    with tempfile.TemporaryDirectory(prefix="gate-") as folder:
        top = clone.top(deadline).with_index(Path(folder, "index"))
        top.git(deadline, "read-tree", commit)
        told = top.git(
            deadline, "check-attr", "--cached", "-z", "--stdin", *_NOT_WRITTEN, given=asked
        ).split(b"\0")
    answers = zip(told[0::3], told[2::3], strict=False)
    return frozenset(path for path, value in answers if value in (b"set", b"true"))
