"""Scores as tables: a short one to read, a full one to check."""

from __future__ import annotations

from collections.abc import Sequence

from bench.verdicts.score import Score, Share

Row = Sequence[str]
FULL = (
    "scenario", "judge", "rolled back", "95 % bounds", "after", "alarmed in the hour",
    "95 % bounds", "after", "too soon", "promoted", "at", "bad served",
)  # fmt: skip


def alarms(scores: Sequence[Score], judges: Sequence[str], alpha: float) -> list[Row]:
    """Without a fault: false alarms in the hour and their upper bound; promoted @ median minute.

    A `!` says that even the lower bound is beyond alpha.
    """
    found = {(one.scenario, one.judge): one for one in scores if not one.is_fault}
    return _grid("nothing wrong", judges, {key: _alarm(one, alpha) for key, one in found.items()})


def detections(scores: Sequence[Score], judges: Sequence[str]) -> list[Row]:
    """With a fault: rolled back before any promote @ median minutes after the onset; promoted."""
    found = {(one.scenario, one.judge): one for one in scores if one.is_fault}
    return _grid("fault", judges, {key: _detection(one) for key, one in found.items()})


def _grid(corner: str, judges: Sequence[str], cells: dict[tuple[str, str], str]) -> list[Row]:
    names = dict.fromkeys(name for name, _ in cells)
    return [[corner, *judges], *([name, *(cells[name, one] for one in judges)] for name in names)]


def _alarm(score: Score, alpha: float) -> str:
    beyond = "!" if score.alarmed.low > 100 * alpha else ""
    rate = f"{score.alarmed.percent:.0f}{beyond} (<{score.alarmed.high:.0f})"
    return f"{rate} {_at('+', score.promoted, score.promoted_at)}"


def _detection(score: Score) -> str:
    found = _at("", score.rolled_back, score.after)
    return f"{found} {_at('+', score.promoted, None)}" if score.promoted.hits else found


def _at(sign: str, share: Share, minute: float | None) -> str:
    return f"{sign}{share.percent:.0f}" + ("" if minute is None else f"@{minute:.0f}")


def full(scores: Sequence[Score]) -> list[Row]:
    """Every number of every score."""
    return [FULL, *map(_row, scores)]


def _row(score: Score) -> Row:
    return (
        score.scenario, score.judge,
        *_measured(score.rolled_back), _minute(score.after),
        *_measured(score.alarmed), _minute(score.alarmed_after),
        f"{score.too_soon.percent:.1f}", f"{score.promoted.percent:.1f}",
        _minute(score.promoted_at), f"{score.bad_served:.0f}",
    )  # fmt: skip


def _measured(share: Share) -> tuple[str, str]:
    return f"{share.percent:.1f}", f"{share.low:.1f}-{share.high:.1f}"


def _minute(minute: float | None) -> str:
    return "" if minute is None else f"{minute:g}"


def plain(rows: Sequence[Row]) -> str:
    """Columns side by side."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join(lines)


def markdown(rows: Sequence[Row]) -> str:
    """A table of GitHub's Markdown."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])
