"""`gate analyze`: the judge alone, on live evidence or on that of a stored decision."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import Any

import click
from click.core import ParameterSource

from gate.analysis.comparison import Analysis, Finding
from gate.budget.margin import margin_slos
from gate.decision import burned, judged
from gate.errors import UsageError
from gate.evidence.evidence import Evidence
from gate.evidence.gather import gather
from gate.request import Request
from gate.service import Service
from gate.settings import settings
from gate.surfaces.cli import options
from gate.surfaces.cli.console import emit, tell
from gate.surfaces.cli.show import show_page
from gate.surfaces.cli.stored import stored
from gate.surfaces.exit_code import BLIND
from gate.surfaces.report.analysis import NOTHING_DECIDED, analysis_json, analysis_page
from gate.wiring import sources

Seen = tuple[Service, Request, Evidence]


@click.command(
    epilog="Example: gate analyze -f gate.yaml --canary 7d4b9c --baseline 5f8c2a --since 20m\n\n"
    "Example: gate ledger show 3f9c0a12 --format stored | gate analyze -"
)
@click.argument("decision", required=False)
@options.about_a_canary(required=False)
@options.FORMAT
@options.TIMEOUT
@click.pass_context
def analyze(context: click.Context, /, **flags: Any) -> None:
    """What the judge finds. This is no gate: no policy is asked, and nothing is decided or stored.

    With DECISION, a file of a stored decision (`gate ledger show ID --format stored`; - is standard
    input), its evidence is judged again; without, evidence is gathered as `gate check` does.

    Exits 0 when metrics were judged, whatever was found; 30 when none could be, 2 for a wrong flag
    or file. Never let a pipeline go on because of this 0: `gate check` is the gate.
    """
    seen = _stored(context, flags) if flags["decision"] else _gathered(flags)
    service, _, evidence = seen
    analysis, _ = judged(service, evidence, burned(service, evidence))
    if flags["form"] == "json":
        emit(analysis_json(*seen, analysis))
    else:
        show_page(analysis_page(*seen, analysis), flags["form"])
    tell(NOTHING_DECIDED)
    context.exit(0 if _judged_any(analysis) else BLIND)


def _gathered(flags: dict[str, Any]) -> Seen:
    for name in ("canary", "since"):
        if flags[name] is None:
            raise UsageError(
                f"--{name} is missing", "say which canary and since when, or name a stored decision"
            )
    own = settings(os.environ, timeout=flags["timeout"])
    file = options.service_file(flags["path"])
    request = options.request(file.service, flags, time.time())(time.time())
    # Budget and change are for a policy to weigh; but a margin may come from a budget.
    metrics_only = replace(file.service, slos=margin_slos(file.service), change=None)
    evidence = gather(request, metrics_only, sources(file, os.environ), own.timeout)
    return file.service, request, evidence


def _stored(context: click.Context, flags: dict[str, Any]) -> Seen:
    for name in ("path", "canary", "baseline", "since", "as_of", "variables", "timeout"):
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise UsageError(
                "a stored decision has its evidence and asks for no other",
                "leave the flags out, or the file",
            )
    decision = stored(flags["decision"])
    return decision.service, decision.request, decision.evidence


def _judged_any(analysis: Analysis) -> bool:
    return any(one.finding is not Finding.UNFIT for one in analysis.comparisons)
