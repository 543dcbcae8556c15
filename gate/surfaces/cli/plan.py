"""`gate plan`: how long a rollout must run until it tells anything, before it starts."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import click

from gate.analysis import plan as planning
from gate.analysis.plan import Basis, Never, Plan
from gate.budget.margin import margin_slos, with_budget_margins
from gate.decision import burned
from gate.errors import UsageError, did_you_mean
from gate.evidence.evidence import Cause, Gap
from gate.evidence.past import Past, past, window_before
from gate.metric import Kind, Margin, Metric
from gate.request import Request
from gate.service import Service
from gate.service_file import ServiceFile
from gate.settings import settings
from gate.surfaces.cli import options
from gate.surfaces.cli.budget import of_objectives
from gate.surfaces.cli.console import emit
from gate.surfaces.cli.show import show_page
from gate.surfaces.cli.types import Assumed, Rate, Weight, Worsened, Worsening
from gate.surfaces.exit_code import BLIND
from gate.surfaces.report.plan import Told, plan_json, plan_page
from gate.wiring import sources

USUAL = Worsening(text="+50%", worsened=Margin(1.5, 0.0))


@click.command(
    epilog="Example: gate plan -f gate.yaml --baseline 5f8c2a --traffic 200rps --weight 5% "
    "--effect +50%"
)
@options.FILE
@click.option("--weight", type=Weight(), required=True, help="The canary's share of the traffic.")
@click.option(
    "--traffic",
    type=Rate(),
    help="Events of both arms together, of the first metric that has some; as seen if not given.",
)
@click.option(
    "--effect", "effects", type=Worsened(), multiple=True,
    help="How much worse the canary is: +20%, 2x, errors=+0.3pp, latency=+50ms. [default: +50%]",
)  # fmt: skip
@click.option("--baseline", default="", help="The version that runs now: its history is asked for.")
@click.option(
    "--assume", "assumed", type=Assumed(), multiple=True,
    help="The baseline's share of bad events, instead of its history: errors=0.1%.",
)  # fmt: skip
@click.option(
    "--pods", type=click.IntRange(min=1),
    help="Of the canary; its weight's share of the baseline's, rounded up, where not given.",
)  # fmt: skip
@options.AS_OF
@options.VARIABLES
@options.FORMAT
@options.TIMEOUT
@click.pass_context
def plan(context: click.Context, /, **flags: Any) -> None:
    """How long must a rollout run until it tells anything? Asked before it starts.

    The judge itself is run on the rollout that the baseline's last hour lets expect: when would it
    call a canary worse that is worse by the effect, and when show one safe that is just as good?
    At the levels and margins of the service file: where a policy's evidence table asks for more
    (closer margins, so many minutes), it takes longer.

    Exits 0 when a metric could be planned, 30 when none could, 2 for a wrong flag or file.
    """
    file = options.service_file(flags["path"])
    if file.service.kayenta:
        raise UsageError(
            "Kayenta's judge promises nothing over repeated looks, so nothing can be planned",
            "plan with Gate's own judge: leave `judge: kayenta` out",
        )
    file = _with_margins(file, flags)
    worsened = dict(_worsened(file.service, flags["effects"]))
    basis = _basis(file, flags)
    found = planning.plan(basis, flags["weight"], worsened)
    told = Told(basis=basis, plan=found, baseline=flags["baseline"])
    if flags["form"] == "json":
        emit(plan_json(told))
    else:
        show_page(plan_page(told), flags["form"])
    context.exit(0 if _planned_any(found) else BLIND)


def _with_margins(file: ServiceFile, flags: dict[str, Any]) -> ServiceFile:
    """With the margins that what is left of the budget allows today."""
    slos = margin_slos(file.service)
    if not slos:
        return file
    evidence = of_objectives(file, slos, flags)
    service, _ = with_budget_margins(file.service, burned(file.service, evidence))
    return replace(file, service=service)


def _worsened(service: Service, effects: tuple[Worsening, ...]) -> Iterator[tuple[str, Margin]]:
    """How much worse each metric is: by its own effect, or by the last one for all."""
    for one in effects:
        if one.metric is not None:
            _known(service, one.metric, "--effect")
    for metric in service.metrics:
        own = [one for one in effects if one.metric == metric.name]
        common = [one for one in effects if one.metric is None]
        chosen = (own or common or [USUAL])[-1]
        if not chosen.fits(metric):
            raise UsageError(
                f"--effect {chosen.text} does not fit {metric.name}, which is measured "
                f"{metric.unit or 'in no unit that is known'}",
                f"write how many times worse: --effect {metric.name}=+20%",
            )
        yield metric.name, chosen.worsened


def _known(service: Service, name: str, flag: str) -> Metric:
    names = {metric.name: metric for metric in service.metrics}
    if name not in names:
        raise UsageError(
            f"{flag} names {name!r}, which is no metric of {service.name}"
            f"{did_you_mean(name, names)}",
            f"its metrics: {', '.join(names)}",
        )
    return names[name]


def _basis(file: ServiceFile, flags: dict[str, Any]) -> Basis:
    service, shares = file.service, dict(flags["assumed"])
    for name in shares:
        if (metric := _known(service, name, "--assume")).kind is not Kind.EVENTS:
            raise UsageError(
                f"--assume {name}: only a share of bad events can be assumed",
                f"{name} is of kind {metric.kind} and needs the history of --baseline",
            )
    seen = _past(file, flags, frozenset(shares))
    known = Basis(
        service=service,
        past=seen.window,
        before={**seen.gaps, **seen.seen},
        doubts=seen.doubts,
        traffic=flags["traffic"],
        pods=flags["pods"],
    )
    a_second = planning.traffic(known)
    if shares and a_second is None:
        raise UsageError("--traffic is missing", "nothing was seen that tells it: --traffic 200rps")
    given = {
        name: planning.assumed(share, a_second or 0.0, seen.window)
        for name, share in shares.items()
    }
    return replace(known, before={**known.before, **given}, assumed=frozenset(shares))


def _past(file: ServiceFile, flags: dict[str, Any], assumed: frozenset[str]) -> Past:
    """The history of what is not assumed, if the baseline is named."""
    as_of = options.as_of(flags, time.time())
    wanted = tuple(one for one in file.service.metrics if one.name not in assumed)
    service = replace(file.service, metrics=wanted)
    if not wanted or not flags["baseline"]:
        why = "no history: name the version that runs now with --baseline"
        gaps = {one.name: Gap(f"metric {one.name}", Cause.NOT_ASKED, why) for one in wanted}
        return Past(window_before(service, as_of), {}, gaps)
    request = Request(
        service=service.name,
        canary=flags["baseline"],
        baseline=flags["baseline"],
        as_of=as_of,
        since=0.0,
        variables=dict(flags["variables"]),
    )
    own = settings(os.environ, timeout=flags["timeout"])
    return past(service, request, sources(file, os.environ), own.timeout)


def _planned_any(found: Plan) -> bool:
    return any(one.worse.never is not Never.UNKNOWN for one in found.rows)
