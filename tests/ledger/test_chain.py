"""The chain's arithmetic, which every kind of ledger shares."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.errors import LedgerError
from gate.ledger.ledger import GENESIS, Record, digest, following, intact, verification

# A lone surrogate is no Unicode text: see test_what_storage_would_change_is_refused.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
RECORDS = st.builds(
    Record,
    id=TEXTS.filter(bool),
    service=TEXTS,
    outcome=TEXTS,
    at=st.floats(allow_nan=False, allow_infinity=False),
    body=st.binary(),
)


def test_the_format_of_the_digest_is_this_and_stays_so():
    record = Record("d-1", "cafés", "promote", 1_700_000_000.25, b"{}")
    by_hand = (
        b"\0\0\0\0\0\0\0\x40" + b"0" * 64 + b"\0\0\0\0\0\0\0\x01" + b"1"
        b"\0\0\0\0\0\0\0\x08" + b"decision"
        b"\0\0\0\0\0\0\0\x03" + b"d-1" + b"\0\0\0\0\0\0\0\x06" + b"caf\xc3\xa9s"
        b"\0\0\0\0\0\0\0\x07" + b"promote" + b"\0\0\0\0\0\0\0\x0d" + b"1700000000.25"
        b"\0\0\0\0\0\0\0\x02" + b"{}"
    )
    # coreutils 9.1: the same 168 bytes, written by printf, through sha256sum
    golden = "b4f621374ae6c066d87ea49056864f429ed8db32b641d6be6700698a4c891927"

    assert hashlib.sha256(by_hand).hexdigest() == golden
    assert digest(GENESIS, 1, record) == golden


@given(RECORDS, RECORDS)
def test_the_digest_depends_on_every_field(record, other):
    said = digest(GENESIS, 1, record)
    assert said != digest("1" * 64, 1, record)
    assert said != digest(GENESIS, 2, record)
    for field in ("id", "service", "outcome", "at", "body"):
        changed = replace(record, **{field: getattr(other, field)})
        alike = repr(getattr(changed, field)) == repr(getattr(record, field))
        assert (digest(GENESIS, 1, changed) == said) == alike


def test_text_that_moves_from_one_field_to_the_next_changes_the_digest():
    one = Record("d-1", "web", "promote", 1.0, b"")
    assert digest(GENESIS, 1, one) != digest(GENESIS, 1, replace(one, id="d-1w", service="eb"))


def test_a_time_given_as_a_whole_number_has_the_digest_of_the_float_it_is_read_back_as():
    record = Record("d-1", "web", "hold", 1_700_000_000, b"")
    entry = following(0, GENESIS, record)

    assert entry.digest == digest(GENESIS, 1, replace(record, at=1_700_000_000.0))
    assert intact(entry)


@pytest.mark.parametrize(
    ("record", "complaint"),
    [
        (Record("", "web", "hold", 1.0, b""), "without an id"),
        (Record("d", "web", "hold", float("nan"), b""), "at is no time: nan"),
        (Record("d", "web", "hold", float("inf"), b""), "at is no time: inf"),
        (Record("d", "w\udcffb", "hold", 1.0, b""), "not valid Unicode"),
    ],
)
def test_what_storage_would_change_is_refused(record, complaint):
    with pytest.raises(LedgerError, match=complaint):
        following(0, GENESIS, record)


def test_an_empty_chain_ends_where_every_chain_begins():
    assert verification([]).last == GENESIS
    assert verification([]).faults == ()
