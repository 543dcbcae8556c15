"""The names a PromQL query hangs on: a typo in one of them looks like "no errors".

Why a pattern and not a parser: only selectors are looked for (`name{label="value"}`), and what is
not recognised is not checked. The check adds a doubt; it never takes one away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_TEXT = r'"(?:\\.|[^"\\])*"'
_SELECTOR = re.compile(rf"([a-zA-Z_:][a-zA-Z0-9_:]*)\s*\{{((?:[^{{}}\"]|{_TEXT})*)\}}")
_MATCHER = re.compile(rf"([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|=)\s*({_TEXT})")


def presence_checks(query: str) -> Iterator[tuple[str, str]]:
    """(what must exist, a query that has an answer only if it does), for each name and label.

    >>> list(presence_checks('sum(increase(http_requests_total{pod="a",code=~"5.."}[1m]))'))
    ... # doctest: +NORMALIZE_WHITESPACE
    [('series http_requests_total', 'count(http_requests_total)'),
     ('label pod of http_requests_total', 'count(http_requests_total{pod!=""})'),
     ('label code of http_requests_total', 'count(http_requests_total{code!=""})')]
    """
    for name, matchers in dict.fromkeys(_SELECTOR.findall(query)):
        yield f"series {name}", f"count({name})"
        for label, _, value in _MATCHER.findall(matchers):
            if value != '""':
                yield f"label {label} of {name}", f'count({name}{{{label}!=""}})'
