"""What the gate asks of the systems it sees with. A source answers or raises `SourceError`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from gate.change import Change
from gate.errors import GateError
from gate.evidence.evidence import Cause, Pair
from gate.metric import Metric
from gate.pull import PullRequests
from gate.request import Request, Window
from gate.service import Arms, ChangeRange, PullRange
from gate.slo import Indicator, Slo


class SourceError(GateError):
    """A source could not show what it was asked for; `gather` makes it a `Gap`."""

    def __init__(self, cause: Cause, detail: str) -> None:
        super().__init__(detail)
        self.cause = cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What every question of one decision shares.

    `words` fill the query templates (canary, baseline, step and the free variables; the selector
    is added for each arm). `deadline` is in seconds of the monotonic clock of the caller
    (`time.monotonic`): no answer is waited for beyond it. `history`: the window of `Pair.history`;
    none is asked for where it has no intervals.
    """

    request: Request
    window: Window
    history: Window
    arms: Arms
    words: dict[str, str]
    deadline: float

    @property
    def tail(self) -> float:
        """Seconds between the last judged interval and the moment asked about.

        Too young to be judged, yet not too young to tell that a target has died: health is read
        at the end of it, or a canary that died a moment ago would be promoted on its past.
        """
        return self.request.as_of - self.window.end


class MetricSource(Protocol):
    """Shows both arms of a metric. Called from several threads at once."""

    def pair(self, metric: Metric, asked: Asked) -> Pair: ...


class IndicatorSource(Protocol):
    """Measures an objective over its windows, the longest first. Called from several threads."""

    def indicators(self, slo: Slo, asked: Asked) -> tuple[Indicator, ...]: ...


class ChangeSource(Protocol):
    """Tells what is being released."""

    def change(self, wanted: ChangeRange, asked: Asked) -> Change: ...


class PullSource(Protocol):
    """Tells the facts around what is being released."""

    def pulls(self, wanted: PullRange, asked: Asked) -> PullRequests: ...


# Any of them may also have `reach(deadline)`: SourceError where nothing can be asked there now.
Source = MetricSource | IndicatorSource | ChangeSource | PullSource


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a source may know of the process: the service file's folder, and the environment.

    `cache`: a folder where it may keep what is costly to ask for, None for nowhere.
    """

    folder: Path
    environ: Mapping[str, str]
    cache: Path | None = None


class SourceKind(Protocol):
    """A kind of source, ours or a stranger's: the shape of its section, and how it is opened.

    `Spec` is a pydantic model of the section in the service file, without its `kind`.
    """

    Spec: type[Any]

    def open(self, spec: Any, surroundings: Surroundings) -> Source:
        """A source that has not touched the network or a file yet."""
