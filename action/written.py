"""What the inputs ask to be left on GitHub, before and after the answer.

What cannot be written is a warning; no verdict changes by it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from answer import UNDECIDED, Answer, BrokenError
from inputs import Inputs
from installed import Gate
from runner import annotate

WITHIN = 60.0  # seconds for all writes of one kind
LAST_WORDS = 4.0  # seconds; of a cancelled job not many are left
LONGEST_REASON = 1_000  # characters; the log has all of it


def written(gate: Gate, given: Inputs, folder: Path, answered: Callable[[], Answer]) -> Answer:
    """The answer, with what is to be written about it written; raises what `answered` does."""
    told = _Told(gate, given, folder)
    if not told.wanted or not _installed(gate):
        return answered()
    try:
        told.begin()
        answer = answered()
    except Exception as error:
        told.give_up(WITHIN, str(error))
        raise
    except BaseException:  # nor does a cancelled job leave a status that is pending for ever
        told.give_up(LAST_WORDS)
        raise
    told.report(answer)
    return answer


def _installed(gate: Gate) -> bool:
    """It does the writing also where a server does the judging."""
    try:
        gate.install()
    except BrokenError as error:
        annotate("warning", f"nothing is written to GitHub: {error}")
        return False
    return True


class _Told:
    """GitHub, as far as the inputs ask for it."""

    def __init__(self, gate: Gate, given: Inputs, folder: Path) -> None:
        self._gate, self._given, self._folder = gate, given, folder
        self._following = ["--status"] if given.status else []
        if given.deployment_id:
            self._following.append(f"--deployment={given.deployment_id}")

    @property
    def wanted(self) -> bool:
        return bool(self._following or self._given.check or self._given.comment != "never")

    def begin(self) -> None:
        if self._following:
            self._write("begin", [self._about(), *self._following], WITHIN)

    def give_up(self, within: float, why: str = "") -> None:
        """With the reason also where an earlier answer would stay: in the comment, say."""
        flags = [*self._following, *(self._lasting(UNDECIDED) if why else [])]
        if flags:
            reason = " ".join(why.replace("\0", "").split())[:LONGEST_REASON]
            self._write("give-up", [self._about(), *flags, f"--reason={reason}"], within)

    def report(self, answer: Answer) -> None:
        """What cannot be told of it at all has no verdict on GitHub, and is not pending either."""
        if not self._reported(answer):
            self.give_up(WITHIN)

    def _reported(self, answer: Answer) -> bool:
        flags = [*self._following, *self._lasting(answer.exit_code)]
        if not flags:
            return True
        report, page = self._folder / "told.json", self._folder / "told.md"
        try:
            report.write_text(json.dumps(answer.report), encoding="utf-8")
            page.write_text(answer.markdown, encoding="utf-8", errors="replace")
        except OSError as error:
            annotate("warning", f"nothing is written to GitHub: {error}")
            return False
        return self._write("report", [*flags, f"--report={report}", f"--page={page}"], WITHIN)

    def _about(self) -> str:
        given = self._given
        return f"--service={given.service}" if given.server_url else f"--file={given.service_file}"

    def _lasting(self, code: int) -> list[str]:
        """After a failure that was commented, the comment must not go on saying so."""
        given, flags = self._given, ["--check"] if self._given.check else []
        if given.comment == "never":
            return flags
        how = "always" if given.comment == "always" or code else "existing"
        pull = [f"--pr={given.pull_request}"] if given.pull_request else []
        return [*flags, f"--comment={how}", *pull]

    def _write(self, command: str, flags: Sequence[str], within: float) -> bool:
        """Whether it was tried; one warning for all that failed, as GitHub shows ten of a step."""
        out, token = self._folder / "written.json", self._given.github_token
        # The job's own GITHUB_TOKEN is for its sources; here the input has the word.
        own = {"GITHUB_TOKEN": token} if token else {}
        try:
            self._gate(["github", command, "--format=json", *flags], within, out, **own)
            done = json.loads(out.read_bytes())["written"]
        except (BrokenError, OSError, ValueError, KeyError):
            annotate("warning", "nothing could be written to GitHub; the log has more")
            return False
        if failed := [f"{one['what']}: {one['detail']}" for one in done if not one["done"]]:
            annotate("warning", "\n".join(failed))
        return True
