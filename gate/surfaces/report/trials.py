"""Policy tests told: for people, for programs, and as JUnit XML for CI."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring  # written here, never parsed

import orjson

from gate.policy.trial import Trial, Tried, covered
from gate.surfaces.report.known import listed
from gate.surfaces.report.page import Page, Section, printable

SCHEMA = "gate.policy_test/v1"
COLUMNS = ("rule", "true", "false", "unknown")
_MARKS = {True: "seen", False: "-", None: "cannot be"}


def trials_page(trials: Sequence[Trial]) -> Page:
    """Each failed case with the facts that mattered, then what was seen of each rule."""
    failures = [
        Section(title=f"Failed: {one.case.name}", lines=tuple(_failure(one)))
        for trial in trials
        for one in trial.failed
    ]
    page: Page = printable(
        Page(
            title="Policy test",
            subject=counted(trials),
            context=tuple(file for trial in trials for file in trial.files),
            sections=(*failures, *map(_coverage, trials)),
        )
    )
    return page


def counted(trials: Sequence[Trial]) -> str:
    """`13 of 14 cases passed`."""
    failed = sum(len(one.failed) for one in trials)
    whole = sum(len(one.tried) for one in trials)
    return f"{whole - failed} of {whole} cases passed"


def trials_json(trials: Sequence[Trial]) -> bytes:
    """One JSON object and a newline."""
    body = {
        "schema": SCHEMA,
        "passed": not any(one.failed for one in trials),
        "coverage": covered(trials),
        "policies": [
            {
                "name": trial.policy.name,
                "sha256": trial.policy.sha256,
                "files": trial.files,
                "coverage": covered([trial]),
                "rules": trial.seen,
                "unused": trial.unused,
                "cases": [_case_json(one) for one in trial.tried],
            }
            for trial in trials
        ],
    }
    return orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def trials_junit(trials: Sequence[Trial]) -> bytes:
    """The JUnit XML that CI systems read: a suite a policy, a test a case."""
    root = Element("testsuites")
    for trial in trials:
        name, tests = trial.policy.name, str(len(trial.tried))
        suite = SubElement(
            root, "testsuite", name=name, tests=tests, failures=str(len(trial.failed)), errors="0"
        )
        for one in trial.tried:
            place, line, _ = one.case.where.rsplit(":", 2)
            case = SubElement(
                suite, "testcase", name=printable(one.case.name), classname=printable(name),
                file=place, line=line,
            )  # fmt: skip
            if one.complaints:
                failure = SubElement(case, "failure", message=printable("; ".join(one.complaints)))
                failure.text = "\n".join(printable(tuple(_failure(one))))
    return bytes(tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _failure(one: Tried) -> Iterator[str]:
    yield one.case.where
    yield from one.complaints
    for reason in one.verdict.reasons:
        yield f"{reason.rule} said {reason.outcome}: {reason.message}"
    for remark in one.verdict.warnings:
        yield f"{remark.rule} warned: {remark.message}"
    if one.mattered:
        yield f"what mattered: {listed(one.mattered)}"


def _coverage(trial: Trial) -> Section:
    rows = tuple(
        (one.rule, *(_MARKS[state] for state in (one.true, one.false, one.unknown)))
        for one in trial.seen
    )
    unused = f"held in no case: {', '.join(trial.unused)}"
    return Section(
        title=f"Coverage of {trial.policy.name}: {covered([trial]):.0%}",
        columns=COLUMNS,
        rows=rows,
        lines=(unused,) if trial.unused else (),
    )


def _case_json(one: Tried) -> dict[str, Any]:
    return {
        "name": one.case.name,
        "where": one.case.where,
        "passed": not one.complaints,
        "complaints": one.complaints,
        "expected": {
            "outcome": one.case.outcome, "rules": one.case.rules, "only": one.case.only,
            "warnings": one.case.warnings,
        },
        "outcome": one.verdict.outcome,
        "reasons": one.verdict.reasons,
        "warnings": one.verdict.warnings,
        "facts": one.case.facts,
        "mattered": one.mattered,
    }  # fmt: skip
