"""The change between two revisions of a git clone, told by the `git` program.

Why the two trees are compared and not head with the merge base (`base...head`): the question is
what changes in production when head replaces base. Where base carries a hotfix that head lacks,
the merge base would hide that the release takes it back; the trees show it.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gate.change import Change
from gate.document import Section
from gate.evidence.evidence import Cause
from gate.evidence.source import Asked, SourceError, Surroundings
from gate.service import ChangeRange
from gate.template import render

_HARDENED = {
    "GIT_OPTIONAL_LOCKS": "0",  # only read: take no lock that a build beside us may want
    "GIT_TERMINAL_PROMPT": "0",  # a partial clone may fetch; nobody is there to type a password
    "GIT_PAGER": "cat",
    "LC_ALL": "C",
}
# Of git's own variables only its configuration is passed on (it holds safe.directory); GIT_DIR and
# its like, set inside hooks, would point to another repository than the one asked for.
_PASSED_ON = "GIT_CONFIG"

_DIFF = ("diff-tree", "-r", "-z", "--numstat", "--find-renames")
# No program named by the repository's configuration is run.
_PLAIN = ("--no-ext-diff", "--no-textconv", "--no-relative")


class GitSpec(Section):
    """Which clone: `repo`, a folder relative to the service file's."""

    repo: str = "."


@dataclass(frozen=True, slots=True)
class _File:
    """One line of numstat; `lines` are (added, deleted), None for a binary file."""

    paths: tuple[bytes, ...]
    lines: tuple[int, int] | None


class Git:
    """Tells what is between two revisions of a clone.

    Parameters: `spec`; `base`, the folder that `spec.repo` is relative to; `environment`, what
    the git program inherits.
    """

    Spec = GitSpec

    @classmethod
    def open(cls, spec: GitSpec, surroundings: Surroundings) -> Git:
        return cls(spec, surroundings.folder, surroundings.environ)

    def __init__(self, spec: GitSpec, base: Path, environment: Mapping[str, str]) -> None:
        self._repo = base / spec.repo
        self._environment = environment

    def change(self, wanted: ChangeRange, asked: Asked) -> Change:
        """What head changes in base; raises SourceError where a revision is not in the clone."""
        deadline = asked.deadline
        shallow = self._git(deadline, "rev-parse", "--is-shallow-repository") == b"true\n"
        base, head = (
            self._commit(render(revision, asked.words), deadline, shallow=shallow)
            for revision in (wanted.base, wanted.head)
        )
        files = list(_files(self._git(deadline, *_DIFF, *_PLAIN, base, head)))
        behind, ahead = self._distance(base, head, deadline)
        counted = [file.lines for file in files if file.lines is not None]
        return Change(
            base=base,
            head=head,
            commits=None if shallow else ahead,
            files=len(files),
            directories=len({path.rpartition(b"/")[0] for file in files for path in file.paths}),
            lines_added=sum(added for added, _ in counted),
            lines_deleted=sum(deleted for _, deleted in counted),
            notes=tuple(_notes(len(files) - len(counted), behind, shallow=shallow)),
        )

    def _commit(self, revision: str, deadline: float, *, shallow: bool) -> str:
        """The full name of the commit that the revision names."""
        if not revision.isprintable() or not revision or revision.startswith("-"):
            raise SourceError(Cause.BAD_QUERY, f"{revision!r} is not a git revision")
        peeled = f"{revision}^{{commit}}"
        found = self._run(deadline, "rev-parse", "--verify", "--quiet", peeled)
        if found.returncode == 0:
            return found.stdout.decode("ascii").strip()
        if shallow:
            raise SourceError(
                Cause.PARTIAL,
                f"{self._repo}: {revision!r} is not in this shallow clone; fetch more of its "
                "history (git fetch --unshallow; actions/checkout: fetch-depth: 0)",
            )
        raise SourceError(Cause.BAD_QUERY, f"{self._repo}: git knows no revision {revision!r}")

    def _distance(self, base: str, head: str, deadline: float) -> tuple[int, int]:
        """Commits only base has, and commits only head has."""
        counted = self._git(deadline, "rev-list", "--count", "--left-right", f"{base}...{head}")
        behind, ahead = counted.split()
        return int(behind), int(ahead)

    def _git(self, deadline: float, *arguments: str) -> bytes:
        done = self._run(deadline, *arguments)
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
            raise SourceError(Cause.UNREACHABLE, f"{self._repo}: git {arguments[0]}: {said}")
        return done.stdout

    def _run(self, deadline: float, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        left = deadline - time.monotonic()
        if left <= 0:
            raise SourceError(Cause.TIMEOUT, f"{self._repo}: no time left for git {arguments[0]}")
        try:
            # An argument list without a shell; revisions are checked not to be options.
            return subprocess.run(  # noqa: S603
                ["git", "-C", str(self._repo), "--no-pager", *arguments],  # noqa: S607
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env=_clean(self._environment),
                timeout=left,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise SourceError(
                Cause.TIMEOUT, f"{self._repo}: git {arguments[0]} took more than {left:.1f} s"
            ) from None
        except OSError as error:
            raise SourceError(
                Cause.UNREACHABLE, f"the git program cannot be run: {error.strerror}"
            ) from None


def _clean(environment: Mapping[str, str]) -> dict[str, str]:
    passed = {
        name: value
        for name, value in environment.items()
        if not name.startswith("GIT_") or name.startswith(_PASSED_ON)
    }
    return passed | _HARDENED


def _files(numstat: bytes) -> Iterator[_File]:
    r"""The files of `--numstat -z`: `added TAB deleted TAB path NUL`.

    Of a rename the path is empty and two follow: `added TAB deleted TAB NUL old NUL new NUL`.
    """
    fields = iter(numstat.split(b"\0")[:-1])
    for field in fields:
        added, deleted, path = field.split(b"\t", 2)
        paths = (path,) if path else (next(fields), next(fields))
        binary = added == b"-"
        yield _File(paths, None if binary else (int(added), int(deleted)))


def _notes(binaries: int, behind: int, *, shallow: bool) -> Iterator[str]:
    if binaries:
        files = "file is" if binaries == 1 else "files are"
        yield f"{binaries} binary {files} not counted in lines"
    if shallow:
        yield "shallow clone: commits are not counted"
    elif behind:
        commits = "commit" if behind == 1 else "commits"
        yield f"base has {behind} {commits} that head lacks; they are taken back"
