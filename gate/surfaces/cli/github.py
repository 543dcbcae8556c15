"""`gate github`: what a workflow leaves on GitHub of its decisions."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
import orjson

from gate.decision import from_json
from gate.errors import UsageError
from gate.service_file import load
from gate.settings import settings
from gate.sources.exchange import Patience
from gate.sources.github.github import DEFAULT_URL, TOKEN_ENV, URL_ENV
from gate.sources.github.session import Server
from gate.surfaces.cli.console import emit, tell
from gate.surfaces.cli.options import FILE
from gate.surfaces.exit_code import exit_code
from gate.surfaces.github import notice
from gate.surfaces.github.place import Place, place
from gate.surfaces.github.writing import Writer, Written
from gate.surfaces.report.document import as_json
from gate.surfaces.report.markdown import markdown
from gate.surfaces.report.page import printable
from gate.surfaces.report.report import report as told_of
from gate.wiring import ledger as wired

SCHEMA = "gate.github/v1"
WITHIN = 30.0  # seconds for all writes together
Command = TypeVar("Command", bound=Callable[..., Any])

SERVICE = click.option("--service", help="The name of the service, instead of its file.")


@click.group(epilog="Example: gate github report --status --comment always 3f9c0a12")
def github() -> None:
    """Statuses, a check run and a comment, from a workflow with GITHUB_TOKEN.

    What cannot be written is told, with the permission that it needs; the exit code stays 0, for
    no verdict changes by it.
    """


def _shared(command: Command) -> Command:
    for option in (
        click.option("--format", "form", type=click.Choice(["text", "json"]), default="text"),
        click.option("--deployment", type=click.IntRange(min=1), help="The deployment's number."),
        click.option("--status", is_flag=True, help="The commit status release-gate/SERVICE."),
    ):
        command = option(command)
    return command


def _lasting(command: Command) -> Command:
    """What is written once, of an end."""
    for option in (
        click.option("--pr", type=click.IntRange(min=1), help="Instead of the event's."),
        click.option(
            "--comment", type=click.Choice(["always", "existing"]),
            help="The pull request's one comment; existing: only bring it up to date.",
        ),
        click.option("--check", is_flag=True, help="A check run with the report."),
    ):  # fmt: skip
        command = option(command)
    return command


@github.command("begin", epilog="Example: gate github begin -f gate.yaml --status")
@FILE
@SERVICE
@_shared
def begin(path: str, service: str | None, **flags: Any) -> None:
    """That the gate has begun to look: a pending status, a deployment in progress."""
    told = notice.begun(service or load(Path(path)).service.name)
    _tell(list(_following(_writer(_place()), told, flags)), flags["form"])


@github.command("give-up", epilog="Example: gate github give-up -f gate.yaml --status")
@FILE
@SERVICE
@_shared
@_lasting
@click.option("--reason", default="", help="Why, in a sentence.")
def give_up(path: str, service: str | None, reason: str, **flags: Any) -> None:
    """That it has stopped without a decision, so that nothing stays pending or says otherwise."""
    told = notice.given_up(service or load(Path(path)).service.name, reason)
    _tell(list(_end(_writer(_place()), told, flags)), flags["form"])


@github.command("report", epilog="Example: gate github report --status --comment always 3f9c0a12")
@click.argument("id_", metavar="ID", default="")
@_shared
@_lasting
@click.option("--report", "path", help="A report as JSON instead of ID: a server's, say.")
@click.option("--page", help="The same report as markdown.")
@click.option("--ledger", help="Where decisions are kept (GATE_LEDGER).")
def report(id_: str, **flags: Any) -> None:
    """What was decided: a decision of the ledger, or one whose report is at hand."""
    if bool(id_) == bool(flags["path"]) or (flags["page"] and id_):
        raise UsageError("name either ID, or --report (and --page)", "gate ledger list: the ids")
    told = notice.of(*(_at_hand(flags) if flags["path"] else _stored(id_, flags)))
    _tell(list(_end(_writer(_place()), told, flags)), flags["form"])


def _stored(id_: str, flags: dict[str, Any]) -> tuple[Mapping[str, Any], str]:
    """The report of a decision in the ledger, as JSON and as markdown."""
    entry = wired(settings(os.environ, ledger=flags["ledger"])).entry(id_)
    decision = from_json(entry.record.body)
    return orjson.loads(as_json(decision, exit_code(decision))), markdown(told_of(decision))


def _at_hand(flags: dict[str, Any]) -> tuple[Mapping[str, Any], str]:
    path, page = flags["path"], flags["page"]
    try:
        told = orjson.loads(Path(path).read_bytes())
        return told, Path(page).read_text("utf-8") if page else ""
    except OSError as error:
        raise UsageError(f"{error.filename}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"{path}: this is no report: {error}") from None


def _following(writer: Writer, told: notice.Notice, flags: dict[str, Any]) -> Iterator[Written]:
    if flags["status"]:
        yield writer.status(told)
    if flags["deployment"] is not None:
        yield writer.deployment(told, flags["deployment"])


def _end(writer: Writer, told: notice.Notice, flags: dict[str, Any]) -> Iterator[Written]:
    yield from _following(writer, told, flags)
    if flags["check"]:
        yield writer.check(told)
    if flags["comment"]:
        yield writer.comment(told, flags["pr"], create=flags["comment"] == "always")


def _place() -> Place:
    found = place(os.environ)
    if not found.sha:
        raise UsageError("GITHUB_SHA names no commit", "run it in a GitHub workflow")
    return found


def _writer(where: Place) -> Writer:
    server = Server(
        url=(os.environ.get(URL_ENV) or DEFAULT_URL).rstrip("/"),
        token=os.environ.get(TOKEN_ENV, ""),
        token_env=TOKEN_ENV,
        patience=Patience(),
    )
    return Writer(server, where, time.monotonic() + WITHIN)


def _tell(written: list[Written], form: str) -> None:
    if form == "json":
        told = {"schema": SCHEMA, "written": written}
        emit(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        return
    for one in written:
        line = printable(f"{one.what}: {one.detail}")
        emit(f"{line}\n") if one.done else tell(f"warning: {line}")
