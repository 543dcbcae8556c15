"""What GitHub's runner reads of a step: its outputs, its summary, and commands in its log.

Anything from outside (metric names, versions, messages of servers) goes through here, so that it
can neither forge an output nor be obeyed as a command.
https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

TITLE = "Release gate"
# One byte more, and the upload is given up and the step fails.
LARGEST_SUMMARY = 2**20
LONGEST_MESSAGE = 4_096


def set_outputs(environ: Mapping[str, str], outputs: Mapping[str, str]) -> None:
    """Each with a fresh delimiter, which no value can know."""
    lines = []
    for name, value in outputs.items():
        end = f"gate_{secrets.token_hex(16)}"
        lines.append(f"{name}<<{end}\n{value}\n{end}\n")
    _append(environ.get("GITHUB_OUTPUT", ""), "".join(lines))


def add_summary(environ: Mapping[str, str], markdown: str) -> None:
    """To the step's summary, cut at a line where it is too long."""
    file = environ.get("GITHUB_STEP_SUMMARY", "")
    there = Path(file).stat().st_size if file and Path(file).exists() else 0
    _append(file, cut(markdown, LARGEST_SUMMARY - there))


def cut(text: str, most: int) -> str:
    """The text, or its first whole lines and a word about the rest, in at most so many bytes."""
    whole = text.encode(errors="replace")  # JSON may hold half a character
    if len(whole) <= most:
        return text
    rest = (
        "\n\n… cut here: the whole report is longer than GitHub shows; the output `report` has it\n"
    )
    head = whole[: max(0, most - len(rest.encode()))].decode(errors="ignore")
    return head.rpartition("\n")[0] + rest if len(rest.encode()) <= most else ""


def annotate(level: str, message: str) -> None:
    """One line of the log that GitHub also shows on the run's page. `level`: error, warning."""
    say(f"::{level} title={TITLE}::{escaped(message[:LONGEST_MESSAGE])}")


def escaped(text: str) -> str:
    r"""As the data of a command.

    >>> escaped("50%\n::error::no")
    '50%25%0A::error::no'
    """
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def mask(secret: str) -> None:
    """Never shown in the log from here on."""
    say(f"::add-mask::{escaped(secret)}")


def say(line: str) -> None:
    """To the log; a closed one changes nothing."""
    try:
        print(line, flush=True)
    except (OSError, ValueError):
        return


def note(about: str, text: object) -> None:
    """One line about something of ours, whatever stands in the text.

    No command even so: the runner obeys its older form, `##[set-output name=x]y`, inside a line too
    (actions/runner, ActionCommand.TryParse).
    """
    with plain():
        say(f"{about}: {' '.join(str(text).split())}")


@contextmanager
def plain() -> Iterator[None]:
    """Within it no line of the log is a command, whoever writes it."""
    word = secrets.token_hex(16)
    say(f"::stop-commands::{word}")
    try:
        yield
    finally:
        sys.stderr.flush()
        say(f"::{word}::")


def _append(file: str, text: str) -> None:
    if file:
        with Path(file).open("a", encoding="utf-8", errors="replace", newline="\n") as written:
            written.write(text)
