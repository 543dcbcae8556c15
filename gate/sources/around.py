"""What a clone tells around a change, beside its files: what its commits say, and who owns what."""

from __future__ import annotations

import os
from dataclasses import dataclass

from gate.evidence.source import SourceError
from gate.sources.clone import Clone
from gate.sources.owners import PLACES

# https://git-scm.com/docs/git-interpret-trailers
_FLAG = "--format=%(trailers:key=Feature-Flag,valueonly)%x00"


@dataclass(frozen=True, slots=True)
class Messages:
    """The first lines of the commits, and whether each change names its feature flag."""

    subjects: list[str]
    flagged: bool


@dataclass(frozen=True, slots=True)
class Codeowners:
    """The text of the file; None where there is none, or it cannot be read, as `notes` say."""

    text: str | None
    notes: tuple[str, ...] = ()


def messages(clone: Clone, base: str, head: str, deadline: float) -> Messages:
    """What the commits say that only head has; a change is a commit of its first-parent line."""
    log, reach = ("log", "--no-show-signature"), f"{base}..{head}"
    subjects = clone.git(deadline, *log, "--no-merges", "--format=%s", reach)
    flags = clone.git(deadline, *log, "--first-parent", _FLAG, reach).split(b"\0")[:-1]
    return Messages(
        subjects.decode("utf-8", "replace").splitlines(),
        bool(flags) and all(flag.strip() for flag in flags),
    )


def codeowners(clone: Clone, commit: str, deadline: float) -> Codeowners:
    """The CODEOWNERS of a commit.

    It is asked of base, not of head: a change does not say itself who has a say in it.
    """
    try:
        tree = ("ls-tree", "--full-tree", "-z", commit, "--", *PLACES)
        lines = os.fsdecode(clone.git(deadline, *tree)).split("\0")[:-1]
        found = {
            path: entry.split()[2] for entry, _, path in (one.partition("\t") for one in lines)
        }
        name = next((found[place] for place in PLACES if place in found), None)
        if name is None:
            return Codeowners(None)
        text = clone.git(deadline, "cat-file", "blob", name)
    except SourceError as error:
        return Codeowners(None, (f"the owners are not known: {error.message}",))
    return Codeowners(text.decode("utf-8", "replace"))
