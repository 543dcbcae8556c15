"""A git clone, asked by the `git` program: hardened, by a deadline, with clear refusals."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from gate.evidence.evidence import Cause
from gate.evidence.source import SourceError

_HARDENED = {
    "GIT_NO_REPLACE_OBJECTS": "1",  # a commit's name stands for all that came before it
    "GIT_OPTIONAL_LOCKS": "0",  # only read: take no lock that a build beside us may want
    "GIT_TERMINAL_PROMPT": "0",  # a partial clone may fetch; nobody is there to type a password
    "GIT_PAGER": "cat",
    "LC_ALL": "C",
}
# An index that is split would leave a part of itself in the clone.
_PLAIN = ("--no-pager", "-c", "core.splitIndex=false")
# Of git's own variables only its configuration is passed on (it holds safe.directory); GIT_DIR and
# its like, set inside hooks, would point to another repository than the one asked for.
_PASSED_ON = "GIT_CONFIG"


class Clone:
    """The clone in a folder.

    Parameters: `environment`, what the git program inherits; `index`, a file that takes the place
    of the clone's own.
    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str], index: Path | None = None
    ) -> None:
        self.folder = folder
        self._environment = environment
        self._index = {} if index is None else {"GIT_INDEX_FILE": str(index)}

    def shallow(self, deadline: float) -> bool:
        """Whether the history of the clone ends early."""
        return self.git(deadline, "rev-parse", "--is-shallow-repository") == b"true\n"

    def commit(self, revision: str, deadline: float, *, shallow: bool) -> str:
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
                f"{self.folder}: {revision!r} is not in this shallow clone; fetch more of its "
                "history (git fetch --unshallow; actions/checkout: fetch-depth: 0)",
            )
        raise SourceError(Cause.BAD_QUERY, f"{self.folder}: git knows no revision {revision!r}")

    def top(self, deadline: float) -> Clone:
        """The clone at its topmost folder, to which the paths in diffs are relative."""
        up = self.git(deadline, "rev-parse", "--show-cdup").decode().strip()
        return Clone(self.folder / up, self._environment)

    def with_index(self, index: Path) -> Clone:
        """The same clone with another index."""
        return Clone(self.folder, self._environment, index)

    def related(self, base: str, head: str, deadline: float) -> bool:
        """Whether the two commits have a common ancestor."""
        return self._run(deadline, "merge-base", base, head).returncode != 1

    def git(self, deadline: float, *arguments: str, given: bytes = b"") -> bytes:
        """What git prints, with `given` on its standard input."""
        done = self._run(deadline, *arguments, given=given)
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
            raise SourceError(Cause.UNREACHABLE, f"{self.folder}: git {arguments[0]}: {said}")
        return done.stdout

    def _run(
        self, deadline: float, *arguments: str, given: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        left = deadline - time.monotonic()
        if left <= 0:
            raise SourceError(Cause.TIMEOUT, f"{self.folder}: no time left for git {arguments[0]}")
        try:
            # An argument list without a shell; revisions are checked not to be options.
            return subprocess.run(  # noqa: S603
                ["git", "-C", str(self.folder), *_PLAIN, *arguments],  # noqa: S607
                input=given,
                capture_output=True,
                env=_clean(self._environment) | self._index,
                timeout=left,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise SourceError(
                Cause.TIMEOUT, f"{self.folder}: git {arguments[0]} took more than {left:.1f} s"
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
