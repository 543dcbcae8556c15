"""Judge in this job, with the installed gate."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from answer import UNDECIDED, WRONG, Answer, BrokenError, RefusedError, UndecidedError, told
from inputs import Inputs
from installed import Gate
from runner import annotate

GRACE = 60.0  # seconds beyond its own time after which the judge is stopped


def answered(gate: Gate, given: Inputs, folder: Path) -> Answer:
    """The answer of `gate check`; raises UndecidedError and RefusedError."""
    report, page = folder / "report.json", folder / "report.md"
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
        kind = UndecidedError if code == UNDECIDED else BrokenError
        raise kind(f"gate check ended with {code} and no report; the log has more") from None
    answer = told(found)
    if answer.exit_code != code:
        raise BrokenError(f"gate check ended with {code}, its report says {answer.exit_code}")
    if gate(["ledger", "show", answer.id, "--format", "markdown"], GRACE, page) == 0:
        return replace(answer, markdown=page.read_text(encoding="utf-8"))
    annotate("warning", "the report could not be made, only the verdict")
    return answer


def _check(given: Inputs, wait: float) -> list[str]:
    """The arguments, each in one word, so that no value can be a flag."""
    flags = {
        "--file": given.service_file, "--canary": given.canary, "--baseline": given.baseline,
        "--since": given.since, "--as-of": given.as_of,
        "--policy": given.policy, "--timeout": f"{given.timeout:g}s", "--every":
        f"{given.poll_interval:g}s", "--wait": f"{wait:g}s" if wait else "",
    }  # fmt: skip
    words = [f"{flag}={value}" for flag, value in flags.items() if value]
    words += [f"--var={name}={value}" for name, value in given.variables]
    words += [f"--label={label}" for label in given.labels]
    words += ["--rollback"] if given.rollback else []
    return ["check", "--format=json", *words]
