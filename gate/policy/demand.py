"""A row of a policy's evidence table: how much must be seen of a release, and when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Untold(StrEnum):
    """What becomes of a row whose condition cannot be told."""

    APPLY = "apply"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """After `after` seconds of judged time, "not worse" at the weaker `beta` is enough."""

    after: float
    beta: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """One row; what it does not name (None, empty) it leaves to the other rows and the file.

    `when`: CEL over the facts known before judging, empty for always. `alpha`: the false-alarm
    level of *worse*. `beta`: how sure *not worse* must be. `margins`: a factor in (0, 1] on how
    much worse is still fine. `minutes`: judged ones. `events`: the fewest canary events of each
    critical metric that counts some. `required`: names of metrics, with `*`, that become critical.
    `never_settle`: the row forbids every `settle`.
    """

    name: str
    when: str = ""
    on_unknown: Untold = Untold.APPLY
    alpha: float | None = None
    beta: float | None = None
    margins: float | None = None
    minutes: float | None = None
    events: int | None = None
    required: tuple[str, ...] = ()
    settle: Settle | None = None
    never_settle: bool = False
