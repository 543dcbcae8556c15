"""Text from outside as parts of a YAML file; whatever is in it, it cannot leave its place."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import yaml

WIDTH = 98


def comment(text: str, indent: str = "") -> Iterator[str]:
    """The text as comment lines."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    for line in textwrap.wrap(shown, WIDTH - len(indent) - 2, break_on_hyphens=False):
        yield f"{indent}# {line}"


def quoted(text: str) -> str:
    """On one line, in single quotes where that can be.

    >>> print(quoted("it's"))
    'it''s'
    """
    style = "'" if text.isprintable() else '"'
    dumped: str = yaml.safe_dump(text, default_style=style, width=10**9, allow_unicode=True)
    return dumped.rstrip("\n")
