"""Descent and Monte Carlo: local minima, detailed balance, energies against direct sums."""

import importlib
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disorder.fermi_glass import eigenstates, hubbard_overlaps, occupation_monte_carlo, steepest_descent

moves = importlib.import_module("disorder.fermi_glass.occupation_moves")


def problem(seed, states):
    rng = np.random.default_rng(seed)
    weights = rng.random((states, states)) ** 3
    return rng.normal(size=states), weights.T @ weights


def energy_of(energies, overlaps, interaction, up, down):
    up, down = np.asarray(up, float), np.asarray(down, float)
    return energies @ (up + down) + interaction * up @ overlaps @ down


def occupations(seed, states):
    rng = np.random.default_rng(seed)
    return rng.random((2, states)) < rng.random()


def neighbours(up, down):
    """All occupations one move away."""
    spins = np.concatenate([up, down])
    for source, target in itertools.product(np.flatnonzero(spins), np.flatnonzero(~spins)):
        changed = spins.copy()
        changed[source], changed[target] = False, True
        yield changed[: up.size], changed[up.size :]


@given(st.integers(0, 10**6), st.integers(1, 8), st.sampled_from([0.0, 0.5, 2.0, -1.0]))
@settings(max_examples=40, deadline=None)
def test_descent_takes_the_best_move_until_none_helps(seed, states, interaction):
    energies, overlaps = problem(seed, states)
    up, down = occupations(seed + 1, states)
    found = steepest_descent(energies, overlaps, interaction, up, down)
    done = 0
    while True:
        here = energy_of(energies, overlaps, interaction, up, down)
        around = [(energy_of(energies, overlaps, interaction, *near), near) for near in neighbours(up, down)]
        if not around or min(value for value, _ in around) > here - 1e-11:
            break
        up, down = min(around, key=lambda pair: pair[0])[1]
        done += 1
    assert abs(energy_of(energies, overlaps, interaction, found.up, found.down) - here) < 1e-10
    assert found.accepted == found.steps == done


