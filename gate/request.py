"""The question: may this candidate of this service go on, as of when?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Intent(StrEnum):
    """Going forward is judged; going back to a known-good version is never blocked."""

    RELEASE = "release"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """May `canary` of `service` go on?

    `canary` and `baseline` name the two versions as the selectors of the service file use them
    (a ReplicaSet hash, an image tag); `baseline` is empty for a historical baseline.
    `as_of` is the moment judged, in Unix seconds; `since` how long before it the canary started,
    in seconds. `variables` are the free words of the query templates; `labels` say what kind of
    release it is (`emergency`), beside those of its pull requests.
    """

    service: str
    canary: str
    baseline: str
    as_of: float
    since: float
    variables: Mapping[str, str] = field(default_factory=dict)
    intent: Intent = Intent.RELEASE
    labels: tuple[str, ...] = ()

    @property
    def namespace(self) -> str:
        """The free word of that name; empty where none was told."""
        return self.variables.get("namespace", "")


@dataclass(frozen=True, slots=True)
class Window:
    """The judged time, cut into `count` intervals `(start + i*step, start + (i+1)*step]`.

    Unix seconds. Both ends lie on multiples of the step, so that asking twice reads the same
    intervals and a cache in front of the source can help.
    """

    start: float
    step: float
    count: int

    @property
    def end(self) -> float:
        return self.start + self.step * self.count

    @property
    def ends(self) -> tuple[float, ...]:
        """The end of every interval."""
        return tuple(self.start + self.step * (i + 1) for i in range(self.count))

    def before(self, length: float) -> Window:
        """The whole intervals of `length` seconds that end where this window starts."""
        count = math.floor(length / self.step)
        return Window(self.start - count * self.step, self.step, count)

    @staticmethod
    def of(request: Request, step: float, lag: float) -> Window:
        """The whole intervals between the canary's start and `as_of - lag`.

        The first interval starts after the canary did (it must not contain the time before), and
        the last one ends `lag` seconds ago (what is younger may not have arrived yet).
        """
        first = math.ceil((request.as_of - request.since) / step)
        last = math.floor((request.as_of - lag) / step)
        return Window(first * step, step, max(0, last - first))
