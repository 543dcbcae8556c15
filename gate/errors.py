"""What can stop the gate from deciding.

An answer (promote, hold, rollback) is a value; an error means *could not decide*. Every error
says what happened and, where it can, what to do about it. The exit code of the command line
belongs to the error, so that no surface can turn one into a verdict by accident.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class GateError(Exception):
    """The gate could not decide.

    Parameters: `message`, one sentence: what and where; `hint`, one sentence: what to do.
    """

    exit_code = 30

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class UsageError(GateError):
    """A request, flag or file that is wrong as written; asking again will not help."""

    exit_code = 2


class LedgerError(GateError):
    """The ledger cannot be read or written. A decision that cannot be stored is not given."""


class NothingStoredError(LedgerError):
    """There is no ledger yet."""


class UnknownEntryError(LedgerError):
    """Nothing in the ledger has this id."""


class AlreadyStoredError(LedgerError):
    """Something with this id is stored."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or nothing where no known word is near.

    >>> did_you_mean('selctor', ['selector', 'step'])
    "; did you mean 'selector'?"
    """
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
