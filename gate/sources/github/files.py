"""The change, counted from the files that GitHub lists.

GitHub compares head with the merge base, where a clone compares the two trees: what base alone has
is then not seen to be taken back, and a note says so. Nor does it say which files are generated.

GitHub lists 3,000 files of a pull request and 300 of a comparison, and is said to list files beyond
some 20,000 lines of patches with no lines at all (github.com/orgs/community/discussions/213491). A
pull request states its totals beside the list, so those are taken where the list has less, and what
only the list can tell (the spread, what is touched) is then not known or told as `at least`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gate.change import Change
from gate.evidence.evidence import Cause
from gate.evidence.source import SourceError
from gate.sources import numstat, touched
from gate.sources.github.hub import MOST, PAGE, Hub
from gate.sources.github.shapes import ChangedFile, Commit, Comparison, Pull

MOST_COMPARED = 300  # files; https://docs.github.com/en/rest/commits/commits#compare-two-commits
# The blob without content: a file of no lines, where others without lines and patch are binary.
_EMPTY = frozenset({"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"})
_MOVED = frozenset({"renamed", "copied", "unchanged"})


@dataclass(frozen=True, slots=True)
class _Totals:
    """What GitHub states of the whole, beside its list of files."""

    files: int
    added: int
    deleted: int


def of_pull(hub: Hub, pull: Pull, commits: Sequence[Commit]) -> Change:
    """What the pull request changes; `commits` are its own, as far as GitHub lists them."""
    rows = hub.many(ChangedFile, "pulls", str(pull.number), "files")
    if not rows and not pull.changed_files:
        raise SourceError(Cause.EMPTY, f"{hub.repo}#{pull.number} changes no file")
    return _counted(
        rows,
        _Totals(pull.changed_files, pull.additions, pull.deletions),
        base=pull.base.sha,
        head=pull.head.sha,
        commits=pull.commits,
        types=types(commits, pull.commits, pull.title),
    )


def between(hub: Hub, base: str, head: str) -> Change:
    """What head has that base lacks; raises SourceError where that is nothing."""
    found = compared(hub, base, head)
    if not found.ahead_by or not found.files:
        behind = f"; it is {found.behind_by:,} commits behind" if found.behind_by else ""
        raise SourceError(Cause.EMPTY, f"{hub.repo}: {head!r} changes nothing in {base!r}{behind}")
    last = tip(found.commits)
    return _counted(
        found.files,
        None,
        base=found.base_commit.sha,
        head=last.sha if last else head,
        commits=found.ahead_by,
        types=types(found.commits, found.total_commits, behind=found.behind_by),
        notes=tuple(_behind(found.behind_by)),
    )


def compared(hub: Hub, base: str, head: str) -> Comparison:
    """The comparison with all of its commits, oldest first, up to `MOST`."""
    ends = f"{base}...{head}"
    first = hub.one(Comparison, "compare", ends, per_page=str(PAGE), page="1")
    if len(first.commits) >= first.total_commits:
        return first
    rest = hub.many(Commit, "compare", ends, key="commits", page="2")
    return first.model_copy(update={"commits": [*first.commits, *rest][:MOST]})


def tip(commits: Sequence[Commit]) -> Commit | None:
    """The one that is no other's parent, whatever their order; None where that is not one."""
    parents = {parent.sha for one in commits for parent in one.parents}
    tips = [one for one in commits if one.sha not in parents]
    return tips[0] if len(tips) == 1 else None


def types(
    commits: Sequence[Commit], count: int, *titles: str, behind: int = 0
) -> tuple[str, ...] | None:
    """Those of the commits but merges, and of the titles; None where some commits are not known.

    A title that has a type speaks for the commits that have none. `behind`: as in `touched.types`.
    """
    if len(commits) < count:
        return None
    subjects = [*titles, *(one.subject for one in commits if len(one.parents) < 2)]
    found = touched.types(subjects, behind=behind)
    typed = titles and touched.UNTYPED not in touched.types(titles)
    return tuple(one for one in found if one != touched.UNTYPED or not typed)


def _counted(
    rows: Sequence[ChangedFile],
    totals: _Totals | None,
    *,
    base: str,
    head: str,
    commits: int,
    types: tuple[str, ...] | None,
    notes: tuple[str, ...] = (),
) -> Change:
    files = [_file(row) for row in rows]
    listed = numstat.counts(files)
    of = totals or _Totals(listed.files, listed.added, listed.deleted)
    fewer_files = of.files > len(rows) or (totals is None and len(rows) >= MOST_COMPARED)
    fewer_lines = of.added + of.deleted > listed.added + listed.deleted
    return Change(
        base=base,
        head=head,
        commits=commits,
        files=max(of.files, listed.files),
        directories=listed.directories,
        lines_added=max(of.added, listed.added),
        lines_deleted=max(of.deleted, listed.deleted),
        subsystems=listed.subsystems,
        entropy=None if fewer_files or fewer_lines else listed.entropy,
        touches=None if fewer_files else _touches(files),
        types=types,
        notes=(*notes, *_notes(files, of, listed, fewer_files=fewer_files, exact=bool(totals))),
    )


def _touches(files: Sequence[numstat.File]) -> tuple[str, ...]:
    return touched.touches(path.decode() for file in files for path in file.paths)


def _file(row: ChangedFile) -> numstat.File:
    old = (row.previous_filename,) if row.previous_filename else ()
    paths = tuple(path.encode("utf-8", "replace") for path in (*old, row.filename))
    return numstat.File(paths, None if _binary(row) else (row.additions, row.deletions))


def _binary(row: ChangedFile) -> bool:
    """Whether it has neither lines nor a patch, and not because nothing in it changed."""
    silent = row.additions + row.deletions == 0 and row.patch is None
    return silent and row.status not in _MOVED and row.sha not in _EMPTY


def _notes(
    files: Sequence[numstat.File],
    of: _Totals,
    listed: numstat.Counts,
    *,
    fewer_files: bool,
    exact: bool,
) -> Iterator[str]:
    if fewer_files:
        count = f"{len(files):,} of {of.files:,} files" if exact else f"only {len(files):,} files"
        yield (
            f"GitHub lists {count}: directories are at least so many"
            f"{'' if exact else ', files and lines too'}, and what it touches is not known"
        )
    elif of.added + of.deleted > listed.added + listed.deleted:
        yield "GitHub lists some files without their lines; how the lines spread is not known"
    if binaries := sum(file.lines is None for file in files):
        which = "file is" if binaries == 1 else "files are"
        yield f"{binaries:,} {which} listed without lines: binary, or too much for GitHub"
    yield "generated and vendored files are counted too: GitHub does not tell them apart"


def _behind(count: int) -> Iterator[str]:
    if count:
        commits = "commit" if count == 1 else "commits"
        yield (
            f"base has {count:,} {commits} that head lacks; GitHub does not count what is taken "
            "back with them"
        )
