"""What became of a release: told to the gate afterwards, and weighed in the next decision."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Result(StrEnum):
    """How a deployment ended. Later word about the same version counts beside the earlier."""

    COMPLETED = "completed"
    ROLLED_BACK = "rolled_back"
    ABORTED = "aborted"
    INCIDENT = "incident"

    @property
    def bad(self) -> bool:
        """Whether the release had to be undone, or hurt; an aborted one may have been well."""
        return self in (Result.ROLLED_BACK, Result.INCIDENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What became of `version` of `service`, as told at `at` (Unix seconds).

    `base` and `head`: the revisions it went between, where somebody named them. `by`: who or what
    told it. `note`: their words. `components` that it touched, and what was `counted` of it as in
    `gate.change.Counted`: from the decision about it; None and empty where there is none.
    """

    service: str
    version: str
    result: Result
    at: float
    base: str = ""
    head: str = ""
    by: str = ""
    note: str = ""
    components: tuple[str, ...] | None = None
    counted: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """What the ledger remembers of a service: its deployments, newest first."""

    deployments: tuple[Deployment, ...] = ()
