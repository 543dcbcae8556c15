"""`gate policy test`: does a policy answer as its test cases say?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from gate.packaged import shipped
from gate.policy.load import find
from gate.policy.suite import Suite, load_suite, suites_in
from gate.policy.trial import Trial, covered, trial
from gate.surfaces.cli.console import emit, tell
from gate.surfaces.cli.show import show_page
from gate.surfaces.exit_code import BLIND

# Where the policies of a repository are, if it has not said.
_USUAL = Path("policies")


@click.command("test", epilog="Example: gate policy test policies/ --fail-under 100")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "--fail-under", type=click.FloatRange(0.0, 100.0), metavar="PERCENT",
    help="Fail below this share of rules seen true, seen false and seen unknown.",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "junit"]), default="text",
    show_default=True,
)  # fmt: skip
@click.pass_context
def test(context: click.Context, /, **flags: Any) -> None:
    """Do policies answer as their `*_test.yaml` say?

    PATH: a policy (its tests lie beside it: web.yaml, web_test.yaml), a test file, a folder, or
    the name of a shipped policy. Without it ./policies, or this folder where there is none.

    Exits 0 when every case passed, 30 when one failed or less is covered than --fail-under asks,
    2 for a wrong file. Never 10 or 20: no canary is meant by this.
    """
    files = dict.fromkeys(file for path in _paths(flags["paths"]) for file in suites_in(path))
    trials = [trial(suites) for suites in _by_policy([load_suite(file) for file in files])]
    emit_trials(trials, flags["form"])
    context.exit(BLIND if _failed(trials, flags["fail_under"]) else 0)


def emit_trials(trials: Sequence[Trial], form: str) -> None:
    """On standard output, in the form that was asked for."""
    from gate.surfaces.report.trials import trials_json, trials_junit, trials_page

    if form == "text":
        show_page(trials_page(trials), form)
    else:
        emit(trials_json(trials) if form == "json" else trials_junit(trials))


def _paths(given: Sequence[str]) -> Iterator[Path]:
    if not given:
        yield _USUAL if _USUAL.is_dir() else Path()
    for name in given:
        here = Path(name)
        yield here if here.exists() else find(name, Path(), shipped("policies"))


def _by_policy(suites: Sequence[Suite]) -> Iterator[list[Suite]]:
    """Suites of the same policy together: they cover it together."""
    together: dict[tuple[str, str], list[Suite]] = {}
    for suite in suites:
        together.setdefault((suite.policy.name, suite.policy.sha256), []).append(suite)
    yield from together.values()


def _failed(trials: Sequence[Trial], fail_under: float | None) -> bool:
    failed = [one for each in trials for one in each.failed]
    if failed:
        tell(f"gate: {len(failed)} of the cases failed")
    share = 100 * covered(trials)
    little = fail_under is not None and share < fail_under
    if little:
        tell(f"gate: {share:.0f}% of the marks were seen, {fail_under:g}% are asked for")
    return bool(failed) or little
