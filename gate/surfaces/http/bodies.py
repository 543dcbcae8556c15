"""What came with a request: its body as a model, its own words as numbers and times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any, TypeVar

import orjson
import pydantic
from flask import request
from werkzeug.exceptions import HTTPException

from gate.errors import UsageError, did_you_mean
from gate.surfaces.http.answers import Refusal
from gate.surfaces.http.tokens import holds_token
from gate.units import seconds

LARGEST_BODY = 2**20  # bytes
# Of the time a client waits, this share is for judging: the rest is the way and the answer.
SHARE = 0.8
LONGEST_WAIT = 60.0  # seconds

# No longer than a name in Kubernetes; what may stand in it, `gate.template` says.
Word = Annotated[str, pydantic.Field(max_length=253)]
Named = Annotated[str, pydantic.Field(min_length=1, max_length=253)]
Note = Annotated[str, pydantic.Field(max_length=4096)]
Words = Annotated[dict[Named, Named], pydantic.Field(max_length=32)]

Model = TypeVar("Model", bound=pydantic.BaseModel)


class Payload(pydantic.BaseModel):
    """What another program sends in its own form: keys we do not know may come with it."""

    model_config = pydantic.ConfigDict(frozen=True, extra="ignore")


def no_token(_: object) -> str:
    """That a body holds none."""
    return ""


def body(
    model: type[Model], *, any_type: bool = False, token: Callable[[Model], str] = no_token
) -> Model:
    """The JSON body; Refusal 400 names all that is wrong with it.

    `any_type`: some clients send JSON without saying so. `token`: the caller's own in it; any other
    is refused, because what is asked and told is stored and shown.
    """
    if not any_type and request.mimetype and not request.is_json:
        raise Refusal(415, f"the body is {request.mimetype}", "send application/json")
    data = whole_body()
    found = modelled(data, model)
    if holds_token(data.replace(token(found).encode(), b"", 1).decode()):
        raise Refusal(400, "a token stands where it would be stored", "send it as Authorization")
    return found


def modelled(data: bytes, model: type[Model]) -> Model:
    """The bytes of a JSON body; Refusal 400 names all that is wrong with them."""
    try:
        orjson.loads(data)  # which knows no NaN
        return model.model_validate_json(data, strict=True)
    except orjson.JSONDecodeError as error:
        raise Refusal(400, f"the body is not JSON: {error}", "send one JSON object") from None
    except pydantic.ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        raise Refusal(400, "; ".join(line for one in faults for line in _told(one))) from None


def whole_body() -> bytes:
    """All of the body as it came; Refusal where it is too long, broken, or breaks off."""
    try:
        data = request.get_data()
    except HTTPException:
        raise
    except Exception:  # noqa: BLE001  each server has errors of its own for a broken body
        raise Refusal(400, "the body cannot be read") from None
    # Of a chunked body werkzeug gives the beginning; and one that breaks off may still be JSON.
    if len(data) >= LARGEST_BODY:
        raise Refusal(413, f"the body is longer than {LARGEST_BODY} bytes")
    if request.content_length not in (None, len(data)):
        raise Refusal(400, "the body is not as long as its Content-Length says")
    return data


def _told(error: Any) -> Iterator[str]:
    """Without the value: it may be somebody's secret."""
    path = ".".join(str(step) for step in error["loc"])
    if error["type"] == "unknown_key":
        known = error["ctx"]["known"]
        for key in error["ctx"]["unknown"]:
            yield f"unknown key {str(key)!r}{did_you_mean(str(key), known)}"
        return
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    yield f"{path or 'body'}: {message[0].lower()}{message[1:]}"


def within(client_waits: float) -> float:
    """Seconds left for judging, of those a client of this route waits by default.

    `X-Gate-Timeout` (`20s`, or seconds) tells how long this one waits; Refusal 400 for nonsense.
    """
    told = request.headers.get("X-Gate-Timeout")
    if told is None:
        return SHARE * client_waits
    try:
        waits = float(told) if told.isdigit() else seconds(told)
    except UsageError as error:
        raise Refusal(400, f"X-Gate-Timeout: {error.message}", error.hint) from None
    return SHARE * min(waits, LONGEST_WAIT)


def argument(name: str, largest: int, usual: int | None) -> int | None:
    """A whole number of the query string from 1 on; Refusal 400."""
    told = request.args.get(name)
    if told is None:
        return usual
    if not (told.isascii() and told.isdigit() and len(told) <= 18 and 1 <= int(told) <= largest):
        raise Refusal(400, f"{name} is no whole number from 1 to {largest}")
    return int(told)
