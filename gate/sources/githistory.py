"""The changes of a repository before a release, and how often and when its files changed.

One change is one commit of the first-parent line, a merge with all that it brought: what a team
that merges pull requests calls a change. Commits without a parent (the first import; where a
shallow clone ends) are none: they seem to add everything there is. For the files they are a
beginning.

Why two walks: counting lines needs the contents of files, so only the trailing changes are
counted; names and times need no content, so the whole history is walked for them. A renamed file
begins anew there.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import astuple, dataclass, field
from statistics import mean

from gate.change import Counted
from gate.risk.level import WINDOW
from gate.sources import numstat
from gate.sources.clone import Clone
from gate.sources.numstat import File

_DAY = 86_400.0
_HEADING = re.compile(rb"\x01([0-9a-f]{40,64}) (\d+) ([0-9a-f ]*)\0")
_WALK = (
    "log",
    "-z",
    "--no-show-signature",
    "--first-parent",
    "--diff-merges=first-parent",
    "--format=%x01%H %ct %P",
)


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of the first-parent line: its name, Unix time, and the fields of its diff.

    `root`: it has no parent here.
    """

    name: bytes
    time: float
    root: bool
    fields: tuple[bytes, ...]


@dataclass(slots=True)
class Paths:
    """When each path last changed and how often, up to the commits that were added."""

    last: dict[bytes, float] = field(default_factory=dict)
    often: dict[bytes, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, commit: Commit) -> None:
        """One commit more, in the order of the history."""
        for path in commit.fields:
            self.last[path] = commit.time
            self.often[path] += 1

    def of(self, files: Sequence[File], time: float) -> tuple[float, float]:
        """Days since the files last changed, and their earlier changes: means over the files."""
        if not files:
            return 0.0, 0.0
        paths = [file.paths[0] for file in files]  # the old name of a renamed file
        ages = [max(0.0, time - self.last.get(path, time)) / _DAY for path in paths]
        often = mean(self.often.get(path, 0) for path in paths)
        return round(mean(ages), numstat.PLACES), round(float(often), numstat.PLACES)


def trailing(clone: Clone, head: str, deadline: float) -> dict[bytes, list[File]]:
    """The files of each of the last `WINDOW` changes up to `head`, newest first."""
    count = f"--max-count={WINDOW}"
    printed = clone.git(deadline, *_WALK, count, *numstat.ARGUMENTS, *numstat.PLAIN, head, "--")
    found = {}
    for commit in _commits(printed):
        files = numstat.parse(b"".join(one + b"\0" for one in commit.fields))
        if files and not commit.root:
            found[commit.name] = files
    return found


def history(clone: Clone, head: str, deadline: float) -> list[Commit]:
    """Every change up to `head` with the paths it touched, oldest first."""
    return list(
        _commits(
            clone.git(
                deadline,
                *_WALK,
                "--reverse",
                "--name-only",
                "--no-renames",
                *numstat.PLAIN,
                head,
                "--",
            )
        )
    )


def counted(changes: dict[bytes, list[File]], generated: Collection[bytes]) -> list[Counted]:
    """Size and spread of each change; one with nothing but generated files is none."""
    rows = (numstat.written(files, generated) for files in changes.values())
    return [tuple(map(float, astuple(numstat.counts(files)))) for files in rows if files]


def with_history(
    changes: dict[bytes, list[File]], generated: Collection[bytes], walk: Sequence[Commit]
) -> tuple[list[Counted], Paths]:
    """The same with age and earlier changes, and the state of all paths at the end."""
    paths, rows = Paths(), []
    for commit in walk:
        files = numstat.written(changes.get(commit.name, []), generated)
        if files:
            rows.append(
                (*map(float, astuple(numstat.counts(files))), *paths.of(files, commit.time))
            )
        paths.add(commit)
    return rows[::-1], paths


def _commits(printed: bytes) -> Iterator[Commit]:
    """The commits of `_WALK`, as they were printed."""
    found = list(_HEADING.finditer(printed))
    ends = [one.start() for one in found[1:]] + [len(printed)]
    for heading, end in zip(found, ends, strict=True):
        name, time, parents = heading.groups()
        # A newline stands between the heading and the diff.
        body = printed[heading.end() : end].removeprefix(b"\n")
        fields = tuple(one for one in body.split(b"\0") if one)
        yield Commit(name, float(time), not parents, fields)
