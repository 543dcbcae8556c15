"""Whatever stands in a manifest, the lint answers: a crash would look at nothing."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest

from gate.document import parse_all
from gate.rollout_lint.lint import CHECKS, lint
from tests.rollout_lint.parts import EXAMPLES

MANIFESTS = [*(EXAMPLES / "argo").glob("*.yaml"), *(EXAMPLES / "flagger").glob("*.yaml")]
ODD = (None, 7, -1.5, True, "{{", "http://[", [], [None], {}, {"a": [1]})


def places(data, place=()):
    """Every place in the data, its own first."""
    yield place
    inner = data.items() if isinstance(data, dict) else ()
    for key, value in enumerate(data) if isinstance(data, list) else inner:
        yield from places(value, (*place, key))


def changed(data, place, value):
    """A copy with another value at the place."""
    if not place:
        return value
    data = copy.deepcopy(data)
    part = data
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    return data


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_any_value_anywhere_is_answered(path):
    documents = parse_all(path.read_text(), path.name)
    for number, document in enumerate(documents):
        for place in places(document.data):
            for odd in ODD:
                other = replace(document, data=changed(document.data, place, odd))
                found = lint((*documents[:number], other, *documents[number + 1 :])).findings
                assert {one.check for one in found} <= set(CHECKS)
