"""What the checks of a commit say: check runs and commit statuses, and those the branch requires.

What may not be read is not known, and a note says which and why: a token without the permission for
checks must not look like a commit without failing ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeVar

from gate.evidence.source import SourceError
from gate.sources.github.hub import Hub
from gate.sources.github.session import RefusedError
from gate.sources.github.shapes import Branch, CheckRun, Rule, Status

# https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/collaborating-on-repositories-with-code-quality-features/troubleshooting-required-status-checks
_PASSED = frozenset({"success", "neutral", "skipped"})

Names = tuple[str, ...]
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Checks:
    """Names of checks, each once; None where not known."""

    failing: Names | None
    pending: Names | None
    missing: Names | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Requirement:
    """The checks a branch requires; None where not known, and then why."""

    names: frozenset[str] | None
    note: str = ""


def checks(hub: Hub, sha: str, required: Requirement, ignored: Sequence[str]) -> Checks:
    """Those of the commit; `ignored` are globs of names that are not looked at."""
    runs, why_runs = _asked(lambda: _runs(hub, sha))
    statuses, why_statuses = _asked(lambda: _statuses(hub, sha))
    seen = [one for one in [*(runs or ()), *(statuses or ())] if not _matches(one[0], ignored)]
    whole = runs is not None and statuses is not None
    names = {name for name, _ in seen}
    missing = None
    if whole and required.names is not None:
        missing = _sorted(n for n in required.names - names if not _matches(n, ignored))
    whys = dict.fromkeys(one for one in (why_runs, why_statuses, required.note) if one)
    return Checks(
        failing=_known(seen, "failing", whole=whole),
        pending=_known(seen, "pending", whole=whole),
        missing=missing,
        notes=tuple(f"checks are not all known: {why}" for why in whys),
    )


def requirement(hub: Hub, branch: str) -> Requirement:
    """What the branch's protection and the rulesets require before a merge into it."""
    found, why = _asked(lambda: _required(hub, branch))
    return Requirement(found, why)


def _required(hub: Hub, branch: str) -> frozenset[str]:
    told = hub.one(Branch, "branches", branch)
    wanted = told.protection and told.protection.required_status_checks
    names = {*wanted.contexts, *(one.context for one in wanted.checks)} if wanted else set()
    try:
        rules = hub.many(Rule, "rules", "branches", branch)
    except RefusedError as error:
        if error.status != 404:
            raise
        rules = []  # the branch could be read, so this is a server older than rulesets
    ruled = [
        one for rule in rules if rule.parameters for one in rule.parameters.required_status_checks
    ]
    return frozenset(names | {one.context for one in ruled})


def _runs(hub: Hub, sha: str) -> list[tuple[str, str]]:
    runs = hub.many(CheckRun, "commits", sha, "check-runs", key="check_runs")
    return [(one.name, _state_of(one)) for one in runs]


def _state_of(run: CheckRun) -> str:
    if run.status != "completed":
        return "pending"
    return "passed" if run.conclusion in _PASSED else "failing"


def _statuses(hub: Hub, sha: str) -> list[tuple[str, str]]:
    states = {"success": "passed", "pending": "pending"}
    told = hub.many(Status, "commits", sha, "status", key="statuses")
    return [(one.context, states.get(one.state, "failing")) for one in told]


def _asked(question: Callable[[], Answer]) -> tuple[Answer | None, str]:
    """The answer, or why there is none."""
    try:
        return question(), ""
    except SourceError as error:
        return None, error.message


def _known(seen: Iterable[tuple[str, str]], state: str, *, whole: bool) -> Names | None:
    """The names in this state; where there are none, only if all were seen."""
    names = _sorted(name for name, own in seen if own == state)
    return names if names or whole else None


def _sorted(names: Iterable[str]) -> Names:
    return tuple(sorted(set(names)))


def _matches(name: str, globs: Sequence[str]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)
