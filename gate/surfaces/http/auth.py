"""Who asks, and whether they may.

A token comes as `Authorization: Bearer`, as the password of basic auth (for clients that know only
a URL: `http://gate:TOKEN@host`), or within the body where a client can send nothing else (Flagger's
`metadata.token`). Never in a path or query: clients print those. Instead of a token a POST may be
signed, see `gate.surfaces.http.signers`.
"""

from __future__ import annotations

import math

from flask import g, request

from gate.errors import did_you_mean
from gate.surfaces.http.answers import Refusal
from gate.surfaces.http.bodies import whole_body
from gate.surfaces.http.catalogue import Served
from gate.surfaces.http.server import server
from gate.surfaces.http.tokens import ANYBODY, BadTokenError, Caller, Signature, Verb

WHO = {"WWW-Authenticate": 'Bearer realm="gate", Basic realm="gate"'}


def caller(verb: Verb, given: str = "") -> Caller:
    """Who asks, if they may do this; Refusal 401, 403, or 429 for one who asks too often.

    `given`: a token that came within the body.
    """
    found, why = None, "no valid token"
    try:
        found = _known(_presented() or given)
    except BadTokenError as error:
        why = f"the token is refused: {error}"
    g.caller = found
    if found is not ANYBODY:
        _slowed(found.name if found else f"unknown at {request.remote_addr}")
    if found is None:
        raise Refusal(401, why, "send Authorization: Bearer TOKEN", WHO)
    if not found.may(verb):
        raise Refusal(403, f"token {found.name!r} may not {verb}", "it lacks the verb")
    return found


def served(who: Caller, service: str) -> Served:
    """The service, if this caller may know of it; Refusal 403 or 404."""
    if not who.knows(service):
        raise Refusal(403, f"token {who.name!r} is not for this service", "it lacks the service")
    catalogue = server().catalogue
    if service not in catalogue:
        known = [name for name in catalogue if who.knows(name)]
        guess = did_you_mean(service, known)
        raise Refusal(404, f"no service {service!r} is served{guess}", "GET /v1/services")
    return catalogue[service]


def service_argument(who: Caller) -> Served:
    """The service of `?service=`; Refusal 400, or as `served`."""
    name = request.args.get("service")
    if name is None:
        raise Refusal(400, "service is missing", f"GET {request.path}?service=NAME")
    return served(who, name)


def _known(token: str) -> Caller | None:
    tokens = server().tokens
    if tokens is None:
        return ANYBODY
    if token:
        return tokens.caller(token)
    signature = request.headers.get("X-Gate-Signature-256")
    if signature is None or request.method != "POST":
        return None
    told = Signature(signature, request.headers.get("X-Gate-Timestamp"))
    return tokens.signer(whole_body(), told, server().clock())


def _presented() -> str:
    given = request.authorization
    if given is None:
        return ""
    token = given.password if given.type == "basic" else given.token
    return token or ""


def _slowed(name: str) -> None:
    wait = server().limiter.wait(name)
    if wait > 0.0:
        after = {"Retry-After": str(math.ceil(wait))}
        raise Refusal(429, "too many requests", "ask less often", after)
