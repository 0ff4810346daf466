"""Random histories against exact Markov chains, closed forms, direct integration and random graphs."""

import math
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad, solve_ivp
from scipy.linalg import expm
from scipy.optimize import brentq

from disorder.amorphous_solids import simulate_amplitudes, simulate_coagulation, stochastic_coagulation

# With 30 to 60 numbers in a test, five standard errors are exceeded by chance once in 1e4 runs.
SIGMAS = 5.0


def agree(mean, error, exact, floor=0.0):
    """Within SIGMAS standard errors; `floor` is the error where the sample shows none."""
    assert (np.abs(mean - exact) <= SIGMAS * np.maximum(error, floor)).all(), (mean, error, exact)


def partitions(n, largest=None):
    if n == 0:
        yield ()
    for first in range(min(n, largest or n), 0, -1):
        for rest in partitions(n - first, first):
            yield (first, *rest)


def exact_densities(particles, charge, t):
    """Mean number of n-clusters per centre: the master equation of all partitions, exponentiated."""
    states = list(partitions(particles))
    place = {state: k for k, state in enumerate(states)}
    rates = np.zeros((len(states), len(states)))
    for state, k in place.items():
        for i in range(len(state)):
            for j in range(i):
                rest = [n for m, n in enumerate(state) if m not in (i, j)]
                new = tuple(sorted([*rest, state[i] + state[j]], reverse=True))
                rate = 2 * charge[state[i] - 1] * charge[state[j] - 1] / particles
                rates[place[new], k] += rate
                rates[k, k] -= rate
    weights = expm(t * rates)[:, place[(1,) * particles]]
    numbers = np.array([[Counter(state)[n] for n in range(1, particles + 1)] for state in states])
    return weights @ numbers / particles


CHARGES = {
    "constant": np.ones(5),
    "sqrt": np.sqrt(np.arange(1, 6)),
    "product": np.arange(1.0, 6.0),
    "inside the groups": np.array([0.55, 0.9, 0.3, 1.7, 2.6]),
}


@pytest.mark.parametrize("name", CHARGES)
def test_small_gases_follow_the_exact_master_equation(name):
    times, charge = [0.3, 1.1], CHARGES[name]
    run = simulate_coagulation(
        times, [1, 2, 3, 4, 5], charge=charge, particles=5, realisations=4000, seed=3, progress=False
    )
    exact = [exact_densities(5, charge, t) for t in times]
    agree(run.density, run.density_error, exact, floor=1e-4)


def test_short_buffers_change_nothing(monkeypatch):
    monkeypatch.setattr(stochastic_coagulation, "_BUFFER", 6)
    run = simulate_coagulation(
        0.7, [1, 2, 3, 4], particles=4, realisations=4000, seed=5, charge="sqrt", progress=False
    )
    agree(run.density[0], run.density_error[0], exact_densities(4, CHARGES["sqrt"], 0.7), floor=1e-4)


def test_constant_kernel_against_its_closed_form():
    t, n = np.array([0.5, 2.0, 6.0]), np.array([1, 2, 3, 5, 10, 20])
    run = simulate_coagulation(
        t, n, charge="constant", particles=100_000, realisations=6, orders=[0, 1, 2], seed=1, progress=False
    )
    exact = (t[:, None] / (1 + t[:, None])) ** (n - 1) / (1 + t[:, None]) ** 2  # (5.7)
    # A count of mean m fluctuates by at most sqrt(m).
    floor = np.sqrt(exact / 6e5)
    agree(run.density, run.density_error, exact, floor)
    moments = np.column_stack((1 / (1 + t), np.ones(3), 1 + 2 * t))
    agree(run.moment, run.moment_error, moments, floor=1e-3 * moments)
    assert np.abs(run.moment[:, 1] - 1).max() < 1e-12


def test_square_root_kernel_against_direct_integration():
    size, t = 300, 0.3
    n = np.arange(1, size + 1)
    root = np.sqrt(n)

    def flow(_, density):
        weighted = root * density
        gain = np.concatenate(([0.0], np.convolve(weighted, weighted)[: size - 1]))
        return gain - 2 * weighted * weighted.sum()

    start = np.zeros(size)
    start[0] = 1.0
    density = solve_ivp(flow, (0, t), start, rtol=1e-9, atol=1e-13).y[:, -1]
    assert abs(n @ density - 1) < 1e-8
    orders = np.array([0.0, 0.5, 1.5, 2.0])
    run = simulate_coagulation(
        t, n[:8], charge="sqrt", orders=orders, particles=200_000, realisations=6, seed=2, progress=False
    )
    agree(run.density[0], run.density_error[0], density[:8], np.sqrt(density[:8] / 1.2e6))
    exact = np.array([(n**m) @ density for m in orders])
    agree(run.moment[0], run.moment_error[0], exact, floor=1e-3 * exact)


