"""The step: read the inputs, get an answer, tell it, and pass or fail the job.

Run by action.yml as `python3 -I -B .../action`, with nothing but the standard library.
"""

from __future__ import annotations

import io
import json
import os
import secrets
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import local_mode
import server_mode
from answer import (
    CANCELLED,
    UNDECIDED,
    WRONG,
    Answer,
    BrokenError,
    Ending,
    RefusedError,
    UndecidedError,
    ending,
)
from inputs import Inputs, WrongInputError, inputs
from installed import Gate
from runner import add_summary, annotate, plain, say, set_outputs
from written import written


class Cancelled(BaseException):
    """The job was cancelled: the runner interrupts, and kills ten seconds later."""


def main(environ: Mapping[str, str]) -> int:
    """The exit code of the step; its outputs are written before it is returned, always."""
    try:
        given = inputs(environ, datetime.now(UTC))
        answer = _answer(given, environ)
    except WrongInputError as error:
        finished = Answer(outcome="error", exit_code=WRONG, reason=str(error))
        return _tell(finished, Ending("error", str(error), WRONG), "never", environ)
    except Cancelled:
        answer = Answer(outcome="cancelled", exit_code=CANCELLED, reason="the job was cancelled")
        return _tell(answer, Ending("error", "cancelled; nothing was decided", CANCELLED), "never",
                     environ)  # fmt: skip
    return _tell(answer, ending(answer, given), given.summary, environ)


def _answer(given: Inputs, environ: Mapping[str, str]) -> Answer:
    folder = _folder(environ)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        gate = Gate(folder, given, environ)
        judged = partial(server_mode.answered, given, environ)
        if not given.server_url:
            gate.install()
            judged = partial(local_mode.answered, gate, given, folder)
        return written(gate, given, folder, lambda: _whole(judged))
    except UndecidedError as error:
        broken = isinstance(error, BrokenError)
        return Answer(outcome="error", exit_code=UNDECIDED, reason=str(error), broken=broken)
    except RefusedError as error:
        return Answer(outcome="error", exit_code=WRONG, reason=str(error))
    except Exception as error:  # noqa: BLE001  a fault of ours; its outputs are written all the same
        with plain():
            traceback.print_exc()
        why = f"the action itself failed, the log says where: {error!r}"
        return Answer(outcome="error", exit_code=UNDECIDED, reason=why, broken=True)


def _whole(judged: Callable[[], Answer]) -> Answer:
    """Its answer; what is written of it, or of its failure, must not be torn apart."""
    try:
        return judged()
    finally:
        _listen(_deaf)


def _tell(answer: Answer, end: Ending, summary: str, environ: Mapping[str, str]) -> int:
    _listen(_deaf)
    try:
        set_outputs(environ, {
            "outcome": answer.outcome,
            "exit-code": str(answer.exit_code),
            "decision-id": answer.id,
            "decision-url": answer.url or _run_url(environ),
            "report": _kept(answer, environ),
        })  # fmt: skip
    except OSError as error:
        why = f"{end.message}; and the outputs could not be written: {error}"
        end = Ending("error", why, end.code or UNDECIDED)
    if answer.markdown:
        say("::group::The report")
        with plain():
            say(answer.markdown)
        say("::endgroup::")
    if summary == "always" or (summary == "on-failure" and answer.exit_code):
        _summarize(answer, environ)
    if end.level:
        annotate(end.level, end.message)
    else:
        with plain():
            say(end.message)
    return end.code


def _summarize(answer: Answer, environ: Mapping[str, str]) -> None:
    try:
        add_summary(environ, answer.markdown or _without_report(answer))
    except OSError as error:
        annotate("warning", f"the job summary could not be written: {error}")


def _kept(answer: Answer, environ: Mapping[str, str]) -> str:
    """The path of the report: its own file, as a job may have several gates."""
    if answer.report is None:
        return ""
    path = _folder(environ).resolve() / f"report-{secrets.token_hex(8)}.json"
    try:
        path.write_text(json.dumps(answer.report, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        annotate("warning", f"the report could not be kept: {error}")
        return ""
    return str(path)


def _folder(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("RUNNER_TEMP") or tempfile.gettempdir()) / "release-gate"


def _run_url(environ: Mapping[str, str]) -> str:
    parts = [environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
    return "{}/{}/actions/runs/{}".format(*parts) if all(parts) else ""


def _without_report(answer: Answer) -> str:
    """As code, in which markdown neither formats nor mentions."""
    reason = " ".join(answer.reason.split()).replace("`", "'")
    return f"### Release gate: {answer.outcome}\n\n`{reason}`\n"


def _listen(handler: Callable[..., None]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)


def _cancel(*_: object) -> None:
    _listen(_deaf)  # once is enough
    raise Cancelled


def _deaf(*_: object) -> None:
    """No SIG_IGN, which a child would inherit: it could not be stopped but by killing it."""


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # Windows' default is the code page
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    _listen(_cancel)
    sys.exit(main(os.environ))
