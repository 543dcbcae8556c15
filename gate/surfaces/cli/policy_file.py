"""A policy as it is decided by: extensions resolved, everything filled in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from gate.policy import freeze_section, overrides_section
from gate.policy.demand import Demand
from gate.policy.policy import OnUnknown, Policy, Rule, Then
from gate.surfaces.cli.yamltext import comment
from gate.units import duration

SCHEMA = "gate.policy/v1"


def policy_json(policy: Policy) -> bytes:
    """All of it, with the digests of what it extends."""
    option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    whole = {"schema": SCHEMA, **_fields(policy), "deadline": policy.longest_wait}
    return orjson.dumps(whole, option=option)


def policy_yaml(policy: Policy) -> str:
    """A file that says the same without extending any other; its digest is another."""
    import yaml

    whole = {
        "apiVersion": "gate/v1",
        "kind": "ReleasePolicy",
        **{name: value for name, value in _plain(policy).items() if name not in _HEAD},
        "deadline": duration(policy.longest_wait),
        "rules": [_rule(rule) for rule in policy.rules],
        **({"evidence": [_row(row) for row in policy.evidence]} if policy.evidence else {}),
        "freezes": [freeze_section.as_written(one) for one in policy.freezes],
        "overrides": overrides_section.as_written(policy.overrides),
    }
    dumped: str = yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=100)
    return "\n".join([*_origin(policy), dumped])


_HEAD = ("rules", "evidence", "freezes", "overrides", "deadline", "sha256", "extends", "disabled")


def _origin(policy: Policy) -> Iterator[str]:
    yield from comment(f"{policy.name}@sha256:{policy.sha256}")
    for parent in policy.extends:
        yield from comment(f"extends {parent}")
    for name, reason in policy.disabled.items():
        yield from comment(f"disabled: {name}: {reason}")


def _rule(rule: Rule) -> dict[str, Any]:
    """As it may be written: a rule that only warns has no `on_unknown` but ignore."""
    written = _plain(rule)
    if rule.then is Then.WARN and rule.on_unknown is not OnUnknown.IGNORE:
        del written["on_unknown"]
    return written


def _row(row: Demand) -> dict[str, Any]:
    """As it may be written: only what it asks for."""
    plain = _plain(row)
    never = plain.pop("never_settle")
    written = {name: value for name, value in plain.items() if value not in (None, "", [])}
    if row.settle:
        written["settle"]["after"] = duration(row.settle.after)
    if never:
        written["settle"] = "never"
    if not row.when:
        del written["on_unknown"]
    return written


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def _plain(value: Any) -> dict[str, Any]:
    plain: dict[str, Any] = orjson.loads(orjson.dumps(_fields(value)))
    return plain
