"""Judge in this job, with the installed gate."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from answer import WRONG, Answer, BrokenError, RefusedError, told
from inputs import Inputs
from installed import Gate
from runner import annotate

GRACE = 60.0  # seconds beyond its own time after which the judge is stopped


def answered(gate: Gate, given: Inputs, folder: Path) -> Answer:
    """The answer of `gate check`; raises BrokenError and RefusedError.

    Metrics out of reach are told in its report, so without one it could not be stored, say.
    """
    report = folder / "report.json"
    wait = 0.0 if given.as_of else given.wait
    code = gate(_check(given, wait), wait + given.timeout + GRACE, report)
    try:
        found = json.loads(report.read_bytes())
    except (OSError, ValueError):
        # It has said why in the log; a usage error is not helped by asking again.
        if code == WRONG:
            raise RefusedError(
                "the service file or an input is wrong; the log says where"
            ) from None
        why = f"gate check ended with {code} and no report; the log has more"
        raise BrokenError(why) from None
    answer = told(found)
    if answer.exit_code != code:
        raise BrokenError(f"gate check ended with {code}, its report says {answer.exit_code}")
    return replace(answer, markdown=_page(gate, answer.id, folder / "report.md"))


def _page(gate: Gate, id_: str, page: Path) -> str:
    """The report for people; empty where it cannot be had, as the verdict stays what it is."""
    try:
        if gate(["ledger", "show", id_, "--format", "markdown"], GRACE, page) == 0:
            return page.read_text(encoding="utf-8")
        why = "the log has more"
    except (BrokenError, OSError, ValueError) as error:
        why = str(error)
    annotate("warning", f"the report could not be made, only the verdict: {why}")
    return ""


def _check(given: Inputs, wait: float) -> list[str]:
    """The arguments, each in one word, so that no value can be a flag."""
    flags = {
        "--file": given.service_file, "--canary": given.canary, "--baseline": given.baseline,
        "--since": given.since, "--as-of": given.as_of,
        "--policy": given.policy, "--timeout": _duration(given.timeout),
        "--every": _duration(given.poll_interval), "--wait": _duration(wait) if wait else "",
    }  # fmt: skip
    words = [f"{flag}={value}" for flag, value in flags.items() if value]
    words += [f"--var={name}={value}" for name, value in given.variables]
    words += [f"--label={label}" for label in given.labels]
    words += ["--rollback"] if given.rollback else []
    return ["check", "--format=json", *words]


def _duration(seconds: float) -> str:
    """Without the exponent of a long one, which is no duration."""
    return f"{seconds:f}s"
