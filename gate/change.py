"""Facts about what is released; no opinions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The difference between two revisions, as counted by `git diff --numstat`.

    `base` and `head` are the revisions (full shas where known). Binary files count as files, not
    as lines. `notes` say where the numbers are less than they seem (shallow clone, binaries).
    """

    base: str
    head: str
    commits: int | None
    files: int
    directories: int
    lines_added: int
    lines_deleted: int
    notes: tuple[str, ...] = ()
