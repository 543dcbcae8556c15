"""`gate lint-rollout`: the traps in manifests of Argo Rollouts and Flagger."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gate.errors import UsageError
from gate.surfaces.cli.console import tell
from gate.surfaces.cli.linted import LINTED, show_findings


@click.command(
    "lint-rollout", epilog="Example: gate lint-rollout rollout.yaml release-gate.yaml --strict"
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--argo-version", help="Of the controller, where no file tells: 1.8.3.")
@click.option("--strict", is_flag=True, help="Warnings are errors.")
@click.option("--format", "form", type=click.Choice(LINTED), default="text", show_default=True)
@click.pass_context
def lint_rollout(
    context: click.Context, files: tuple[str, ...], argo_version: str | None, form: str, *,
    strict: bool,
) -> None:  # fmt: skip
    """Traps by which a gate silently passes, or never does. Exits 0, or 2 with errors.

    Reads AnalysisTemplates, Rollouts, Experiments, AnalysisRuns, Flagger's Canaries and
    MetricTemplates, and Argo's notification ConfigMap; FILE may be `-`: `helm template . | gate
    lint-rollout -`. Files that belong together are named together. Other kinds are passed over.
    """
    from gate.document import Document, parse_all
    from gate.finding import Finding, complaints
    from gate.rollout_lint.argo_version import version
    from gate.rollout_lint.lint import ROLLOUTS, lint

    argo = version(argo_version) if argo_version else None
    if argo_version and argo is None:
        raise UsageError(f"--argo-version {argo_version!r} is no version", "write 1.8.3")
    documents: list[Document] = []
    broken: list[Finding] = []
    for file in files:
        text = _text(file)
        try:
            documents += parse_all(text, file)
        except UsageError as error:
            helm = "render a Helm chart first: helm template" if "{{" in text else ""
            broken += complaints(UsageError(str(error), helm))
    looked = lint(tuple(documents), argo)
    if looked.skipped:
        tell(f"passed over: {', '.join(looked.skipped)}")
    if not looked.objects and not broken:
        raise UsageError(
            "there is nothing to look into in these files",
            "name files with AnalysisTemplates, Rollouts, Experiments or Canaries",
        )
    found = (*broken, *looked.findings)
    context.exit(show_findings(found, files, ROLLOUTS, form, strict=strict))


def _text(file: str) -> str:
    from gate.document import text_of

    if file != "-":
        return text_of(Path(file))
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"standard input: not UTF-8 text (byte {error.start})") from None
