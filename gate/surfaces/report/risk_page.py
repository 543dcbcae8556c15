"""The risk of a change told by itself."""

from __future__ import annotations

import orjson

from gate.change import Change
from gate.pull import PullRequests
from gate.risk.assess import REFERENCE, Risk
from gate.surfaces.report.document import changed
from gate.surfaces.report.page import Page, Section, printable
from gate.surfaces.report.pulls import pulled
from gate.surfaces.report.risk import about, reasons, size, standing

SCHEMA = "gate.risk/v1"


def risk_page(risk: Risk, change: Change, subject: str, pulls: PullRequests | None = None) -> Page:
    """The level, every reason that counts, the strongest first, and what to keep in mind."""
    usual = f"{risk.among} here" if risk.compared else REFERENCE
    sections = [
        Section(
            title=f"Log-odds beside the median {usual}",
            lines=tuple(reasons(risk)) or ("nothing differs from it",),
        )
    ]
    if around := tuple(pulled(pulls)):
        sections.append(Section(title="Reviews and checks", lines=around))
    if notes := (*about(change), *risk.notes, *change.notes):
        sections.append(Section(title="Keep in mind", lines=notes))
    page: Page = printable(
        Page(
            title=f"{risk.level} risk".capitalize(),
            subject=subject,
            context=(size(change), standing(risk)),
            sections=tuple(sections),
        )
    )
    return page


def risk_json(risk: Risk, change: Change, pulls: PullRequests | None = None) -> bytes:
    """One JSON object and a newline; its parts are those of a decision's report."""
    told = {"schema": SCHEMA, "risk": risk, "change": changed(change), "pull_requests": pulls}
    return orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
