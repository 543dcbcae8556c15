"""Argo's notification ConfigMap: whether word of a rollout's end reaches the gate."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gate.document import parse
from gate.errors import UsageError
from gate.finding import Finding
from gate.rollout_lint.address import OUTCOME, by_way
from gate.rollout_lint.part import Part, name

CONFIG_MAP = "argo-rollouts-notification-configmap"
EVENTS = ("aborted", "completed", "paused")
# What Argo ships under these triggers; a trigger of one's own replaces its list.
SHIPPED = {
    "on-rollout-aborted": "rollout-aborted",
    "on-rollout-completed": "rollout-completed",
    "on-rollout-paused": "rollout-paused",
}
_EVENT = re.compile(r'"event"\s*:\s*"([^"]*)"')
_BARE = re.compile(r'"\s*\{\{\s*\.[\w.]+\s*\}\}\s*"|:\s*\{\{\s*\.[\w.]+\s*\}\}')


@dataclass(frozen=True, slots=True)
class _Inner:
    """A document within a text of the ConfigMap; what is said of it stands at that text."""

    key: str
    holder: Part
    data: Part


def findings(config: Part) -> Iterator[Finding]:
    """All that is wrong with the ConfigMap, as far as it is about the gate."""
    if name(config) != CONFIG_MAP:
        return
    inner: list[_Inner] = []
    for key, holder in config["data"].entries():
        if key.startswith(("template.", "trigger.", "service.webhook.")):
            try:
                document = parse(holder.text, key)
            except UsageError as error:
                told = f"{key} is no YAML: {error.message}"
                yield holder.wrong("notification", told, "the text under the key is YAML itself")
                continue
            inner.append(_Inner(key, holder, Part(document, (), document.data)))
    services = {one.key.removeprefix("service.webhook."): one for one in inner if _service(one)}
    ours = [one for one in inner if any(_posts(one))]
    for one in ours:
        for service, post in _posts(one):
            yield from _post(one, service, post, services)
    yield from _triggers(inner, ours)


def _service(one: _Inner) -> bool:
    return one.key.startswith("service.webhook.")


def _posts(one: _Inner) -> Iterator[tuple[str, Part]]:
    """The webhooks of a template that are about the gate."""
    if one.key.startswith("template."):
        for service, post in one.data["webhook"].entries():
            if "/v1/argo" in post["path"].text or _EVENT.search(post["body"].text):
                yield service, post


def _post(one: _Inner, service: str, post: Part, services: dict[str, _Inner]) -> Iterator[Finding]:
    at = one.holder
    if post["method"].text.upper() != "POST":
        used = post["method"].text or "GET, the default,"
        told = f"{one.key}: {used} has no body: the gate never hears of the end"
        yield at.wrong("notification", told, "write `method: POST`")
    if post["path"].text != OUTCOME:
        told = f"{one.key}: path {post['path'].text!r} takes no outcomes"
        yield at.wrong("notification", told, f"write `path: {OUTCOME}`")
    event = _EVENT.search(post["body"].text)
    if event is None or event[1] not in EVENTS:
        told = f"{one.key}: the body names no event of {', '.join(EVENTS)}: the gate answers 400"
        yield at.wrong("notification", told, 'write `"event": "aborted"`')
    if _BARE.search(post["body"].text):
        told = f"{one.key}: a value with a quote or a new line in it breaks the JSON"
        yield at.odd("notification", told, "write {{toJson .rollout.metadata.name}}, unquoted")
    if service not in services:
        told = f"{one.key}: there is no service.webhook.{service} in this ConfigMap"
        yield at.note("notification", told, "it may be defined in another")
    else:
        yield from _sender(services[service])


def _sender(one: _Inner) -> Iterator[Finding]:
    names = [header["name"].text.lower() for header in one.data["headers"].items()]
    if "content-type" not in names:
        told = f"{one.key}: sends no Content-Type: what stands between may refuse the body"
        hint = "add {name: Content-Type, value: application/json} to `headers`"
        yield one.holder.odd("notification", told, hint)
    if any(header["key"].written for header in one.data["headers"].items()):
        told = f"{one.key}: headers here are `name` and `value`: `key` is left out silently"
        yield one.holder.wrong("notification", told, "write `name`")
    url = Part(one.holder.document, one.holder.place, one.data["url"].text)
    yield from by_way(url, consequence="what it answers with 200 is taken for delivered")


def _triggers(inner: list[_Inner], ours: list[_Inner]) -> Iterator[Finding]:
    sends = {one.key: _sent(one) for one in inner if one.key.startswith("trigger.")}
    about_us = {one.key.removeprefix("template."): one for one in ours}
    for one in inner:
        told = sends.get(one.key, ())
        shipped = SHIPPED.get(one.key.removeprefix("trigger."), "")
        if shipped and shipped not in told and not about_us.keys().isdisjoint(told):
            message = f"{one.key} replaces Argo's own: {shipped} is no longer sent to anyone"
            yield one.holder.odd("notification", message, f"send {shipped} too")
    for template, one in about_us.items():
        if not any(template in told for told in sends.values()):
            message = f"no trigger here sends {template}: the gate never hears of it"
            yield one.holder.odd("notification", message, f"add a trigger that sends {template}")


def _sent(trigger: _Inner) -> list[str]:
    """The templates that a trigger sends."""
    return [str(part.value) for rule in trigger.data.items() for part in rule["send"].items()]
