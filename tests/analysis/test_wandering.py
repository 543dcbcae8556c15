import math

import numpy as np
import pytest

from gate.analysis.wandering import MOST_MEMORY, Contrasts, Lasting, Noise, averages, weights


def wandering(rng, shape, memory, spread=1.0):
    values = rng.normal(size=shape)
    for i in range(1, len(values)):
        values[i] = memory * values[i - 1] + math.sqrt(1 - memory**2) * values[i]
    return spread * values


def test_contrasts_leave_out_what_all_pods_do():
    rng = np.random.default_rng(1)
    pods, load = rng.normal(size=(30, 4)), 100 * rng.normal(size=(30, 1))
    one, other = Contrasts.of(pods), Contrasts.of(pods + load)
    assert other.values == pytest.approx(one.values)
    assert other.mean == pytest.approx(one.mean + load[:, 0])


def test_equal_pods_have_no_contrast_at_all():
    # 0.1 + 0.1 + 0.1 is not 0.3 in doubles.
    assert not Contrasts.of(np.full((5, 3), 0.1)).values.any()


def test_a_pod_that_is_not_seen_is_in_no_mean():
    arm = Contrasts.of(np.array([[1.0, 3.0], [5.0, math.nan]]))
    assert arm.mean.tolist() == [2.0, 5.0]
    assert arm.values.tolist() == [[-1.0, 1.0], [0.0, 0.0]]
    assert arm.shares.tolist() == [[0.5, 0.5], [1.0, 0.0]]


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.8, 0.95])
def test_noise_is_recovered_without_bias(memory):
    rng = np.random.default_rng(2)
    found = [
        Noise.of([Contrasts.of(wandering(rng, (60, 10), memory, 3.0) + rng.normal(size=10))])
        for _ in range(200)
    ]
    # Raised by its own standard error, and by no more.
    error = math.sqrt((1 - memory**2) / 531) * 60 / 57
    middle = np.mean([one.memory for one in found])
    assert memory <= middle <= min(memory + 2 * error, MOST_MEMORY) + 0.005
    # What is averaged, the long-run variance, is not understated.
    long_run = np.mean([one.variance / one.gain for one in found])
    assert long_run >= 9 * (1 + memory) / (1 - memory) * 0.95
    assert not found[0].assumed


def test_short_series_are_taken_to_remember_as_long_as_can_be():
    noise = Noise.of([Contrasts.of(np.random.default_rng(3).normal(size=(5, 4)))])
    assert noise.assumed
    assert noise.memory == MOST_MEMORY


def test_one_pod_teaches_nothing():
    noise = Noise.of([Contrasts.of(np.random.default_rng(4).normal(size=(60, 1)))])
    assert (noise.assumed, noise.variance) == (True, 0.0)


@pytest.mark.parametrize("memory", [0.0, 0.6, 0.95])
def test_averages_are_generalised_least_squares(memory):
    rng, at = np.random.default_rng(5), np.array([0, 1, 2, 5, 6, 9])  # with intervals missing
    values = rng.normal(size=(6, 2))
    means, information = averages(values, memory ** np.diff(at))
    for start in range(6):
        inverse = np.linalg.inv(memory ** np.abs(np.subtract.outer(at[start:], at[start:])))
        assert information[start] == pytest.approx(inverse.sum())
        expected = inverse.sum(axis=0) @ values[start:] / inverse.sum()
        assert means[start] == pytest.approx(expected)
    assert weights(memory ** np.diff(at)) @ values == pytest.approx(means[0])


def test_lasting_differences_are_the_mean_square_of_pods():
    # Without noise and with pods that were all seen all the time: the sample variance.
    pods = np.array([1.0, 4.0, 2.0, 9.0])
    noise = Noise(memory=0.5, variance=1.0, freedom=100.0, assumed=False)
    found = Lasting.of(Contrasts.of(np.tile(pods, (7, 1))), np.full(7, 1 / 7), noise)
    assert found.square == pytest.approx(pods.var(ddof=1))
    assert found.freedom == pytest.approx(3.0)
    assert found.wander == pytest.approx(1 / (1 + 6 / 3))


def test_a_pod_seen_for_a_moment_tells_little():
    values = np.ones((100, 2))
    values[1:, 1] = math.nan
    noise = Noise(memory=0.5, variance=1.0, freedom=100.0, assumed=False)
    found = Lasting.of(Contrasts.of(values), np.full(100, 0.01), noise)
    assert found.freedom == pytest.approx(1.0)
    assert found.wander == pytest.approx(1.0, abs=0.03)  # the noise of one reading is all in it


def test_pods_that_were_never_seen_together_are_two_groups():
    pods = np.array([1.0, 4.0, 2.0, 9.0, 8.0, 6.0])
    values = np.tile(pods, (8, 1))
    values[:4, 3:], values[4:, :3] = math.nan, math.nan
    noise = Noise(memory=0.5, variance=1.0, freedom=100.0, assumed=False)
    found = Lasting.of(Contrasts.of(values), np.full(8, 1 / 8), noise)
    assert found.square == pytest.approx((pods[:3].var(ddof=1) + pods[3:].var(ddof=1)) / 2)
    assert found.freedom == pytest.approx(4.0)
