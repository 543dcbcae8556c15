"""The examples, which are right, and one wrong thing written into them."""

from __future__ import annotations

from pathlib import Path

from gate.document import parse_all
from gate.rollout_lint.lint import lint

EXAMPLES = Path(__file__).parents[2] / "examples"


def example(name: str, *changes: tuple[str, str]) -> str:
    """The text of an example; every change must be one of something that stands there."""
    text = (EXAMPLES / name).read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def found(*texts: str, argo=None):
    """The findings in the texts, each a file of its own."""
    documents = [one for n, text in enumerate(texts) for one in parse_all(text, f"{n}.yaml")]
    return lint(tuple(documents), argo).findings


def checks(*texts: str, argo=None) -> set[str]:
    return {one.check for one in found(*texts, argo=argo)}
