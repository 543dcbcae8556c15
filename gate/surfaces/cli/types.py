"""Values of flags: durations, moments, `key=value`, and what a plan is asked."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click

from gate import units
from gate.errors import UsageError
from gate.metric import Margin, Metric


class Duration(click.ParamType[Any]):
    """`20m`, in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, float):
            return value
        try:
            return units.seconds(value)
        except UsageError as error:
            self.fail(f"{error.message}: {error.hint}", param, ctx)


class Moment(click.ParamType[Any]):
    """`2026-11-02T11:00:00Z` or Unix seconds, as Unix seconds."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, float):
            return value
        try:
            return float(value) if _is_number(value) else _zoned(value)
        except (ValueError, OverflowError) as error:
            self.fail(
                f"{value!r} is not a moment ({error}); write 2026-11-02T11:00:00Z", param, ctx
            )


class Start(click.ParamType[Any]):
    """When the canary started: `20m` ago, or a moment. Negative numbers are seconds ago."""

    name = "duration|moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, float):
            return value
        try:
            return -units.seconds(value)
        except UsageError:
            return Moment().convert(value, param, ctx)


class Variable(click.ParamType[Any]):
    """`key=value`."""

    name = "key=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, tuple):
            return value
        key, equals, text = value.partition("=")
        if not equals or not key.isidentifier():
            self.fail(f"{value!r} is not key=value", param, ctx)
        return key, text


class Rate(click.ParamType[Any]):
    """`200rps`, in events a second."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, float):
            return value
        try:
            return units.rate(value)
        except UsageError as error:
            self.fail(f"{error.message}: {error.hint}", param, ctx)


class Weight(click.ParamType[Any]):
    """`5%` or `0.05`, as a share of 1."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, float):
            return value
        try:
            return units.share(value)
        except UsageError:
            self.fail(f"{value!r} is not a share between 0 and 100%: write 5% or 0.05", param, ctx)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worsening:
    """How much worse a metric is, or each where none is named; written as a margin is."""

    text: str
    worsened: Margin
    metric: str | None = None

    def fits(self, metric: Metric) -> bool:
        """Whether a difference in points or in seconds is one of the metric's own unit."""
        if not self.worsened.absolute:
            return True
        return metric.unit.startswith("of ") if self.text.endswith("pp") else metric.unit == "s"


class Worsened(click.ParamType[Any]):
    """`+20%`, `2x`, and for one metric `errors=+0.3pp` or `latency=+50ms`."""

    name = "[metric=]effect"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, Worsening):
            return value
        metric, _, text = value.rpartition("=")
        try:
            worsened = _worsened(text.removeprefix("+"))
        except (ValueError, UsageError):
            self.fail(
                f"{value!r} is not how much worse: write +20%, 2x, errors=+0.3pp or latency=+50ms",
                param,
                ctx,
            )
        if worsened.absolute and not metric:
            self.fail(f"{value!r} does not say of which metric: write errors={value}", param, ctx)
        return Worsening(text=text, worsened=worsened, metric=metric or None)


class Assumed(click.ParamType[Any]):
    """`errors=0.1%`."""

    name = "metric=share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, tuple):
            return value
        metric, _, text = value.rpartition("=")
        try:
            share = 0.0 if text in ("0", "0%") else units.share(text)
        except UsageError:
            share = math.nan
        if not metric or math.isnan(share):
            self.fail(f"{value!r} is not a metric and its share: write errors=0.1%", param, ctx)
        return metric, share


def _worsened(text: str) -> Margin:
    """A number of percent, times, percentage points or seconds; raises where that is no worse."""
    for unit, made in _EFFECTS.items():
        if text.endswith(unit):
            worse = made(float(text.removesuffix(unit)))
            break
    else:
        worse = Margin(1.0, units.seconds(text))
    size = worse.ratio - 1.0 + worse.absolute
    if not 0.0 < size < math.inf:
        raise ValueError(f"{text} is not worse")
    return worse


_EFFECTS: Mapping[str, Callable[[float], Margin]] = {
    "%": lambda percent: Margin(1.0 + percent / 100, 0.0),
    "x": lambda ratio: Margin(ratio, 0.0),
    "pp": lambda points: Margin(1.0, points / 100),
}


def _is_number(value: str) -> bool:
    return value.replace(".", "", 1).isdigit()


def _zoned(value: str) -> float:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    return moment.timestamp()
