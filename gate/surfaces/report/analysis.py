"""An analysis told by itself: what the judge found, with no policy asked and nothing decided."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import orjson

from gate.analysis.comparison import Analysis, Comparison, Finding, times
from gate.evidence.evidence import Evidence
from gate.policy.advice import wait
from gate.request import Request
from gate.service import Service
from gate.surfaces.report.document import analysed, asked
from gate.surfaces.report.numbers import quantity
from gate.surfaces.report.page import Page, Section, printable
from gate.surfaces.report.report import COLUMNS, cells, how_sure, judged, rests_on
from gate.surfaces.report.words import margin

SCHEMA = "gate.analysis/v1"
AS_KNOWN = "ratios and their intervals take the baseline's own value as known"
NOTHING_DECIDED = "analysis only: no policy was asked, nothing was decided"


def analysis_page(
    service: Service, request: Request, evidence: Evidence, analysis: Analysis
) -> Page:
    """The findings as one table, and for each all that is known of it."""
    rows = tuple(cells(one) for one in analysis.comparisons)
    details = tuple(
        Section(title=one.label, lines=tuple(_details(one, analysis)))
        for one in analysis.comparisons
    )
    page: Page = printable(
        Page(
            title="Analysis",
            subject=f"{service.name}  {request.baseline or 'before'} -> {request.canary}",
            context=(judged(evidence.window), NOTHING_DECIDED, *how_sure(analysis), AS_KNOWN),
            sections=(Section(title="Findings", columns=COLUMNS, rows=rows), *details),
        )
    )
    return page


def analysis_json(
    service: Service, request: Request, evidence: Evidence, analysis: Analysis
) -> bytes:
    """One JSON object and a newline; its parts are those of a decision's report."""
    told: dict[str, Any] = {
        "schema": SCHEMA,
        **asked(service, request, evidence.window),
        "analysis": analysed(analysis),
        "gaps": [gap for gap in evidence.gaps if gap.about.startswith("metric ")],
    }
    return orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _details(one: Comparison, analysis: Analysis) -> Iterator[str]:
    beta, interval = analysis.beta, one.interval
    if one.log_e_worse is None or one.log_e_not_worse is None or interval is None or beta is None:
        yield one.why
        yield f"margin {margin(one.margin, one.unit)}"
        return
    if one.finding is Finding.UNFIT:
        yield one.why
    yield f"{_ratio(one)}margin {margin(one.margin, one.unit)}"
    # What the two findings may each be wrong by is all that the interval's level leaves.
    alpha = max(1.0 - interval.level - beta, 1e-300)
    yield (
        f"evidence for worse {times(one.log_e_worse)} of {times(-math.log(alpha))} needed, "
        f"for not worse {times(one.log_e_not_worse)} of {times(-math.log(beta))}"
    )
    yield from one.notes
    yield rests_on(one)
    if one.finding is Finding.UNCLEAR:
        yield wait(one)


def _ratio(one: Comparison) -> str:
    interval = one.ratio_interval
    if one.ratio is None or interval is None:
        return ""
    low, high = (quantity(bound, "") for bound in (interval.low, interval.high))
    return f"{quantity(one.ratio, '')} times the baseline [{low}, {high}]; "
