"""`gate policy`: lint, test, explain, check, show and document policies."""

from __future__ import annotations

import os
from pathlib import Path

import click

from gate.errors import UsageError
from gate.surfaces.cli import options
from gate.surfaces.cli.console import emit
from gate.surfaces.cli.linted import LINTED, show_findings
from gate.surfaces.cli.policy_check import check
from gate.surfaces.cli.policy_explain import explain
from gate.surfaces.cli.policy_trial import test


@click.group(epilog="Example: gate policy lint ./release.yaml")
def policy() -> None:
    """Lint, test, explain and show policies; what a policy decides, `gate check` does."""


policy.add_command(test)
policy.add_command(explain)
policy.add_command(check)


@policy.command(epilog="Example: gate policy lint standard ./release.yaml --format github")
@click.argument("names", metavar="FILE|NAME...", nargs=-1, required=True)
@click.option("--strict", is_flag=True, help="Ask for owners and docs; warnings are errors.")
@click.option("--format", "form", type=click.Choice(LINTED), default="text", show_default=True)
@click.pass_context
def lint(context: click.Context, names: tuple[str, ...], form: str, *, strict: bool) -> None:
    """All that is wrong or suspicious in policies, with its place. Exits 0, or 2 with errors.

    FILE is a path, ending in .yaml; NAME one of the shipped policies. Tests of policies
    (`..._test.yaml`) are left out.
    """
    from gate.packaged import shipped
    from gate.policy.lint import POLICY, lint
    from gate.policy.load import find

    files = [find(name, Path(), shipped("policies")) for name in names]
    policies = [file for file in files if not file.stem.endswith("_test")]
    if not policies:
        raise UsageError("there is no policy among these", "tests of policies: gate policy test")
    found = [one for file in policies for one in lint(file, strict=strict)]
    names = tuple(str(file) for file in policies)
    context.exit(show_findings(found, names, POLICY, form, strict=strict))


@policy.command(epilog="Example: gate policy show tier-0")
@click.argument("name", metavar="FILE|NAME")
@click.option("--format", "form", type=click.Choice(["yaml", "json"]), default="yaml")
def show(name: str, form: str) -> None:
    """A policy with all it extends, everything filled in, and its digest to pin it by."""
    from gate.policy.load import named
    from gate.surfaces.cli.policy_file import policy_json, policy_yaml

    found = named(name, Path()).policy
    emit(policy_json(found) if form == "json" else policy_yaml(found))


@policy.command(epilog="Example: gate policy facts --format markdown")
@options.FORMAT
def facts(form: str) -> None:
    """The facts that conditions may use: type, meaning, where they come from, an example."""
    from gate.surfaces.report import facts as told

    if form == "json":
        emit(told.facts_json())
    else:
        emit(told.facts_markdown() if form == "markdown" else told.facts_text())


@policy.command(epilog="Example: gate policy schema > policy.schema.json")
@click.pass_context
def schema(context: click.Context) -> None:
    """JSON Schema of a ReleasePolicy file, for editors; as `gate schema policy`."""
    from gate.surfaces.cli.schema import schema as of_kind

    context.invoke(of_kind, kind="policy")


@policy.command(
    "input", epilog="Example: gate policy input 3f9c0a12 | opa eval -I -d own.rego data"
)
@click.argument("id_", metavar="[ID]", required=False)
@click.option("--stored", help="A file of a stored decision instead; - is standard input.")
@click.option("--ledger", help="Where decisions are kept (GATE_LEDGER).")
def input_(id_: str | None, stored: str | None, ledger: str | None) -> None:
    """What a decision rested on as JSON, for OPA, conftest and others; unknown facts are absent.

    A stored decision comes from `gate ledger show ID --format stored`.
    """
    from gate.decision import from_json
    from gate.settings import settings
    from gate.surfaces.cli.stored import stored as read
    from gate.surfaces.report.input import input_json
    from gate.wiring import ledger as wired

    if (id_ is None) is (stored is None):
        raise UsageError("name one decision", "its ID, or --stored FILE")
    if stored is not None:
        decision = read(stored)
    else:
        entry = wired(settings(os.environ, ledger=ledger)).entry(str(id_))
        decision = from_json(entry.record.body)
    emit(input_json(decision))
