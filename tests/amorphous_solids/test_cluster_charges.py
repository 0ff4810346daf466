"""Couplings of clusters with random charges: walks in the plane, Gaussian charges, the sum over phases."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import ellipe, gamma

from disorder.amorphous_solids import charge_coupling, cluster_charge

RKKY = "indirect exchange"
sizes = st.integers(1, 10**9)


@given(sizes, sizes)
@settings(max_examples=50, deadline=None)
def test_scalar_charges_give_6_1(k, m):
    assert charge_coupling(k, m) == pytest.approx(math.sqrt(k) * math.sqrt(m), rel=1e-15)
    assert cluster_charge(k) == pytest.approx(math.sqrt(k), rel=1e-15)


def test_short_walks_in_closed_form():
    assert cluster_charge(1, RKKY) == 1.0
    assert cluster_charge(2, RKKY) == pytest.approx(4 / math.pi, rel=1e-14)
    # Three steps: 3 2^(1/3)/(16 pi^4) Gamma(1/3)^6 + 27 2^(2/3)/(4 pi^4) Gamma(2/3)^6.
    three = 3 * 2 ** (1 / 3) / 16 * gamma(1 / 3) ** 6 + 27 * 2 ** (2 / 3) / 4 * gamma(2 / 3) ** 6
    assert cluster_charge(3, RKKY) == pytest.approx(three / math.pi**4, rel=1e-12)


@pytest.mark.parametrize("steps", [8, 9, 33, 34, 35, 60])
def test_walk_against_mpmath(steps):
    """int (1 - J_0^n)/q^2 between zeros of J_0; the rest is bounded by the envelope of J_0."""
    with mpmath.workdps(30):
        edges = [0, 1, *[mpmath.besseljzero(0, k) for k in range(1, 12 if steps < 20 else 4)]]
        body = mpmath.quad(
            lambda q: (1 - mpmath.besselj(0, q) ** steps) / q**2 if q else mpmath.mpf(steps) / 4, edges
        )
        bound = float((2 / (mpmath.pi * edges[-1])) ** (mpmath.mpf(steps) / 2) / edges[-1])
        exact = float(body + 1 / edges[-1])
    assert cluster_charge(steps, RKKY) == pytest.approx(exact, rel=2e-13, abs=bound)


def test_four_steps_as_two_walks_of_two():
    """|z_2| = 2 cos(phi) with uniform phi; at a random angle they average to an elliptic integral."""

    def distance(phi, other):
        a, b = 2 * math.cos(phi), 2 * math.cos(other)
        return 2 / math.pi * (a + b) * ellipe(4 * a * b / (a + b) ** 2)

    def inner(phi):
        ends = [0.0, phi, math.pi / 2]
        return sum(quad(lambda o: distance(phi, o), *ends[i : i + 2], epsabs=1e-12)[0] for i in (0, 1))

    value, _ = quad(inner, 0, math.pi / 2, epsabs=1e-10)
    assert cluster_charge(4, RKKY) == pytest.approx(value * (2 / math.pi) ** 2, rel=1e-9)


@pytest.mark.parametrize(("k", "m"), [(1, 1), (2, 1), (2, 2), (3, 1), (3, 2), (4, 1)])
def test_coupling_is_the_average_over_all_phases(k, m):
    """<|Re sum_ij exp(i (alpha + a_i - b_j))|>/<|cos|> by equidistant phases, with no use of a walk."""
    points = 24
    phases = np.exp(2j * np.pi * (np.arange(points) + 0.37) / points)

    def total(count):
        z = np.ones(1, dtype=complex)  # one phase is absorbed by the common phase
        for _ in range(count - 1):
            z = (z[:, None] + phases).ravel()
        return np.abs(z)

    # For a uniform common phase the average of |Re(e^(i alpha) z)| is 2|z|/pi, as for one pair.
    value = total(k).mean() * total(m).mean()
    assert charge_coupling(k, m, RKKY) == pytest.approx(value, rel=2e-3)


def test_random_positions():
    """Centres thrown at random, phases 2 k_F n r from positions: the couplings with error bars."""
    rng = np.random.default_rng(5)
    k, m, samples = 4, 7, 200_000
    left = rng.uniform(-500, 500, (samples, k))
    right = rng.uniform(-500, 500, (samples, m))
    z = np.exp(2j * left).sum(axis=1) * np.exp(-2j * right).sum(axis=1)
    values = np.abs((np.exp(2j * rng.uniform(0, 1e4, samples)) * z).real) * np.pi / 2
    error = values.std() / math.sqrt(samples)
    assert abs(values.mean() - charge_coupling(k, m, RKKY)) < 5 * error
    assert abs(values.mean() - math.sqrt(k * m)) > 20 * error


@given(st.integers(20, 10**12))
@settings(max_examples=50, deadline=None)
def test_large_clusters(n):
    """w_n = sqrt(pi n)/2 (1 + 1/(16 n) + O(1/n^2)); (6.1) overestimates b by 4/pi."""
    ratio = cluster_charge(n, RKKY) / math.sqrt(math.pi * n) * 2
    assert ratio == pytest.approx(1 + 1 / (16 * n), abs=0.1 / n**2 + 1e-12)


def test_crossover_between_the_two_quadratures_is_smooth():
    n = np.arange(20, 60)
    scaled = (cluster_charge(n, RKKY) / np.sqrt(np.pi * n) * 2 - 1 - 1 / (16 * n)) * n**2
    assert np.abs(np.diff(scaled)).max() < 1e-3


def test_arrays_broadcast():
    k, m = np.array([[1], [5]]), np.array([2, 3, 40])
    table = charge_coupling(k, m, RKKY)
    assert table.shape == (2, 3)
    assert table[1, 2] == pytest.approx(cluster_charge(5, RKKY) * cluster_charge(40, RKKY), rel=1e-15)
    assert isinstance(charge_coupling(2, 3), float)
    assert np.array_equal(charge_coupling(m, m[:, None], RKKY), charge_coupling(m[:, None], m, RKKY))


@pytest.mark.parametrize("bad", [0, -1, 1.5, math.nan, math.inf, 1e16])
def test_bad_values(bad):
    for call in (cluster_charge, lambda n: charge_coupling(n, 2), lambda n: charge_coupling(2, n)):
        with pytest.raises(ValueError, match="must be"):
            call(bad)


@pytest.mark.parametrize("bad", ["2", None, 1j, True, [True]])
def test_bad_types(bad):
    with pytest.raises(TypeError, match="size"):
        cluster_charge(bad)
    with pytest.raises(TypeError, match="k"):
        charge_coupling(bad, 1)


def test_bad_mechanism_and_shapes():
    with pytest.raises(ValueError, match="mechanism"):
        cluster_charge(2, "rkky")
    with pytest.raises(ValueError, match="shapes"):
        charge_coupling([1, 2], [1, 2, 3])
