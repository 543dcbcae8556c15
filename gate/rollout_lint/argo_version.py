"""Which Argo Rollouts runs: some of the traps are its own, and mended."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gate.finding import Finding
from gate.rollout_lint.part import Part

Version = tuple[int, int, int]
OLDEST: Version = (1, 8, 3)
_IMAGE = re.compile(r"(?:^|/)argo-rollouts:([^/]*)$")
_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)\b.*")


def version(text: str) -> Version | None:
    """`v1.8.3` as numbers; None where it is no version.

    >>> version('v1.8.3')
    (1, 8, 3)
    """
    match = _VERSION.fullmatch(text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def findings(things: Iterable[Part], told: Version | None) -> Iterator[Finding]:
    """Whether the controller, by its image or by what is `told`, is too old to be relied on."""
    first = None
    for one in things:
        first = first or (one if one["apiVersion"].text.startswith("argoproj.io/") else None)
        for image in _images(one):
            match = _IMAGE.search(image.text)
            runs = version(match[1]) if match else None
            if runs is not None and runs < OLDEST:
                yield _old(image, image.text.rpartition(":")[2])
    if told is not None and told < OLDEST and first is not None:
        yield _old(first, ".".join(map(str, told)))


def _images(thing: Part) -> Iterator[Part]:
    for one in thing.at("spec", "template", "spec", "containers").items():
        yield one["image"]


def _old(part: Part, which: str) -> Finding:
    return part.wrong(
        "old-argo",
        f"Argo Rollouts {which}: before 1.8.3 a pause step passes an inconclusive background "
        "analysis, and before 1.8 consecutiveSuccessLimit is not known",
        "run Argo Rollouts 1.8.3 or newer",
    )
