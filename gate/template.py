"""Query templates: `{{word}}` is replaced by its value; an unknown word is refused by name."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gate.errors import UsageError, did_you_mean

_WORD = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_.-]*)\s*\}\}")
# What may stand in a value that goes into a query: names, hashes, tags, image references. Quotes,
# braces, backslashes and white space could change the meaning of the query around them.
_SAFE = re.compile(r"[A-Za-z0-9._:/@+-]+")
# Words that the gate fills in itself, so no variable is called so.
OWN_WORDS = frozenset({"canary", "baseline", "selector", "step", "window"})


def words_of(template: str) -> list[str]:
    """The words a template asks for, in order of appearance.

    >>> words_of('sum(rate(x{ {{selector}} }[{{ step }}]))')
    ['selector', 'step']
    """
    return _WORD.findall(template)


def render(template: str, words: Mapping[str, str]) -> str:
    """The template with every word replaced, words inside values included (one level).

    Raises UsageError for a word that is not in `words`.

    >>> render('up{ {{selector}} }', {'selector': 'pod="{{canary}}"', 'canary': '7d4b9c'})
    'up{ pod="7d4b9c" }'
    """
    return _replace(_replace(template, words), words)


def checked_value(name: str, value: str) -> str:
    """The value, if it can stand in a query without changing its meaning; else UsageError."""
    if not _SAFE.fullmatch(value):
        raise UsageError(
            f"{name} {value!r} cannot stand in a query",
            "use letters, digits and . _ : / @ + - only",
        )
    return value


def free_word(name: str) -> str:
    """The name of a variable; raises UsageError for one of the gate's own words."""
    if name in OWN_WORDS:
        raise UsageError(
            f"variable {name!r} is a word of the gate's own",
            f"those are {', '.join(sorted(OWN_WORDS))}",
        )
    return name


def _replace(template: str, words: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        word = match[1]
        if word not in words:
            known = sorted(words)
            raise UsageError(
                f"query template uses the unknown word {{{{{word}}}}}{did_you_mean(word, known)}",
                f"known words: {', '.join(known)}; give others with --var {word}=VALUE",
            )
        return words[word]

    return _WORD.sub(value, template)
