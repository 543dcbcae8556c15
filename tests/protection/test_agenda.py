"""Each thing in its time, and never twice at once."""

from __future__ import annotations

import threading
from collections import Counter

from gate.surfaces.protection.agenda import Agenda


def test_each_is_called_until_it_is_over_and_never_twice_at_once():
    calls: Counter[int] = Counter()
    running: set[int] = set()
    done, lock, twice = threading.Event(), threading.Lock(), []

    def turn(key: int) -> float | None:
        with lock:
            twice.extend({key} & running)
            running.add(key)
        agenda.put(key)  # again while it runs
        with lock:
            running.discard(key)
            calls[key] += 1
            if len(calls) == 5 and min(calls.values()) >= 20:
                done.set()
        return 0.0 if calls[key] < 20 else None

    agenda: Agenda[int] = Agenda(turn, threads=4)
    for key in range(5):
        agenda.put(key)
    agenda.start()
    assert done.wait(20)
    assert twice == []


def test_none_is_a_key_like_any_other():
    done = threading.Event()
    agenda: Agenda[int | None] = Agenda(lambda key: done.set() if key is None else None, threads=1)
    agenda.put(None, 0.01)
    agenda.start()
    assert done.wait(20)
