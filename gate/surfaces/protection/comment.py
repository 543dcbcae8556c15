"""Comments on a waiting deployment, short enough for GitHub, in which nothing formats or mentions.

The limits: https://docs.github.com/en/actions/how-tos/deploy/configure-and-manage-deployments/
create-custom-protection-rules
"""

from __future__ import annotations

from collections.abc import Sequence

from gate.surfaces.report.markdown import escape

LONGEST = 1_024  # characters
MOST = 10  # reports about one deployment, the last one included
CUT = "…"


def comment(
    title: str, lines: Sequence[str], request: str, *, decision: str = "", url: str = ""
) -> str:
    """Markdown: the title, a list, and what it is about; no longer than `LONGEST`.

    `request` is the id by which the comment is known again; `decision` and its `url` where there is
    one. What does not fit is left out, and said to be.
    """
    head = f"**{_cut(title, 300)}**\n"
    parts = [f"decision `{decision}`" if decision else "", f"request `{request}`"]
    # A URL comes from the settings of the server; one that does not fit helps nobody.
    link = f" [see full report: {url}]({url})" if url and len(url) <= 200 else ""
    foot = f"\n<sub>{', '.join(filter(None, parts))}</sub>{link}"
    room = LONGEST - len(head) - len(foot)
    return head + _list(lines, room) + foot


def _list(lines: Sequence[str], room: int) -> str:
    """As many of the lines as there is room for, and a mark where one is missing or cut."""
    told = ""
    for line in lines:
        left = room - len(told) - len("\n- \n- " + CUT)
        whole = escape(line)
        if len(whole) > left:
            return told + f"\n- {_cut(line, left)}\n" if left > 40 else told + f"\n- {CUT}\n"
        told += f"\n- {whole}"
    return told + "\n"


def _cut(text: str, room: int) -> str:
    """Escaped and no longer than `room`; cut before it is escaped, so that no escape is halved."""
    if len(escape(text)) <= room:
        return escape(text)
    plain = text[:room]
    while len(escape(plain)) + len(CUT) > room:
        plain = plain[:-1]
    return escape(plain) + CUT
