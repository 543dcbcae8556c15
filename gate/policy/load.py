"""YAML to Policy. Everything that is always wrong with a policy is told here, with its place.

What is only suspicious, or takes time to find, is for `gate.policy.lint`.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from gate.document import Document, Duration, Place, Section, Text, fit, parse, read, refuse
from gate.errors import UsageError, did_you_mean
from gate.packaged import shipped
from gate.policy import deadline, demand_section
from gate.policy.conditions import faults
from gate.policy.demand_section import DemandSection
from gate.policy.extend import Opened, Written, check_pin, digest, merged, pinned
from gate.policy.freeze import Freeze
from gate.policy.freeze_section import FreezeSection, freezes, inherited
from gate.policy.overrides_section import OverridesSection, terms
from gate.policy.overrides_section import complaints as overrides_complaints
from gate.policy.policy import Mode, OnUnknown, Policy, Rule, Stance, Then
from gate.policy.words import WORDS, Type

DEEPEST = 8  # policies above one another, and
MOST = 32  # files in all: more is a mistake, and nobody could read it


class RuleSection(Section):
    """One rule as written."""

    name: str = Field(min_length=1)
    when: str = Field(min_length=1)
    then: Then
    message: str = Field(min_length=1)
    mode: Mode = Mode.ENFORCE
    on_unknown: OnUnknown = OnUnknown.HOLD
    docs: str = ""
    owner: str = ""
    unsafe: bool = False
    reason: str = ""


class PolicySection(Section):
    """A whole ReleasePolicy file.

    `extends` names others, by name or path, each pinned by `@sha256:DIGEST` if wanted; `disable`
    gives, for each inherited rule that is switched off, the reason. `deadline`: how long a pipeline
    that waits for a verdict is kept waiting before it gets a no.
    """

    apiVersion: Literal["gate/v1"]  # noqa: N815  the spelling of Kubernetes files
    kind: Literal["ReleasePolicy"]
    name: str = Field(min_length=1)
    description: str = ""
    mode: Stance = Stance.ENFORCE
    extends: Text | list[Text] = Field(default_factory=list)
    disable: dict[str, str] = Field(default_factory=dict)
    rules: list[RuleSection] = Field(default_factory=list)
    freezes: list[FreezeSection] = Field(default_factory=list)
    overrides: OverridesSection | None = None
    evidence: list[DemandSection] = Field(default_factory=list)
    deadline: Duration | None = None

    @property
    def parents(self) -> list[str]:
        """What it extends, as a list."""
        return [self.extends] if isinstance(self.extends, str) else self.extends


def find(name: str, beside: Path, shipped: Path) -> Path:
    """The file of a policy: a path (relative to `beside`), or the name of a shipped one."""
    if "/" in name or name.endswith((".yaml", ".yml")):
        return beside / name
    path = shipped / f"{name}.yaml"
    if not path.is_file():
        known = sorted(one.stem for one in shipped.glob("*.yaml") if not one.stem.endswith("_test"))
        raise UsageError(
            f"there is no shipped policy {name!r}{did_you_mean(name, known)}",
            f"shipped: {', '.join(known)}; for your own write its path, ending in .yaml",
        )
    return path


def named(reference: str, beside: Path) -> Opened:
    """The policy of a name or path, pinned or not, with its places; raises UsageError."""
    return _Reader().named(reference, beside)


def load(path: Path) -> Policy:
    """The policy in a file; raises UsageError with one line for each complaint."""
    return opened(read(path)).policy


def from_text(text: str, file: str) -> Policy:
    """The policy in a text, `file` naming where it came from."""
    return opened(parse(text, file)).policy


def opened(document: Document) -> Opened:
    """The policy of a document, with the places of its rules; raises UsageError."""
    return _Reader().opened(document, ())


class _Reader:
    """Reads policies and what they extend, each file once."""

    def __init__(self) -> None:
        self._read: dict[Path, Opened] = {}

    def named(self, reference: str, beside: Path, trail: tuple[Path, ...] = ()) -> Opened:
        """The policy of a reference; `trail`: the files that extend one another down to it."""
        name, _ = pinned(reference)
        path = find(name, beside, shipped("policies"))
        found = self._file(path, trail)
        check_pin(reference, found.policy)
        return found

    def _file(self, path: Path, trail: tuple[Path, ...]) -> Opened:
        whole = path.resolve()
        if whole in trail:
            circle = " -> ".join(one.name for one in (*trail[trail.index(whole) :], whole))
            raise UsageError(f"policies extend one another in a circle: {circle}")
        if whole not in self._read:
            if len(trail) > DEEPEST or len(self._read) >= MOST:
                raise UsageError(
                    f"it extends more than {DEEPEST} policies above one another, or {MOST} in all"
                )
            self._read[whole] = self.opened(read(path), trail)
        return self._read[whole]

    def opened(self, document: Document, trail: tuple[Path, ...]) -> Opened:
        """The policy of a document."""
        section = fit(document, PolicySection)
        parents = list(self._parents(document, section, trail))
        own_freezes = freezes(document, section.freezes)
        if complaints := [*_complaints(document, section), *own_freezes.complaints]:
            raise UsageError("\n".join(str(one) for one in complaints))
        own = {
            one.name: Written(Rule(**one.model_dump()), document, ("rules", index))
            for index, one in enumerate(section.rules)
        }
        rules = merged(document, own, section.disable, parents)
        _check_promotes(document, rules)
        policies = [parent.policy for parent in parents]
        closed = inherited(own_freezes.freezes, [one.freezes for one in policies])
        _check_exceptions(document, section, rules, closed)
        policy = Policy(
            name=section.name,
            rules=tuple(one.rule for one in rules.values()),
            sha256=digest(document, policies, own_freezes.calendars),
            description=section.description,
            mode=section.mode,
            extends=tuple(f"{parent.name}@sha256:{parent.sha256}" for parent in policies),
            disabled=section.disable,
            freezes=closed,
            overrides=terms(document, section.overrides, [one.overrides for one in policies]),
            evidence=demand_section.merged(document, section.evidence, policies),
            deadline=deadline.merged(section.deadline, policies),
        )
        return Opened(policy, document, rules)

    def _parents(
        self, document: Document, section: PolicySection, trail: tuple[Path, ...]
    ) -> Iterator[Opened]:
        """Each policy it extends; a complaint says where it is named."""
        file = Path(document.file)
        for index, reference in enumerate(section.parents):
            listed = not isinstance(section.extends, str)
            place: Place = ("extends", index) if listed else ("extends",)
            try:
                yield self.named(reference, file.parent, (*trail, file.resolve()))
            except UsageError as error:
                raise refuse(
                    document, place, f"extends {reference}: {error.message}", error.hint
                ) from None


def _complaints(document: Document, section: PolicySection) -> Iterator[UsageError]:
    names = [rule.name for rule in section.rules]
    for index, rule in enumerate(section.rules):
        place: Place = ("rules", index)
        if names.index(rule.name) != index:
            yield refuse(document, (*place, "name"), f"two rules are named {rule.name!r}")
        for key, complaint in _faults(rule):
            yield refuse(document, (*place, key), f"rule {rule.name!r}: {complaint}")
        for error in faults(rule.when):
            where = document.inside((*place, "when"), error.line, error.column)
            yield UsageError(f"{where}: rule {rule.name!r}: {error.message}")
    yield from demand_section.complaints(document, section.evidence)
    yield from deadline.complaints(document, section.deadline)
    if not section.rules and not section.parents:
        yield refuse(
            document, ("rules",), "there are no rules", "write some, or `extends: standard`"
        )


def _faults(rule: RuleSection) -> Iterator[tuple[str, str]]:
    """What is wrong with a rule but for its condition: the key, and a complaint."""
    if complaint := _message_fault(rule.message):
        yield "message", complaint
    if rule.unsafe and not rule.reason.strip():
        yield "unsafe", "`unsafe` needs a `reason`"
    if rule.reason and not rule.unsafe:
        yield "reason", "`reason` says why a rule is `unsafe: true`; this one is not"
    told = "on_unknown" in rule.model_fields_set and rule.on_unknown is not OnUnknown.IGNORE
    if rule.then is Then.WARN and told:
        yield "on_unknown", "a rule that only warns neither holds nor rolls back"


def _check_promotes(document: Document, rules: dict[str, Written]) -> None:
    if not any(one.rule.counts and one.rule.then is Then.PROMOTE for one in rules.values()):
        raise refuse(
            document,
            ("rules",),
            "no rule says promote, so this policy could never promote",
            "add one that rests on what was shown, such as `when: analysis.safe`",
        )


def _check_exceptions(
    document: Document,
    section: PolicySection,
    rules: Mapping[str, Written],
    freezes: Sequence[Freeze],
) -> None:
    """A freeze speaks beside the rules by its name, and overrides lift by name."""
    own = [one.name for one in section.freezes]
    complaints = list(overrides_complaints(document, section.overrides, rules))
    for name in dict.fromkeys(one.name for one in freezes if one.name in rules):
        place: Place = ("freezes", own.index(name), "name") if name in own else ("freezes",)
        complaints.append(refuse(document, place, f"a freeze and a rule are both named {name!r}"))
    if complaints:
        raise UsageError("\n".join(map(str, complaints)))


# The whole number is a large one: `c` would take a small one for a character.
_EXAMPLES = {Type.BOOL: True, Type.INT: 2**31, Type.DOUBLE: 0.5}


def _message_fault(message: str) -> str:
    try:
        parts = list(string.Formatter().parse(message))
    except ValueError as error:
        return f"message: {error}; write {{{{ for a brace"
    for _, word, form, conversion in parts:
        if word is None:
            continue
        if word not in WORDS:
            return f"message: unknown fact {word!r}{did_you_mean(word, WORDS)}"
        if conversion:
            return f"message: {word} takes a format after a colon, not !{conversion}"
        try:
            format(_EXAMPLES.get(WORDS[word].type, ""), form or "")
        except (ValueError, OverflowError):
            return f"message: {form!r} is no format for {word}, a {WORDS[word].type}"
    return ""
