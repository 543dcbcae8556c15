"""`gate budget`: what each objective has left; `gate budget rules`: rules that watch it."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click

from gate.budget.budget import Budget
from gate.decision import burned
from gate.errors import UsageError
from gate.evidence.evidence import Evidence
from gate.service_file import ServiceFile
from gate.settings import settings
from gate.slo import Slo
from gate.surfaces import budgets
from gate.surfaces.cli import options
from gate.surfaces.cli.console import emit
from gate.surfaces.cli.show import show_page
from gate.surfaces.exit_code import BLIND
from gate.wiring import sources


@click.group(
    invoke_without_command=True,
    epilog="Example: gate budget -f gate.yaml --as-of 2026-11-03T11:00:00Z\n\n"
    "Example: gate budget rules -f gate.yaml > slo-rules.yaml",
)
@options.FILE
@options.AS_OF
@options.VARIABLES
@options.FORMAT
@options.TIMEOUT
@click.pass_context
def budget(context: click.Context, /, **flags: Any) -> None:
    """What is left of each objective's error budget, and how fast it goes. This is no gate.

    Exits 0 whatever is left; 30 when nothing could be measured, 2 for a wrong flag or file.
    """
    if context.invoked_subcommand:
        return
    file = _load(flags["path"])
    service = file.service
    evidence = of_objectives(file, service.slos, flags)
    burns = burned(service, evidence)
    gaps = [gap for gap in evidence.gaps if gap.about.startswith("slo ")]
    # Imported when asked for, as in `show`: pages bring rich with them.
    from gate.surfaces.report.budget import budget_json, budget_page

    if flags["form"] == "json":
        emit(budget_json(service, evidence.window.end, burns, gaps))
    else:
        show_page(budget_page(service, evidence.window.end, burns, gaps), flags["form"])
    context.exit(0 if _measured(burns) else BLIND)


@budget.command("rules", epilog="Example: gate budget rules -f gate.yaml > slo-rules.yaml")
@options.FILE
def rules(path: str) -> None:
    """Prometheus rules of the objectives: ratios over each window, what is left, and burn alerts.

    Check them with `promtool check rules`. Counts are needed to tell few events from many, so only
    objectives with bad (or good) and total queries, or an error_ratio, have rules.
    """
    from gate.surfaces.report.rules import rule_file

    emit(rule_file(_load(path).service))


def of_objectives(file: ServiceFile, slos: tuple[Slo, ...], flags: dict[str, Any]) -> Evidence:
    """What the sources tell of these objectives alone, as of the moment of the flags."""
    own = settings(os.environ, timeout=flags["timeout"])
    moment = options.as_of(flags, time.time())
    service = replace(file.service, slos=slos)
    words = dict(flags["variables"])
    return budgets.of_objectives(service, sources(file, os.environ), moment, own.timeout, words)


def _load(path: str) -> ServiceFile:
    file = options.service_file(path)
    if not file.service.slos:
        raise UsageError(f"{path}: declares no SLO, so there is no budget", "add `slos:` to it")
    return file


def _measured(burns: Sequence[Budget]) -> bool:
    return any(
        one.remaining is not None or any(rate.burn is not None for rate in one.rates)
        for one in burns
    )
