"""GitHub's webhook: a job waits for an environment, and the gate is to say whether it may go on.

The answer to the delivery says only that it was taken; GitHub waits ten seconds for it. The verdict
follows by itself, see `gate.surfaces.protection`.
"""

from __future__ import annotations

import re

from flask import Blueprint, Response, request

from gate.errors import UsageError
from gate.surfaces.http.answers import Refusal, answer
from gate.surfaces.http.bodies import modelled, whole_body
from gate.surfaces.http.logs import log
from gate.surfaces.http.server import server
from gate.surfaces.http.signatures import signed
from gate.surfaces.protection.app_file import App
from gate.surfaces.protection.protection import REFUSED
from gate.surfaces.protection.wish import EVENT, REQUESTED, Delivery, wish

GITHUB = Blueprint("github", __name__)

_DELIVERY = re.compile(r"[A-Za-z0-9-]{1,64}")


@GITHUB.post("/v1/github/webhook")
def webhook() -> Response:
    """202 for a request that is stored now, 200 for what needs no answer (a ping, a request
    that came before, under whatever delivery id).

    401 for what GitHub did not sign, 422 for what could never be answered: nothing is sent there.
    """
    app, raw = server().github, whole_body()
    if app is None:
        raise Refusal(401, "this server is no GitHub App", "gate serve --github FILE")
    # Before anything is read of it: whoever can reach this route may send what they like.
    if not signed(raw, request.headers.get("X-Hub-Signature-256", ""), app.secrets):
        raise Refusal(401, "not signed by this App's webhook secret", "X-Hub-Signature-256")
    delivery = request.headers.get("X-GitHub-Delivery", "")
    if not _DELIVERY.fullmatch(delivery):
        raise Refusal(400, "X-GitHub-Delivery is missing or no id")
    event = request.headers.get("X-GitHub-Event", "")
    if event != EVENT:
        return _taken(None, f"{event or 'no event'} is not {EVENT}")
    return _requested(raw, delivery, app)


def _requested(raw: bytes, delivery: str, app: App) -> Response:
    if request.mimetype and not request.is_json:
        hint = "set the content type of the App's webhook to application/json"
        raise Refusal(415, f"the body is {request.mimetype}", hint)
    told = modelled(raw, Delivery)
    if told.action != REQUESTED:
        return _taken(None, f"action {told.action} asks for nothing")
    try:
        wanted = wish(told, app.url)
    except UsageError as error:
        log("protection refused", why=error.message, repository=told.repository.full_name)
        server().metrics.protected(REFUSED)
        raise Refusal(422, error.message, error.hint) from None
    work = server().protection.request(wanted, delivery)
    return _taken(work.id if work else None, "" if work else "this request was taken before")


def _taken(id_: str | None, reason: str) -> Response:
    told = {"accepted": id_ is not None, "id": id_, "reason": reason}
    return answer(told, 200 if id_ is None else 202)
