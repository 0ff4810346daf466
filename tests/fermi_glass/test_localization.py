"""Participation lengths and profiles: brute force, closed forms, exact bounds, and the printed length."""

import itertools
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disorder.fermi_glass import (
    eigenstates,
    localization_configuration,
    localization_ensemble,
    participation_average,
    participation_by_energy,
    participation_length,
    profile_decay,
    radial_profile,
)


def exponential(size, decay, centre=(0, 0)):
    """Normalized state with |phi|^2 = exp(-r/decay) around `centre` on the torus."""
    step = np.minimum(np.arange(size), size - np.arange(size))
    density = np.exp(-np.hypot(step[:, None], step) / decay)
    density = np.roll(density, centre, axis=(0, 1))
    return np.sqrt(density / density.sum()).ravel()


# ---------------------------------------------------------------- profiles


@pytest.mark.parametrize("size", [3, 4, 7, 8])
def test_profile_against_plain_loops(size):
    states = np.linalg.qr(np.random.default_rng(size).normal(size=(size**2, 5)))[0]
    states[0, 0] -= 3.0  # a maximum of negative sign
    profile = radial_profile(states)
    rings = [[] for _ in range(size // 2 + 1)]
    distances = [set() for _ in rings]
    for a in range(5):
        density = states[:, a] ** 2
        x0, y0 = divmod(int(np.argmax(density)), size)
        for x in range(size):
            for y in range(size):
                images = [
                    math.hypot(x - x0 + i * size, y - y0 + j * size) for i in (-1, 0, 1) for j in (-1, 0, 1)
                ]
                distance = min(images)
                if round(distance) <= size // 2:
                    rings[round(distance)].append((density[size * x + y], distance))
                    distances[round(distance)].add((x - x0) % size * size + (y - y0) % size)
    for i, ring in enumerate(rings):
        values, r = np.array(ring).T
        assert profile.density[i] == pytest.approx(values.mean(), rel=1e-12)
        assert profile.log_density[i] == pytest.approx(np.log(values).mean(), rel=1e-12)
        assert profile.distance[i] == pytest.approx(r.mean(), rel=1e-12, abs=1e-15)
        assert profile.sites[i] == len(distances[i]) == len(ring) // 5


def test_profile_follows_the_maximum():
    centres = [(0, 0), (5, 2), (10, 10)]
    states = np.column_stack([exponential(11, 1.7, centre) for centre in centres])
    together, one = radial_profile(states), radial_profile(states[:, :1])
    np.testing.assert_allclose(together.density, one.density, rtol=1e-12)
    np.testing.assert_allclose(together.log_density, one.log_density, rtol=1e-12)


def test_logarithm_of_an_exponential_is_a_straight_line():
    profile = radial_profile(exponential(21, 1.7)[:, None])
    slope = np.diff(profile.log_density) / np.diff(profile.distance)
    np.testing.assert_allclose(slope, -1 / 1.7, rtol=1e-12)
    rows = [profile.log_density, profile.log_density]
    assert profile_decay(profile.distance, rows, 1, 9) == pytest.approx((1.7, 0.0), rel=1e-10)


def test_mean_of_logarithms_is_below_the_logarithm_of_the_mean():
    _, states = eigenstates(12, 9.0, seed=1)
    profile = radial_profile(states)
    assert (profile.log_density[1:] < np.log(profile.density[1:])).all()
    assert profile.density @ profile.sites < 1 + 1e-12
    assert (np.diff(profile.density[:4]) < 0).all()


def test_round_off_is_floored():
    profile = radial_profile(np.eye(25)[:, :3])
    assert profile.log_density[1] == pytest.approx(2 * math.log(np.finfo(float).eps))
    with pytest.raises(ValueError, match="rounding error"):
        profile_decay(profile.distance, [profile.log_density] * 2, 0, 3)


# ---------------------------------------------------------------- participation length


def test_ideal_exponential():
    """In the plane 2 pi l^2 is the norm of exp(-r/l), so the participation length is sqrt(8 pi) l."""
    for decay in (2.0, 4.0):
        length = float(participation_length(exponential(120, decay)[:, None])[0])
        assert length == pytest.approx(math.sqrt(8 * math.pi) * decay, rel=0.06 / decay**2)


@given(
    lengths=st.lists(st.lists(st.floats(1, 50), min_size=3, max_size=3), min_size=2, max_size=5),
)
@settings(max_examples=40, deadline=None)
def test_averages(lengths):
    values = np.array(lengths)
    inverse, length, area = (participation_average(values, name) for name in ("inverse", "length", "area"))
    assert length[0] == pytest.approx(values.mean(), rel=1e-12)
    spread = values.mean(axis=1).std(ddof=1) / math.sqrt(len(values))
    assert length[1] == pytest.approx(spread, rel=1e-8, abs=1e-12)
    assert area[0] == pytest.approx(math.sqrt((values**2).mean()), rel=1e-12)
    assert inverse[0] == pytest.approx((values**-2.0).mean() ** -0.5, rel=1e-12)
    assert inverse[0] <= length[0] * (1 + 1e-12)
    assert length[0] <= area[0] * (1 + 1e-12)


def test_jackknife_of_a_nonlinear_average():
    """To lowest order the error of sqrt(m) is that of m over 2 sqrt(m)."""
    values = 5 + 0.01 * np.random.default_rng(1).normal(size=(40, 6))
    _, error = participation_average(values, "area")
    rows = (values**2).mean(axis=1)
    assert error == pytest.approx(rows.std(ddof=1) / math.sqrt(40) / (2 * math.sqrt(rows.mean())), rel=0.01)
    _, error = participation_average(values, "inverse")
    rows = (values**-2).mean(axis=1)
    assert error == pytest.approx(rows.std(ddof=1) / math.sqrt(40) / 2 * rows.mean() ** -1.5, rel=0.01)


@given(seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_windows_against_plain_loops(seed):
    rng = np.random.default_rng(seed)
    energies, lengths = rng.integers(-4, 5, (4, 30)) / 2.0, rng.uniform(1, 5, (4, 30))
    edges = np.array([-2.0, -0.5, 0.5, 1.5])
    mean, error, count = participation_by_energy(energies, lengths, edges)
    for i, (low, high) in enumerate(itertools.pairwise(edges)):
        inside = (energies >= low) & (energies < high)
        assert count[i] == inside.sum()
        assert mean[i] == pytest.approx(lengths[inside].mean(), rel=1e-12)
        parts = [lengths[k][inside[k]] for k in range(4)]
        left = np.array([np.concatenate(parts[:k] + parts[k + 1 :]).mean() for k in range(4)])
        assert error[i] == pytest.approx(math.sqrt(3 / 4 * ((left - left.mean()) ** 2).sum()), rel=1e-9)


def test_one_window_of_all_states_is_the_average():
    rng = np.random.default_rng(1)
    energies, lengths = rng.normal(size=(5, 20)), rng.uniform(1, 9, (5, 20))
    mean, error, count = participation_by_energy(energies, lengths, [-10, 10])
    assert (mean[0], error[0]) == pytest.approx(participation_average(lengths), rel=1e-12)
    assert count[0] == 100


# ---------------------------------------------------------------- decay of a profile


@given(slopes=st.lists(st.floats(0.1, 0.5), min_size=2, max_size=6), low=st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_decay_is_least_squares(slopes, low):
    distance = np.arange(12.0) ** 1.1
    rng = np.random.default_rng(7)
    rows = -np.outer(slopes, distance) + rng.normal(size=(len(slopes), 12))
    chosen = (distance >= low) & (distance <= 11)
    fits = np.array([np.polyfit(distance[chosen], row[chosen], 1)[0] for row in rows])
    if fits.mean() > -0.05:
        return
    length, error = profile_decay(distance, rows, low, 11)
    assert length == pytest.approx(-1 / fits.mean(), rel=1e-9)
    assert error == pytest.approx(fits.std(ddof=1) / math.sqrt(len(slopes)) * length**2, rel=1e-8)


# ---------------------------------------------------------------- ensembles


def test_ensemble_is_made_of_eigenstates():
    ensemble = localization_ensemble(8, 9.0, realisations=2, window=(-1.0, 1.0), seed=3)
    for i, child in enumerate(np.random.SeedSequence(3).spawn(2)):
        energies, states = eigenstates(8, 9.0, seed=child)
        np.testing.assert_allclose(ensemble.energies[i], energies, atol=1e-12)
        np.testing.assert_allclose(ensemble.lengths[i], participation_length(states), rtol=1e-9)
        profile = radial_profile(states[:, (energies >= -1) & (energies <= 1)])
        np.testing.assert_allclose(ensemble.density[i], profile.density, rtol=1e-9)
        np.testing.assert_allclose(ensemble.log_density[i], profile.log_density, rtol=1e-9)
        np.testing.assert_array_equal(ensemble.distance, profile.distance)


def test_more_states_than_one_batch():
    """The lengths are computed in batches of columns; 18 x 18 states need two."""
    sample = localization_configuration(np.random.SeedSequence(2), 18, 9.0, 1.0, 0.6, (-1.0, 1.0))
    energies, states = eigenstates(18, 9.0, seed=np.random.SeedSequence(2))
    np.testing.assert_allclose(sample.lengths, participation_length(states), rtol=1e-9)
    np.testing.assert_allclose(sample.energies, energies, atol=1e-12)


def test_same_digits_for_workers_and_after_an_interruption(tmp_path):
    call = {"size": 6, "disorder": 9.0, "realisations": 4, "window": (-2.0, 2.0), "seed": 5}
    serial = localization_ensemble(**call)
    with ThreadPoolExecutor(2) as pool:
        threads = localization_ensemble(**call, executor=pool, checkpoint=tmp_path / "run")
    again = localization_ensemble(**call, checkpoint=tmp_path / "run")
    for other in (threads, again):
        np.testing.assert_array_equal(other.lengths, serial.lengths)
        np.testing.assert_array_equal(other.log_density, serial.log_density)


def test_limits_of_disorder():
    strong = localization_ensemble(6, 1e6, realisations=2, window=(-5e5, 5e5), seed=1)
    np.testing.assert_allclose(strong.lengths, 1, atol=1e-3)
    weak = localization_ensemble(12, 1e-3, realisations=2, seed=1)
    # Real waves fill the lattice: the participation length grows with it, up to sqrt(2/3) of its side or all.
    value, _ = participation_average(weak.lengths)
    assert 12 * 0.5 < value < 12
    assert weak.lengths.max() <= 12 * (1 + 1e-9)


def test_printed_length():
    """7.65 is the mean participation length at 60 x 60, and grows with the size of the lattice."""
    small = participation_average(localization_ensemble(20, 9.0, realisations=15, seed=1).lengths)
    middle = participation_average(localization_ensemble(40, 9.0, realisations=4, seed=2).lengths)
    assert 7.65 - 4 * middle[1] > middle[0] > small[0] + 4 * (small[1] + middle[1])
    energies, states = eigenstates(60, 9.0, seed=0)
    # The scatter of one 60 x 60 configuration, estimated from 40 x 40: 9/4 as many states in each.
    scatter = middle[1] * math.sqrt(4) * 2 / 3
    assert abs(participation_length(states).mean() - 7.65) < 3 * scatter
    assert energies.size == 3600


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("states", "error"),
    [
        (np.ones((10, 2)), ValueError), (np.ones((4, 2)), ValueError), (np.ones(9), ValueError),
        (np.full((9, 2), np.nan), ValueError), (np.ones((9, 2), complex), TypeError), ("x", TypeError),
        (None, TypeError), (np.ones((9, 0)), ValueError), ([[1.0], [1.0, 2.0]], ValueError),
    ],
)  # fmt: skip
def test_bad_states(states, error):
    with pytest.raises(error, match="states"):
        radial_profile(states)


GOOD = [[2.0, 3.0], [2.5, 3.5]]


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (([2.0, 3.0],), "lengths"), (([[2.0, 3.0]],), "lengths"), (([[2.0], [0.0]],), "lengths"),
        (([[2.0], [-1.0]],), "lengths"), (([[2.0], [np.nan]],), "lengths"), (("x",), "lengths"),
        ((GOOD, "mean"), "average"), ((GOOD, None), "average"), ((GOOD, 1.0), "average"),
        ((np.empty((2, 0)),), "lengths"),
    ],
)  # fmt: skip
def test_bad_average(arguments, name):
    with pytest.raises((TypeError, ValueError), match=name):
        participation_average(*arguments)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((GOOD[:1], GOOD[:1], [0, 5]), "energies"), ((GOOD, [[1.0], [2.0]], [0, 5]), "lengths"),
        ((GOOD, [[1.0, 0.0], [1.0, 1.0]], [0, 5]), "lengths"),
        (([[0.0, np.nan]] * 2, GOOD, [0, 5]), "energies"),
        ((GOOD, GOOD, [0]), "edges"), ((GOOD, GOOD, [1, 1]), "edges"), ((GOOD, GOOD, [0, np.inf]), "edges"),
        ((GOOD, GOOD, [0, 1]), "edges"), ((GOOD, GOOD, [1.9, 2.1]), "edges"), ((GOOD, GOOD, None), "edges"),
    ],
)  # fmt: skip
def test_bad_windows(arguments, name):
    with pytest.raises((TypeError, ValueError), match=name):
        participation_by_energy(*arguments)