@given(st.integers(0, 10**6), st.integers(1, 9), st.sampled_from([0.7, -0.7]), st.integers(0, 400))
@settings(max_examples=40, deadline=None)
def test_energy_is_that_of_the_occupations(seed, states, interaction, steps):
    """Incremental fields, against direct sums, and counted from the sea of as many particles."""
    energies, overlaps = problem(seed, states)
    up, down = occupations(seed + 1, states)
    found = occupation_monte_carlo(
        energies, overlaps, interaction, up, down, steps=steps, seed=seed, temperature=0.5
    )
    count = int(up.sum() + down.sum())
    assert found.up.sum() + found.down.sum() == count
    order = np.argsort(energies, kind="stable")
    sea = np.zeros((2, states))
    sea[0, order[: (count + 1) // 2]] = 1
    sea[1, order[: count // 2]] = 1
    expected = energy_of(energies, overlaps, interaction, found.up, found.down)
    expected -= energy_of(energies, overlaps, interaction, *sea)
    assert abs(found.energy - expected) < 1e-12 * (1 + count) ** 2
    assert 0 <= found.accepted <= found.steps == steps


@given(st.integers(0, 10**6), st.integers(2, 8), st.sampled_from([1.0, -1.0]))
@settings(max_examples=25, deadline=None)
def test_fields_are_energy_differences(seed, states, interaction):
    """Adding one particle costs its field; moves keep all fields right."""
    energies, overlaps = problem(seed, states)
    up, down = occupations(seed, states)
    field = moves._fields(energies, overlaps, interaction, up, down)
    spins = np.concatenate([up, down])
    here = energy_of(energies, overlaps, interaction, up, down)
    for s in np.flatnonzero(~spins):
        more = spins.copy()
        more[s] = True
        there = energy_of(energies, overlaps, interaction, more[:states], more[states:])
        assert abs(there - here - field[s]) < 1e-12 * (1 + abs(here))
    if 0 < spins.sum() < spins.size:
        source, target = np.flatnonzero(spins)[-1], np.flatnonzero(~spins)[0]
        moves._move(overlaps, interaction, field, source, target)
        spins[source], spins[target] = False, True
        again = moves._fields(energies, overlaps, interaction, spins[:states], spins[states:])
        assert np.allclose(field, again, rtol=0, atol=1e-12 * states)


@pytest.mark.parametrize("interaction", [1.5, -1.0])
def test_boltzmann_distribution(interaction):
    """Three states, two to four particles: frequencies of all occupations against the Boltzmann weights."""
    energies, overlaps = problem(5, 3)
    temperature, runs = 0.9, 4000
    spins = np.array([s for s in itertools.product([0, 1], repeat=6) if sum(s) == 3], bool)
    weight = np.exp([-energy_of(energies, overlaps, interaction, s[:3], s[3:]) / temperature for s in spins])
    weight /= weight.sum()
    place = {tuple(s): k for k, s in enumerate(spins)}
    counts = np.zeros(len(spins))
    up, down = spins[0, :3], spins[0, 3:]
    for child in np.random.SeedSequence(11).spawn(runs):
        # One seed for each run, and enough steps in between to forget the last sample.
        found = occupation_monte_carlo(
            energies, overlaps, interaction, up, down, steps=60, seed=child, temperature=temperature
        )
        up, down = found.up, found.down
        counts[place[(*up.tolist(), *down.tolist())]] += 1
    chi_squared = ((counts - runs * weight) ** 2 / (runs * weight)).sum()
    degrees = len(spins) - 1
    assert chi_squared < degrees + 4 * math.sqrt(2 * degrees)


def test_zero_temperature_never_climbs_and_crosses_flat_ground():
    energies, vectors = eigenstates(8, 9.0, seed=1)
    overlaps = hubbard_overlaps(vectors)
    up = np.arange(64) < 26
    last = 0.0
    state = (up, up)
    for k in range(20):
        found = occupation_monte_carlo(energies, overlaps, 3.0, *state, steps=300, seed=k)
        assert found.energy <= last + 1e-12
        last, state = found.energy, (found.up, found.down)
    assert last < 0
    # Two degenerate states without interaction: every proposal is accepted.
    one = np.array([True, False])
    flat = occupation_monte_carlo([0.0, 0.0], np.zeros((2, 2)), 0.0, one, ~one, steps=50, seed=1)
    assert flat.accepted == 50


def test_same_seed_same_digits():
    energies, overlaps = problem(3, 12)
    up, down = occupations(4, 12)
    call = {"steps": 70_000, "temperature": 0.3}
    first = occupation_monte_carlo(energies, overlaps, 1.0, up, down, seed=7, **call)
    second = occupation_monte_carlo(energies, overlaps, 1.0, up, down, seed=np.random.SeedSequence(7), **call)
    assert (first.energy, first.accepted) == (second.energy, second.accepted)
    other = occupation_monte_carlo(energies, overlaps, 1.0, up, down, seed=8, **call)
    assert first.accepted != other.accepted


def test_nothing_to_move():
    for filled in (np.zeros(3, bool), np.ones(3, bool)):
        found = occupation_monte_carlo(np.arange(3.0), np.eye(3), 1.0, filled, filled, steps=10, seed=1)
        assert (found.energy, found.accepted) == (0.0, 0)
        assert steepest_descent(np.arange(3.0), np.eye(3), 1.0, filled, filled).accepted == 0


def test_start_is_not_changed():
    up, down = np.array([True, True, False]), np.array([True, False, False])
    occupation_monte_carlo(np.arange(3.0), np.eye(3), 5.0, up, down, steps=100, seed=1, temperature=9.0)
    steepest_descent(np.arange(3.0), np.eye(3), 5.0, up, down)
    assert up.tolist() == [True, True, False]
    assert down.tolist() == [True, False, False]


GOOD = {
    "energies": [0.0, 1.0],
    "overlaps": np.eye(2),
    "interaction": 1.0,
    "up": np.array([True, False]),
    "down": np.array([True, False]),
}
BAD = [
    ("energies", [0.0, math.inf]),
    ("overlaps", np.array([[1.0, 0.5], [0.4, 1.0]])),
    ("overlaps", np.array([[1.0, -0.5], [-0.5, 1.0]])),
    ("overlaps", np.eye(3)),
    ("interaction", math.nan),
    ("up", np.array([1.0, 0.5])),
    ("up", np.array([True])),
    ("down", np.array([2, 0])),
    ("down", None),
]


@pytest.mark.parametrize(("name", "bad"), BAD)
def test_bad_input(name, bad):
    with pytest.raises((TypeError, ValueError), match=name):
        steepest_descent(**{**GOOD, name: bad})
    with pytest.raises((TypeError, ValueError), match=name):
        occupation_monte_carlo(**{**GOOD, "steps": 1, "seed": 1, name: bad})


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("steps", -1),
        ("steps", 1.0),
        ("steps", None),
        ("seed", -1),
        ("seed", None),
        ("seed", 0.5),
        ("temperature", -1.0),
        ("temperature", math.nan),
        ("temperature", "hot"),
    ],
)
def test_bad_monte_carlo_input(name, bad):
    with pytest.raises((TypeError, ValueError), match=name):
        occupation_monte_carlo(**{**GOOD, "steps": 1, "seed": 1, name: bad})
