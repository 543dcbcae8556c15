"""Policies by the hundred, and the dearest conditions: `python -m bench.policy`."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from gate.policy.conditions import LONGEST, MOST, WIDEST, ConditionError, ask, faults
from gate.policy.evaluate import evaluate
from gate.policy.flip import flips
from gate.policy.lint import lint
from gate.policy.load import load
from gate.policy.sweep import sweep
from gate.policy.words import WORDS, Facts
from gate.request import Intent

RULES = 200
ROUNDS = 200
FACTS: Facts = {word: what.example for word, what in WORDS.items()}
WHENS = (
    "budget.asked && budget.remaining < 0.{n:03}",
    'risk.level == "critical" && rollout.seen_minutes < {n}.0',
    'change.labels.exists(one, one == "label-{n}")',
    "size(analysis.worse) > {n} && !analysis.safe",
    "history.deployments > {n} && history.failure_rate > 0.9{n:03}",
)
# As much as may be asked for within the bounds, each repeated as often as a condition is long.
DEAR = {
    "a loop within a loop": "change.labels.all(a, change.owners.all(b, a == b))",
    "patterns in a loop": "change.labels.all(a, !(" + "a.matches('b') || " * 9 + "false))",
    "plain loops": "change.labels.all(a, a != 'b')",
    "long texts compared": "change.labels.all(a, a + 'b' != a)",
    "a list in a loop": "change.labels.all(a, !(a in [" + ",".join(["'b'"] * 400) + "]))",
    "a new list in a loop": "change.labels.map(a, [" + ",".join(["a"] * 900) + "]) != []",
    "lists compared": "change.labels == change.owners",
    "texts added up": "(" + "+".join(["service.name"] * 20) + ") != ''",
}
ALONE = {
    "a pattern in a loop": "change.labels.all(a, !a.matches('(a|aa)*(b|bb)*a{9}b'))",
    "and many outside": " && ".join(["!service.name.matches('(.|b)*a{15}b')"] * 40),
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "many.yaml"
        path.write_text(many())
        print(f"a policy of {RULES} rules, {path.stat().st_size / 1000:.0f} kB")
        print(f"  load, nothing compiled yet  {1000 * seconds(lambda: load(path)):8.1f} ms")
        print(f"  load again                  {1000 * seconds(lambda: load(path)):8.1f} ms")
        print(f"  lint                        {1000 * seconds(lambda: lint(path)):8.1f} ms")
        policy = load(path)
        took = seconds(lambda: [evaluate(policy, FACTS, Intent.RELEASE, ()) for _ in range(ROUNDS)])
        print(f"  evaluate                    {1000 * took / ROUNDS:8.2f} ms")
        print(f"  rules a second              {RULES * ROUNDS / took:8.0f}")
        turn = seconds(lambda: flips(policy, FACTS))
        print(f"  find the smallest flip      {1000 * turn:8.1f} ms")
        check = seconds(lambda: sweep(policy))
        print(f"  check a sample of states    {1000 * check:8.1f} ms")
    long = dict.fromkeys(("change.labels", "change.owners"), ("a" * WIDEST,) * MOST)
    facts: Facts = {**FACTS, **long, "service.name": "a" * WIDEST}
    print(f"the dearest conditions of {LONGEST:,} letters, over {MOST:,} texts of {WIDEST}")
    for name, part in DEAR.items():
        condition = " && ".join([part] * max(1, LONGEST // (len(part) + 4)))
        print(f"  {name:28} {told(condition, facts)}")
    for name, condition in ALONE.items():
        print(f"  {name:28} {told(condition, facts)}")


def many() -> str:
    """A policy that promotes what is safe, beside many rules that hold."""
    rules = ["{name: safe, when: analysis.safe, then: promote, message: shown}"]
    for n in range(1, RULES):
        when = WHENS[n % len(WHENS)].format(n=n)
        rules.append(f"{{name: rule {n}, when: '{when}', then: hold, message: m}}")
    head = "apiVersion: gate/v1\nkind: ReleasePolicy\nname: many\nrules:\n"
    return head + "".join(f"  - {rule}\n" for rule in rules)


def told(condition: str, facts: Facts) -> str:
    """What became of a condition, and how long it took."""
    if refused := list(faults(condition)):
        return f"refused: {refused[0].message}"
    answers: list[object] = []

    def asked() -> None:
        try:
            answers.append(ask(condition, facts).holds)
        except ConditionError as error:
            answers.append(error.message)

    return f"{1000 * seconds(asked):8.1f} ms: {answers[0]}"


def seconds(work: Callable[[], object]) -> float:
    """How long it took, once."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
