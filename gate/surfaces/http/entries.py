"""A stored entry by its id, for those who may know of it."""

from __future__ import annotations

from gate.errors import NothingStoredError, UnknownEntryError
from gate.ledger.ledger import Entry, Kind
from gate.surfaces.http.answers import Refusal
from gate.surfaces.http.server import server
from gate.surfaces.http.tokens import Caller

LENGTH_OF_ID = 16


def known_entry(who: Caller, id_: str, kind: Kind, hint: str) -> Entry:
    """The entry of that kind with this very id; Refusal 404, whose hint says where ids are told."""
    try:
        # The ledger would take the start of an id as well, and complain of one that is not enough.
        entry = server().ledger.entry(id_) if len(id_) == LENGTH_OF_ID else None
    except (NothingStoredError, UnknownEntryError):
        entry = None
    # What a token may not see is not there: or ids could be found out by asking.
    if entry is None or entry.record.kind != kind or not who.knows(entry.record.service):
        raise Refusal(404, f"no {kind} has this id", hint)
    return entry
