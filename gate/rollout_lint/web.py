"""Argo's web provider: `POST /v1/argo/verdict`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gate.errors import UsageError, did_you_mean
from gate.finding import Finding
from gate.rollout_lint.address import FLAGGER, OUTCOME, VERDICT, by_way, split
from gate.rollout_lint.answers import WANTED, conditions
from gate.rollout_lint.part import Part
from gate.units import seconds

NATIVE = "/v1/decisions"
# Keys of the body of `VERDICT`; a test holds them to those the server knows.
BODY = ("service", "canaryHash", "stableHash", "namespace", "image", "step", "variables")
NEEDED = ("service", "canaryHash", "stableHash")
FIELDS = ("verdict", "score", "reason", "id", "url")
CLIENT_WAITS = 10  # seconds; Argo's own default, and what the server takes it to be
SHORTEST, LONGEST = 5, 60
RIGHT = (
    "write `successCondition: result == \"promote\"`, `failureCondition: result == \"rollback\"` "
    "and `jsonPath: \"{$.verdict}\"`"
)  # fmt: skip
_FIELD = re.compile(r"""\{\s*\$?(?:\.(\w+)|\[['"](\w+)['"]\])\s*\}""")
_WHOLE = re.compile(r"\{\s*\$?\s*\}")


def asks(web: Part) -> bool:
    """Whether the provider asks for a verdict of ours."""
    path = split(web["url"].text).path.rstrip("/")
    ours = path.endswith((VERDICT, NATIVE)) or "/v1/argo" in path or FLAGGER in f"{path}/"
    return ours or _hidden(web)


def _hidden(web: Part) -> bool:
    """Whether the path comes from an argument, and the answer is read as a verdict of ours."""
    path = split(web["url"].text).path
    hidden = "{{" in path or ("{{" in web["url"].text and not path)
    return hidden and "verdict" in web["jsonPath"].text


def web(metric: Part) -> Iterator[Finding]:
    """The traps of a metric that asks the gate by this provider."""
    its = metric.at("provider", "web")
    path = split(its["url"].text).path.rstrip("/")
    if _hidden(its):
        told = "the URL comes from an argument: which path is asked is not known"
        yield its["url"].note("unreadable", told, f"let the path stand here: {VERDICT}")
    elif not path.endswith((VERDICT, NATIVE)):
        yield _elsewhere(its["url"], path)
        return
    yield from by_way(its["url"], consequence=(
        "when an ingress answers 200 with a page of its own, Argo counts it as a success"
    ))  # fmt: skip
    yield from _request(its)
    if path.endswith(VERDICT):
        yield from _body(its)
    yield from _timeout(its)
    yield from _answer(metric, its)


def any_web(metric: Part) -> Iterator[Finding]:
    """What is wrong with any other use of the provider."""
    if not metric["successCondition"].text and not metric["failureCondition"].text:
        yield metric.at("provider", "web").wrong(
            "no-conditions",
            "without conditions every answer with a status of 2xx is Successful",
            "write a successCondition",
        )


def _elsewhere(url: Part, path: str) -> Finding:
    if path.endswith(OUTCOME):
        told = f"{OUTCOME} remembers how a rollout ended; it gives no verdict"
    elif FLAGGER in f"{path}/":
        told = "this path is a hook of Flagger's: its status means something else to Argo"
    else:
        told = f"the gate has no path {path!r}: every answer is an error"
    return url.wrong("wrong-path", told, f"ask {VERDICT}")


def _request(its: Part) -> Iterator[Finding]:
    if its["method"].text != "POST":
        yield its["method"].wrong(
            "method",
            f"method {its['method'].text or 'GET (the default)'} is an error at the gate, which "
            "aborts every rollout",
            "write `method: POST`",
        )
    if its["body"].written and its["jsonBody"].written:
        told = "body and jsonBody exclude each other: every measurement is an Error"
        yield its["body"].wrong("request-body", told, "leave out `body`")
    if its["insecure"].true:
        told = "insecure: whoever stands between may answer promote"
        yield its["insecure"].odd("insecure", told, "let the certificate be one that Argo trusts")
    yield from _authorization(its)


def _authorization(its: Part) -> Iterator[Finding]:
    headers = {part["key"].text.lower(): part for part in its["headers"].items()}
    token = headers.get("authorization")
    if token is None and not its.at("authentication", "oauth2").written:
        yield its["headers"].odd(
            "no-token",
            "sends no token: a gate that asks for one answers 401, which aborts every rollout",
            "add the header Authorization: Bearer {{args.token}}, its value from a Secret",
        )
    elif token is not None and "{{" not in token["value"].text:
        told = "the token stands in the manifest, for everyone who may read it"
        hint = "take it from a Secret: an arg with `valueFrom: {secretKeyRef: ...}`"
        yield token["value"].odd("token-in-manifest", told, hint)


def _body(its: Part) -> Iterator[Finding]:
    body = its["jsonBody"]
    if not body.written:
        if not its["body"].written:
            told = "sends no body: the gate cannot know what is asked"
            yield its.wrong("request-body", told, f"write `jsonBody` with {', '.join(NEEDED)}")
        return
    for key, part in body.entries():
        if key not in BODY:
            told = f"unknown key {key!r}{did_you_mean(key, BODY)}: the gate answers 400"
            yield part.wrong("request-body", told, f"known here: {', '.join(BODY)}")
    for key in NEEDED:
        if body[key].value in (None, ""):
            told = f"{key} is missing: the gate cannot tell the two versions apart"
            yield body[key].wrong("request-body", told, f"add `{key}`")


def _timeout(its: Part) -> Iterator[Finding]:
    part = its["timeoutSeconds"]
    waits, told = part.number or CLIENT_WAITS, _told(its)
    if told > waits:
        yield part.wrong(
            "timeout",
            f"the gate takes up to {told:g} s (X-Gate-Timeout), and Argo waits {waits}: "
            "each slow answer is an error",
            "let X-Gate-Timeout say what timeoutSeconds says",
        )
    elif waits < SHORTEST:
        yield part.odd(
            "timeout",
            f"{waits} s is little: where judging takes longer each answer is an error",
            "write `timeoutSeconds: 20` and the header X-Gate-Timeout: 20s",
        )
    elif waits > LONGEST:
        yield part.odd(
            "timeout",
            f"{waits} s: the gate answers within {LONGEST} s, a hold if it must; what takes longer "
            "is no answer, and keeps a worker of Argo's",
            f"write at most {LONGEST}",
        )
    elif not part.written:
        message = f"timeoutSeconds is not written: Argo waits {CLIENT_WAITS} s"
        yield part.note("timeout", message, "write `timeoutSeconds: 20` and X-Gate-Timeout: 20s")


def _told(its: Part) -> float:
    """What the header says that the client waits; without it the gate believes the default."""
    for header in its["headers"].items():
        value = header["value"].text
        if header["key"].text.lower() == "x-gate-timeout":
            try:
                return float(value) if value.isdigit() else seconds(value)
            except UsageError:
                break
    return CLIENT_WAITS


def _answer(metric: Part, its: Part) -> Iterator[Finding]:
    """The field that is read, and what the conditions make of it."""
    path = its["jsonPath"]
    field = _FIELD.fullmatch(path.text)
    name = (field[1] or field[2]) if field else ""
    if name == "verdict":
        yield from conditions(metric, {one: one for one in WANTED}, RIGHT)
    elif not path.text or _WHOLE.fullmatch(path.text):
        yield from _whole(metric, path)
    elif name in FIELDS:
        yield path.wrong("json-path", f"reads {name!r}, which is no verdict", RIGHT)
    else:
        told = f"{path.text!r} is not in the answer: every measurement is an Error"
        yield path.wrong("json-path", told, RIGHT)


def _whole(metric: Part, path: Part) -> Iterator[Finding]:
    """Without a path the conditions see the whole answer."""
    if "result.verdict" in metric["successCondition"].text + metric["failureCondition"].text:
        answers = {one: {"verdict": one} for one in WANTED}
        yield from conditions(metric, answers, RIGHT)
        return
    yield path.wrong(
        "json-path",
        "without jsonPath the conditions see the whole answer, which no word can be compared with: "
        "every measurement is an Error",
        RIGHT,
    )
