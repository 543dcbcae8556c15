"""Overrides: a recorded, approved exception that lifts holds for one version, for some hours.

Break-glass is for when the gate cannot know better: monitoring is down and a hotfix must go, or a
freeze was not meant for this. Two people answer for it, and every report it touches names them.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace

from gate.errors import UsageError

LONGEST = 4 * 3_600.0
LONGEST_TEXT = 500  # every decision of the next 30 days carries it


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """`by` asks, `approved_by` agrees, for `version` of `service` until `expires_at`.

    `rules`: the rules (or freezes) it lifts; empty for every hold. Moments in Unix seconds. `via`:
    the token that spoke for `by`, where one did. `revoked_at` and `revoked_by`: when somebody took
    it back, and who.
    """

    id: str
    service: str
    version: str
    by: str
    approved_by: str
    reason: str
    ticket: str
    created_at: float
    expires_at: float
    rules: tuple[str, ...] = ()
    via: str = ""
    revoked_at: float | None = None
    revoked_by: str = ""

    def __str__(self) -> str:
        scope = ", ".join(self.rules) or "every hold"
        asked = f"{self.by} (through {self.via})" if self.via else self.by
        return (
            f"override {self.id} of {asked}, approved by {self.approved_by}, until "
            f"{clock(self.expires_at)}, for {scope}: {self.ticket}: {self.reason}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Overriding:
    """What a policy says about overrides.

    `longest`: seconds one may last, whatever it says itself. `approvers`: who may approve; empty
    for anybody but who asks. `rules`: those that may be overridden by name even where they say
    rollback.
    """

    longest: float = LONGEST
    approvers: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


def checked(override: Override, now: float) -> Override:
    """The same, words trimmed, if it may be recorded at `now`; else UsageError."""
    if empty := [name for name in _SAID if not getattr(override, name).strip()]:
        raise UsageError(f"an override needs {_SAID[empty[0]]}", "nothing was recorded")
    if long := [name for name in _SAID if len(getattr(override, name)) > LONGEST_TEXT]:
        raise UsageError(f"{_SAID[long[0]]}: {LONGEST_TEXT} letters are the most", "be brief")
    if torn := [name for name in _SAID if not getattr(override, name).strip().isprintable()]:
        raise UsageError(f"{_SAID[torn[0]]}: write it on one line, without control codes")
    asked = [one for one in (override.by, override.via) if same_person(one, override.approved_by)]
    if asked:
        raise UsageError(
            f"{asked[0].strip()} cannot approve their own override",
            "another person has to; nothing was recorded",
        )
    if override.expires_at <= now:
        raise UsageError("the override would have expired already", "--for must be longer than 0s")
    if override.expires_at - now > LONGEST:
        raise UsageError(
            f"an override lasts at most {LONGEST / 3600:.0f}h", "add another when it has expired"
        )
    return replace(override, **{name: getattr(override, name).strip() for name in _SAID})


_SAID = {
    "service": "a service",
    "version": "the version it is for",
    "by": "who asks for it (--by)",
    "approved_by": "who approves it (--approved-by)",
    "reason": "a reason (--reason)",
    "ticket": "a ticket (--ticket)",
}


def same_person(one: str, other: str) -> bool:
    """Whether two names are one person's, however they are spelt.

    Case, space, a leading `@`, letters of another width and such as are not seen make no other
    person.

    >>> [same_person(one, "ada") for one in (" Ada ", "@ada", "a\u200bd\uff41", "grace")]
    [True, True, True, False]
    """
    return _person(one) == _person(other)


def _person(name: str) -> str:
    seen = "".join(one for one in name if unicodedata.category(one) not in _UNSEEN)
    return " ".join(unicodedata.normalize("NFKC", seen).casefold().split()).removeprefix("@")


_UNSEEN = ("Cf", "Cc")  # format and control characters


def clock(at: float) -> str:
    """`14:00 UTC`: an override ends within hours.

    >>> clock(1_700_000_000.0)
    '22:13 UTC'
    """
    minutes = int(at // 60) % 1_440
    return f"{minutes // 60:02}:{minutes % 60:02} UTC"
