"""Flags that several commands share, and the request they make together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gate.errors import UsageError
from gate.request import Intent, Request
from gate.service import Service
from gate.service_file import ServiceFile, load
from gate.surfaces.cli.console import tell
from gate.surfaces.cli.show import FORMATS
from gate.surfaces.cli.types import Duration, Moment, Start, Variable

Command = TypeVar("Command", bound=Callable[..., Any])

FILE = click.option(
    "-f", "--file", "path", default="gate.yaml", show_default=True, help="Service file."
)
AS_OF = click.option("--as-of", type=Moment(), help="Judge as of this moment instead of now.")
VARIABLES = click.option(
    "--var", "variables", type=Variable(), multiple=True, help="A word of the queries."
)
FORMAT = click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True
)
TIMEOUT = click.option(
    "--timeout", type=Duration(), help="For all sources together (GATE_TIMEOUT)."
)


def service_file(path: str) -> ServiceFile:
    """The Service file; what it warns of is told on standard error."""
    file = load(Path(path))
    for warning in file.warnings:
        tell(f"warning: {warning}")
    return file


def about_a_canary(*, required: bool) -> Callable[[Command], Command]:
    """Which canary of which service, beside what, and since when."""
    parts = (
        FILE,
        click.option("--canary", required=required, help="The version that is judged."),
        click.option("--baseline", default="", help="The version it is compared with."),
        click.option(
            "--since", type=Start(), required=required, help="When the canary started: 20m, a time."
        ),
        AS_OF,
        VARIABLES,
    )

    def add(command: Command) -> Command:
        for part in reversed(parts):
            command = part(command)
        return command

    return add


def request(
    service: Service, flags: dict[str, Any], now: float, intent: Intent = Intent.RELEASE
) -> Callable[[float], Request]:
    """The request of these flags but for its moment, which `--as-of` fixes; raises UsageError."""
    moment = as_of(flags, now)
    if flags["since"] >= moment:
        raise UsageError("--since lies after the moment judged", "write how long ago: --since 20m")
    started = moment + flags["since"] if flags["since"] < 0 else flags["since"]
    going_back = intent is Intent.ROLLBACK
    if service.arms.offset is None and not flags["baseline"] and not going_back:
        raise UsageError("--baseline is missing", "name the version the canary is compared with")

    def at(moment: float) -> Request:
        judged = as_of(flags, moment)
        return Request(
            service=service.name,
            canary=flags["canary"],
            baseline=flags["baseline"],
            as_of=judged,
            since=judged - started,
            variables=dict(flags["variables"]),
            intent=intent,
            labels=flags.get("labels", ()),
        )

    return at


def as_of(flags: dict[str, Any], now: float) -> float:
    """The moment asked about; raises UsageError for one to come."""
    moment: float = flags["as_of"] if flags["as_of"] is not None else now
    if moment > now:
        raise UsageError("--as-of lies in the future", "judge the past, or leave it out for now")
    return moment
