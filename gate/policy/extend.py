"""What a policy takes from those it extends: rules, merged by name; order means nothing.

A child may replace a rule wholly by writing one of the same name, or switch it off with a reason.
The name is not inherited, and not `mode`, so that nobody observes by inheritance.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gate.document import Document, Place, refuse
from gate.errors import UsageError, did_you_mean
from gate.policy.policy import Policy, Rule

_PIN = "@sha256:"
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Written:
    """A rule, and where it is written."""

    rule: Rule
    document: Document
    place: Place


@dataclass(frozen=True, slots=True)
class Opened:
    """A policy with the places of all its rules, inherited ones too; `path` is its file."""

    policy: Policy
    document: Document
    written: Mapping[str, Written]


def pinned(reference: str) -> tuple[str, str]:
    """The name or path, and the digest it is pinned to (empty for none); raises UsageError.

    >>> pinned("standard"), pinned("./web.yaml@sha256:" + 64 * "0")[0]
    (('standard', ''), './web.yaml')
    """
    name, pin, digest = reference.partition(_PIN)
    if pin and not _DIGEST.fullmatch(digest):
        raise UsageError(
            f"{digest!r} is no SHA-256", f"write {name}{_PIN} and 64 of the digits 0-9a-f"
        )
    return name, digest


def check_pin(reference: str, policy: Policy) -> None:
    """Raises UsageError where the policy is not the one that the reference pins."""
    name, digest = pinned(reference)
    if digest and digest != policy.sha256:
        raise UsageError(
            f"policy {name!r} is pinned to {digest} but is {policy.sha256}",
            f"read what changed (gate policy show {name}), then pin {name}{_PIN}{policy.sha256}",
        )


def digest(document: Document, parents: Sequence[Policy], beside: Sequence[bytes] = ()) -> str:
    """SHA-256 of the file's bytes (what `sha256sum` prints).

    Where it extends others, or reads what lies `beside` it: of the lines of these digests, the
    file's own first.
    """
    own = _sha256(document.text.encode())
    others = [*(parent.sha256 for parent in parents), *map(_sha256, beside)]
    return _sha256("".join(f"{one}\n" for one in (own, *others)).encode()) if others else own


def _sha256(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def merged(
    document: Document,
    own: Mapping[str, Written],
    disabled: Mapping[str, str],
    parents: Sequence[Opened],
) -> dict[str, Written]:
    """The rules of the parents without the disabled, and the policy's own; raises UsageError."""
    inherited: dict[str, Written] = {}
    complaints: list[UsageError] = []
    for parent in parents:
        for name, one in parent.written.items():
            other = inherited.setdefault(name, one)
            if other.rule != one.rule and name not in own and name not in disabled:
                complaints.append(_torn(document, name, other, one))
    complaints += _not_disabled(document, own, disabled, inherited)
    if complaints:
        raise UsageError("\n".join(map(str, complaints)))
    kept = {name: one for name, one in inherited.items() if name not in disabled}
    return {**kept, **own}


def _torn(document: Document, name: str, one: Written, other: Written) -> UsageError:
    places = " and ".join(each.document.where(each.place) for each in (one, other))
    return refuse(
        document,
        ("extends",),
        f"two of these have a rule {name!r}, and they differ: {places}",
        "write the rule here, or disable it with a reason",
    )


def _not_disabled(
    document: Document,
    own: Mapping[str, Written],
    disabled: Mapping[str, str],
    inherited: Mapping[str, Written],
) -> Iterator[UsageError]:
    for name, reason in disabled.items():
        place = ("disable", name)
        if name not in inherited:
            guess = did_you_mean(name, inherited)
            yield refuse(document, place, f"no inherited rule is named {name!r}{guess}")
        elif name in own:
            yield refuse(document, place, f"rule {name!r} is written here and disabled here")
        if not reason.strip():
            yield refuse(document, place, f"rule {name!r} is disabled without a reason")
