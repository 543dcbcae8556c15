"""`gate check`: judge a canary now or at a past moment, once or until the answer is in."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

import click

from gate.decision import Decision
from gate.errors import UsageError
from gate.request import Intent
from gate.settings import settings
from gate.surfaces.cli import options
from gate.surfaces.cli.console import tell
from gate.surfaces.cli.show import show
from gate.surfaces.cli.types import Duration
from gate.surfaces.exit_code import EXIT_CODES, exit_code
from gate.units import duration
from gate.verdict import Outcome
from gate.wiring import gate as wired


@click.command(
    epilog="Example: gate check -f gate.yaml --canary 7d4b9c --baseline 5f8c2a --since 20m"
)
@options.about_a_canary(required=True)
@click.option("--policy", help="Decide by this policy instead of the file's.")
@click.option("--rollback", "going_back", is_flag=True, help="This goes back to a known version.")
@click.option("--label", "labels", multiple=True, help="What kind of release: emergency.")
@options.FORMAT
@click.option("--wait", type=Duration(), help="Ask again until promote, rollback, or this long.")
@click.option("--every", type=Duration(), default="30s", show_default=True, help="With --wait.")
@click.option(
    "--on-timeout", type=click.Choice(["hold", "rollback"]), default="hold", show_default=True,
    help="The exit code when --wait is over and the answer is still hold.",
)  # fmt: skip
@click.option("--ledger", help="Where decisions are kept (GATE_LEDGER).")
@options.TIMEOUT
@click.pass_context
def check(context: click.Context, /, **flags: Any) -> None:
    """May this canary go on? Exits 0 promote, 10 hold, 20 rollback, 30 could not decide.

    2 is a wrong flag or file. Every answer is stored in the ledger before it is given. A policy
    that only observes (`mode: observe`) exits 0 whatever it would have said.
    """
    own = settings(os.environ, ledger=flags["ledger"], timeout=flags["timeout"])
    gate = wired(options.service_file(flags["path"]), own, os.environ, flags["policy"])
    _check_waiting(flags)
    intent = Intent.ROLLBACK if flags["going_back"] else Intent.RELEASE
    request = options.request(gate.service, flags, time.time(), intent)

    def ask() -> Decision:
        return gate.decide(request(time.time()))

    decision = ask() if flags["wait"] is None else _patiently(ask, flags["wait"], flags["every"])
    code = exit_code(decision)
    if flags["wait"] is not None and _held(decision) and flags["on_timeout"] == "rollback":
        tell(f"time is up after {duration(flags['wait'])}; --on-timeout says rollback")
        code = EXIT_CODES[Outcome.ROLLBACK]
    show(decision, flags["form"], code)
    context.exit(code)


def _check_waiting(flags: dict[str, Any]) -> None:
    if flags["as_of"] is not None and flags["wait"] is not None:
        raise UsageError("--wait and --as-of exclude each other", "a past moment does not change")
    if flags["every"] <= 0:
        raise UsageError("--every must be longer than nothing", "write --every 30s")


def _patiently(ask: Callable[[], Decision], wait: float, every: float) -> Decision:
    """Ask until the answer is in or the time is up; a line of progress for each hold.

    What is only observed blocks nothing, so nobody waits for it.
    """
    end = time.monotonic() + wait
    while True:
        decision = ask()
        left = end - time.monotonic()
        if not _held(decision) or left <= 0:
            return decision
        pause = min(every, left)
        _progress(decision, left, pause)
        time.sleep(pause)


def _held(decision: Decision) -> bool:
    """Whether the canary has to wait."""
    return decision.verdict.binding is Outcome.HOLD


def _progress(decision: Decision, left: float, pause: float) -> None:
    if sys.stderr.isatty():
        why = decision.verdict.reasons[0].message
        tell(f"hold ({why}); asking again in {pause:.0f} s, {duration(round(left))} left")
