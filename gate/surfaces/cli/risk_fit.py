"""`gate risk fit`: a model of change risk by a team's own labelled changes, where it is better."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import orjson

from gate.additive import Features
from gate.errors import GateError, UsageError
from gate.evidence.evidence import Cause
from gate.evidence.source import SourceError
from gate.risk.commits import Commit
from gate.settings import Settings, settings
from gate.surfaces.cli import options
from gate.surfaces.cli.console import emit, tell
from gate.surfaces.cli.outcomes import Count, Row, alike, counted, of_file, of_ledger
from gate.surfaces.cli.show import show_page
from gate.wiring import ledger as wired

SCHEMA = "gate.risk_fit/v1"
SEED = 20_170_101  # of the bootstrap: the same labels give the same answer
# What is wrong with one pair of revisions, and not with the clone.
_OF_ONE = {Cause.BAD_QUERY, Cause.EMPTY, Cause.PARTIAL}


@click.command(epilog="Example: gate risk fit --outcomes releases.csv --out risk-model.json")
@click.option("--outcomes", help="Labelled changes: CSV, or a JSON object a line; gzip or not.")
@click.option("--from-ledger", is_flag=True, help="What `gate outcome` told, instead of a file.")
@click.option("--service", help="With --from-ledger: only of this service.")
@click.option("--repo", default=".", show_default=True, help="A clone that counts base..head.")
@click.option("--out", help="Write the model here, if it is better; name it as `change: {model:}`.")
@click.option("--ledger", help="Where outcomes are kept (GATE_LEDGER).")
@options.FORMAT
@options.TIMEOUT
def fit(**flags: Any) -> None:
    """Fit the model to your own changes, and say whether it beats the shipped one.

    Each change has a label (bad, buggy, rolled_back or incident, 0 or 1; or result as in `gate
    outcome`), and either base and head or the columns of `gate risk evaluate`; at (Unix seconds)
    puts them in order. It is fitted to the older 70 % and compared on the newest 30 %.

    Exits 0 when it is better by more than chance, 30 when the shipped model stays; then nothing is
    written.
    """
    own = settings(os.environ, ledger=flags["ledger"], timeout=flags["timeout"])
    rows, digest = _labelled(flags, own)
    left_out: list[str] = []
    commits = alike(list(_counted(rows, _counter(flags["repo"], own), left_out)))
    _report(commits, digest, left_out, flags)


def _labelled(flags: dict[str, Any], own: Settings) -> tuple[list[Row], str]:
    if bool(flags["outcomes"]) == flags["from_ledger"]:
        raise UsageError("name the labels once", "write --outcomes FILE or --from-ledger")
    if flags["outcomes"]:
        if flags["service"]:
            raise UsageError("--service belongs to --from-ledger")
        return of_file(Path(flags["outcomes"]))
    return of_ledger(wired(own), flags["service"])


def _counter(repo: str, own: Settings) -> Count:
    """Counts by the clone; nothing is asked of it before a row needs it."""
    from gate.risk.features import features
    from gate.sources.git import Git, GitSpec

    git = Git(GitSpec(repo=repo), Path(), os.environ, own.cache)

    def count(base: str, head: str) -> tuple[Features, float]:
        deadline = time.monotonic() + own.timeout
        change = git.between(base, head, deadline)
        return features(change), git.committed(change.head, deadline)

    return count


def _counted(rows: list[Row], count: Count, left_out: list[str]) -> Iterator[Commit]:
    """Each row counted; those whose revisions the clone cannot compare are told in `left_out`."""
    for done, row in enumerate(rows):
        if row.features is None and done % 20 == 0 and sys.stderr.isatty():
            tell(f"{done} of {len(rows)} changes are counted")
        try:
            yield counted(row, count)
        except SourceError as error:
            if error.cause not in _OF_ONE:
                raise
            left_out.append(f"{row.where}: {error.message}")


def _report(commits: list[Commit], digest: str, left_out: list[str], flags: dict[str, Any]) -> None:
    """Prints how both models do and writes the better; raises GateError where the shipped stays."""
    import numpy as np

    from gate.risk.model import shipped, to_text
    from gate.risk.refit import moved, too_few, trial
    from gate.surfaces.report.trial import trial_page

    refusal = too_few(commits)
    found = None if refusal else trial(commits, shipped(), np.random.default_rng(SEED))
    refusal = found.refusal if found else refusal
    bad = sum(one.buggy for one in commits)
    if flags["form"] == "json":
        told = {
            "schema": SCHEMA,
            "changes": len(commits),
            "bad": bad,
            "sha256": digest,
            "left_out": left_out,
            "trial": found,
            "better": not refusal,
            "refusal": refusal,
            "written": None if refusal else flags["out"],
        }
        option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS
        emit(orjson.dumps(told, option=option))
    else:
        subject = flags["outcomes"] or "the ledger"
        show_page(trial_page(subject, len(commits), bad, found, tuple(left_out)), flags["form"])
    if refusal:
        raise GateError(f"the shipped model stays: {refusal}", "nothing was written")
    if flags["out"]:
        trained = f"gate risk fit, {len(commits)} changes, {bad} bad"
        _write(Path(flags["out"]), to_text(moved(shipped(), commits, digest), trained))


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f"{path.name}.part")
    try:
        beside.write_text(text, "utf-8")
        beside.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None
