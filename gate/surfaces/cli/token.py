"""`gate token new`: a token for a client of the server."""

from __future__ import annotations

from typing import Any

import click
import orjson

from gate.errors import UsageError
from gate.surfaces.cli.console import emit
from gate.surfaces.http import tokens

SCHEMA = "gate.token/v1"


@click.group(epilog="Example: gate token new argo --service 'shop-*' --verb ask --verb outcome")
def token() -> None:
    """Tokens for the clients of `gate serve`."""


@token.command("new", epilog="Example: gate token new argo --service '*' --verb ask")
@click.argument("name")
@click.option("--service", "services", multiple=True, required=True, help="A name, or shop-*.")
@click.option(
    "--verb", "verbs", multiple=True, required=True,
    type=click.Choice([str(one) for one in tokens.Verb]),
)  # fmt: skip
@click.option("--hmac", is_flag=True, help="A secret to sign bodies with, instead of a token.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def new(
    name: str, services: tuple[str, ...], verbs: tuple[str, ...], form: str, *, hmac: bool
) -> None:
    """A fresh token, printed this once, and its line for the server's file of tokens.

    The file is `tokens:` and such a line for each; it holds no token, only its digest. The secret
    of --hmac it must hold: whoever reads it can then sign.
    """
    if not tokens.NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name", "use letters, digits, spaces and . _ / -")
    fresh, digest = tokens.new()
    # JSON is YAML: names and patterns are quoted as they need to be.
    known = {"secrets": [fresh]} if hmac else {"sha256": digest}
    entry: dict[str, Any] = {"name": name, **known, "services": services, "verbs": verbs}
    line = f"  - {orjson.dumps(entry).decode()}"
    if form == "json":
        told = {"schema": SCHEMA, ("secret" if hmac else "token"): fresh, "line": line}
        emit(orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE))
        return
    kept = "secret, also in the line" if hmac else "token, shown only now"
    emit(f"{kept}:\n{fresh}\n\nline for the file, below `tokens:`:\n{line}\n")
