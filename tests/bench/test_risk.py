"""The recipe of the shipped model, on commits whose truth is known."""

from __future__ import annotations

import numpy as np

from bench.risk.__main__ import main
from bench.risk.fit import fitted
from gate.risk.commits import parse
from gate.risk.features import SIZES
from gate.risk.model import likelihood


def a_table(count=3000):
    """Bugs come with lines added, and the less the more is deleted; nothing else matters."""
    rng = np.random.default_rng(0)
    added, deleted = (np.floor(np.exp(rng.normal(3, 1.5, count))) for _ in range(2))
    chances = 1 / (1 + np.exp(4 - np.log1p(added) + 0.3 * np.log1p(deleted)))
    bugs = rng.random(count) < chances
    rows = [
        f"{'pq'[n % 2]},{1_450_000_000 + 30_000 * n},{a:g},{d:g},1,1,1,0,5,3,{int(bug)}"
        for n, (a, d, bug) in enumerate(zip(added, deleted, bugs, strict=True))
    ]
    return "\n".join(["project,t,la,ld,nf,nd,ns,ent,age,nuc,buggy", *rows])


def test_curves_find_the_truth_and_never_let_a_larger_change_be_safer():
    fit = fitted(parse(a_table(), "f"), SIZES)
    assert set(fit.curves["ld"].values) == {0.0}  # a falling truth becomes level
    usual = dict.fromkeys(SIZES, 1.0) | {"ent": 0.0, "ld": 20.0}
    small, large = (likelihood(fit.log_odds({**usual, "la": value})) for value in (5.0, 300.0))
    assert abs(small - 0.043) < 0.04  # 1/(1+exp(4 - log 6 + 0.3 log 21))
    assert abs(large - 0.69) < 0.1


def test_one_command_measures_both_splits(capsys, tmp_path):
    path = tmp_path / "commits.csv"
    path.write_text(a_table())
    main([str(path), "--dry"])
    told = capsys.readouterr().out
    assert told.count("lines alone") == told.count("with history") == 2
    assert "3,000 commits" in told
