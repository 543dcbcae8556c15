"""The change between two revisions of a git clone, told by the `git` program.

Why the two trees are compared and not head with the merge base (`base...head`): the question is
what changes in production when head replaces base. Where base carries a hotfix that head lacks,
the merge base would hide that the release takes it back; the trees show it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gate.change import Change, Counted
from gate.document import Section
from gate.evidence.evidence import Cause
from gate.evidence.source import Asked, SourceError, Surroundings
from gate.service import ChangeRange, Globs
from gate.sources import around, githistory, numstat, touched
from gate.sources.attributes import not_written
from gate.sources.clone import Clone
from gate.sources.gitcache import GitCache
from gate.sources.numstat import File
from gate.template import render

ANY = Globs()
_LONGEST = 0.5  # share of the time left that looking back may take: the change itself comes first


class GitSpec(Section):
    """Which clone: `repo`, a folder relative to the service file's."""

    repo: str = "."


@dataclass(frozen=True, slots=True)
class _Past:
    """The repository's own changes, and the touched files' history; what is missing, in notes."""

    recent: Sequence[Counted] = ()
    age: float | None = None
    changes: float | None = None
    notes: tuple[str, ...] = ()


class Git:
    """Tells what is between two revisions of a clone.

    Parameters: `spec`; `base`, the folder that `spec.repo` is relative to; `environment`, what
    the git program inherits; `cache`, a folder that keeps what it told of the past, if any.
    """

    Spec = GitSpec

    @classmethod
    def open(cls, spec: GitSpec, surroundings: Surroundings) -> Git:
        return cls(spec, surroundings.folder, surroundings.environ, surroundings.cache)

    def __init__(
        self,
        spec: GitSpec,
        base: Path,
        environment: Mapping[str, str],
        cache: Path | None = None,
    ) -> None:
        self._clone = Clone(base / spec.repo, environment)
        self._cache = GitCache(cache, base / spec.repo) if cache else None

    def change(self, wanted: ChangeRange, asked: Asked) -> Change:
        """What head changes in base; raises SourceError as `between` does."""
        base, head = (render(one, asked.words) for one in (wanted.base, wanted.head))
        return self.between(base, head, asked.deadline, wanted.globs)

    def between(self, base: str, head: str, deadline: float, globs: Globs = ANY) -> Change:
        """What head changes in base, and the repository's own changes up to base.

        Raises SourceError where a revision is not in the clone, where the two share no history,
        and where nothing differs: no change was seen, which is not a change without risk.
        """
        clone = self._clone
        shallow = clone.shallow(deadline)
        old, new = (clone.commit(one, deadline, shallow=shallow) for one in (base, head))
        if not shallow and not clone.related(old, new, deadline):
            raise SourceError(
                Cause.BAD_QUERY, f"{clone.folder}: {base!r} and {head!r} have no common history"
            )
        diff = clone.git(deadline, "diff-tree", *numstat.ARGUMENTS, *numstat.PLAIN, old, new)
        everything = numstat.parse(diff)
        if not everything:
            raise SourceError(
                Cause.EMPTY, f"{clone.folder}: nothing differs between {base!r} and {head!r}"
            )
        generated = self._generated(everything, old, globs, deadline)
        files = numstat.written(everything, generated)
        counts = numstat.counts(files)
        behind, ahead = self._distance(old, new, deadline)
        until = time.monotonic() + _LONGEST * (deadline - time.monotonic())
        past = self._past(old, new, files, globs, until, shallow=shallow)
        binaries = sum(file.lines is None for file in files)
        left_out = len(everything) - len(files)
        paths = [os.fsdecode(path) for file in everything for path in file.paths]
        owned = around.codeowners(clone, old, deadline)
        meaning = touched.touched(paths, globs, owned.text)
        said = _notes(binaries, left_out, behind, globs, shallow=shallow)
        notes = (*said, *past.notes, *owned.notes, *meaning.notes)
        told = None if shallow else around.messages(clone, old, new, deadline)
        return Change(
            base=old,
            head=new,
            commits=None if shallow else ahead,
            files=counts.files,
            directories=counts.directories,
            lines_added=counts.added,
            lines_deleted=counts.deleted,
            subsystems=counts.subsystems,
            entropy=counts.entropy,
            age=past.age,
            changes=past.changes,
            touches=meaning.touches,
            types=touched.types(told.subjects, behind=behind) if told else None,
            components=meaning.components,
            owners=meaning.owners,
            flagged=told.flagged and not behind if told else None,
            recent=tuple(past.recent),
            notes=notes,
        )

    def committed(self, commit: str, deadline: float) -> float:
        """When the commit was made, in Unix seconds; raises SourceError."""
        return float(self._clone.git(deadline, "show", "-s", "--format=%ct", commit))

    def _past(
        self,
        base: str,
        head: str,
        files: Sequence[File],
        globs: Globs,
        deadline: float,
        *,
        shallow: bool,
    ) -> _Past:
        """What came before; whatever cannot be told in time costs only itself."""
        notes: tuple[str, ...] = ()
        until = time.monotonic() + _LONGEST * (deadline - time.monotonic())
        try:
            past = None if shallow else self._whole(base, until)
        except SourceError as error:
            past, notes = None, (f"the files' history is not known: {error.message}",)
        try:
            past = past or githistory.past(self._clone, base, deadline)
            rows = past.rows(self._generated(past.files(), base, globs, deadline))
            now = self.committed(head, deadline)
        except SourceError as error:
            return _Past(notes=(f"earlier changes are not known: {error.message}",))
        age, changes = past.of(files, now) or (None, None)
        return _Past(rows, age, changes, notes)

    def _whole(self, base: str, deadline: float) -> githistory.Past | None:
        """The past up to base: as it is kept, or walked on from one that is, or from the start."""
        cache = self._cache
        if cache is None:
            return githistory.walked(self._clone, base, deadline)
        past = cache.read(base)
        if past is None:
            past = self._walked_on(cache, base, deadline)
            past = past or githistory.walked(self._clone, base, deadline)
            if past:
                cache.write(past)
        return past

    def _walked_on(self, cache: GitCache, base: str, deadline: float) -> githistory.Past | None:
        for known in cache.others():
            try:
                past = githistory.walked(self._clone, base, deadline, known)
            except SourceError:
                continue  # a commit that this clone does not hold any more
            if past:
                return past
        return None

    def _generated(
        self, files: Sequence[File], base: str, globs: Globs, deadline: float
    ) -> frozenset[bytes]:
        """The paths that the globs or .gitattributes of base call generated or vendored."""
        paths = {file.paths[-1] for file in files}
        named = touched.matched(map(os.fsdecode, paths), globs.uncounted)
        return not_written(self._clone, base, paths, deadline).union(map(os.fsencode, named))

    def _distance(self, base: str, head: str, deadline: float) -> tuple[int, int]:
        """Commits only base has, and commits only head has."""
        counted = self._clone.git(
            deadline, "rev-list", "--count", "--left-right", f"{base}...{head}"
        )
        behind, ahead = counted.split()
        return int(behind), int(ahead)


def _notes(
    binaries: int, left_out: int, behind: int, globs: Globs, *, shallow: bool
) -> Iterator[str]:
    if binaries:
        files = "file is" if binaries == 1 else "files are"
        yield f"{binaries} binary {files} not counted in lines"
    if left_out:
        files = "file is" if left_out == 1 else "files are"
        by = ".gitattributes, service file" if globs.uncounted else ".gitattributes"
        yield f"{left_out} generated or vendored {files} not counted ({by})"
    if shallow:
        yield "shallow clone: commits and the files' history are not counted"
    elif behind:
        commits = "commit" if behind == 1 else "commits"
        yield f"base has {behind} {commits} that head lacks; they are taken back"
