"""JSON, one array a series; the format to record in.

    {"series": [{"name": "http_requests_total", "labels": {"version": "v2", "code": "200"},
                 "start": 1793613660, "step": 60, "values": [601, 588, null]}],
     "indicators": [{"slo": "availability", "window": "30d", "bad": 400, "total": 1000000}],
     "changes": {"v2": {"base": "v1", "head": "v2", "commits": 3, "files": 4, "directories": 2,
                        "lines_added": 80, "lines_deleted": 12}}}

`start` is the time of the first value, in Unix seconds; `times` may stand in place of `start` and
`step`. `null` was not seen. `change` in place of `changes` is for any canary.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Any

import orjson
import pydantic

from gate import units
from gate.change import Change
from gate.document import Section
from gate.errors import UsageError, did_you_mean
from gate.evidence.evidence import Cause
from gate.evidence.source import SourceError
from gate.slo import Indicator
from gate.sources.recording.recording import Collector, Recording

_Number = Annotated[float, pydantic.Field(strict=True, allow_inf_nan=False)]
_Count = Annotated[int, pydantic.Field(strict=True, ge=0)]
_Events = Annotated[_Number, pydantic.Field(ge=0)]
_Label = Annotated[str, pydantic.Field(min_length=1)]


def _seconds(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return units.seconds(value)
    except UsageError as error:
        raise ValueError(error.message) from None


_Window = Annotated[_Number, pydantic.Field(gt=0), pydantic.BeforeValidator(_seconds)]


class _Series(Section):
    name: _Label
    labels: dict[_Label, str] = pydantic.Field(default_factory=dict)
    start: _Number | None = None
    step: Annotated[_Number, pydantic.Field(gt=0)] | None = None
    times: list[_Number] | None = None
    values: list[_Number | None]

    @pydantic.model_validator(mode="after")
    def _placed_in_time(self) -> _Series:
        stepped = self.start is not None and self.step is not None
        if stepped == (self.times is not None) or (self.start is None) != (self.step is None):
            raise ValueError("give either start and step, or times")
        if self.times is not None and len(self.times) != len(self.values):
            raise ValueError(f"{len(self.times)} times, but {len(self.values)} values")
        return self

    def samples(self) -> Iterator[tuple[float, float]]:
        for i, value in enumerate(self.values):
            yield self._time(i), math.nan if value is None else value

    def _time(self, i: int) -> float:
        if self.times is not None:
            return self.times[i]
        return (self.start or 0.0) + i * (self.step or 0.0)


class _Indicator(Section):
    slo: _Label
    window: _Window
    bad: _Events | None = None
    total: Annotated[_Number, pydantic.Field(gt=0)] | None = None
    error_ratio: Annotated[_Number, pydantic.Field(ge=0, le=1)] | None = None

    @pydantic.model_validator(mode="after")
    def _one_measure(self) -> _Indicator:
        counted = self.bad is not None and self.total is not None
        if counted == (self.error_ratio is not None) or (self.bad is None) != (self.total is None):
            raise ValueError("give either bad and total, or error_ratio")
        if self.bad is not None and self.total is not None and self.bad > self.total:
            raise ValueError(f"bad ({self.bad:g}) exceeds total ({self.total:g})")
        return self

    def indicator(self) -> Indicator:
        if self.bad is not None and self.total is not None:
            share = self.bad / self.total
            return Indicator(self.slo, self.window, share, self.bad, self.total)
        return Indicator(self.slo, self.window, self.error_ratio or 0.0)


class _Change(Section):
    base: str
    head: str
    commits: _Count | None = None
    files: _Count
    directories: _Count
    lines_added: _Count
    lines_deleted: _Count
    subsystems: _Count | None = None
    entropy: Annotated[_Number, pydantic.Field(ge=0)] | None = None
    notes: tuple[str, ...] = ()

    def change(self) -> Change:
        return Change(**self.model_dump())


class _File(Section):
    series: tuple[_Series, ...] = ()
    indicators: tuple[_Indicator, ...] = ()
    change: _Change | None = None
    changes: dict[str, _Change] | None = None

    @pydantic.model_validator(mode="after")
    def _one_way_to_tell_changes(self) -> _File:
        if self.change is not None and self.changes is not None:
            raise ValueError("give either change or changes")
        return self


def parse(text: str, file: str) -> Recording:
    """The recording in a JSON text; raises MALFORMED naming the place."""
    read = _fit(text, file)
    changes: dict[str | None, Change] = {
        canary: change.change() for canary, change in (read.changes or {}).items()
    }
    if read.change is not None:
        changes[None] = read.change.change()
    collector = Collector(f"{file}: series.{{}}")
    for number, series in enumerate(read.series):
        for time, value in series.samples():
            collector.add(series.name, series.labels, time, value, number)
    return Recording(
        file=file,
        series=collector.series(),
        indicators=tuple(indicator.indicator() for indicator in read.indicators),
        changes=changes,
    )


def _fit(text: str, file: str) -> _File:
    try:
        return _File.model_validate(orjson.loads(text))
    except orjson.JSONDecodeError as error:
        raise SourceError(
            Cause.MALFORMED, f"{file}:{error.lineno}:{error.colno}: not JSON: {error.msg}"
        ) from None
    except pydantic.ValidationError as error:
        raise SourceError(Cause.MALFORMED, f"{file}: {_complaint(error.errors()[0])}") from None


def _complaint(error: Any) -> str:
    place = ".".join(str(step) for step in error["loc"]) or "document"
    if error["type"] == "unknown_key":
        key, known = str(error["ctx"]["unknown"][0]), error["ctx"]["known"]
        return f"{place}: unknown key {key!r}{did_you_mean(key, known)}"
    message = error["msg"].removeprefix("Value error, ")
    return f"{place}: {message[:1].lower()}{message[1:]}"
