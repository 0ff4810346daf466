"""Distributions of the interaction constants and the mean strengths of their sums."""

import pickle
from itertools import product

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disorder.amorphous_solids import (
    COUPLING_DISTRIBUTIONS,
    CouplingDistribution,
    coupling_distribution,
    coupling_ratio,
    coupling_ratio_from_characteristic,
)
from disorder.numerics.quadrature import ConvergenceError

names = st.sampled_from(COUPLING_DISTRIBUTIONS)
# Densities of |u| with unit mean, written once more and independently.
DENSITIES = {
    "uniform": lambda w: mpmath.mpf(1) / 2 if w < 2 else mpmath.mpf(0),
    "gaussian": lambda w: 2 / mpmath.pi * mpmath.exp(-(w**2) / mpmath.pi),
    "laplace": lambda w: mpmath.exp(-w),
}


def mean(name, function, breaks=()):
    if name == "bimodal":
        return function(mpmath.mpf(1))
    ends = sorted({0.0, 2.0, *breaks}) + ([] if name == "uniform" else [mpmath.inf])
    if name == "uniform":
        ends = [end for end in ends if end <= 2]
    return mpmath.quad(lambda w: DENSITIES[name](w) * function(w), ends)


@pytest.mark.parametrize("name", COUPLING_DISTRIBUTIONS)
def test_unit_mean_and_truncated_mean(name):
    law = CouplingDistribution(name)
    assert float(mean(name, lambda w: w)) == pytest.approx(1, abs=1e-14)
    for x in (1e-9, 0.3, 1.0, 1.7, 2.0, 5.0, 30.0):
        expected = mean(name, lambda w, x=x: min(w, x), [x])
        assert law.truncated_mean(x) == pytest.approx(float(expected), rel=1e-13)
    assert law.truncated_mean(1e99) == pytest.approx(1, rel=1e-14)


@pytest.mark.parametrize("name", COUPLING_DISTRIBUTIONS)
def test_truncated_integral_is_the_integral(name):
    law = CouplingDistribution(name)
    for x in (1e-8, 0.4, 0.51, 1.0, 2.0, 7.0, 1e3):
        ends = sorted({0.0, min(x, 1.0), min(x, 2.0), min(x, 20.0), x})
        expected = mpmath.quad(lambda s: mpmath.mpf(law.truncated_mean(float(s))) / s, ends)
        assert law.truncated_integral(x) == pytest.approx(float(expected), rel=1e-13)
    # Beyond the largest |u| it grows as a logarithm, to the last digit.
    assert law.truncated_integral(1e90) - law.truncated_integral(1e60) == pytest.approx(30 * np.log(10))


@pytest.mark.parametrize("name", COUPLING_DISTRIBUTIONS)
def test_quantile_and_characteristic_function_belong_together(name):
    law = CouplingDistribution(name)
    p = (np.arange(20_000) + 0.5) / 20_000
    u = law.magnitude(p)
    assert (np.diff(u) >= 0).all()
    for q in (0.0, 0.3, 1.0, 2.5):
        assert law.characteristic(q) == pytest.approx(np.cos(q * u).mean(), abs=2e-4)
    for x in (0.5, 1.5, 4.0):
        assert law.truncated_mean(x) == pytest.approx(np.minimum(u, x).mean(), abs=2e-4)


def test_two_couplings_of_each_distribution():
    values = [coupling_ratio(1, 2, name) for name in ("bimodal", "uniform", "gaussian", "laplace")]
    assert values == pytest.approx([1, 4 / 3, np.sqrt(2), 3 / 2], rel=1e-14)


def test_signs_by_enumeration():
    for terms in range(1, 13):
        sums = np.abs(np.array(list(product((-1, 1), repeat=terms))).sum(axis=1))
        assert coupling_ratio(1, terms, "bimodal") == pytest.approx(sums.mean(), rel=1e-14)


def test_uniform_couplings_by_convolution():
    # Three uniform constants: the density of two is a triangle.
    expected = mpmath.quad(
        lambda a: mpmath.quad(lambda b: abs(a + b) / 4 * (4 - abs(a)) / 16, [-2, -a if abs(a) < 2 else 0, 2]),
        [-4, -2, 0, 2, 4],
    )
    assert coupling_ratio(1, 3, "uniform") == pytest.approx(float(expected), rel=1e-12)


def test_laplace_and_bimodal_against_mpmath():
    for terms in (1, 7, 39, 40, 41, 200, 10**6, 10**12):
        expected = 2 * mpmath.gamma(terms + mpmath.mpf(1) / 2) / mpmath.gamma(terms) / mpmath.sqrt(mpmath.pi)
        with mpmath.workdps(40):
            expected = mpmath.rf(mpmath.mpf(terms), mpmath.mpf(1) / 2) * 2 / mpmath.sqrt(mpmath.pi)
        assert coupling_ratio(1, terms, "laplace") == pytest.approx(float(expected), rel=2e-15)
        if terms < 10**11:
            assert coupling_ratio(1, 2 * terms, "bimodal") == pytest.approx(float(expected), rel=2e-15)
            assert coupling_ratio(1, 2 * terms - 1, "bimodal") == pytest.approx(float(expected), rel=2e-15)


def test_uniform_expansion_joins_the_exact_sum():
    exact = [coupling_ratio(1, terms, "uniform") for terms in (398, 399, 400)]
    beyond = [coupling_ratio(1, terms, "uniform") for terms in (401, 402, 403)]
    squares = np.square([*exact, *beyond])
    # The square is linear in the number of terms up to a smooth, small rest.
    assert np.abs(np.diff(squares, 3)).max() < 1e-9


