"""What became of a release: told to the gate afterwards, and weighed in the next decision."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    told it. `note`: their words. `namespace`: where it ended so, if that was told. `components`
    that it touched, and what was `counted` of it as in `gate.change.Counted`: from the decision
    about it; None and empty where there is none.
    """

    service: str
    version: str
    result: Result
    at: float
    base: str = ""
    head: str = ""
    by: str = ""
    note: str = ""
    namespace: str = ""
    components: tuple[str, ...] | None = None
    counted: tuple[float, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether it went all the way, or failed on it."""
        return self.result is not Result.ABORTED

    def elsewhere(self, namespace: str) -> bool:
        """Whether it was told of another namespace, as in `differ`."""
        return differ(self.namespace, namespace)


def differ(namespace: str, other: str) -> bool:
    """Whether both are named and not the same; word of none is of each, and told to each."""
    return len({namespace, other} - {""}) == 2


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

    def known_good(self, version: str, namespace: str = "") -> bool:
        """Whether it ran through before, and nothing bad became of it after that.

        After by when it became so: a completion that is told late excuses nothing. One of another
        namespace counts for nothing: staging is to run ahead. What was bad is so everywhere.
        """
        ended = [
            one
            for one in self.told(version)
            if one.ended and (one.result.bad or not one.elsewhere(namespace))
        ]
        last = max(ended, key=lambda one: one.at, default=None)  # of one moment, the last told
        return last is not None and last.result is Result.COMPLETED

    def releases(self) -> list[Deployment]:
        """One a version with the worst word about it, at the time of the last; the newest first.

        A version is one release, however often it was spoken of.
        """
        found: dict[str, Deployment] = {}
        for one in self.deployments:
            found[one.version] = _merged(found.get(one.version, one), one)
        return sorted(found.values(), key=lambda one: -one.at)


# From the mildest; a version that was aborted first and completed later was completed.
_WORSE = (Result.ABORTED, Result.COMPLETED, Result.ROLLED_BACK, Result.INCIDENT)


def _merged(known: Deployment, other: Deployment) -> Deployment:
    """Both words about one version as one; what either knows of its change stays known."""
    worst = max(known, other, key=lambda one: _WORSE.index(one.result))
    return replace(
        worst,
        at=max(known.at, other.at),
        components=other.components if known.components is None else known.components,
        counted=known.counted or other.counted,
    )
