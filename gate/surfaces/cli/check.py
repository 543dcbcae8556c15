"""`gate check`: judge a canary now or at a past moment, once or until the answer is in."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gate.decide import Gate
from gate.decision import Decision
from gate.errors import UsageError
from gate.request import Intent, Request
from gate.service_file import load
from gate.settings import settings
from gate.surfaces.cli.console import tell
from gate.surfaces.cli.show import FORMATS, show
from gate.surfaces.cli.types import Duration, Moment, Start, Variable
from gate.surfaces.exit_code import EXIT_CODES, exit_code
from gate.units import duration
from gate.verdict import Outcome
from gate.wiring import gate as wired


@click.command(
    epilog="Example: gate check -f gate.yaml --canary 7d4b9c --baseline 5f8c2a --since 20m"
)
@click.option("-f", "--file", "path", default="gate.yaml", show_default=True, help="Service file.")
@click.option("--canary", required=True, help="The version that is judged.")
@click.option("--baseline", default="", help="The version it is compared with.")
@click.option("--since", type=Start(), required=True, help="When the canary started: 20m, a time.")
@click.option("--as-of", type=Moment(), help="Judge as of this moment instead of now.")
@click.option("--var", "variables", type=Variable(), multiple=True, help="A word of the queries.")
@click.option("--policy", help="Decide by this policy instead of the file's.")
@click.option("--rollback", "going_back", is_flag=True, help="This goes back to a known version.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--wait", type=Duration(), help="Ask again until promote, rollback, or this long.")
@click.option("--every", type=Duration(), default="30s", show_default=True, help="With --wait.")
@click.option(
    "--on-timeout", type=click.Choice(["hold", "rollback"]), default="hold", show_default=True,
    help="The exit code when --wait is over and the answer is still hold.",
)  # fmt: skip
@click.option("--ledger", help="Where decisions are kept (GATE_LEDGER).")
@click.option("--timeout", type=Duration(), help="For all sources together (GATE_TIMEOUT).")
@click.pass_context
def check(context: click.Context, /, **flags: Any) -> None:
    """May this canary go on? Exits 0 promote, 10 hold, 20 rollback, 30 could not decide.

    2 is a wrong flag or file. Every answer is stored in the ledger before it is given.
    """
    own = settings(os.environ, ledger=flags["ledger"], timeout=flags["timeout"])
    gate = wired(load(Path(flags["path"])), own, os.environ, flags["policy"])
    now = flags["as_of"] if flags["as_of"] is not None else time.time()
    _check_times(flags, now)
    started = now + flags["since"] if flags["since"] < 0 else flags["since"]
    request = _request(gate, flags)

    def ask() -> Decision:
        moment = flags["as_of"] if flags["as_of"] is not None else time.time()
        return gate.decide(request(moment, moment - started))

    decision = ask() if flags["wait"] is None else _patiently(ask, flags["wait"], flags["every"])
    code = exit_code(decision)
    held = decision.verdict.outcome is Outcome.HOLD
    if flags["wait"] is not None and held and flags["on_timeout"] == "rollback":
        tell(f"time is up after {duration(flags['wait'])}; --on-timeout says rollback")
        code = EXIT_CODES[Outcome.ROLLBACK]
    show(decision, flags["form"], code)
    context.exit(code)


def _request(gate: Gate, flags: dict[str, Any]) -> Callable[[float, float], Request]:
    """The request, but for its moment."""
    variables = dict(flags["variables"])
    if gate.service.arms.offset is None and not flags["baseline"] and not flags["going_back"]:
        raise UsageError("--baseline is missing", "name the version the canary is compared with")
    intent = Intent.ROLLBACK if flags["going_back"] else Intent.RELEASE

    def request(as_of: float, since: float) -> Request:
        return Request(
            service=gate.service.name,
            canary=flags["canary"],
            baseline=flags["baseline"],
            as_of=as_of,
            since=since,
            variables=variables,
            intent=intent,
        )

    return request


def _check_times(flags: dict[str, Any], now: float) -> None:
    if flags["as_of"] is not None and flags["as_of"] > time.time():
        raise UsageError("--as-of lies in the future", "judge the past, or leave it out for now")
    if flags["since"] >= now:
        raise UsageError("--since lies after the moment judged", "write how long ago: --since 20m")
    if flags["as_of"] is not None and flags["wait"] is not None:
        raise UsageError("--wait and --as-of exclude each other", "a past moment does not change")
    if flags["every"] <= 0:
        raise UsageError("--every must be longer than nothing", "write --every 30s")


def _patiently(ask: Callable[[], Decision], wait: float, every: float) -> Decision:
    """Ask until the answer is in or the time is up; a line of progress for each hold."""
    end = time.monotonic() + wait
    while True:
        decision = ask()
        left = end - time.monotonic()
        if decision.verdict.outcome is not Outcome.HOLD or left <= 0:
            return decision
        pause = min(every, left)
        _progress(decision, left, pause)
        time.sleep(pause)


def _progress(decision: Decision, left: float, pause: float) -> None:
    if sys.stderr.isatty():
        why = decision.verdict.reasons[0].message
        tell(f"hold ({why}); asking again in {pause:.0f} s, {duration(round(left))} left")
