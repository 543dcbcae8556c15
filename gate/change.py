"""Facts about what is released; no opinions."""

from __future__ import annotations

from dataclasses import dataclass

# One earlier change of a repository: lines added, lines deleted, files, directories, subsystems,
# entropy; and, where its history is known, age and changes as in `Change`.
Counted = tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The difference between two revisions, as counted by `git diff --numstat`.

    `base` and `head` are the revisions (full shas where known). Binary files count as files, not
    as lines. `subsystems`: top-level directories. `entropy`: in bits, of the lines over the files.
    `age` and `changes`: days since the touched files last changed, and how often they had changed,
    means over the files; a new file counts 0. What is None is not known.
    `touches`: kinds of files that matter by themselves (migrations, dependencies); `types`: those
    of its commits, by conventional commits. `components` and `owners` of the files: by the globs of
    the service file and by CODEOWNERS; `flagged`: all of it is behind a feature flag. `recent`: the
    same counts for the repository's own changes up to `base`, newest first.
    `notes` say where the numbers are less than they seem (shallow clone, binaries).
    """

    base: str
    head: str
    commits: int | None
    files: int
    directories: int
    lines_added: int
    lines_deleted: int
    subsystems: int | None = None
    entropy: float | None = None
    age: float | None = None
    changes: float | None = None
    touches: tuple[str, ...] | None = None
    types: tuple[str, ...] | None = None
    components: tuple[str, ...] | None = None
    owners: tuple[str, ...] | None = None
    flagged: bool | None = None
    recent: tuple[Counted, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def counted(self) -> Counted:
        """The change as one of `recent`; empty where its spread is not known."""
        if self.subsystems is None or self.entropy is None:
            return ()
        sizes = (self.lines_added, self.lines_deleted, self.files, self.directories)
        row = (*map(float, sizes), float(self.subsystems), self.entropy)
        if self.age is None or self.changes is None:
            return row
        return (*row, self.age, self.changes)
