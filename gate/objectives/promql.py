"""Queries as other formats write them, turned into ones that can be asked of any window.

Why by hand and not with a parser of PromQL: only a handful of forms are rewritten, each told by a
whitelist of its whole text; a query of any other form is kept as it is, or refused. Strings, label
matchers and ranges are blanked first (`_mask`), so that nothing inside them is taken for a word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gate.errors import UsageError

WINDOW = "{{window}}"
# How often an expression without a range is looked at. The shortest slice of OpenSLO is a minute.
SUBQUERY = f"[{WINDOW}:1m]"

_QUOTED = r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|`[^`]*`"
_MATCHERS = rf"\{{(?:{_QUOTED}|[^{{}}\"'`])*\}}"
_DURATION = r"(?:[0-9]+(?:ms|[smhdwy]))+"
_SELECTOR = re.compile(
    rf"\s*((?:[A-Za-z_:][\w:]*\s*(?:{_MATCHERS})?)|{_MATCHERS})\s*(offset\s+-?\s*{_DURATION})?\s*"
)
_SUM = re.compile(r"\s*sum\s*\((.*)\)\s*", re.DOTALL)
_WINDOW_WORD = re.compile(r"\{\{\s*\.?window\s*\}\}")
_TEMPLATE = re.compile(r"\{\{[^}]*\}\}")
_COMMENT = re.compile(rf"({_QUOTED})|#[^\n]*")
_TEXTS = re.compile(rf"{_QUOTED}|{_MATCHERS}")
_RANGE = re.compile(r"\[[^\]]*\]")
# Functions whose answer over a longer range adds to, or averages, those over shorter ones.
_FIXED = re.compile(
    rf"\b(?:rate|increase|sum_over_time|count_over_time)\s*\(\s*[\w:]*\s*\[\s*{_DURATION}\s*\]"
)
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)")
_RATE = re.compile(r"\brate(?=\s*\()")
_RATE_OF_ONE = re.compile(rf"\brate\s*\(\s*[\w:]*\s*(?:offset\s+-?\s*{_DURATION})?\s*\)")
_NOTHING = re.compile(r"\bvector\s*\(\s*0\s*\)")
_SUMS = re.compile(r"(?:\bsum\b|\bor\b|\bon\b|[\s()+-])*", re.IGNORECASE)
_LE = re.compile(r"[{,]\s*le\s*=")
_WHOLE_LE = re.compile(r'(?<=[{,\s])le\s*=\s*"([0-9]+)(?:\.0)?"')


@dataclass(frozen=True, slots=True)
class Selector:
    """One metric with its matchers, as Pyrra names it; `offset` is written after the range."""

    text: str
    offset: str = ""

    def over(self, function: str) -> str:
        """The sum over all series of a function over the window."""
        return f"sum({self.each(function)})"

    def each(self, function: str) -> str:
        """A function over the window, of each series."""
        return f"{function}({self.text}[{WINDOW}]{' ' if self.offset else ''}{self.offset})"


def selector(text: str) -> Selector:
    """The metric a text names; raises UsageError for any other expression.

    >>> selector('http_requests_total{code=~"5.."} offset 1m').over("increase")
    'sum(increase(http_requests_total{code=~"5.."}[{{window}}] offset 1m))'
    """
    found = _selector(_plain(text))
    if found is None:
        raise UsageError(
            f"{text!r} is not a metric selector",
            'write a metric such as requests_total{code="500"}',
        )
    return found


def templated(text: str) -> str:
    """The query with our word for the window; raises UsageError where it has none, or others.

    >>> templated("sum(rate(errors_total[{{.window}}]))")
    'sum(rate(errors_total[{{window}}]))'
    """
    query = worded(text)
    if WINDOW not in query:
        raise UsageError(
            "the query does not say over which window", "write its range as [{{.window}}]"
        )
    return query


def worded(text: str) -> str:
    """The query with our word for the window, where it has one; raises UsageError for others."""
    query = _WINDOW_WORD.sub(WINDOW, _plain(text))
    others = [word for word in _TEMPLATE.findall(query) if word != WINDOW]
    if others:
        raise UsageError(f"the query uses {others[0]}", "the only word here is {{.window}}")
    return query


def counted(text: str, *, counter: bool | None) -> tuple[str, str]:
    """A query of OpenSLO's for good, bad or total events, over the window; and a remark or "".

    OpenSLO has no word for the window. So `{{.window}}` is used where it is written; a fixed range
    stands for the window; a bare metric is a counter that grew, or a number of events at each
    moment, as the ratio's `counter` says. Raises UsageError where none of this fits.

    >>> counted('sum(requests{code="200"})', counter=True)
    ('sum(increase(requests{code="200"}[{{window}}]))', '')
    """
    query = worded(text)
    if WINDOW in query:
        return query, ""
    if _RANGE.search(_blank(_TEXTS, query)):
        return _ranged(query)
    if counter is None:
        raise UsageError(
            "whether this metric only grows is not said",
            "add `counter: true` or `counter: false` to the ratioMetric",
        )
    inner = _SUM.fullmatch(query)
    found = _selector(inner[1] if inner else query)
    if found is not None:
        return found.over("increase" if counter else "sum_over_time"), ""
    if counter:
        raise UsageError(
            "how much this expression of counters grew cannot be asked of a window",
            "write it with rate or increase and the range [{{.window}}]",
        )
    return f"sum_over_time(({query}){SUBQUERY})", ""


def averaged(text: str) -> tuple[str, str]:
    """A query for a ratio made elsewhere, over the window; and a remark or ""."""
    query = worded(text)
    if WINDOW in query:
        return query, ""
    found = _selector(query)
    mean = found.each("avg_over_time") if found else f"avg_over_time(({query}){SUBQUERY})"
    return (
        mean,
        "a ratio without its counts: its mean over time weighs a quiet hour like a busy one",
    )


def as_counts(queries: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """Queries whose `rate` is made `increase`, where that only multiplies them by the window.

    The share stays the same and the numbers become counts of events, which can be added over
    pieces of a window and say how much was seen. Where one is anything but sums and differences
    of rates, all are left as they are, with a remark.

    >>> as_counts({"bad": "sum(rate(bad[{{window}}]))", "total": "sum(rate(all[{{window}}]))"})[0]
    {'bad': 'sum(increase(bad[{{window}}]))', 'total': 'sum(increase(all[{{window}}]))'}
    """
    if all(_is_sum_of_rates(query) for query in queries.values()):
        return {name: _increase(query) for name, query in queries.items()}, ""
    if any(_has_rates(query) for query in queries.values()):
        return dict(queries), "its queries give events a second: shares are right, counts are not"
    return dict(queries), ""


def has_le(text: str) -> bool:
    """Whether a selector picks buckets of a histogram."""
    return _LE.search(text) is not None


def either_spelling_of_le(text: str) -> str:
    """The selector with `le="1"` matching `le="1.0"` too, as Prometheus 3 spells whole numbers.

    A window that spans the upgrade holds both.
    """
    return _WHOLE_LE.sub(r'le=~"\1([.]0)?"', text)


def _plain(text: str) -> str:
    """Without comments, which would swallow what is written after the query."""
    query = _COMMENT.sub(lambda match: match[1] or "", text).strip()
    if not query:
        raise UsageError("the query is empty", "write a PromQL expression")
    return query


def _selector(query: str) -> Selector | None:
    match = _SELECTOR.fullmatch(query)
    return Selector(match[1].strip(), match[2] or "") if match else None


def _ranged(query: str) -> tuple[str, str]:
    seen = _blank(_TEXTS, query)
    ranges = list(_RANGE.finditer(seen))
    if len(_FIXED.findall(seen)) < len(ranges):
        raise UsageError(
            f"the range {ranges[0][0]} cannot be turned into the window asked about",
            "write it as [{{.window}}]",
        )
    for match in reversed(ranges):
        query = f"{query[: match.start()]}[{WINDOW}]{query[match.end() :]}"
    return (
        query,
        f"the range {ranges[0][0]} is read as the window asked about; write [{{{{.window}}}}]",
    )


def _is_sum_of_rates(query: str) -> bool:
    rest = _GROUPING.sub(" ", _mask(query))
    sums = _RATE_OF_ONE.sub(" ", _NOTHING.sub(" ", rest))
    return _has_rates(query) and _SUMS.fullmatch(sums) is not None


def _has_rates(query: str) -> bool:
    return _RATE.search(_mask(query)) is not None


def _increase(query: str) -> str:
    for match in reversed(list(_RATE.finditer(_mask(query)))):
        query = f"{query[: match.start()]}increase{query[match.end() :]}"
    return query


def _mask(query: str) -> str:
    return _blank(_RANGE, _blank(_TEXTS, query))


def _blank(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub(lambda match: " " * len(match[0]), text)
