"""Amplitudes of low-energy pairs: closed forms, direct integration of (3.9) and (3.11), random pairs."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import kstest

from disorder.amorphous_solids import (
    CentreAmplitudes,
    effective_pair,
    pair_amplitude_distribution,
    pair_amplitude_plateau,
    pair_tunneling_amplitude,
    sample_pair_amplitudes,
)

FIXED = CentreAmplitudes("fixed", 1.0)
LAWS = [
    CentreAmplitudes("uniform", 2.0),
    CentreAmplitudes("exponential", 0.7),
    CentreAmplitudes("gaussian", 1.3),
    CentreAmplitudes("rayleigh", 1.1),
    CentreAmplitudes("lognormal", 1.0, 0.8),
    CentreAmplitudes("power", 1.0, 0.5),
    CentreAmplitudes("loguniform", 1.0, 1e-3),
]
NAMES = [law.shape for law in LAWS]


def edge(z):
    return np.sqrt(np.clip(1 - 1 / np.maximum(z, 1e-300), 0, None)) * (z > 1)


@given(st.floats(0.1, 100.0), st.floats(1.01, 1e6), st.floats(-9.0, 3.0))
@settings(max_examples=60, deadline=None)
def test_fixed_amplitudes_in_closed_form(low, ratio, log_amplitude):
    """At Delta = 0, sqrt(1 - Delta_min/Delta_0) - sqrt(1 - Delta_max/Delta_0), each where it is real."""
    amplitude, high = 10.0**log_amplitude, low * ratio
    expected = (edge(amplitude * high / 2) - edge(amplitude * low / 2)) / 3
    assert pair_amplitude_distribution(amplitude, FIXED, low, high) == pytest.approx(expected, abs=1e-13)


def test_ends_of_the_range_for_fixed_amplitudes():
    low, high = 5.0, 5e3
    smallest, largest = 2 / high, 2 / low
    values = pair_amplitude_distribution([smallest * 0.999, smallest * 1.001, largest], FIXED, low, high)
    assert values[0] == 0
    assert values[1] == pytest.approx(math.sqrt(1e-3) / 3, rel=1e-2)
    # Beyond the upper end a tail remains, half of Delta_max/Delta_0: very unequal energies at the largest R.
    far = pair_amplitude_distribution(1e4 * largest, FIXED, low, high)
    assert far == pytest.approx(0.5e-4 / 3, rel=1e-3)


@pytest.mark.parametrize("ratio", [3.0, 1e3, 1e8])
def test_integral_is_the_density_of_pairs(ratio):
    """Eq. (2.17): the integral over ln Delta_0 is xi, exactly and not only to logarithmic accuracy."""
    amplitudes = np.linspace(math.log(0.2 / ratio), math.log(1e7), 40001)
    values = pair_amplitude_distribution(np.exp(amplitudes), FIXED, 10.0, 10.0 * ratio)
    assert np.trapezoid(values, amplitudes) == pytest.approx(math.log(ratio) / 3, rel=2e-4)


@pytest.mark.parametrize("law", LAWS, ids=NAMES)
def test_integral_does_not_depend_on_the_initial_distribution(law):
    grid = np.linspace(math.log(1e-16), math.log(1e6), 300)
    values = pair_amplitude_distribution(np.exp(grid), law, 10.0, 1e4, rtol=1e-3)
    assert np.trapezoid(values, grid) == pytest.approx(math.log(1e3) / 3, rel=1e-3)


@pytest.mark.parametrize("z", [1e-6, 1e-2, 0.5, 1.0])
def test_lower_end_for_a_uniform_distribution(z):
    """(2z/3) [ln(1/z) + 8/3 - 2 ln 2] with z = W Delta_0/(2 Delta_0*^2) up to 1."""
    high = 1e7
    value = pair_amplitude_distribution(2 * z / high, CentreAmplitudes("uniform"), 1e-30, high)
    expected = 2 * z / 3 * (math.log(1 / z) + 8 / 3 - 2 * math.log(2))
    assert 3 * value == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("delta", [0.0, 0.3, 0.99])
@pytest.mark.parametrize("amplitude", [1e-3, 0.02, 0.4, 0.6, 3.0])
@pytest.mark.parametrize("bounded", [False, True])
def test_integral_over_the_energies(delta, amplitude, bounded):
    """Eq. (3.11) integrated point by point over eps_1, for unequal amplitudes, with all limits."""
    low, high = 1.0, 300.0
    law = CentreAmplitudes("fixed", 0.9)
    e = 0.81 / (2 * amplitude)

    x = np.linspace(math.log(1e-4), math.log(1e5), 2_000_001)
    e1 = np.exp(x[:-1] + (x[1] - x[0]) / 2)
    with np.errstate(divide="ignore"):
        e2 = (e1 - delta) / (e1 / e - 1)
    u = e1 * e2 / e
    inside = (e2 > 0) & (u > low) & (u < high)
    if bounded:
        inside &= (e1 > 0.9) & (e2 > 0.9)
    reference = float((e / np.abs(e1 - delta))[inside].sum() * (x[1] - x[0]))
    value = pair_amplitude_distribution(amplitude, law, low, high, delta, bounded)
    assert 3 * value == pytest.approx(reference, abs=2e-4)


def test_finite_energy_raises_the_integral():
    """With no limits in the way: (e/Delta) ln(1/(1 - Delta/e)), e = Delta_01 Delta_02/(2 Delta_0)."""
    for delta in (1e-12, 1e-3, 0.5, 0.9):
        e, low, high = 1.0, 1.0, 1e14
        expected = -math.log1p(-delta / e) * e / delta
        value = pair_amplitude_distribution(0.5, FIXED, low, high, delta)
        assert 3 * value == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("delta", [0.0, 0.8])
def test_against_pairs_drawn_from_all_energies(delta):
    """Eq. (3.9) with both delta functions of finite width: energies and distances drawn independently."""
    generator = np.random.default_rng(11)
    size, low, high, width = 4_000_000, 1.0, 20.0, 0.04
    u = low * np.exp(math.log(high / low) * generator.random(size))
    e1, e2 = (22.0 * generator.random(size) for _ in range(2))
    hit = np.abs(e1 + e2 - u - delta) < width / 2
    u, e1, e2 = u[hit], e1[hit], e2[hit]
    edges = np.geomspace(0.02, 3.0, 9)
    amplitude = u / (2 * e1 * e2)
    # (1/2) (4 pi/3) (1/2) U_0 dU/U^2 in units of pi U_0: (1/3) d ln U/U.
    weight = 22.0**2 * math.log(high / low) / (3 * u * width * size)
    sums = np.histogram(amplitude, edges, weights=weight)[0]
    errors = np.sqrt(np.histogram(amplitude, edges, weights=weight**2)[0])
    for k in range(edges.size - 1):
        grid = np.exp(np.linspace(math.log(edges[k]), math.log(edges[k + 1]), 801))
        values = pair_amplitude_distribution(grid, FIXED, low, high, delta)
        expected = np.trapezoid(values, np.log(grid))
        assert abs(sums[k] - expected) <= 4.5 * errors[k] + 2e-3 * expected


def test_amplitudes_below_the_energies():
    """For equal amplitudes the theta functions are not steps: 1 up to a/2, then a/Delta_0 - 1, 0 beyond a."""
    values = pair_amplitude_distribution([0.3, 0.5, 0.625, 0.8, 1.0, 1.2], FIXED, 1e-9, 1e12, 0.0, True)
    np.testing.assert_allclose(3 * values, [1, 1, 0.6, 0.25, 0, 0], atol=1e-5)
    steps = pair_amplitude_plateau([0.3, 0.499, 0.501, 0.8], FIXED)
    np.testing.assert_allclose(3 * steps, [1, 1, 0, 0])


@pytest.mark.parametrize("law", LAWS, ids=NAMES)
def test_plateau_is_the_squared_survival(law):
    amplitude = np.array([1e-6, 1e-3, 0.1, 0.4])
    expected = []
    for value in amplitude:
        top = law.span()[1]
        density = lambda x, law=law: float(law.log_density(np.array([x]))[0])  # noqa: E731
        start = max(math.log(2 * value / law.scale), law.span()[0])
        expected.append(quad(density, start, top, limit=400, epsabs=1e-11)[0] ** 2 / 3 if start < top else 0)
    np.testing.assert_allclose(pair_amplitude_plateau(amplitude, law), expected, rtol=1e-6, atol=1e-9)
    assert 3 * pair_amplitude_plateau(1e-14, CentreAmplitudes("uniform")) == pytest.approx(1)


def test_plateau_at_a_finite_energy():
    """Uniform amplitudes: the integral of 1 - 2 Delta_0 max(1, Delta/a) over a, in closed form."""
    law, b = CentreAmplitudes("uniform"), 0.02
    for delta in (0.01, 0.1, 0.7):
        if delta <= b:
            expected = (1 - b) ** 2
        else:
            expected = (delta - b) - b * delta * math.log(delta / b) + (1 - delta) * (1 - b)
        assert 3 * pair_amplitude_plateau(b / 2, law, delta) == pytest.approx(expected, rel=1e-6)
    assert pair_amplitude_plateau(0.1, FIXED, 4.9) == pytest.approx(1 / 3)
    assert pair_amplitude_plateau(0.1, FIXED, 5.1) == 0


@pytest.mark.parametrize("law", [law for law in LAWS if law.shape != "loguniform"], ids=NAMES[:-1])
def test_plateau_of_one_third(law):
    """Eq. (3.20) in the middle of the range, for every law without weight far below its scale."""
    low, high = 1e2 * law.scale, 1e14 * law.scale
    middle = 2 * law.scale**2 / math.sqrt(low * high)
    value = pair_amplitude_distribution(middle, law, low, high)
    assert 3 * value == pytest.approx(1, abs=0.01 if law.shape == "power" else 1e-4)


def test_log_uniform_centres_give_no_plateau_of_their_own():
    """(3.18): the squared logarithm ln^2(a*/2 Delta_0)/ln^2(a*/a_min) inside the range of the centres."""
    law = CentreAmplitudes("loguniform", 1.0, 1e-8)
    amplitude = np.array([1e-7, 1e-5, 1e-3])
    expected = (np.log(2 * amplitude) / math.log(1e-8)) ** 2
    np.testing.assert_allclose(3 * pair_amplitude_plateau(amplitude, law), expected, rtol=1e-12)
    # The range of couplings restores it only when 3 xi exceeds the width of the product's logarithm.
    narrow = 3 * pair_amplitude_distribution(2e-10, law, 1.0, 1e4)
    wide = 3 * pair_amplitude_distribution(2e-30**0.5, law, 1.0, 1e30)
    assert narrow < 0.6
    assert wide == pytest.approx(1.0, abs=5e-3)


@pytest.mark.parametrize("law", LAWS, ids=NAMES)
def test_random_pairs_against_quadrature(law):
    low, high = 10.0 * law.scale, 1e4 * law.scale
    edges = law.scale * np.geomspace(1e-6, 1.0, 13)
    for bounded in (False, True):
        result = sample_pair_amplitudes(edges, law, low, high, 200_000, 3, "weak", bounded)
        chi = 0.0
        for k in range(12):
            nodes, weights = np.polynomial.legendre.leggauss(6)
            middle, half = np.log(edges[k + 1] * edges[k]) / 2, np.log(edges[k + 1] / edges[k]) / 2
            grid = np.exp(middle + half * nodes)
            expected = weights @ pair_amplitude_distribution(grid, law, low, high, 0.0, bounded, 1e-3) / 2
            chi += ((result.density[k] - expected) / max(result.error[k], 1e-5)) ** 2
        assert chi < 35
    assert sample_pair_amplitudes(edges, law, low, high, 1000).total == pytest.approx(math.log(1e3) / 3)


def test_random_pairs_with_full_and_exact_amplitudes():
    """Where all amplitudes are small against the couplings the three methods count the same pairs."""
    law, low, high = CentreAmplitudes("exponential"), 1e3, 1e6
    edges = np.geomspace(1e-5, 1e-3, 7)
    results = [
        sample_pair_amplitudes(edges, law, low, high, 60_000, seed, method)
        for seed, method in enumerate(("weak", "perturbative", "exact"))
    ]
    for other in results[1:]:
        difference = results[0].density - other.density
        assert (np.abs(difference) < 4.5 * np.hypot(results[0].error, other.error)).all()
        assert other.total == pytest.approx(math.log(1e3) / 3, abs=4 * other.total_error + 2e-3)
    assert results[0].refused == results[1].refused == 0
    assert results[2].refused < 0.01


def test_exact_pairs_end_at_the_smaller_amplitude():
    law = FIXED
    result = sample_pair_amplitudes([0.8, 1.0, 1.3, 30.0], law, 0.05, 50.0, 20_000, 1, "exact")
    assert result.density[0] > 1
    assert result.density[1] == result.density[2] == 0
    # Equal amplitudes have a closed condition: the largest of them comes from the smallest energies.
    assert pair_tunneling_amplitude(0.025, 0.025, 1.0, 1.0) < 1


def test_same_seed_same_digits():
    arguments = ([1e-4, 1e-3, 1e-2], CentreAmplitudes("gaussian"), 10.0, 1e4, 300_000)
    one, two = sample_pair_amplitudes(*arguments, 5), sample_pair_amplitudes(*arguments, 5)
    np.testing.assert_array_equal(one.density, two.density)
    assert (one.density != sample_pair_amplitudes(*arguments, 6).density).all()


@pytest.mark.parametrize("law", LAWS, ids=NAMES)
def test_laws_are_consistent(law):
    draws = law.sample(np.random.default_rng(2), 4000)
    assert kstest(draws, lambda a: 1 - law.survival(a)).pvalue > 1e-3
    bottom, top = law.span()[:2]
    grid = np.linspace(bottom, top, 200_001)
    density = law.log_density(grid)
    assert np.trapezoid(density, grid) == pytest.approx(1, abs=2e-4)
    middle = 0.3 * top + 0.7 * max(bottom, -3.0)
    step = 1e-4
    slope = law.survival(law.scale * math.exp(middle - step)) - law.survival(
        law.scale * math.exp(middle + step)
    )
    assert slope / (2 * step) == pytest.approx(float(law.log_density(np.array([middle]))[0]), rel=1e-4)
    assert law.survival(0.0) == 1
    assert law.survival(1e6 * law.scale) < 1e-12


def test_units_and_shapes():
    law, scaled = CentreAmplitudes("exponential", 1.0), CentreAmplitudes("exponential", 1e-40)
    amplitude = np.array([[1e-5, 1e-3], [1e-2, 0.1]])
    value = pair_amplitude_distribution(amplitude, law, 10.0, 1e4, 2.0)
    other = pair_amplitude_distribution(1e-40 * amplitude, scaled, 1e-39, 1e-36, 2e-40)
    assert value.shape == (2, 2)
    np.testing.assert_allclose(value, other, rtol=1e-9)
    assert isinstance(pair_amplitude_distribution(1e-3, law, 10.0, 1e4), float)
    assert isinstance(pair_amplitude_plateau(1e-3, law), float)
    assert pair_amplitude_plateau(np.empty((0, 2)), law).shape == (0, 2)
    assert pair_amplitude_distribution(np.empty((0, 2)), law, 10.0, 1e4).shape == (0, 2)
    entries = [pair_amplitude_distribution(a, law, 10.0, 1e4, 2.0) for a in amplitude.ravel()]
    np.testing.assert_allclose(value.ravel(), entries, rtol=1e-12)


@given(*[st.floats(-59, 59)] * 3, st.floats(0, 1), st.sampled_from([FIXED, *LAWS]), st.booleans())
@settings(max_examples=40, deadline=None)
def test_extreme_values_are_finite(amplitude, low, high, share, law, bounded):
    low, high = min(low, high), max(low, high) + 0.1
    value = pair_amplitude_distribution(
        10.0**amplitude, law, 10.0**low, 10.0**high, share * 10.0**low, bounded, rtol=0.1
    )
    assert math.isfinite(value)
    assert value >= 0


def test_lower_edge_reference_in_mpmath():
    """The constant 8/3 - 2 ln 2 of the lower end: int_0^1 sqrt(1-x) ln(1/x) dx = (2/3)(8/3 - 2 ln 2)."""
    value = mpmath.quad(lambda x: mpmath.sqrt(1 - x) * mpmath.log(1 / x), [0, 1])
    assert float(value) == pytest.approx(2 / 3 * (8 / 3 - 2 * math.log(2)), rel=1e-12)


@pytest.mark.parametrize("bad", [math.nan, math.inf, 0.0, -1.0, 1e70, "1", None, 1j, True])
def test_bad_numbers(bad):
    law = LAWS[0]
    call = {"amplitude": 1e-3, "initial": law, "smallest_coupling": 10.0, "largest_coupling": 1e4}
    for name in ("amplitude", "smallest_coupling", "largest_coupling"):
        with pytest.raises((TypeError, ValueError), match=name):
            pair_amplitude_distribution(**{**call, name: bad})
    with pytest.raises((TypeError, ValueError), match="amplitude"):
        pair_amplitude_plateau(bad, law)
    with pytest.raises((TypeError, ValueError), match="edges"):
        sample_pair_amplitudes(
            [bad] if bad is True else [0.1, bad if bad != 1e70 else 0.05], law, 10.0, 1e4, 10
        )
    with pytest.raises((TypeError, ValueError), match="scale"):
        CentreAmplitudes("uniform", bad)
    with pytest.raises((TypeError, ValueError), match="parameter"):
        CentreAmplitudes("lognormal", 1.0, bad)
    if bad != 0.0:
        for function in (
            lambda: pair_amplitude_distribution(**call, energy=bad),
            lambda: pair_amplitude_plateau(1e-3, law, bad),
        ):
            with pytest.raises((TypeError, ValueError), match="energy"):
                function()


def test_bad_choices():
    law = LAWS[0]
    for bad in ("normal", None, 1, ["fixed"]):
        with pytest.raises(ValueError, match="shape"):
            CentreAmplitudes(bad)
    with pytest.raises(ValueError, match="parameter"):
        CentreAmplitudes("uniform", 1.0, 0.5)
    for bad in ("uniform", None, 1.0):
        with pytest.raises(TypeError, match="initial"):
            pair_amplitude_plateau(1e-3, bad)
        with pytest.raises(TypeError, match="initial"):
            pair_amplitude_distribution(1e-3, bad, 1.0, 2.0)
        with pytest.raises(TypeError, match="initial"):
            sample_pair_amplitudes([0.1, 1.0], bad, 1.0, 2.0)
    for bad in (None, 1, "yes"):
        with pytest.raises(TypeError, match="bounded"):
            pair_amplitude_distribution(1e-3, law, 1.0, 2.0, bounded=bad)
        with pytest.raises(TypeError, match="bounded"):
            sample_pair_amplitudes([0.1, 1.0], law, 1.0, 2.0, 10, bounded=bad)
    for bad in (0, -1, 1.5, True, None, "3"):
        with pytest.raises((TypeError, ValueError), match="samples"):
            sample_pair_amplitudes([0.1, 1.0], law, 1.0, 2.0, bad)
    with pytest.raises((TypeError, ValueError), match="seed"):
        sample_pair_amplitudes([0.1, 1.0], law, 1.0, 2.0, 10, -1)
    with pytest.raises(ValueError, match="method"):
        sample_pair_amplitudes([0.1, 1.0], law, 1.0, 2.0, 10, 1, "best")
    for edges in ([1.0], [1.0, 0.5], [0.1, 0.1], [[0.1, 1.0]]):
        with pytest.raises(ValueError, match="edges"):
            sample_pair_amplitudes(edges, law, 1.0, 2.0, 10)
    with pytest.raises(ValueError, match="largest_coupling"):
        pair_amplitude_distribution(1e-3, law, 2.0, 1.0)
    for bad in (0.0, 1.0, math.nan, "x"):
        with pytest.raises((TypeError, ValueError), match="rtol"):
            pair_amplitude_distribution(1e-3, law, 1.0, 2.0, rtol=bad)


def test_exact_pairs_against_pairs_drawn_from_all_energies():
    """Strong tunneling: energies and couplings drawn independently, kept at small effective energy."""
    generator = np.random.default_rng(5)
    law, size, low, high, width = CentreAmplitudes("uniform"), 1_500_000, 1.0, 4.0, 0.05
    u = low * np.exp(math.log(high / low) * generator.random(size))
    e1, e2 = (6.0 * generator.random(size) for _ in range(2))
    a1, a2 = law.sample(generator, size), law.sample(generator, size)
    bare, least = e1 + e2 - u, np.minimum(e1, e2)
    possible = (u > 1.001 * np.maximum(e1, e2)) & (np.abs(bare) < 1.5)
    possible &= (least - bare > 1e-3 * least) & (np.maximum(a1, a2) < 400 * least)
    u, e1, e2, a1, a2 = (values[possible] for values in (u, e1, e2, a1, a2))
    pair = effective_pair(e1, e2, a1, a2, u)
    hit = np.abs(pair.energy) < width / 2
    weight = 36 * math.log(high / low) / (3 * u[hit] * width * size)
    edges = np.array([1e-3, 0.1, 0.3, 1.0])
    result = sample_pair_amplitudes(edges, law, low, high, 20_000, 1, "exact")
    lengths = np.diff(np.log(edges))
    density = np.histogram(pair.amplitude[hit], edges, weights=weight)[0] / lengths
    error = np.sqrt(np.histogram(pair.amplitude[hit], edges, weights=weight**2)[0]) / lengths
    assert (np.abs(density - result.density) < 4 * np.hypot(error, result.error)).all()
    spread = math.hypot(result.total_error, math.sqrt(weight @ weight))
    assert abs(result.total - weight.sum()) < 4 * spread


def test_weight_of_an_exact_pair():
    """dU/U^2 delta(Delta(U)) = 1/(U^2 |dDelta/dU|) at the root; d eps_1 d eps_2 = bare^2 dln(bare) dy."""
    law, low, high, size, seed = CentreAmplitudes("uniform"), 1.0, 4.0, 300, 7
    generator = np.random.default_rng(seed)
    length = math.log(high / low) + 2 * math.log(4.0)
    bare = low / 4 * np.exp(length * generator.random(size))
    y = generator.random(size)
    a1, a2 = law.sample(generator, size), law.sample(generator, size)
    weights, amplitudes, shifts = np.zeros(size), np.zeros(size), np.zeros(size)
    for k in range(size):
        e1, e2 = bare[k] * y[k], bare[k] * (1 - y[k])

        def energy(u, e1=e1, e2=e2, k=k):
            return effective_pair(e1, e2, a1[k], a2[k], u).energy

        closest = e1 + e2 - 0.999 * min(e1, e2)
        if max(a1[k], a2[k]) > 1e3 * min(e1, e2) or energy(closest) < 0:
            continue
        u = brentq(energy, closest, 100.0 + 2 * closest, xtol=1e-14)
        step = 1e-4 * (u - max(e1, e2))
        slope = (energy(u - step) - energy(u + step)) / (2 * step)
        amplitudes[k], shifts[k] = effective_pair(e1, e2, a1[k], a2[k], u).amplitude, u / bare[k]
        if low < u < high:
            weights[k] = length / 3 * (bare[k] / u) ** 2 / slope
    counted = weights > 0
    assert np.ptp(shifts[counted]) > 0.3
    # Bins so narrow that each holds one pair: every weight is compared by itself.
    order = np.argsort(amplitudes[counted])
    sizes = amplitudes[counted][order]
    edges = np.concatenate([sizes[:1] / 2, np.sqrt(sizes[1:] * sizes[:-1]), 2 * sizes[-1:]])
    result = sample_pair_amplitudes(edges, law, low, high, size, seed, "exact")
    np.testing.assert_allclose(
        result.density * np.diff(np.log(edges)) * size, weights[counted][order], rtol=1e-5
    )
    assert result.total == pytest.approx(weights.mean(), rel=1e-6)
