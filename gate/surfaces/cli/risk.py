"""`gate risk`: how likely a change is to introduce a bug, and why; and how good such scores are."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import click
import orjson
from click.core import ParameterSource

from gate.change import Change
from gate.errors import UsageError
from gate.pull import PullRequests
from gate.settings import settings
from gate.surfaces.cli import options
from gate.surfaces.cli.console import emit
from gate.surfaces.cli.risk_fit import fit
from gate.surfaces.cli.show import show_page

FITTED = "the shipped model was fitted to these commits: its figures here flatter it"


@click.group(
    "risk",
    invoke_without_command=True,
    epilog="Example: gate risk --base v1.8.0 --head HEAD",
)
@click.option("--base", help="What runs now: a tag, a sha.")
@click.option("--head", help="What is to replace it.")
@click.option("--repo", default=".", show_default=True, help="A clone with both.")
@click.option("--pr", metavar="OWNER/NAME#N", help="A pull request on GitHub instead of a clone.")
@click.option("--github-url", help="Of its API: https://ghe.example/api/v3 (GITHUB_API_URL).")
@click.option("--model", help="Weigh it by this model, of `gate risk fit`, not the shipped one.")
@click.option("--no-cache", is_flag=True, help="Ask git for all of the past (GATE_CACHE).")
@options.FORMAT
@options.TIMEOUT
@click.pass_context
def risk(context: click.Context, /, **flags: Any) -> None:
    """How likely is this change to introduce a bug, and why? By size, spread and history alone.

    The level is where it stands among the repository's own last 500 changes: medium from the
    50th, high from the 80th, critical from the 95th percentile.

    With --pr the files, reviews, labels and checks of a pull request are read from GitHub, with
    the token in GITHUB_TOKEN. GitHub does not tell the repository's own last changes, so the
    level is then where it stands among other projects' commits.

    Exits 0 when the change was seen, whatever its level; 30 when it was not.
    """
    if context.invoked_subcommand:
        return
    _check_ends(context, flags)
    from gate.model_file import load
    from gate.risk.assess import assess
    from gate.surfaces.report.risk_page import risk_json, risk_page

    own = settings(os.environ, timeout=flags["timeout"])
    deadline = time.monotonic() + own.timeout
    change, pulls = (
        _of_pull(flags, deadline) if flags["pr"] else _of_clone(flags, own.cache, deadline)
    )
    found = assess(change, load(Path(flags["model"])) if flags["model"] else None)
    if flags["form"] == "json":
        emit(risk_json(found, change, pulls))
    else:
        subject = flags["pr"] or f"{flags['base']} -> {flags['head']}"
        show_page(risk_page(found, change, subject, pulls), flags["form"])


def _check_ends(context: click.Context, flags: dict[str, Any]) -> None:
    """Either a pull request or two ends in a clone; raises UsageError."""
    if flags["pr"]:
        for name in ("base", "head", "repo"):
            if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
                raise UsageError(
                    f"--pr and --{name} exclude each other",
                    "a pull request brings both ends, and is read from GitHub, not from a clone",
                )
        return
    if flags["github_url"]:
        raise UsageError("--github-url means nothing without --pr", "add --pr OWNER/NAME#123")
    for name in ("base", "head"):
        if not flags[name]:
            raise UsageError(
                f"--{name} is missing",
                "name both ends, --base v1.8.0 --head HEAD, or --pr OWNER/NAME#123",
            )


def _of_clone(flags: dict[str, Any], cache: Path | None, deadline: float) -> tuple[Change, None]:
    from gate.sources.git import Git, GitSpec

    kept = None if flags["no_cache"] else cache
    git = Git(GitSpec(repo=flags["repo"]), Path(), os.environ, kept)
    return git.between(flags["base"], flags["head"], deadline), None


def _of_pull(flags: dict[str, Any], deadline: float) -> tuple[Change, PullRequests]:
    from gate.sources.address import plain_url
    from gate.sources.github.github import GitHub, GitHubSpec
    from gate.sources.github.reference import reference

    repo, number = reference(flags["pr"])
    try:
        url = flags["github_url"] and plain_url(flags["github_url"], "use GITHUB_TOKEN")
    except ValueError as error:
        raise UsageError(f"--github-url: {error}", "write https://ghe.example/api/v3") from None
    return GitHub(GitHubSpec(repo=repo, url=url), os.environ).both(number, deadline)


@risk.command(epilog="Example: gate risk evaluate --data commits.csv.gz")
@click.option("--data", required=True, help="Labelled commits: CSV, packed by gzip or not.")
@options.FORMAT
def evaluate(data: str, form: str) -> None:
    """How well the shipped model tells bug-introducing commits from others, beside counting lines.

    Columns: la, ld, nf, nd, ns, ent (Kamei et al. 2013) and buggy (0 or 1); age and nuc for the
    history of the files; project and t (Unix seconds) to compare a commit with those before it.
    """
    from gate.risk.model import shipped
    from gate.risk.quality import evaluated
    from gate.surfaces.cli.labelled import read
    from gate.surfaces.report.quality import quality_page

    labelled = read(Path(data))
    model = shipped()
    found = evaluated(labelled.commits, model)
    notes = (FITTED,) if labelled.sha256 == model.data else ()
    if form == "json":
        told = {
            "schema": "gate.risk_quality/v1",
            "commits": len(labelled.commits),
            "sha256": labelled.sha256,
            "notes": notes,
            "quality": found,
        }
        # The keys of a lift are levels, which orjson takes for no text.
        option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS
        emit(orjson.dumps(told, option=option))
    else:
        show_page(quality_page(data, len(labelled.commits), found, notes), form)


risk.add_command(fit)