R = np.arange(5.0)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((R, [-R], 0, 4), "log_density"), ((R, [-R[1:]] * 2, 0, 4), "log_density"),
        ((R, [-R, R * np.nan], 0, 4), "log_density"), ((R, [R, R], 0, 4), "log_density"),
        ((R, [-R, -R], 3, 4), "low and high"), ((R, [-R, -R], 4, 0), "low and high"),
        ((R, [-R, -R], np.nan, 4), "low"), ((R, [-R, -R], 0, "4"), "high"),
        ((-R, [-R, -R], 0, 4), "distance"), ((0 * R, [-R, -R], 0, 4), "low and high"),
        ((R, [-30 * R] * 2, 0, 4), "rounding error"),
    ],
)  # fmt: skip
def test_bad_decay(arguments, name):
    with pytest.raises((TypeError, ValueError), match=name):
        profile_decay(*arguments)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"size": 2}, "size"), ({"size": 6.0}, "size"), ({"disorder": -1.0}, "disorder"),
        ({"disorder": np.nan}, "disorder"), ({"realisations": 1}, "realisations"),
        ({"hopping": "1"}, "hopping"), ({"diagonal_hopping": np.inf}, "diagonal_hopping"),
        ({"window": (1.0, -1.0)}, "window"), ({"window": 1.0}, "window"),
        ({"window": (0.0, np.nan)}, "window"),
        ({"window": (0.0, 1.0, 2.0)}, "window"), ({"window": (50.0, 51.0)}, "window"),
        ({"seed": None}, "seed"), ({"seed": -1}, "seed"), ({"executor": 1}, "executor"),
    ],
)  # fmt: skip
def test_bad_ensemble(change, name):
    call = {"size": 4, "disorder": 9.0, "realisations": 2, "window": (-9.0, 9.0), "seed": 1}
    with pytest.raises((TypeError, ValueError, RuntimeError), match=name):
        localization_ensemble(**{**call, **change})
