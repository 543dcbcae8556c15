"""`gate freezes`: when releases of a service are closed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import click
import orjson

from gate.errors import UsageError
from gate.policy.calendar import concerns, moment, windows
from gate.policy.freeze import Freeze, Kind
from gate.policy.policy import Policy
from gate.surfaces.cli import options
from gate.surfaces.cli.console import emit
from gate.surfaces.cli.show import show_page
from gate.surfaces.cli.types import Duration, Moment
from gate.surfaces.report.numbers import moment as utc
from gate.surfaces.report.numbers import rfc3339
from gate.surfaces.report.page import Page, Section, printable
from gate.units import duration
from gate.wiring import policy_of

SCHEMA = "gate.freezes/v1"
LONGEST = 366 * 86_400.0


@click.command(epilog="Example: gate freezes -f gate.yaml --for 30d")
@options.FILE
@click.option("--policy", help="The freezes of this policy instead of the file's.")
@click.option("--from", "start", type=Moment(), help="From this moment on instead of now.")
@click.option("--for", "length", type=Duration(), default="30d", show_default=True)
@options.FORMAT
def freezes(path: str, policy: str | None, start: float | None, length: float, form: str) -> None:
    """When releases of the service are closed, or by `kind: allow` open, in the time to come."""
    if not 0 < length <= LONGEST:
        raise UsageError(f"--for must lie between 0s and {duration(LONGEST)}", "write --for 30d")
    file = options.service_file(path)
    decides = policy_of(file, policy)
    begin = time.time() if start is None else start
    ours = [one for one in decides.freezes if concerns(one, file.service)]
    found = sorted(_windows(ours, begin, begin + length), key=lambda one: one["starts_at"])
    if form == "json":
        told = {
            "schema": SCHEMA, "service": file.service.name, "policy": decides.name,
            "from": rfc3339(begin), "until": rfc3339(begin + length), "windows": found,
        }  # fmt: skip
        emit(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    else:
        show_page(_page(file.service.name, decides, found, (begin, begin + length)), form)


def _windows(ours: list[Freeze], start: float, end: float) -> Iterator[dict[str, Any]]:
    for one in ours:
        for begins, ends in windows(one, start, end):
            first, last = moment(begins, one.zone), moment(ends, one.zone)
            yield {
                "name": one.name,
                "kind": one.kind,
                "starts_at": begins,
                "ends_at": ends,
                "starts": first.local,
                "ends": last.local,
                "words": [first.words, last.words],
                "may_pass": one.excepts,
            }


def _page(
    service: str, policy: Policy, found: list[dict[str, Any]], span: tuple[float, float]
) -> Page:
    rows = tuple(
        (
            one["name"] if one["kind"] is Kind.DENY else f"{one['name']} (open)",
            *one["words"],
            ", ".join(one["may_pass"]) or "-",
        )
        for one in found
    )
    none = () if rows else ("no window in this time",)
    page: Page = printable(
        Page(
            title="Freezes",
            subject=service,
            context=(f"{utc(span[0])} to {utc(span[1])}, policy {policy.name}",),
            sections=(
                Section(
                    title="Windows",
                    columns=("name", "starts", "ends", "may pass"),
                    rows=rows,
                    lines=none,
                ),
            ),
        )
    )
    return page