def test_product_kernel_is_the_random_graph():
    # A pair of centres is joined at the rate 2/N0: mean degree 2t, gelation at t = 1/2.
    n = np.array([1, 2, 3, 6])
    run = simulate_coagulation(
        [0.3, 0.6, 1.0], n, charge=lambda k: k, particles=100_000, realisations=6, seed=4, progress=False
    )
    borel = [
        k ** (k - 2.0) * (2 * t) ** (k - 1) * math.exp(-2 * k * t) / math.factorial(k)
        for t in (0.3, 0.6, 1.0)
        for k in n.tolist()
    ]
    exact = np.reshape(borel, (3, 4))
    agree(run.density, run.density_error, exact, np.sqrt(exact / 6e5))
    for k, t in ((1, 0.6), (2, 1.0)):
        giant = brentq(lambda s, t=t: 1 - s - math.exp(-2 * t * s), 1e-3, 1.0)
        agree(run.largest[k], run.largest_error[k], giant, floor=1e-3)
    assert run.largest[0] < 0.01


def exponential_solution(t, mean):
    """N, M, P(y = 0) and B of (4.15) for b = 1 and exponential amplitudes, by quadrature of B' = -B^2 ln."""
    last = math.exp(-mean) / mean
    b = brentq(
        lambda v: quad(lambda s: -math.exp(-s) / (s - math.log(last)), -math.log(mean), v)[0] - t,
        math.log(last) * (1 - 1e-12) + 1e-9,
        -math.log(mean),
    )
    b = math.exp(b)
    excess = math.log(b / last)
    return b * excess, excess, b * b * excess, b


@pytest.mark.parametrize("mean", [0.7, 2.5])
def test_frozen_clusters_against_the_exact_exponential_solution(mean):
    times = [0.4, 1.5, 4.0]
    edges = np.array([0.0, 0.2, 0.4, 0.9, 1.5, 2.5, 4.0, 6.0, 10.0])
    run = simulate_amplitudes(
        times, edges, mean_amplitude=mean, initial="exponential", charge="constant",
        particles=100_000, realisations=6, seed=6, progress=False,
    )  # fmt: skip
    for k, t in enumerate(times):
        number, excess, _, b = exponential_solution(t, mean)
        agree(run.number[k], run.number_error[k], number, floor=5e-4)
        agree(run.excess[k], run.excess_error[k], excess, floor=1e-3 * mean)
        low, high = np.maximum(edges[:-1], t), np.maximum(edges[1:], t)
        active = number * (np.exp(-b * (low - t)) - np.exp(-b * (high - t)))
        frozen = [
            quad(lambda x: exponential_solution(x, mean)[2], min(a, t), min(c, t), epsrel=1e-8)[0]
            for a, c in pairwise(edges)
        ]
        width = np.diff(edges)
        floor = np.sqrt(np.maximum(active, 1e-5) / 6e5) / width
        agree(run.active[k], run.active_error[k], active / width, floor)
        floor = np.sqrt(np.maximum(frozen, 1e-5) / 6e5) / width
        agree(run.frozen[k], run.frozen_error[k], np.array(frozen) / width, floor)


