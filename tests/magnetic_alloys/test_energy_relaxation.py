"""Section V: distributions, pairs out of equilibrium, collision kernel, collision integral, energy loss."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import landau

from disorder.magnetic_alloys import (
    FermiDistribution,
    NumericalDistribution,
    TwoStepDistribution,
    collision_integral,
    collision_kernel,
    energy_loss_constant,
    energy_loss_constant_closed_form,
    energy_loss_distribution,
    energy_loss_rate,
    pair_absorption,
    pair_energies,
    pair_level_populations,
    pair_matrix_elements,
    pair_spectrum,
    pair_transition_rates,
    stationary_pair_distribution,
)
from disorder.numerics.quadrature import ConvergenceError, panel_rule
from disorder.numerics.validation import ValidityWarning

SPINS = [0.5, 1.0, 1.5, 2.5]
WIRE = TwoStepDistribution(position=0.3, bias=6.0, temperature=0.4)
BAD_SPINS = [0.0, -0.5, 0.75, math.nan, math.inf]


def two_step(energy):
    """The same distribution as WIRE, as a plain function."""
    return 0.7 / (np.exp((energy - 3.0) / 0.4) + 1) + 0.3 / (np.exp((energy + 3.0) / 0.4) + 1)


def window_by_quadrature(f, gain):
    return quad(lambda e: f(e) * (1 - f(e + gain)), -60, 60, limit=400, points=[-3, 3, -3 - gain, 3 - gain])[
        0
    ]


def spin_matrices(two_s):
    m = np.arange(two_s, -two_s - 1, -2) / 2
    s = two_s / 2
    plus = np.diag(np.sqrt(s * (s + 1) - m[1:] * (m[1:] + 1)), 1)
    return (plus + plus.T) / 2, (plus - plus.T) / 2j, np.diag(m)


# Distributions


def test_fermi_function():
    f = FermiDistribution(temperature=0.5, chemical_potential=1.0)
    e = np.array([-3.0, 0.9, 1.0, 1.4, 7.0])
    np.testing.assert_allclose(f(e), 1 / (np.exp((e - 1.0) / 0.5) + 1), rtol=1e-14)
    assert isinstance(f(0.3), float)


def test_two_step_function():
    e = np.linspace(-8, 8, 33)
    np.testing.assert_allclose(WIRE(e), two_step(e), rtol=1e-13)
    assert WIRE(0.0) == pytest.approx(0.7, abs=1e-3)
    np.testing.assert_allclose(
        TwoStepDistribution(0.0, 6.0, 0.4)(e), FermiDistribution(0.4, 3.0)(e), rtol=1e-15
    )
    np.testing.assert_allclose(
        TwoStepDistribution(1.0, 6.0, 0.4)(e), FermiDistribution(0.4, -3.0)(e), rtol=1e-15
    )


@pytest.mark.parametrize("gain", [-7.0, -2.0, 0.0, 0.3, 5.0])
def test_window_against_quadrature(gain):
    assert WIRE.window(gain) == pytest.approx(window_by_quadrature(two_step, gain), rel=1e-8)


def test_window_of_fermi_function():
    f = FermiDistribution(temperature=0.5, chemical_potential=2.0)
    w = np.array([-4.0, -1e-3, 1e-9, 2.0])
    np.testing.assert_allclose(f.window(w), w / -np.expm1(-w / 0.5), rtol=1e-14)
    assert f.window(0.0) == pytest.approx(0.5, rel=1e-15)


@settings(max_examples=40, deadline=None)
@given(
    gain=st.floats(-1e3, 1e3),
    position=st.floats(0, 1),
    bias=st.floats(0, 1e3),
    temperature=st.floats(1e-3, 1e3),
)
def test_windows_differ_by_the_energy(gain, position, bias, temperature):
    f = TwoStepDistribution(position, bias, temperature)
    scale = abs(gain) + bias + temperature
    assert f.window(gain) - f.window(-gain) == pytest.approx(gain, abs=1e-13 * scale)


def test_window_far_in_the_tail_is_a_logarithm():
    f = FermiDistribution(temperature=1.0)
    assert f.log_window(-5000.0) == pytest.approx(math.log(5000.0) - 5000.0, rel=1e-14)


def test_numerical_distribution_equals_closed_form():
    f = NumericalDistribution(two_step)
    w = np.array([-20.0, -6.0, -0.1, 0.0, 1e-6, 0.5, 5.9, 30.0])
    np.testing.assert_allclose(f.window(w), WIRE.window(w), rtol=0, atol=3e-12)
    np.testing.assert_allclose(f(w), two_step(w), rtol=1e-15)
    assert f.window(0.25) == pytest.approx(WIRE.window(0.25), abs=3e-12)


@pytest.mark.parametrize(("centre", "width"), [(0.0, 1e-25), (1e6, 1.0), (-3.0, 1e-3), (0.0, 1e20)])
def test_numerical_distribution_finds_its_steps(centre, width):
    f = NumericalDistribution(lambda e: 0.5 - 0.5 * np.tanh((e - centre) / (2 * width)))
    w = width * np.array([-3.0, 0.0, 2.0])
    np.testing.assert_allclose(
        f.window(w), width * np.array([3 / math.expm1(3), 1, 2 / -math.expm1(-2)]), rtol=1e-9
    )


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (3.0, TypeError, "function of energy"),
        (lambda e: np.where(e < 0, 1.0, 0.0), ValueError, "continuous"),
        (lambda e: 1.2 / (np.exp(e) + 1), ValueError, r"\[0, 1\]"),
        (lambda e: 1 / (np.exp(-e) + 1), ValueError, "tend to 1"),
        (lambda e: 0.5 + 0 * e, ValueError, "tend to 1"),
        (lambda e: np.full(e.shape, np.nan), ValueError, r"\[0, 1\]"),
        (lambda e: 0.5, ValueError, "equal shape"),
        (lambda e: np.full(e.shape, "x"), TypeError, "real numbers"),
    ],
)
def test_functions_that_are_no_distribution(function, error, message):
    with pytest.raises(error, match=message):
        stationary_pair_distribution(1.0, 0.5, function)
    with pytest.raises(error, match=message):
        collision_integral(1.0, function, 0.5)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_bad_temperatures(value):
    with pytest.raises(ValueError, match="temperature"):
        FermiDistribution(value)
    with pytest.raises(ValueError, match="temperature"):
        TwoStepDistribution(0.5, 1.0, value)
    with pytest.raises(ValueError, match="temperature"):
        energy_loss_rate(1.0, value, 0.5)
    with pytest.raises(ValueError, match="temperature"):
        collision_kernel(1.0, value, 0.5, 0.1)
    with pytest.raises(ValueError, match="temperature"):
        energy_loss_distribution(1.0, 1.0, value, 0.5)


def test_bad_distribution_parameters():
    for position in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match="position"):
            TwoStepDistribution(position, 1.0, 1.0)
    for bias in (-1.0, math.inf):
        with pytest.raises(ValueError, match="bias"):
            TwoStepDistribution(0.5, bias, 1.0)
    with pytest.raises(ValueError, match="chemical_potential"):
        FermiDistribution(1.0, math.nan)
    with pytest.raises(TypeError, match="temperature"):
        FermiDistribution("cold")
    for method in (WIRE, WIRE.window, WIRE.log_window, NumericalDistribution(two_step).window):
        with pytest.raises(ValueError, match="finite"):
            method([1.0, math.nan])


# Pairs


@pytest.mark.parametrize("two_s", [1, 2, 3])
def test_golden_rule_sum_over_electron_spins(two_s):
    """Both impurities, both initial and all final electron spins: 4 A_JJ', as (62) and (63) say."""
    single = spin_matrices(two_s)
    pauli = [2 * s for s in spin_matrices(1)]
    size = two_s + 1
    first = [np.kron(np.kron(s, np.eye(size)), p) for s, p in zip(single, pauli, strict=True)]
    second = [np.kron(np.kron(np.eye(size), s), p) for s, p in zip(single, pauli, strict=True)]
    total = [np.kron(s, np.eye(size)) + np.kron(np.eye(size), s) for s in single]
    squared = sum(t @ t for t in total).real
    values, states = np.linalg.eigh(squared)
    level = np.rint((np.sqrt(1 + 4 * values) - 1) / 2).astype(int)
    basis = np.kron(states, np.eye(2))
    rates = sum(np.abs(basis.T @ sum(part) @ basis) ** 2 for part in (first, second))
    electron = np.tile([0, 1], size * size)
    j = np.repeat(level, 2)
    summed = np.array(
        [[rates[np.ix_(j == a, j == b)].sum() / (2 * a + 1) for b in range(size)] for a in range(size)]
    )
    np.testing.assert_allclose(summed, 4 * pair_matrix_elements(two_s / 2), atol=1e-12)
    # One initial electron spin, one impurity: (2J+1) A_JJ', the sum over J M M' in (68).
    one = np.abs(basis.T @ sum(first) @ basis) ** 2
    for spin in (0, 1):
        rows = [
            [one[np.ix_((j == a) & (electron == spin), j == b)].sum() for b in range(size)]
            for a in range(size)
        ]
        weights = (2 * np.arange(size) + 1)[:, None]
        np.testing.assert_allclose(rows, weights * pair_matrix_elements(two_s / 2), atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(
    coupling=st.floats(-1e3, 1e3),
    temperature=st.floats(1e-2, 1e2),
    mu=st.floats(-10, 10),
    spin=st.sampled_from(SPINS),
)
def test_gibbs_distribution_in_equilibrium(coupling, temperature, mu, spin):
    p = stationary_pair_distribution(coupling, spin, FermiDistribution(temperature, mu))
    levels = pair_energies(coupling, spin)
    gibbs = np.exp(-(levels - levels.min()) / temperature)
    degeneracy = 2 * np.arange(p.size) + 1
    np.testing.assert_allclose(p, gibbs / (degeneracy @ gibbs), rtol=1e-10, atol=1e-290)


@pytest.mark.parametrize("spin", SPINS)
def test_stationary_distribution_is_the_null_vector_of_the_rates(spin):
    v = np.array([-4.0, -1.0, -0.1, 0.0, 0.3, 2.0, 5.0])
    rates = pair_transition_rates(v, spin, WIRE)
    p = stationary_pair_distribution(v, spin, WIRE)
    assert np.abs(rates @ p[..., None]).max() < 1e-13 * np.abs(rates).max()
    for matrix, expected in zip(rates, p, strict=True):
        values, vectors = np.linalg.eig(matrix)
        null = vectors[:, np.argmin(np.abs(values))].real
        np.testing.assert_allclose(
            null / (null @ (2 * np.arange(null.size) + 1)), expected, rtol=0, atol=1e-12
        )
        assert np.sort(values.real)[-2] < 0


@pytest.mark.parametrize("spin", SPINS)
def test_rates_conserve_probability_and_balance_in_equilibrium(spin):
    v, t = 0.7, 1.3
    rates = pair_transition_rates(v, spin, FermiDistribution(t))
    degeneracy = 2 * np.arange(rates.shape[0]) + 1
    np.testing.assert_allclose(degeneracy @ rates, 0, atol=1e-13)
    flow = rates * (pair_level_populations(v, t, spin) / degeneracy) * degeneracy[:, None]
    np.testing.assert_allclose(flow, flow.T, atol=1e-14)


def test_rate_equation_term_by_term():
    """(63) with (62) by quadrature: dP_J/dt from the two flows of every transition."""
    v, spin = 0.8, 1.0
    p = np.array([0.4, 0.1, 0.06])
    levels, elements = pair_energies(v, spin), pair_matrix_elements(spin)
    expected = np.zeros(3)
    for a in range(3):
        for b in range(3):
            up = window_by_quadrature(two_step, levels[a] - levels[b])
            down = window_by_quadrature(two_step, levels[b] - levels[a])
            expected[a] -= elements[a, b] * (up * p[a] - down * p[b])
    np.testing.assert_allclose(pair_transition_rates(v, spin, WIRE) @ p, expected, atol=1e-8)


def test_korringa_rate_of_free_spins():
    """Without coupling a singlet-triplet difference decays at 8 pi nu^2 J^2 T, twice the rate of one spin."""
    values = np.linalg.eigvals(pair_transition_rates(0.0, 0.5, FermiDistribution(0.7)))
    np.testing.assert_allclose(np.sort(values.real), [-0.7, 0.0], atol=1e-15)


def test_pairs_of_a_biased_wire_are_hotter_than_the_leads():
    v = np.linspace(0.1, 2.0, 5)
    cold = stationary_pair_distribution(v, 0.5, FermiDistribution(0.4))
    hot = stationary_pair_distribution(v, 0.5, WIRE)
    assert (hot[:, 1] > cold[:, 1]).all()
    # For small couplings the pairs have the temperature of the electronic noise, the window at zero energy.
    ratio = np.diff(np.log(stationary_pair_distribution(1e-4, 0.5, WIRE)))[0]
    assert -1e-4 / ratio == pytest.approx(WIRE.window(0.0), rel=1e-7)
    assert WIRE.window(0.0) == pytest.approx(
        0.4 + 0.3 * 0.7 * 6.0 * (1 / math.tanh(7.5) - 0.4 / 3.0), rel=1e-12
    )


def test_callable_gives_the_same_pairs():
    v = np.linspace(-3, 3, 13)
    np.testing.assert_allclose(
        stationary_pair_distribution(v, 1.5, two_step), stationary_pair_distribution(v, 1.5, WIRE), atol=1e-11
    )


@pytest.mark.parametrize("spin", SPINS)
def test_absorption_spectrum(spin):
    f = FermiDistribution(0.5)
    e = np.array([-3.0, -0.2, 0.0, 0.4, 2.0, 40.0])
    equilibrium = pair_absorption(e, spin, lambda v: stationary_pair_distribution(v, spin, f))
    expected = np.exp(np.minimum(e / 0.5, 0)) * pair_spectrum(e / 0.5, spin)
    np.testing.assert_allclose(equilibrium, expected, rtol=1e-13)
    stationary = pair_absorption(e, spin, lambda v: stationary_pair_distribution(v, spin, WIRE))
    mirrored = pair_absorption(-e, spin, lambda v: stationary_pair_distribution(v, spin, WIRE))
    np.testing.assert_allclose(mirrored / stationary, WIRE.window(-e) / WIRE.window(e), rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    coupling=st.floats(allow_nan=False, allow_infinity=False),
    spin=st.sampled_from([0.5, 1.0, 7.5, 100.0]),
    temperature=st.floats(1e-300, 1e300),
    bias=st.floats(0, 1e300),
    position=st.floats(0, 1),
)
def test_stationary_distribution_never_overflows(coupling, spin, temperature, bias, position):
    p = stationary_pair_distribution(coupling, spin, TwoStepDistribution(position, bias, temperature))
    assert (p >= 0).all()
    assert p @ (2 * np.arange(p.size) + 1) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("spin", BAD_SPINS)
def test_bad_spins(spin):
    f = FermiDistribution(1.0)
    calls = [
        lambda: stationary_pair_distribution(1.0, spin, f),
        lambda: pair_transition_rates(1.0, spin, f),
        lambda: pair_absorption(1.0, spin, lambda v: v),
        lambda: collision_kernel(1.0, 1.0, spin, 0.1),
        lambda: collision_integral(1.0, f, spin),
        lambda: energy_loss_rate(1.0, 1.0, spin),
        lambda: energy_loss_constant(spin),
        lambda: energy_loss_constant_closed_form(spin),
        lambda: energy_loss_distribution(1.0, 1.0, 1.0, spin),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="spin"):
            call()


@pytest.mark.parametrize("value", [math.nan, math.inf, [1.0, -math.inf]])
def test_bad_energies_and_couplings(value):
    f = FermiDistribution(1.0)
    with pytest.raises(ValueError, match="coupling"):
        stationary_pair_distribution(value, 0.5, f)
    with pytest.raises(ValueError, match="coupling"):
        pair_transition_rates(value, 0.5, f)
    for call in (
        lambda: pair_absorption(value, 0.5, lambda v: v),
        lambda: collision_kernel(value, 1.0, 0.5, 0.1),
        lambda: collision_integral(value, f, 0.5),
        lambda: energy_loss_rate(value, 1.0, 0.5),
    ):
        with pytest.raises(ValueError, match="energy"):
            call()
    with pytest.raises(ValueError, match="loss"):
        energy_loss_distribution(value, 1.0, 1.0, 0.5)


def test_bad_types():
    f = FermiDistribution(1.0)
    with pytest.raises(TypeError, match="coupling"):
        stationary_pair_distribution("strong", 0.5, f)
    with pytest.raises(TypeError, match="electron_distribution"):
        stationary_pair_distribution(1.0, 0.5, None)
    with pytest.raises(TypeError, match="energy"):
        collision_integral(1j, f, 0.5)
    with pytest.raises(TypeError, match="pair_distribution"):
        collision_integral(1.0, f, 0.5, pair_distribution=0.3)
    with pytest.raises(ValueError, match="coupling"):
        pair_transition_rates(1e308, 100.0, f)


def test_pair_distributions_are_checked():
    f = FermiDistribution(1.0)
    for function, message in [
        (lambda v: np.full((*v.shape, 2), 0.5), "sum_J"),
        (lambda v: np.full((*v.shape, 3), 1 / 9), "shape"),
        (lambda v: np.full((*v.shape, 2), np.nan), "finite"),
        (lambda v: np.broadcast_to([4.0, -1.0], (*v.shape, 2)), "finite"),
    ]:
        with pytest.raises(ValueError, match=message):
            collision_integral(1.0, f, 0.5, pair_distribution=function)
        with pytest.raises(ValueError, match=message):
            pair_absorption(1.0, 0.5, function)


# Kernel


def test_kernel_of_spin_half_is_eq_72():
    t, sg = 0.6, 0.05
    e = np.array([-4.0, -0.3, 0.1, 0.6, 5.0])
    q = np.exp(e / t)
    expected = 16 / 3 * (sg / e) ** 2 * q * (q + 1) / ((3 * q + 1) * (3 + q))
    np.testing.assert_allclose(collision_kernel(e, t, 0.5, sg), expected, rtol=1e-13)


@pytest.mark.parametrize("spin", SPINS)
@pytest.mark.parametrize("energy", [-1.5, 0.4, 3.0])
def test_kernel_from_the_sum_over_transitions(spin, energy):
    """The loss term of (70), summed over ordered pairs J, J' as printed, with Gibbs populations."""
    t, sg = 0.8, 0.1
    elements, size = pair_matrix_elements(spin), round(2 * spin + 1)
    total = 0.0
    for a in range(size):
        for b in range(size):
            if a != b:
                gap = (a * (a + 1) - b * (b + 1)) / 2
                p = pair_level_populations(-energy / gap, t, spin)[a] / (2 * a + 1)
                total += (2 * a + 1) * elements[a, b] / (spin * (spin + 1)) * abs(gap) * p
    assert collision_kernel(energy, t, spin, sg) == pytest.approx(
        4 / 3 * (sg / energy) ** 2 * total, rel=1e-13
    )


@pytest.mark.parametrize("spin", SPINS)
def test_kernel_limits(spin):
    slow, fast = 1e-6, 200.0
    at_rest = (4 * spin + 1) * (4 * spin + 3) / (15 * (2 * spin + 1))
    assert collision_kernel(slow, 1.0, spin, 1e-9) == pytest.approx(4 / 3 * 1e-6 * at_rest, rel=1e-5)
    cold = 4 / 3 * (2 * spin + 1) / (spin + 1) / fast**2
    assert collision_kernel(fast, 1.0, spin, 1.0) == pytest.approx(cold, rel=1e-12)
    assert collision_kernel(-fast, 1.0, spin, 1.0) == pytest.approx(cold * math.exp(-fast), rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    energy=st.floats(1e-3, 1e3),
    temperature=st.floats(1e-3, 1e3),
    spin=st.sampled_from(SPINS),
    factor=st.floats(1e-6, 1e6),
)
def test_kernel_scaling_and_detailed_balance(energy, temperature, spin, factor):
    sg = energy / 7
    chi = collision_kernel(energy, temperature, spin, sg)
    assert collision_kernel(factor * energy, factor * temperature, spin, factor * sg) == pytest.approx(
        chi, rel=1e-11
    )
    back = collision_kernel(-energy, temperature, spin, sg)
    assert back == pytest.approx(chi * math.exp(-energy / temperature), rel=1e-11, abs=1e-300)


def test_kernel_warns_and_refuses():
    with pytest.warns(ValidityWarning, match="t_sg"):
        collision_kernel(0.5, 1.0, 0.5, 1.0)
    with pytest.raises(ValueError, match="energy must not be 0"):
        collision_kernel([1.0, 0.0], 1.0, 0.5, 0.1)
    with pytest.raises(ValueError, match="t_sg"):
        collision_kernel(1.0, 1.0, 0.5, 0.0)
    with pytest.raises(ValueError, match="broadcast"):
        collision_kernel([1.0, 2.0], [1.0, 2.0, 3.0], 0.5, 0.1)
    assert collision_kernel(np.ones((2, 1)), np.ones(3), 1.0, 0.1).shape == (2, 3)
    assert collision_kernel(1e300, 1e-300, 1.0, 1e-300) == 0.0


# Collision integral


def literal_collision_integral(energy, f, spin, populations):
    """(70) as printed, summed over ordered pairs, with E and -E added before dividing by E^2."""
    elements, size = pair_matrix_elements(spin), round(2 * spin + 1)

    def bracket(loss):
        total = 0.0
        for a in range(size):
            for b in range(size):
                if a != b:
                    gap = (a * (a + 1) - b * (b + 1)) / 2
                    p = populations(-loss / gap)
                    weight = (2 * a + 1) / (spin * (spin + 1)) * elements[a, b] * abs(gap)
                    out, back = f(energy) * (1 - f(energy - loss)), (1 - f(energy)) * f(energy - loss)
                    total += weight * (out * p[a] - back * p[b])
        return total

    def both(loss):
        return (bracket(loss) + bracket(-loss)) / loss**2

    edges = [3e-3, 0.5, 1, 2, 3, 4, 6, 9, 12, 20, 40]
    nodes, weights = panel_rule(edges, order=40)
    value = sum(w * both(x) for x, w in zip(nodes, weights, strict=True))
    return 4 / 3 * (value + both(3e-3) * 3e-3)


@pytest.mark.parametrize("spin", [0.5, 1.0])
@pytest.mark.parametrize("energy", [-2.7, 0.4, 3.3])
def test_collision_integral_from_eq_70(spin, energy):
    literal = literal_collision_integral(
        energy, two_step, spin, lambda v: stationary_pair_distribution(v, spin, WIRE)
    )
    assert collision_integral(energy, WIRE, spin) == pytest.approx(literal, rel=1e-6)
    thermal = literal_collision_integral(
        energy, two_step, spin, lambda v: stationary_pair_distribution(v, spin, FermiDistribution(1.1))
    )
    ours = collision_integral(
        energy,
        WIRE,
        spin,
        pair_distribution=lambda v: stationary_pair_distribution(v, spin, FermiDistribution(1.1)),
    )
    assert ours == pytest.approx(thermal, rel=1e-6)


@settings(max_examples=25, deadline=None)
@given(
    x=st.floats(-40, 40),
    temperature=st.floats(1e-6, 1e6),
    mu=st.floats(-5, 5),
    spin=st.sampled_from(SPINS),
)
def test_equilibrium_is_stationary(x, temperature, mu, spin):
    f = FermiDistribution(temperature, mu * temperature)
    assert abs(collision_integral((mu + x) * temperature, f, spin)) * temperature < 1e-11


@pytest.fixture(scope="module")
def biased():
    """Nodes and weights over all electron energies, and the collision integral of a biased wire, S = 1."""
    edges = np.concatenate(([-40.0, -20.0, -10.0], np.arange(-7, 7.5, 0.5), [10.0, 20.0, 40.0]))
    nodes, weights = panel_rule(edges, order=10)
    return nodes, weights, collision_integral(nodes, WIRE, 1.0)


def test_particles_are_conserved(biased):
    _, weights, rate = biased
    assert abs(weights @ rate) < 1e-8 * (weights @ np.abs(rate))


def test_stationary_pairs_take_no_energy(biased):
    nodes, weights, rate = biased
    assert abs(weights @ (nodes * rate)) < 1e-8 * (weights @ np.abs(nodes * rate))


def test_electrons_relax_towards_equilibrium(biased):
    nodes, weights, rate = biased
    f = WIRE(nodes)
    inside = (f > 1e-12) & (f < 1 - 1e-12)
    f, weights, rate = f[inside], weights[inside], rate[inside]
    # The entropy of the electrons grows when the pairs are stationary: dS/dt = -int I ln((1-f)/f).
    entropy = -(weights * rate) @ np.log((1 - f) / f)
    assert entropy > 1e-3


def test_particle_hole_symmetry():
    e = np.array([-4.0, -1.0, 0.2, 3.0])
    mirrored = TwoStepDistribution(0.7, 6.0, 0.4)
    np.testing.assert_allclose(
        collision_integral(e, WIRE, 1.5), -collision_integral(-e, mirrored, 1.5), rtol=1e-10, atol=1e-13
    )


@pytest.mark.parametrize(("pairs", "sign"), [(0.5, 1), (2.0, -1)])
def test_energy_flows_from_hot_to_cold(pairs, sign):
    electrons, spin = FermiDistribution(1.0), 1.0
    cold = FermiDistribution(pairs)

    def populations(v):
        return stationary_pair_distribution(v, spin, cold)

    nodes, weights = panel_rule(np.arange(-60.0, 61.0, 2.0), order=10)
    rate = collision_integral(nodes, electrons, spin, pair_distribution=populations)
    flow = float(weights @ (nodes * rate))
    assert abs(weights @ rate) < 1e-7 * abs(flow)
    # The same flow from the pairs: (4/3) int dE/E [L(E) W(-E) - L(-E) W(E)].
    e, w = panel_rule(np.arange(1e-6, 80.0, 0.5), order=10)
    up, down = pair_absorption(e, spin, populations), pair_absorption(-e, spin, populations)
    taken = 4 / 3 * w @ ((up * electrons.window(-e) - down * electrons.window(e)) / e)
    assert flow == pytest.approx(taken, rel=1e-5)
    assert sign * flow > 0


def test_callable_gives_the_same_collisions():
    e = np.linspace(-6, 6, 7)
    reference = collision_integral(e, WIRE, 1.0)
    np.testing.assert_allclose(
        collision_integral(e, two_step, 1.0), reference, atol=1e-8 * np.abs(reference).max()
    )


@settings(max_examples=15, deadline=None)
@given(factor=st.floats(1e-30, 1e30), shift=st.floats(-3, 3))
def test_collision_integral_scales_with_energy(factor, shift):
    e = np.array([-3.3, shift])
    scaled = TwoStepDistribution(0.3, 6.0 * factor, 0.4 * factor)
    np.testing.assert_allclose(
        collision_integral(factor * e, scaled, 0.5) * factor,
        collision_integral(e, WIRE, 0.5),
        rtol=1e-9,
        atol=1e-11,
    )


@pytest.mark.parametrize("energy", [-1e300, 1e300, 1e8, 0.0])
@pytest.mark.parametrize("bias", [0.0, 1e3, 1e7])
def test_extreme_energies_stay_finite(energy, bias):
    assert math.isfinite(collision_integral(energy, TwoStepDistribution(0.5, bias, 1.0), 1.0))


@pytest.mark.parametrize("energy", [-700.0, -250.0, 3.0, 251.0, 2000.0])
def test_wide_bias_on_fixed_panels(energy):
    """T = 1, U = 500, S = 1/2 on three thousand equal panels: no narrow feature may be overlooked."""
    wire = TwoStepDistribution(0.25, 500.0, 1.0)
    e, w = panel_rule(np.arange(0.0, 3000.5, 0.5), order=8)
    ratio = wire.window(-e) / wire.window(e)
    absorb = 1 / (1 + 3 * ratio) + 1 / (3 + ratio)
    f, below, above = wire(energy), wire(energy - e), wire(energy + e)
    curvature = np.where(e < 1e-2, 0.0, 2 * f - below - above)
    integrand = (
        absorb * ((1 + ratio) / 2 * curvature + (1 - ratio) / 2 * (1 - 2 * f) * (below - above)) / e**2
    )
    # Where the second difference is lost in rounding, one point at 1e-2 stands for it.
    h = 1e-2
    flat = absorb[0] * (2 * f - wire(energy - h) - wire(energy + h)) / h**2 * w[e < 1e-2].sum()
    assert collision_integral(energy, wire, 0.5) == pytest.approx(4 / 3 * (w @ integrand + flat), rel=1e-6)


def test_shapes_of_the_collision_integral():
    assert isinstance(collision_integral(0.5, WIRE, 0.5), float)
    grid = collision_integral([[0.0, 1.0, 2.0]] * 2, WIRE, 0.5)
    assert grid.shape == (2, 3)
    np.testing.assert_allclose(grid[0], grid[1], rtol=1e-11)
    assert collision_integral(np.zeros(0), WIRE, 0.5).shape == (0,)


@pytest.mark.parametrize("energy", [0.0, 1.0])
def test_kinks_are_refused(energy):
    with pytest.raises(ConvergenceError):
        collision_integral(energy, lambda e: np.interp(e, [-1.0, 0.0, 1.0], [1.0, 0.3, 0.0]), 0.5)


@pytest.mark.parametrize("spin", [0.5, 2.0])
def test_hot_electrons_see_the_kernel(spin):
    """Far above the Fermi level (70) becomes (71): a small bump at 40 T loses and gains by chi."""
    sea, size, sg = FermiDistribution(1.0), 1e-4, 1e-6

    def f(e):
        return sea(e) + size * np.exp(-((e - 40.0) ** 2))

    def populations(v):
        return stationary_pair_distribution(v, spin, sea)

    e, w = panel_rule(np.concatenate(([1e-3], np.arange(0.25, 30.0, 0.25))), order=8)
    for energy in (37.0, 40.0, 41.5):
        rate = collision_integral(energy, f, spin, pair_distribution=populations)
        here = f(np.array([energy]))
        loss, gain = collision_kernel(e, 1.0, spin, sg), collision_kernel(-e, 1.0, spin, sg)
        pair = loss * (here - f(energy + e)) + gain * (here - f(energy - e))
        # An electron cannot lose more than its energy: (71) counts such losses, (70) does not.
        rare = 4 / 3 * (2 * spin + 1) / (spin + 1) * here[0] * (1 / 29.75 - 1 / energy)
        expected = (w @ pair + 1e-3 * pair[0]) / sg**2 + rare
        assert rate == pytest.approx(expected, rel=1e-3)


# Energy loss


@pytest.mark.parametrize("spin", [0.5, 1.5])
def test_loss_rate_from_the_collision_integral(spin):
    """dW/dt = -2 nu int e I: a bump on the Fermi sea, pairs still thermal; I is quadratic in f."""
    fermi = FermiDistribution(1.0)

    def populations(v):
        return stationary_pair_distribution(v, spin, fermi)

    nodes, weights = panel_rule(
        np.concatenate(([-50.0, -30.0, -16.0], np.arange(-8, 13.0), [18.0, 30.0, 50.0])), 12
    )

    def flow(size):
        def f(e):
            return fermi(e) + size * np.exp(-((e - 3.0) ** 2))

        return weights @ (nodes * collision_integral(nodes, f, spin, pair_distribution=populations))

    derivative = (flow(0.02) - flow(-0.0)) / 0.02 - (flow(0.04) - 2 * flow(0.02) + flow(0.0)) / 0.04
    bump = np.exp(-((nodes - 3.0) ** 2))
    expected = weights @ (bump * energy_loss_rate(nodes, 1.0, spin))
    assert 2 * derivative == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("x", [-2.0, 0.5, 6.0])
def test_loss_rate_of_spin_half_is_eq_73(x):
    """The printed integrand over all E, with the opposite sign: W decreases."""

    def integrand(u):
        q = math.exp(u)
        return (q * q - 1) / ((3 * q + 1) * (3 + q)) / u * math.sinh(x) / (math.cosh(u) + math.cosh(x))

    half = quad(integrand, 0, 1)[0] + quad(integrand, 1, 60, limit=200)[0]
    assert energy_loss_rate(2.0 * x, 2.0, 0.5) == pytest.approx(2 * 16 / 3 * half, rel=1e-9)


@pytest.mark.parametrize("spin", [*SPINS, 10.0])
def test_logarithm_of_a_peaked_distribution(spin):
    """The law with its first correction, each energy by itself and all at once."""
    x = np.array([1e4, 3e5, 1e6, 9.9e7, 1.1e8])
    law = 8 / 3 * (2 * spin + 1) / (spin + 1) * (np.log(x) + energy_loss_constant(spin) - np.pi**2 / 6 / x**2)
    np.testing.assert_allclose(energy_loss_rate(x, 1.0, spin), law, rtol=1e-12)
    np.testing.assert_allclose([energy_loss_rate(e, 1.0, spin) for e in x], law, rtol=1e-12)


def test_loss_rate_is_odd_and_finite():
    x = np.array([0.0, 1e-300, 1e-3, 1.0, 700.0, 1e300])
    rate = energy_loss_rate(x, 1.0, 1.0)
    np.testing.assert_array_equal(energy_loss_rate(-x, 1.0, 1.0), -rate)
    assert rate[0] == 0.0
    assert (np.diff(rate) > 0).all()
    assert isinstance(energy_loss_rate(1.0, 1.0, 1.0), float)
    assert energy_loss_rate(x.reshape(2, 3), 1.0, 1.0).shape == (2, 3)
    # Linear response at small energy.
    assert rate[2] == pytest.approx(1e-3 * energy_loss_rate(1e-6, 1.0, 1.0) / 1e-6, rel=1e-5)


def test_loss_constant_of_spin_half():
    with mpmath.workdps(30):
        exact = -mpmath.log(2 * mpmath.pi) - mpmath.re(
            mpmath.digamma(0.5 + 1j * mpmath.log(3) / (2 * mpmath.pi))
        )

        def slope(u):
            q = mpmath.exp(u)
            # d/du of 3 (q^2 - 1)/((3q + 1)(q + 3)) = 1 - 1/(3q + 1) - 3/(q + 3)
            return 3 * q / (3 * q + 1) ** 2 + 3 * q / (q + 3) ** 2

        integral = -mpmath.quad(lambda u: mpmath.log(u) * slope(u), [0, 0.01, 0.1, 1, 3, 10, 30, 80])
        assert abs(exact - integral) < mpmath.mpf("1e-15")
    assert energy_loss_constant(0.5) == pytest.approx(float(exact), abs=1e-13)


@pytest.mark.parametrize("spin", [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5])
def test_loss_constant_closed_form(spin):
    assert energy_loss_constant_closed_form(spin) == pytest.approx(energy_loss_constant(spin), abs=1e-12)


@pytest.mark.parametrize("spin", [1.0, 4.0])
def test_loss_constant_by_mpmath(spin):
    elements, size = pair_matrix_elements(spin), round(2 * spin + 1)

    def populations(y):
        levels = [mpmath.exp(-y * j * (j + 1) / 2) for j in range(size)]
        z = sum((2 * j + 1) * level for j, level in enumerate(levels))
        return [level / z for level in levels]

    def g(u):
        total = mpmath.mpf(0)
        for k in range(1, size):
            strength = k * (2 * k - 1) * mpmath.mpf(elements[k - 1, k]) / (spin * (spin + 1))
            anti, ferro = populations(u / k), populations(-u / k)
            total += strength * (anti[k - 1] - anti[k] + ferro[k] - ferro[k - 1])
        return total * (spin + 1) / (2 * spin + 1)

    with mpmath.workdps(20):
        near = mpmath.quad(lambda u: g(u) / u, [mpmath.mpf("1e-25"), 0.003, 0.03, 0.3, 1])
        far = mpmath.quad(lambda u: (g(u) - 1) / u, [1, 4, 12, 40, 100])
    assert energy_loss_constant(spin) == pytest.approx(float(near + far), abs=1e-12)


def test_loss_constants_of_arrays():
    np.testing.assert_array_equal(
        energy_loss_constant([[0.5, 2.0]]), [[energy_loss_constant(0.5), energy_loss_constant(2.0)]]
    )
    with pytest.raises(ValueError, match="spin"):
        energy_loss_constant_closed_form(4.0)


@pytest.mark.parametrize("spin", [0.5, 2.0])
def test_landau_limit(spin):
    time = 1e5
    width = 4 / 3 * (2 * spin + 1) / (spin + 1) * time
    x = width * (math.log(width) + np.array([-3.0, -1.0, 0.0, 1.0, 4.0, 20.0]))
    variable = x / width - math.log(width) - 1 + np.euler_gamma - energy_loss_constant(spin)
    # SciPy's variable is (2/pi)(variable + ln(2/pi)).
    expected = landau.pdf(2 / np.pi * (variable + math.log(2 / np.pi))) * 2 / np.pi
    np.testing.assert_allclose(energy_loss_distribution(x, time, 1.0, spin) * width, expected, atol=3e-6)


def test_loss_distribution_solves_the_kinetic_equation():
    """dp/ds = int chi(E) [p(x - E) - p(x)] dE / T_sg^2, by differences in time and panels in E."""
    spin, s, step, t = 0.5, 2.0, 0.02, 1.0
    x = np.array([0.5, 3.0, 9.0])
    early, late = (energy_loss_distribution(x, s + d, t, spin) for d in (-step, step))
    e, w = panel_rule(np.concatenate(([0.02], np.geomspace(0.1, 100.0, 25))), order=8)

    def p(points):
        return energy_loss_distribution(points, s, t, spin)

    out, back = (np.exp(np.minimum(sign * e / t, 0)) * pair_spectrum(e / t, spin) for sign in (1, -1))
    here = p(x)[:, None]
    gain = out * (p(x[:, None] - e) - here) + back * (p(x[:, None] + e) - here)
    near = gain[:, 0] / e[0] ** 2 * 0.02
    # Beyond the last panel only the loss of probability remains.
    change = 4 / 3 * ((gain / e**2) @ w + near - here[:, 0] * 4 / 3 / 100.0)
    np.testing.assert_allclose((late - early) / (2 * step), change, rtol=2e-3, atol=1e-5)


def test_loss_distribution_is_normalised_and_scales():
    width = 16 / 9 * 4.0
    edges = width * np.concatenate((np.arange(-6.0, 12.0), np.geomspace(12.0, 200.0, 9)))
    x, w = panel_rule(edges, order=8)
    p = energy_loss_distribution(x, 4.0, 1.0, 0.5)
    assert p.min() > -1e-9
    # The tail is one rare collision: width/x at leading order, with corrections of order ln(x)/x^2.
    assert w @ p == pytest.approx(1 - 1 / 200.0, abs=5e-4)
    np.testing.assert_allclose(
        energy_loss_distribution(3 * x[:5], 12.0, 3.0, 0.5) * 3, p[:5], rtol=1e-6, atol=1e-11
    )


def test_loss_distribution_refuses():
    with pytest.raises(ValueError, match="exposure"):
        energy_loss_distribution(1.0, 0.01, 1.0, 0.5)
    with pytest.raises(ValueError, match="exposure"):
        energy_loss_distribution(1.0, 1e306, 1.0, 0.5)
    with pytest.raises(ValueError, match="loss"):
        energy_loss_distribution(1e6, 1.0, 1.0, 0.5)
    assert isinstance(energy_loss_distribution(1.0, 1.0, 1.0, 0.5), float)
    assert energy_loss_distribution(np.ones((2, 2)), 1.0, 1.0, 0.5).shape == (2, 2)
