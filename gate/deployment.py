"""What became of a release: told to the gate afterwards, and weighed in the next decision."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gate.override import Override


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
    told it. `note`: their words.
    """

    service: str
    version: str
    result: Result
    at: float
    base: str = ""
    head: str = ""
    by: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """What the ledger remembers of a service: its deployments and overrides, newest first.

    `ran`: versions that the last stored decisions name as the baseline, or let go on; `decisions`:
    how many were read for that, newest first and no further than needed, None where nobody asked
    (only going back needs to know).
    """

    deployments: tuple[Deployment, ...] = ()
    overrides: tuple[Override, ...] = ()
    ran: tuple[str, ...] = ()
    decisions: int | None = None

    def told(self, version: str) -> tuple[Deployment, ...]:
        """What was told of the version, newest first."""
        return tuple(one for one in self.deployments if one.version == version)

    def known_good(self, version: str) -> bool:
        """Whether it ran through before, and nothing bad was told of it after that."""
        told = [one.result for one in self.told(version) if one.result is not Result.ABORTED]
        return bool(told) and told[0] is Result.COMPLETED
