"""`gate policy check`: where in all states of its facts does a policy answer strangely?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gate.policy.load import named
from gate.policy.sweep import sweep
from gate.surfaces.cli import options
from gate.surfaces.cli.console import emit
from gate.surfaces.cli.show import show_page
from gate.surfaces.exit_code import BLIND


@click.command(epilog="Example: gate policy check policies/web.yaml")
@click.argument("policy", metavar="FILE|NAME")
@click.option(
    "--states", type=click.IntRange(min=1),
    help="Look at all combinations up to so many, at a sample of so many where there are more.",
)  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Another sample.")
@options.FORMAT
@click.pass_context
def check(context: click.Context, /, policy: str, form: str, **flags: Any) -> None:
    """Where does a policy answer strangely? Asks about every state that its conditions tell apart.

    Faults: bad news are added and the verdict becomes milder; promote is said of what was not
    shown safe. To look at, but no faults: only a missing fact decides; no rule speaks.

    Exits 0 when there are no faults, 30 when there are, 2 for a wrong file.
    """
    asked = named(policy, Path()).policy
    found = sweep(asked, flags["states"], flags["seed"])
    from gate.surfaces.report.sweeps import sweep_json, sweep_page

    if form == "json":
        emit(sweep_json(asked, found))
    else:
        show_page(sweep_page(asked, found), form)
    context.exit(BLIND if found.faults else 0)
