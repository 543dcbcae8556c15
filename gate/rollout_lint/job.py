"""Argo's Job provider, running `gate check`: a Job knows success and failure, and no hold."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from gate.errors import UsageError
from gate.finding import Finding
from gate.rollout_lint.part import Part
from gate.units import seconds

_CHECK = re.compile(r"\bgate\b[^|;&]*\bcheck\b")
_SWALLOWED = re.compile(r"\|\||\||;\s*\S|\s&\s*$")
_WAIT = re.compile(r"--wait[= ]+(\S+)")


def commands(job: Part) -> Iterator[tuple[Part, str]]:
    """The containers that run `gate check`, each with its command on one line."""
    for one in job.at("spec", "template", "spec", "containers").items():
        # Without a command it is that of the image, and the image of the gate is called so.
        image = one["image"].text.rpartition("/")[2].partition(":")[0]
        words = [] if one["command"].written else [image]
        words += [str(part.value) for key in ("command", "args") for part in one[key].items()]
        line = " ".join(words)
        if _CHECK.search(line):
            yield one, line


def job(metric: Part) -> Iterator[Finding]:
    """The traps of a Job that asks the gate."""
    its = metric.at("provider", "job")
    pod = its.at("spec", "template", "spec")
    if its.at("spec", "backoffLimit").number != 0:
        yield its.at("spec", "backoffLimit").wrong(
            "backoff-limit",
            "after a rollback the Job asks again, 6 times by default, until some answer is a yes",
            "write `backoffLimit: 0`",
        )
    if pod["restartPolicy"].text != "Never":
        yield pod["restartPolicy"].wrong(
            "restart-policy",
            "after a rollback the container starts again and asks until some answer is a yes",
            "write `restartPolicy: Never`",
        )
    for container, line in commands(its):
        yield from _run(container, line)
        yield from _deadline(its.at("spec", "activeDeadlineSeconds"), line)


def _run(container: Part, line: str) -> Iterator[Finding]:
    if _SWALLOWED.search(line[_CHECK.search(line).start() :]):  # type: ignore[union-attr]
        yield container.wrong(
            "exit-code-lost",
            "what follows `gate check` decides the exit code: a rollback may end as success",
            "run `gate check` as the last command, with `exec`, and nothing behind it",
        )
    if not _WAIT.search(line):
        yield container.odd(
            "job-hold",
            "without --wait the first hold fails the Job, and a canary just started is always held",
            "add `--wait 30m`",
        )
    elif "--on-timeout" not in line:
        yield container.odd(
            "job-hold",
            "a Job knows no hold: when the wait is over a hold is a failure, which aborts",
            "say so with `--on-timeout rollback`, or ask by the web provider",
        )


def _deadline(deadline: Part, line: str) -> Iterator[Finding]:
    told = _WAIT.search(line)
    try:
        wait = seconds(told[1]) if told else 0.0
    except UsageError:
        wait = math.nan
    if deadline.number is None:
        yield deadline.wrong(
            "deadline",
            "without activeDeadlineSeconds a Job whose image never comes runs for ever; ended "
            "from outside, Argo up to 1.9 calls it Successful",
            f"write `activeDeadlineSeconds: {wait + 300:.0f}`" if wait else "",
        )
    elif not deadline.number > wait:
        told_ = f"the Job is killed after {deadline.number} s, before --wait is over"
        yield deadline.odd("deadline", told_, f"write more than {wait:.0f}")
