"""A refitted model beside the shipped one, on the changes that neither was fitted to."""

from __future__ import annotations

from gate.risk.refit import Trial
from gate.surfaces.report.page import Page, Section, printable
from gate.surfaces.report.quality import COLUMNS, LEGEND, cells

MOST_LEFT_OUT = 5
_FIGURES = {"auc": "AUC", "pr_auc": "PR-AUC", "brier": "Brier", "recall": "recall"}


def trial_page(
    subject: str, changes: int, bad: int, trial: Trial | None, left_out: tuple[str, ...]
) -> Page:
    """Both rows of quality and their differences; what was left out at the end."""
    sections = list(_compared(trial)) if trial else []
    if left_out:
        more = len(left_out) - MOST_LEFT_OUT
        lines = (*left_out[:MOST_LEFT_OUT], *([f"and {more} more"] if more > 0 else []))
        sections.append(Section(title=f"Not counted ({len(left_out)})", lines=lines))
    page: Page = printable(
        Page(
            title="A model of your own"
            if trial and not trial.refusal
            else "The shipped model stays",
            subject=f"{subject}, {changes:,} changes, {bad:,} bad",
            context=(),
            sections=tuple(sections),
        )
    )
    return page


def _compared(trial: Trial) -> list[Section]:
    rows = (cells("shipped", trial.shipped), cells("refitted", trial.refitted))
    title = (
        f"Fitted to the older {trial.fitted:,}, measured on the newest {trial.held_out:,} "
        f"({trial.bad_held_out:,} bad)"
    )
    differences = tuple(
        (_FIGURES[name], f"{one.value:+.3f}", f"[{one.low:+.3f}, {one.high:+.3f}]")
        for name, one in trial.differences.items()
    )
    return [
        Section(title=title, columns=COLUMNS, rows=rows, lines=LEGEND),
        Section(
            title="Refitted minus shipped",
            columns=("figure", "difference", "95% interval"),
            rows=differences,
            lines=("by AUC or Brier it must be shown better, and by neither worse",),
        ),
    ]