def test_two_centres_by_hand():
    # They merge at the rate b_11 = 1 until x* = 0.8; the pair has x = 2 x* - time, uniform weight e^{-time}.
    mean, t = 0.8, 1.0
    edges = [0.0, 0.75, 0.85, 1.0, 1.2, 1.4, 1.7]
    run = simulate_amplitudes(
        t, edges, mean_amplitude=mean, particles=2, realisations=6000, charge="sqrt", seed=7, progress=False
    )

    def merged(low, high):
        first, last = 2 * mean - high, 2 * mean - low
        first, last = max(first, 0.0), min(max(last, 0.0), mean)
        return (math.exp(-first) - math.exp(-last)) / 2 if last > first else 0.0

    width = np.diff(edges)
    pairs = np.array([merged(a, b) for a, b in pairwise(edges)]) / width
    frozen = np.where(np.array(edges[1:]) <= t, pairs, 0.0)
    frozen[1] += math.exp(-mean) / width[1]  # both centres stayed alone
    agree(run.frozen[0], run.frozen_error[0], frozen, floor=1e-3)
    active = np.where(np.array(edges[:-1]) >= t, pairs, 0.0)
    agree(run.active[0], run.active_error[0], active, floor=1e-3)
    agree(run.active_centres[0], run.active_centres_error[0], 2 * active, floor=1e-3)
    single = np.where(np.arange(6) == 1, math.exp(-mean) / width[1], 0.0)
    agree(run.frozen_centres[0], run.frozen_centres_error[0], 2 * (frozen - single) + single, floor=1e-3)


@pytest.mark.parametrize("charge", ["constant", "sqrt"])
def test_nothing_freezes_before_the_centres_do_and_then_all_single_ones_at_once(charge):
    times = [0.5, 0.999, 1.001]
    run = simulate_amplitudes(
        times, [0.0, 1.0, 1.0000001, 30.0], mean_amplitude=1.0, charge=charge,
        particles=50_000, realisations=6, seed=8, progress=False,
    )  # fmt: skip
    free = simulate_coagulation(
        times, [1], charge=charge, particles=50_000, realisations=6, seed=9, progress=False
    )
    assert (run.frozen[:2] == 0).all()
    assert np.abs(run.mass[:2] - 1).max() < 1e-12
    difference = run.number[:2] - free.moment[:2, 0]
    agree(difference, np.hypot(run.number_error[:2], free.moment_error[:2, 0]), 0.0, floor=1e-3)
    single = free.density[1, 0]
    agree(run.frozen[2, 1] * 1e-7, run.frozen_error[2, 1] * 1e-7, single, floor=1.5e-3)


@pytest.mark.parametrize("charge", ["constant", "sqrt", lambda n: n**0.3])
def test_the_excess_falls_at_the_rate_of_the_number_of_clusters(charge):
    # dM/dt = -N for every kernel: each active cluster loses y = x - t at unit rate, unions add, zero is lost.
    times = np.linspace(0.0, 3.0, 121)
    run = simulate_amplitudes(
        times, [0.0, 100.0], mean_amplitude=1.2, initial="exponential", charge=charge,
        particles=20_000, realisations=4, seed=10, progress=False,
    )  # fmt: skip
    integral = np.concatenate(([0.0], np.cumsum((run.number[1:] + run.number[:-1]) / 2 * np.diff(times))))
    assert np.abs(run.excess - run.excess[0] + integral).max() < 2e-3
    assert abs(run.excess[0] - 1.2) < 5 * 1.2 / math.sqrt(8e4)


def test_mean_amplitude_of_pairs():
    # To first order in t the pairs are born uniformly at t' < t and have x = 2 x* - t': <x>_2 = 2 x* - t/2.
    t, mean = 0.02, 3.0
    run = simulate_amplitudes(
        t, np.concatenate(([0.0], np.linspace(5.9, 6.0, 41))), mean_amplitude=mean,
        particles=100_000, realisations=8, seed=11, progress=False,
    )  # fmt: skip
    weights, middle = run.active[0, 1:], (run.edges[1:-1] + run.edges[2:]) / 2
    average = weights @ middle / weights.sum()
    pairs = weights.sum() * 0.0025
    assert abs(average - (2 * mean - t / 2)) < 5 * t / math.sqrt(12 * pairs * 8e5) + 0.05 * t
    assert run.active[0, middle.searchsorted(2 * mean - 1.2 * t)] == 0  # no union before t = 0


