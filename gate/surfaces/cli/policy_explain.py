"""`gate policy explain`: what each rule read and said, and what would turn the verdict."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from gate.decision import Decision, from_json
from gate.errors import UsageError
from gate.policy.explain import explain as explained
from gate.policy.given import from_file, is_stored, typed
from gate.policy.load import named
from gate.policy.policy import Policy
from gate.policy.situation import NOWHERE, situation
from gate.policy.words import Facts
from gate.request import Intent
from gate.settings import settings
from gate.surfaces.cli import options
from gate.surfaces.cli.console import emit
from gate.surfaces.cli.show import show_page
from gate.surfaces.cli.stored import stored
from gate.wiring import ledger as wired


@click.command(
    epilog="Example: gate policy explain 3f9c0a12\n\n"
    "Example: gate policy explain facts.yaml --policy policies/web.yaml"
)
@click.argument("what", metavar="DECISION|FILE")
@click.option("--policy", help="A file or shipped name, instead of the one that decided.")
@options.FORMAT
@click.option("--ledger", help="Where decisions are kept (GATE_LEDGER).")
def explain(what: str, form: str, **flags: Any) -> None:
    """What each rule read and said, and the smallest change of facts that would turn the verdict.

    DECISION is the id of a stored one; FILE holds facts (`budget.remaining: 0.4`, YAML or JSON) or
    a decision, stored or as `gate check --format json` prints it. Facts without a decision are put
    before the policy `standard`, if no other is named.

    The change is searched for among the values at which the policy's conditions change sides: of
    one fact, then of two together, up to four.

    Exits 0 whatever the verdict is; 30 when the ledger cannot be read, 2 for a wrong file.
    """
    policy, facts, intent, decision = _asked(what, flags["policy"], flags["ledger"])
    found = situation(decision.request, decision.evidence) if decision else NOWHERE
    analysis = decision.conclusion.analysis if decision else None
    told = explained(policy, facts, intent, found)
    from gate.surfaces.report.explanation import explanation_json, explanation_page

    if form == "json":
        emit(explanation_json(told, what, analysis))
    else:
        show_page(explanation_page(told, what, analysis), form)


def _asked(
    what: str, policy: str | None, ledger: str | None
) -> tuple[Policy, Facts, Intent, Decision | None]:
    other = named(policy, Path()).policy if policy else None
    if Path(what).is_file() and not is_stored(Path(what)):
        facts, intent = from_file(Path(what))
        return other or named("standard", Path()).policy, facts, intent, None
    decision = stored(what) if Path(what).is_file() else _of_ledger(what, ledger)
    facts = typed(decision.conclusion.facts, f"decision {decision.id}")
    return other or decision.policy, facts, decision.request.intent, decision


def _of_ledger(id_: str, ledger: str | None) -> Decision:
    _refuse_file_name(id_)
    return from_json(wired(settings(os.environ, ledger=ledger)).entry(id_).record.body)


def _refuse_file_name(id_: str) -> None:
    """A file that is not there should not be looked for in the ledger."""
    if not id_.isalnum():
        raise UsageError(f"{id_}: no such file", "name a file of facts, or a decision by its id")
