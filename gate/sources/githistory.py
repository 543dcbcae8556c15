"""The changes of a repository before a release, and how often and when its files changed.

One change is one commit of the first-parent line, a merge with all that it brought: what a team
that merges pull requests calls a change. Commits without a parent (the first import; where a
shallow clone ends) are none: they seem to add everything there is. For the files they are a
beginning.

Why two walks: counting lines needs the contents of files, so only the trailing changes are
counted; names and times need no content, so the whole history is walked for them. A renamed file
begins anew there. A past that is known up to an earlier commit of the line is walked on from there.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
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

    `parent`: its first; empty where it has none here.
    """

    name: bytes
    time: float
    parent: bytes
    fields: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Before:
    """When a path last changed, None for a new one, and how often it had."""

    last: float | None = None
    often: int = 0


NEW = Before()


@dataclass(frozen=True, slots=True)
class Earlier:
    """One earlier change: its files, none for one without, and the past of each, where known."""

    name: bytes
    time: float
    files: tuple[File, ...] = ()
    before: tuple[Before, ...] | None = None


@dataclass(slots=True)
class Past:
    """The first-parent line up to `head`: its last `WINDOW` commits, and the past of every path.

    `paths` is None where the line was not walked.
    """

    head: str
    changes: deque[Earlier] = field(default_factory=lambda: deque(maxlen=WINDOW))
    paths: dict[bytes, Before] | None = None

    def files(self) -> list[File]:
        """Of all the earlier changes."""
        return [file for change in self.changes for file in change.files]

    def rows(self, generated: Collection[bytes]) -> list[Counted]:
        """What is counted of each, newest first; one with nothing but generated files is none."""
        rows = (_row(change, generated) for change in reversed(self.changes))
        return [row for row in rows if row]

    def of(self, files: Sequence[File], time: float) -> tuple[float, float] | None:
        """Days since the files last changed, and their earlier changes: means over the files."""
        if self.paths is None:
            return None
        return _means([_before(self.paths, file) for file in files], time)


def past(clone: Clone, head: str, deadline: float) -> Past:
    """The trailing changes up to `head` alone; the line itself is not walked."""
    changes = _trailing(clone, head, deadline)
    return Past(head, deque((Earlier(name, 0.0, files) for name, files in changes), WINDOW))


def walked(clone: Clone, head: str, deadline: float, known: Past | None = None) -> Past | None:
    """The whole past up to `head`; None where `known`, of an earlier commit, is not of its line.

    `known` is used up. Raises SourceError.
    """
    reach = f"{known.head}..{head}" if known else head
    line = _line(clone, reach, deadline)
    if known and (not line or line[0].parent != known.head.encode()):
        return None
    counted = dict(_trailing(clone, reach, deadline))
    found = Past(head, known.changes if known else deque(maxlen=WINDOW), {})
    found.paths = paths = (known.paths if known else None) or {}
    for commit in line:
        files = counted.get(commit.name, ())
        before = tuple(_before(paths, file) for file in files)
        found.changes.append(Earlier(commit.name, commit.time, files, before))
        for path in commit.fields:
            paths[path] = Before(commit.time, paths.get(path, NEW).often + 1)
    return found


def _trailing(clone: Clone, reach: str, deadline: float) -> list[tuple[bytes, tuple[File, ...]]]:
    """The files of each of the last `WINDOW` commits, oldest first; none of a first import."""
    count = f"--max-count={WINDOW}"
    printed = clone.git(deadline, *_WALK, count, *numstat.ARGUMENTS, *numstat.PLAIN, reach, "--")
    found = []
    for commit in _commits(printed):
        files = numstat.parse(b"".join(one + b"\0" for one in commit.fields))
        found.append((commit.name, tuple(files) if commit.parent else ()))
    return found[::-1]


def _line(clone: Clone, reach: str, deadline: float) -> list[Commit]:
    """Every commit with the paths it touched, oldest first."""
    names = ("--reverse", "--name-only", "--no-renames", *numstat.PLAIN)
    return list(_commits(clone.git(deadline, *_WALK, *names, reach, "--")))


def _before(paths: Mapping[bytes, Before], file: File) -> Before:
    return paths.get(file.paths[0], NEW)  # the old name of a renamed file


def _row(change: Earlier, generated: Collection[bytes]) -> Counted:
    files = numstat.written(change.files, generated)
    if not files:
        return ()
    sizes = tuple(map(float, astuple(numstat.counts(files))))
    if change.before is None:
        return sizes
    known = zip(change.files, change.before, strict=True)
    before = [one for file, one in known if file.paths[-1] not in generated]
    return (*sizes, *_means(before, change.time))


def _means(before: Sequence[Before], time: float) -> tuple[float, float]:
    if not before:
        return 0.0, 0.0
    ages = [0.0 if one.last is None else max(0.0, time - one.last) / _DAY for one in before]
    often = float(mean(one.often for one in before))
    return round(mean(ages), numstat.PLACES), round(often, numstat.PLACES)


def _commits(printed: bytes) -> Iterator[Commit]:
    """The commits of `_WALK`, as they were printed."""
    found = list(_HEADING.finditer(printed))
    ends = [*(one.start() for one in found[1:]), len(printed)][: len(found)]
    for heading, end in zip(found, ends, strict=True):
        name, time, parents = heading.groups()
        # A newline stands between the heading and the diff.
        body = printed[heading.end() : end].removeprefix(b"\n")
        fields = tuple(one for one in body.split(b"\0") if one)
        yield Commit(name, float(time), parents.partition(b" ")[0], fields)