def test_behind_the_freezing_edge_the_density_in_centres_is_universal():
    # For t >> x* the sum over n of n P_n is K/(x t) for x > t and K/x^2 below, whatever x*.
    t = 12.0
    ratios = np.array([0.5, 0.9, 1.2, 1.8, 4.0])
    values, errors = [], []
    for mean, initial in ((3.0, "exponential"), (3.0, "sharp"), (1.5, "sharp")):
        run = simulate_amplitudes(
            t, t * ratios, mean_amplitude=mean, initial=initial,
            particles=400_000, realisations=5, seed=12, progress=False,
        )  # fmt: skip
        frozen = np.where(ratios[1:] <= 1, ratios[1:] * ratios[:-1], 0.0)[0] * run.frozen_centres[0, 0]
        low, high = ratios[2:-1], ratios[3:]
        active = (high - low) / np.log(high / low) * run.active_centres[0, 2:]
        values.append(t * t * np.array([frozen, *active]))
        errors.append(t * t * run.active_centres_error[0, 2:].max())
    values = np.array(values)
    assert (values.max(axis=0) < 1.6 * values.min(axis=0)).all()
    assert np.isclose(values[:, 1], values[:, 2], rtol=0.35).all()
    assert max(errors) < 0.1


def test_the_result_does_not_depend_on_the_executor():
    call = {"t": [0.5, 2.0], "sizes": [1, 2, 7], "particles": 2000, "realisations": 5, "progress": False}
    serial = simulate_coagulation(**call, seed=13)
    with ThreadPoolExecutor(2) as pool:
        parallel = simulate_coagulation(**call, seed=13, executor=pool)
    other = simulate_coagulation(**call, seed=14)
    for name in ("density", "density_error", "moment", "moment_error", "largest", "largest_error"):
        assert (getattr(serial, name) == getattr(parallel, name)).all()
    assert (serial.density != other.density).any()


@given(
    st.integers(2, 60),
    st.lists(st.floats(0.0, 50.0), min_size=1, max_size=4, unique=True),
    st.sampled_from(["constant", "sqrt", "n", "1/n"]),
    st.integers(0, 10**6),
)
@settings(max_examples=40, deadline=None)
def test_invariants(particles, times, charge, seed):
    charge = {"n": lambda n: n, "1/n": lambda n: 1 / n}.get(charge, charge)
    sizes = np.arange(1, particles + 1)
    times = sorted(times)
    run = simulate_coagulation(
        times, sizes, charge=charge, particles=particles, realisations=2, seed=seed, orders=[0, 1],
        progress=False,
    )  # fmt: skip
    assert np.abs(run.density @ sizes - 1).max() < 1e-12
    assert np.abs(run.moment[:, 1] - 1).max() < 1e-12
    assert np.abs(run.density.sum(axis=1) - run.moment[:, 0]).max() < 1e-12
    assert (np.diff(run.moment[:, 0]) <= 1e-15).all()
    assert (np.diff(run.largest) >= -1e-15).all()
    # A charge twice as large is the same history in a quarter of the time, draw by draw.
    values = (
        np.sqrt(sizes) if charge == "sqrt" else np.ones(particles) if charge == "constant" else charge(sizes)
    )
    faster = simulate_coagulation(
        np.array(times) / 4, sizes, charge=2.0 * values, particles=particles, realisations=2, seed=seed,
        progress=False,
    )  # fmt: skip
    assert np.abs(faster.density - run.density).max() < 1e-12


def test_amplitudes_keep_every_centre():
    edges = np.concatenate((np.linspace(0.0, 20.0, 50), [1e6]))
    run = simulate_amplitudes(
        [0.0, 1.0, 3.0, 30.0], edges, mean_amplitude=1.0, initial="exponential", particles=3000,
        realisations=3, progress=False,
    )  # fmt: skip
    centres = (run.active_centres + run.frozen_centres) @ np.diff(edges)
    assert np.abs(centres - 1).max() < 1e-12
    assert np.abs(run.active @ np.diff(edges) - run.number).max() < 1e-12
    assert np.abs(run.active_centres @ np.diff(edges) - run.mass).max() < 1e-12
    assert run.mass[0] == 1.0


def test_start_and_end():
    run = simulate_coagulation([0.0, 1e300], [1, 2, 50], particles=50, realisations=2, progress=False)
    assert run.density.tolist() == [[1.0, 0.0, 0.0], [0.0, 0.0, 1 / 50]]
    assert run.density_error.max() == 0.0
    late = simulate_amplitudes(
        1e300, [0.0, 1.0], mean_amplitude=1e-3, particles=50, realisations=2, progress=False
    )
    assert late.mass[0] == 0.0


