"""Values of flags: durations, moments, `key=value`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from gate import units
from gate.errors import UsageError


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


def _is_number(value: str) -> bool:
    return value.replace(".", "", 1).isdigit()


def _zoned(value: str) -> float:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    return moment.timestamp()
