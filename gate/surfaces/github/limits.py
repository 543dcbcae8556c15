"""How much GitHub takes; one character more and it takes nothing.

https://docs.github.com/en/rest/issues/comments, /rest/checks/runs, /rest/deployments/statuses
"""

from __future__ import annotations

COMMENT = 65_536
CHECK_TEXT = 65_535
DESCRIPTION = 140  # of a commit status or a deployment status


def cut(markdown: str, most: int, more: str) -> str:
    r"""The text, or its first whole lines and where to read more, in at most so many bytes.

    Bytes are never fewer than what GitHub counts.

    >>> cut("one\ntwo\nthree\n", 48, "https://x")
    'one\ntwo\nthree\n'
    >>> print(cut("| a |\n" * 100, 60, "https://x"))
    | a |
    | a |
    | a |
    | a |
    <BLANKLINE>
    … cut here; all of it: https://x
    """
    if len(markdown.encode()) <= most:
        return markdown
    rest = f"\n\n… cut here; all of it: {more}"
    head = markdown.encode()[: most - len(rest.encode())].decode(errors="ignore")
    return head.rpartition("\n")[0] + rest


def short(text: str, most: int = DESCRIPTION) -> str:
    r"""On one line of at most so many characters.

    >>> short("a\nb" * 3, 6)
    'a ba …'
    """
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 2].rstrip() + " …"