GOOD = {"t": 0.1, "sizes": [1], "particles": 10, "realisations": 2}
AMPLITUDES = {"t": 0.1, "edges": [0.0, 1.0], "mean_amplitude": 1.0, "particles": 10, "realisations": 2}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"t": -0.1}, "t must"),
        ({"t": math.nan}, "t must"),
        ({"t": math.inf}, "t must"),
        ({"t": [1.0, 0.5]}, "t must"),
        ({"t": [1.0, 1.0]}, "t must"),
        ({"t": [[1.0]]}, "t must"),
        ({"t": "1"}, "t must"),
        ({"t": None}, "t must"),
        ({"sizes": [0]}, "sizes"),
        ({"sizes": [1.5]}, "sizes"),
        ({"sizes": [[1]]}, "sizes"),
        ({"sizes": [True]}, "sizes"),
        ({"orders": -1.0}, "orders"),
        ({"orders": 9.0}, "orders"),
        ({"orders": [[1.0]]}, "orders"),
        ({"orders": [math.nan]}, "orders"),
        ({"charge": "linear"}, "charge"),
        ({"charge": [1.0, 2.0]}, "charge"),
        ({"charge": -np.ones(10)}, "charge"),
        ({"charge": np.zeros(10)}, "charge"),
        ({"charge": np.full(10, math.nan)}, "charge"),
        ({"charge": lambda n: 1e200 * n}, "charge"),
        ({"charge": lambda n: np.exp(10 * n)}, "charge"),
        ({"charge": lambda n: 1j * n}, "charge"),
        ({"charge": None}, "charge"),
        ({"particles": 1}, "particles"),
        ({"particles": 1e3}, "particles"),
        ({"particles": True}, "particles"),
        ({"realisations": 1}, "realisations"),
        ({"realisations": 2.5}, "realisations"),
        ({"seed": -1}, "seed"),
        ({"seed": None}, "seed"),
        ({"seed": 0.5}, "seed"),
        ({"executor": 3}, "executor"),
    ],
)
def test_bad_input(change, name):
    with pytest.raises((TypeError, ValueError), match=name):
        simulate_coagulation(**{**GOOD, **change})
    if not {"sizes", "orders"} & set(change):
        with pytest.raises((TypeError, ValueError), match=name):
            simulate_amplitudes(**{**AMPLITUDES, **change})


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"edges": [0.0]}, "edges"),
        ({"edges": [1.0, 0.0]}, "edges"),
        ({"edges": [-1.0, 0.0]}, "edges"),
        ({"edges": [0.0, math.inf]}, "edges"),
        ({"edges": 1.0}, "edges"),
        ({"edges": None}, "edges"),
        ({"mean_amplitude": 0.0}, "mean_amplitude"),
        ({"mean_amplitude": math.nan}, "mean_amplitude"),
        ({"mean_amplitude": [1.0]}, "mean_amplitude"),
        ({"initial": "gaussian"}, "initial"),
        ({"initial": None}, "initial"),
    ],
)
def test_bad_amplitudes(change, name):
    with pytest.raises((TypeError, ValueError), match=name):
        simulate_amplitudes(**{**AMPLITUDES, **change})


@pytest.mark.parametrize("initial", ["sharp", "exponential"])
def test_small_amplitudes_all_freeze_and_large_ones_do_not(initial):
    """The two phases of Eq. (4.15) with the square-root kernel, each the same for two sizes of the sample."""
    for mean, survives in ((0.35, False), (1.0, True)):
        shares = []
        for particles in (20_000, 80_000):
            run = simulate_amplitudes(
                [16.0, 32.0],
                [0, 1e6],
                mean_amplitude=mean,
                initial=initial,
                particles=particles,
                realisations=6,
            )
            shares.append(run.mass)
            assert (run.mass > 0.3).all() if survives else (run.mass < 1e-3).all()
            # Once settled, the share changes by less than the first halving of the remaining flow.
            assert run.mass[0] - run.mass[1] < 0.02
        spread = 5 * run.mass_error + 0.01
        assert (np.abs(shares[0] - shares[1]) < spread).all()


def test_equal_interactions_freeze_entirely():
    """For b = 1 the exponential solution ends at N = 0 for every x*: no second phase."""
    run = simulate_amplitudes(
        [20.0, 80.0], [0, 1e6], mean_amplitude=2.0, initial="exponential", charge="constant",
        particles=40_000, realisations=4,
    )  # fmt: skip
    assert run.mass[1] < 0.05
    assert run.mass[1] < run.mass[0] / 4
