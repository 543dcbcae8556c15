"""What `git diff --numstat` says of a change, and what is counted of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from gate.risk.features import entropy

ARGUMENTS = ("-r", "-z", "--numstat", "--find-renames")
# No program named by the repository's configuration is run.
PLAIN = ("--no-ext-diff", "--no-textconv", "--no-relative")
PLACES = 3  # hundreds of changes are stored with each decision; more digits tell nothing


@dataclass(frozen=True, slots=True)
class File:
    """One line of numstat; `lines` are (added, deleted), None for a binary file.

    `paths`: the path, or of a rename the old and the new one.
    """

    paths: tuple[bytes, ...]
    lines: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Counts:
    """The features of size and spread (see `gate.risk.features`)."""

    added: int
    deleted: int
    files: int
    directories: int
    subsystems: int
    entropy: float


def parse(numstat: bytes) -> list[File]:
    r"""The files of `--numstat -z`: `added TAB deleted TAB path NUL`.

    Of a rename the path is empty and two follow: `added TAB deleted TAB NUL old NUL new NUL`.
    """
    return list(_files(iter(numstat.split(b"\0")[:-1])))


def _files(fields: Iterator[bytes]) -> Iterator[File]:
    for field in fields:
        added, deleted, path = field.split(b"\t", 2)
        paths = (path,) if path else (next(fields), next(fields))
        binary = added == b"-"
        yield File(paths, None if binary else (int(added), int(deleted)))


def written(files: Sequence[File], generated: Collection[bytes]) -> list[File]:
    """Without those that a program wrote."""
    return [file for file in files if file.paths[-1] not in generated]


def counts(files: Sequence[File]) -> Counts:
    """What is counted of these files."""
    lines = [file.lines for file in files if file.lines is not None]
    folders = {path.rpartition(b"/")[0] for file in files for path in file.paths}
    return Counts(
        added=sum(added for added, _ in lines),
        deleted=sum(deleted for _, deleted in lines),
        files=len(files),
        directories=len(folders),
        subsystems=len({folder.partition(b"/")[0] for folder in folders}),
        entropy=round(entropy(added + deleted for added, deleted in lines), PLACES),
    )
