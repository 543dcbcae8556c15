"""YAML to Policy. Everything that can be wrong with a policy is told here, with its place."""

from __future__ import annotations

import hashlib
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field

from gate.document import Document, Place, Section, fit, parse, read, refuse
from gate.errors import UsageError, did_you_mean
from gate.policy import demand_section
from gate.policy.conditions import ConditionError, check
from gate.policy.demand_section import DemandSection
from gate.policy.facts import WORDS, Type
from gate.policy.policy import OnUnknown, Policy, Rule
from gate.verdict import Outcome


class RuleSection(Section):
    """One rule as written."""

    name: str = Field(min_length=1)
    when: str = Field(min_length=1)
    then: Outcome
    message: str = Field(min_length=1)
    on_unknown: OnUnknown = OnUnknown.HOLD
    docs: str = ""
    owner: str = ""


class PolicySection(Section):
    """A whole ReleasePolicy file."""

    apiVersion: Literal["gate/v1"]  # noqa: N815  the spelling of Kubernetes files
    kind: Literal["ReleasePolicy"]
    name: str = Field(min_length=1)
    description: str = ""
    rules: list[RuleSection] = Field(min_length=1)
    evidence: list[DemandSection] = []


def find(name: str, beside: Path, shipped: Path) -> Path:
    """The file of a policy: a path (relative to `beside`), or the name of a shipped one."""
    if "/" in name or name.endswith((".yaml", ".yml")):
        return beside / name
    path = shipped / f"{name}.yaml"
    if not path.is_file():
        known = sorted(one.stem for one in shipped.glob("*.yaml"))
        raise UsageError(
            f"there is no shipped policy {name!r}{did_you_mean(name, known)}",
            f"shipped: {', '.join(known)}; for your own write its path, ending in .yaml",
        )
    return path


def load(path: Path) -> Policy:
    """The policy in a file; raises UsageError with one line for each complaint."""
    return from_document(read(path))


def from_text(text: str, file: str) -> Policy:
    """The policy in a text, `file` naming where it came from."""
    return from_document(parse(text, file))


def from_document(document: Document) -> Policy:
    """The policy of a document; raises UsageError."""
    section = fit(document, PolicySection)
    complaints = list(_complaints(document, section))
    if complaints:
        raise UsageError("\n".join(str(one) for one in complaints))
    rules = tuple(Rule(**one.model_dump()) for one in section.rules)
    digest = hashlib.sha256(document.text.encode()).hexdigest()
    evidence = tuple(map(demand_section.row, section.evidence))
    return Policy(name=section.name, rules=rules, sha256=digest, evidence=evidence)


def _complaints(document: Document, section: PolicySection) -> Iterator[UsageError]:
    names = [rule.name for rule in section.rules]
    for index, rule in enumerate(section.rules):
        place: Place = ("rules", index)
        if names.index(rule.name) != index:
            yield refuse(document, (*place, "name"), f"two rules are named {rule.name!r}")
        try:
            check(rule.when)
        except ConditionError as error:
            where = document.inside((*place, "when"), error.line, error.column)
            yield UsageError(f"{where}: rule {rule.name!r}: {error.message}")
        if complaint := _message_fault(rule.message):
            yield refuse(document, (*place, "message"), f"rule {rule.name!r}: {complaint}")
    yield from demand_section.complaints(document, section.evidence)
    if not any(rule.then is Outcome.PROMOTE for rule in section.rules):
        yield refuse(
            document,
            ("rules",),
            "no rule says promote, so this policy could never promote",
            "add one that rests on what was shown, such as `when: analysis.safe`",
        )


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