@given(names, st.integers(1, 30), st.integers(1, 30))
@settings(max_examples=40, deadline=None)
def test_symmetry_and_bounds(name, k, m):
    value = coupling_ratio(k, m, name)
    assert value == coupling_ratio(m, k, name)
    # Jensen: adding constants of random sign never weakens, and |sum| is at most the sum of |u|.
    assert coupling_ratio(k, m + 1, name) >= value * (1 - 1e-14)
    assert 1 - 1e-14 <= value <= k * m * (1 + 1e-14)


@pytest.mark.parametrize("name", COUPLING_DISTRIBUTIONS)
def test_central_limit(name):
    law = CouplingDistribution(name)
    variance = {"bimodal": 1, "uniform": 4 / 3, "gaussian": np.pi / 2, "laplace": 2}[name]
    assert coupling_ratio(10**4, 10**5, name) == pytest.approx(np.sqrt(2 * variance / np.pi * 1e9), rel=1e-8)
    assert law.mean_sum(10**9) == coupling_ratio(10**4, 10**5, name)
    q = 1e-4
    assert law.characteristic(q) == pytest.approx(1 - variance * q * q / 2, abs=1e-15)


@pytest.mark.parametrize("name", ["uniform", "gaussian", "laplace"])
def test_second_route_characteristic_function(name):
    law = CouplingDistribution(name)
    for k, m in ((1, 1), (1, 2), (2, 3), (5, 10), (100, 100)):
        value = coupling_ratio_from_characteristic(law.characteristic, k, m)
        assert value == pytest.approx(coupling_ratio(k, m, name), rel=1e-8)


def test_stable_law_with_power_tails():
    # Levy index alpha: sums scale as N^(1/alpha), steeper than the square root.
    for alpha in (1.5, 1.8):
        value = coupling_ratio_from_characteristic(lambda q, a=alpha: np.exp(-(np.abs(q) ** a)), 3, 4)
        assert value == pytest.approx(12 ** (1 / alpha), rel=1e-4)


def test_characteristic_function_refused():
    with pytest.raises(ConvergenceError, match="does not fall off"):
        coupling_ratio_from_characteristic(np.cos, 1, 2)
    with pytest.raises(ValueError, match="faster than"):
        coupling_ratio_from_characteristic(lambda q: np.exp(-np.abs(q)), 1, 2)
    with pytest.raises(ValueError, match="equal 1 at q = 0"):
        coupling_ratio_from_characteristic(lambda q: 0.5 * np.exp(-q * q), 1, 2)
    with pytest.raises(ValueError, match="equal 1 at q = 0"):
        coupling_ratio_from_characteristic(lambda q: 1.0, 1, 2)
    with pytest.raises(TypeError, match="characteristic"):
        coupling_ratio_from_characteristic(1.0, 1, 2)
    with pytest.raises(ValueError, match="10000"):
        coupling_ratio_from_characteristic(lambda q: np.exp(-q * q), 200, 100)
    for bad in (0, -1):
        with pytest.raises(ValueError, match="k must"):
            coupling_ratio_from_characteristic(lambda q: np.exp(-q * q), bad, 1)


@pytest.mark.parametrize("bad", [0, -1, 1.5, np.nan, np.inf, 1e13])
def test_sizes_refused(bad):
    with pytest.raises(ValueError, match="k must"):
        coupling_ratio(bad, 1)
    with pytest.raises(ValueError, match="m must"):
        coupling_ratio(1, bad)


def test_arguments_refused():
    for bad in ("2", None, True, 1j):
        with pytest.raises(TypeError, match="k must"):
            coupling_ratio(bad, 1)
    with pytest.raises(ValueError, match=r"k \* m"):
        coupling_ratio(10**7, 10**7)
    with pytest.raises(ValueError, match="distribution must be one of"):
        coupling_ratio(1, 1, "cauchy")
    with pytest.raises(TypeError, match="distribution must be a name"):
        coupling_ratio(1, 1, 3)
    with pytest.raises(ValueError, match="broadcast"):
        coupling_ratio([1, 2], [1, 2, 3])
    law = CouplingDistribution("laplace")
    for method, name in (
        (law.magnitude, "probability"),
        (law.truncated_mean, "x"),
        (law.characteristic, "q"),
    ):
        with pytest.raises(ValueError, match=name):
            method(np.nan)
    for bad in (-0.1, 1.0):
        with pytest.raises(ValueError, match="probability"):
            law.magnitude(bad)
    with pytest.raises(ValueError, match="x must"):
        law.truncated_integral(-1.0)
    with pytest.raises(ValueError, match="terms"):
        law.mean_sum(0)


def test_distribution_is_a_value():
    law = CouplingDistribution("laplace")
    assert coupling_distribution(law) is law
    assert pickle.loads(pickle.dumps(law)) == law != CouplingDistribution("uniform")
    assert len({law, CouplingDistribution("laplace")}) == 1
    assert repr(law) == "CouplingDistribution('laplace')"


def test_scalars_and_arrays():
    assert type(coupling_ratio(2, 3)) is float
    table = coupling_ratio([[1], [2]], [1, 2, 3], "laplace")
    assert table.shape == (2, 3)
    assert table[1, 2] == coupling_ratio(2, 3, "laplace")
    assert type(CouplingDistribution("uniform").magnitude(0.5)) is float
