"""Who owns the files of a change, by GitHub's CODEOWNERS.

The last pattern that matches a file names its owners, none where it names none:
https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
Why the library `codeowners` and not the matcher of our other globs: there `docs/*` also matches
what lies deeper, since git ignores folders whole; GitHub's does not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# Where GitHub looks; the first that is there is the one.
PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
_COMMENT = re.compile(r"(^|\s)#.*")


@dataclass(frozen=True, slots=True)
class Owners:
    """Teams, names and addresses as they are written, sorted; None where that is not known."""

    names: tuple[str, ...] | None
    notes: tuple[str, ...] = ()


def owners(paths: Sequence[str], text: str | None) -> Owners:
    r"""Of all the paths together; `text` is the file's, None where there is none.

    >>> owners(["app/a.py", "docs/deep/b.md"], "* @all\n/app/ @shop/pay # ask first\ndocs/* @d")
    Owners(names=('@all', '@shop/pay'), notes=())
    """
    if text is None:
        return Owners(None)
    from codeowners import CodeOwners

    try:
        rules = CodeOwners("\n".join(_COMMENT.sub("", line) for line in text.splitlines()))
    except (ValueError, re.error, IndexError) as error:
        return Owners(None, (f"CODEOWNERS cannot be read: {error}",))
    return Owners(tuple(sorted({name for path in paths for _, name in rules.of(path)})))
