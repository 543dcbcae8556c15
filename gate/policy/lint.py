"""What is wrong or suspicious in a policy file, all at once, with places.

Errors are what no policy should have: what `gate.policy.load` refuses, and, by search over all
states that conditions can tell apart, a rule that can never hold, a promote that does not rest on
what was shown, a policy that can never promote. A warning may be meant; `unsafe` with a `reason`
says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from gate.document import Document, Place, read
from gate.errors import UsageError
from gate.finding import Finding, Level, Lint, complaints, finding
from gate.policy.conditions import parsed
from gate.policy.deadline import needed
from gate.policy.extend import Opened, Written
from gate.policy.grid import Values, exact, search, values
from gate.policy.load import opened
from gate.policy.policy import USUAL_DEADLINE, OnUnknown, Rule, Then
from gate.policy.words import Facts, Value
from gate.units import duration

CHECKS: Mapping[str, str] = {
    "invalid": "The file is no policy: unknown words, wrong types, conditions that do not compile.",
    "never-holds": "A rule that no state of the facts can make true.",
    "always-holds": "A rule that every known state makes true.",
    "not-shown": "A promote that does not rest on something the analysis has shown.",
    "never-promotes": "A policy in which some rule always keeps the promote away.",
    "fails-open": "A rule against a release that is silent when its facts are unknown.",
    "too-late": "A deadline before any release could have shown what is asked for.",
    "needless-unsafe": "`unsafe` on a rule that nothing is wrong with.",
    "same-as": "A rule that says the same as another.",
    "no-owner": "A rule that nobody answers for (only with --strict).",
    "no-docs": "A rule without a link that explains it (only with --strict).",
}
POLICY = Lint("gate.policy_lint/v1", "gate policy", CHECKS)
# What the analysis says of a release of which nothing was shown: the facts a promote may rest on
# are all as they are before the first look.
NOTHING_SHOWN: Mapping[str, tuple[Value, ...]] = {
    "analysis.safe": (False,),
    "analysis.not_worse": ((),),
    "analysis.worse": ((),),
    "analysis.critical_worse": ((),),
    "analysis.evidence_worse": (-99.0, 0.0),
    "analysis.score": (0.0,),
}


def lint(path: Path, *, strict: bool = False) -> tuple[Finding, ...]:
    """The findings about a file, by their place; raises UsageError where there is no file.

    `strict` also asks each rule for an owner and a link.
    """
    try:
        document = read(path)
        policy = opened(document)
    except UsageError as error:
        return complaints(error)
    found = [*_of_rules(policy, document), *_of_policy(policy, document), *_late(policy, document)]
    if strict:
        found += _unexplained(policy, document)
    return tuple(sorted(found, key=lambda one: (one.line, one.column, one.check)))


def _of_rules(policy: Opened, document: Document) -> Iterator[Finding]:
    """What is wrong with each rule that this file writes; others have files of their own."""
    for one in _own(policy, document):
        yield from (*_reach(one), *_shown(one), *_open(one))
        meant = _fails_open(one.rule) or _unshown(one.rule) is not None
        if one.rule.unsafe and not meant:
            message = "`unsafe` is not needed: nothing is wrong with it"
            yield _about(one, "needless-unsafe", Level.WARNING, message, key="unsafe")
    yield from _twins(policy, document)


def _own(policy: Opened, document: Document) -> Iterator[Written]:
    return (one for one in policy.written.values() if one.document is document)


def _reach(one: Written) -> Iterator[Finding]:
    """Whether the rule can hold at all, and can fail to."""
    when = one.rule.when
    tried = values([when])
    yes, no = search([(when, True)], tried), search([(when, False)], tried)
    sure = yes.whole and no.whole and exact(when)
    if yes.facts is None:
        message = "can never hold" if sure else "held in none of the states that were tried"
        yield _about(one, "never-holds", Level.ERROR if sure else Level.WARNING, message)
    elif no.facts is None and one.rule.then is not Then.PROMOTE:
        message = "holds whatever is known" if sure else "held in all states that were tried"
        yield _about(one, "always-holds", Level.WARNING, message)


def _shown(one: Written) -> Iterator[Finding]:
    if one.rule.then is Then.PROMOTE and not one.rule.unsafe:
        state = _unshown(one.rule)
        if state is not None:
            told = ", ".join(f"{word} = {_written(value)}" for word, value in state.items())
            yield _about(
                one,
                "not-shown",
                Level.ERROR,
                f"promotes though nothing was shown{told and ', as with ' + told}",
                "add `analysis.safe &&`, or say `unsafe: true` and a `reason`",
            )


def _unshown(rule: Rule) -> Facts | None:
    """A state in which a promote holds though the analysis has shown nothing."""
    if rule.then is not Then.PROMOTE:
        return None
    tried: Values = {
        word: NOTHING_SHOWN.get(word, options) for word, options in values([rule.when]).items()
    }
    return search([(rule.when, True)], tried).facts


def _open(one: Written) -> Iterator[Finding]:
    if _fails_open(one.rule) and not one.rule.unsafe:
        yield _about(
            one,
            "fails-open",
            Level.WARNING,
            f"says nothing when its facts are unknown, though it is there to {one.rule.then}",
            "if that is meant, say `unsafe: true` and a `reason`",
            key="on_unknown",
        )


def _fails_open(rule: Rule) -> bool:
    against = rule.then in (Then.HOLD, Then.ROLLBACK)
    return rule.counts and against and rule.on_unknown is OnUnknown.IGNORE


def _twins(policy: Opened, document: Document) -> Iterator[Finding]:
    seen: dict[object, str] = {}
    for one in policy.written.values():
        same = (parsed(one.rule.when), one.rule.then, one.rule.mode)
        first = seen.setdefault(same, one.rule.name)
        if first != one.rule.name and one.document is document:
            yield _about(one, "same-as", Level.WARNING, f"says the same as rule {first!r}")


def _of_policy(policy: Opened, document: Document) -> Iterator[Finding]:
    """Whether any state of the facts promotes."""
    rules = [rule for rule in policy.policy.rules if rule.counts]
    promoting = [rule for rule in rules if rule.then is Then.PROMOTE]
    against = [(rule.when, False) for rule in rules if rule.then is not Then.PROMOTE]
    tried: Values = {**values(rule.when for rule in rules), "analysis.safe": (True,)}
    tries = [
        search([(rule.when, True), ("analysis.safe", True), *against], tried) for rule in promoting
    ]
    if all(one.facts is None for one in tries):
        sure = all(one.whole for one in tries) and all(exact(rule.when) for rule in rules)
        yield finding(
            "never-promotes",
            Level.ERROR if sure else Level.WARNING,
            document.where(("rules",)),
            "whatever is known, some rule keeps the promote away"
            if sure
            else "no state was found in which it promotes; not all could be tried",
        )


def _late(policy: Opened, document: Document) -> Iterator[Finding]:
    """Whether a release that begins with the wait can have shown enough by the deadline."""
    waited, asked = policy.policy.longest_wait, needed(policy.policy)
    if waited <= asked:
        written = ("deadline", "evidence", "extends")
        place = next(one for one in written if (one,) in document.marks)
        yield finding(
            "too-late",
            Level.WARNING,
            document.where((place,)),
            f"a pipeline gets a no after {duration(waited)}, and the evidence table asks for "
            f"{duration(asked)} whatever is known",
            f"write `deadline: {duration(asked + USUAL_DEADLINE)}`, or whatever leaves it time",
        )


def _unexplained(policy: Opened, document: Document) -> Iterator[Finding]:
    for one in _own(policy, document):
        if not one.rule.owner:
            yield _about(one, "no-owner", Level.WARNING, "has no owner", key="name")
        if not one.rule.docs:
            yield _about(one, "no-docs", Level.WARNING, "has no docs", key="name")


def _about(
    one: Written, check: str, level: Level, message: str, hint: str = "", key: str = "when"
) -> Finding:
    place: Place = (*one.place, key)
    name = one.rule.name
    at = one.document.inside(place, 1, 1) if key == "when" else one.document.where(place)
    return finding(check, level, at, f"rule {name!r} {message}", hint, name)


def _written(value: Value) -> str:
    """As a condition would write it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_written, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)
