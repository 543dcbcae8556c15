"""Selectors as in PromQL: `http_requests_total{code=~"5..",version!="v1"}`, nothing more.

Regular expressions are anchored at both ends and `.` matches any character, as in PromQL; they
are Python's, which agree with RE2 on what selectors use. A label that a series lacks counts as
the empty string.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gate.evidence.evidence import Cause
from gate.evidence.source import SourceError

_NAME = re.compile(r"[A-Za-z_:][A-Za-z0-9_:.]*")
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r"=~|!~|!=|=")
_SPACE = re.compile(r"\s*")
_QUOTED = re.compile(r""""((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|`([^`]*)`""")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'"}


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label; `pattern` is compiled for `=~` and `!~`, else None."""

    label: str
    operator: str
    value: str
    pattern: re.Pattern[str] | None = None

    def matches(self, value: str) -> bool:
        """Whether the label value, or "" where the series lacks the label, is wanted."""
        hit = value == self.value if self.pattern is None else bool(self.pattern.fullmatch(value))
        return hit != self.operator.startswith("!")


@dataclass(frozen=True, slots=True)
class Selector:
    """A name and conditions on labels; `text` is how it was written."""

    text: str
    name: str
    matchers: tuple[Matcher, ...]

    def matches(self, name: str, labels: Mapping[str, str]) -> bool:
        return name == self.name and all(
            matcher.matches(labels.get(matcher.label, "")) for matcher in self.matchers
        )


def parse(text: str) -> Selector:
    """The selector written in the text; raises BAD_QUERY with the position of what is not one.

    >>> parse('up{job="a", pod=~"b.*"}').matches('up', {'job': 'a', 'pod': 'b1'})
    True
    """
    reading = _Reading(text)
    name = reading.take(_NAME, "the name of a series")[0]
    matchers = tuple(_matchers(reading)) if reading.next_is("{") else ()
    if reading.at < len(text):
        raise reading.wrong("the end; a recorded file answers selectors, not expressions")
    return Selector(text.strip(), name, matchers)


class _Reading:
    """A place in a text that moves forward."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self._skip_space()

    def take(self, wanted: re.Pattern[str], named: str) -> re.Match[str]:
        found = wanted.match(self.text, self.at)
        if found is None:
            raise self.wrong(named)
        self.at = found.end()
        self._skip_space()
        return found

    def next_is(self, character: str) -> bool:
        """Whether the character comes next; if so it is taken."""
        if not self.text.startswith(character, self.at):
            return False
        self.at += 1
        self._skip_space()
        return True

    def wrong(self, expected: str) -> SourceError:
        rest = self.text[self.at : self.at + 20]
        return SourceError(
            Cause.BAD_QUERY,
            f"selector {self.text!r}, position {self.at + 1}: expected {expected}, "
            f"found {rest!r}" + ("" if rest else " (it ends there)"),
        )

    def _skip_space(self) -> None:
        blank = _SPACE.match(self.text, self.at)
        self.at = blank.end() if blank else self.at


def _matchers(reading: _Reading) -> Iterator[Matcher]:
    while not reading.next_is("}"):
        yield _matcher(reading)
        if not reading.next_is(","):
            if not reading.next_is("}"):
                raise reading.wrong("',' or '}'")
            return


def _matcher(reading: _Reading) -> Matcher:
    label = reading.take(_LABEL, "a label name or '}'")[0]
    operator = reading.take(_OPERATOR, "=, !=, =~ or !~")[0]
    start = reading.at
    quoted = reading.take(_QUOTED, "a quoted value")
    value = _unquoted(quoted)
    if not operator.endswith("~"):
        return Matcher(label, operator, value)
    try:
        return Matcher(label, operator, value, re.compile(value, re.DOTALL))
    except (re.error, OverflowError, RecursionError) as error:
        reading.at = start
        raise reading.wrong(f"a regular expression ({error})") from None


def _unquoted(quoted: re.Match[str]) -> str:
    if quoted[3] is not None:
        return quoted[3]
    inner = quoted[1] if quoted[1] is not None else quoted[2]
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[0]), inner)
