"""Tunneling amplitude of a pair: closed forms, 50-digit levels, canonical reduction by another route."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disorder.amorphous_solids import (
    effective_pair,
    pair_hamiltonian,
    pair_levels,
    pair_resonance,
    pair_tunneling_amplitude,
)

energies = st.floats(0.1, 10.0)
ratios = st.floats(-2.0, 1.0).map(lambda x: 10.0**x)


def canonical(e1, e2, a1, a2, coupling):
    """Reduction with the two lowest eigenvectors of LAPACK and a polar decomposition."""
    levels, states = np.linalg.eigh(pair_hamiltonian(e1, e2, a1, a2, coupling))
    left, singular, right = np.linalg.svd(states[[0, 3], :2])
    frame = left @ right
    matrix = frame @ np.diag(levels[:2]) @ frame.T
    return matrix[1, 1] - matrix[0, 0], 2 * abs(matrix[0, 1]), (singular**2).mean()


def exact_splitting(e1, e2, a1, a2, coupling, digits=80):
    with mpmath.workdps(digits):
        e1, e2, a1, a2, u = map(mpmath.mpf, (e1, e2, a1, a2, coupling))
        rows = [
            [0, a1 / 2, a2 / 2, 0],
            [a1 / 2, e1, 0, a2 / 2],
            [a2 / 2, 0, e2, a1 / 2],
            [0, a2 / 2, a1 / 2, e1 + e2 - u],
        ]
        levels = sorted(mpmath.eigsy(mpmath.matrix(rows), eigvals_only=True))
        return float(levels[1] - levels[0])


@given(energies, energies, ratios, ratios, st.floats(0.02, 3.0))
@settings(max_examples=50, deadline=None)
def test_reduction_against_eigenvectors(e1, e2, r1, r2, excess):
    a1, a2 = r1 * e1, r2 * e2
    u = max(e1, e2) + excess * min(e1, e2)
    pair = effective_pair(e1, e2, a1, a2, u)
    energy, amplitude, weight = canonical(e1, e2, a1, a2, u)
    scale = max(e1, e2, a1, a2)
    assert pair.energy == pytest.approx(energy, abs=1e-12 * scale)
    assert pair.amplitude == pytest.approx(amplitude, abs=1e-12 * scale)
    assert pair.weight == pytest.approx(weight, abs=1e-12)
    levels = pair_levels(e1, e2, a1, a2, u)
    assert math.hypot(pair.energy, pair.amplitude) == pytest.approx(levels[1] - levels[0], abs=1e-12 * scale)


@pytest.mark.parametrize("size", [1e-18, 1e-9, 1e-4, 0.1, 0.9, 4.0])
def test_splitting_keeps_its_digits(size):
    e1, e2, a1, a2 = 0.7, 1.9, 0.3 * size, 0.8 * size
    resonance = pair_resonance(e1, e2, a1, a2) if size < 0.8 else None
    u = resonance.coupling if resonance else e1 + e2
    pair = effective_pair(e1, e2, a1, a2, u)
    reference = exact_splitting(e1, e2, a1, a2, u)
    if size >= 1e-4:
        assert math.hypot(pair.energy, pair.amplitude) == pytest.approx(reference, rel=1e-11)
    if resonance:
        assert resonance.amplitude == pytest.approx(pair.amplitude, rel=1e-11)
    if size <= 1e-9:
        # Second order in closed form; the difference of two eigenvalues in double precision would be noise.
        second = a1 * a2 * (1 / e1 + 1 / e2) / 2
        assert pair.amplitude == pytest.approx(second, rel=1e-13)
        with mpmath.workdps(120):
            offset = (
                (mpmath.mpf(a2) ** 2 - mpmath.mpf(a1) ** 2) * (1 / mpmath.mpf(e1) - 1 / mpmath.mpf(e2)) / 4
            )
            coupling = mpmath.mpf(e1) + mpmath.mpf(e2) - offset
            assert exact_splitting(e1, e2, a1, a2, coupling, 120) == pytest.approx(
                resonance.amplitude, rel=1e-12
            )


@given(energies, ratios, ratios)
@settings(max_examples=40, deadline=None)
def test_equal_energies_in_closed_form(energy, r1, r2):
    a1, a2 = r1 * energy, r2 * energy
    expected = 2 * a1 * a2 / (math.hypot(energy, a1 + a2) + math.hypot(energy, a1 - a2))
    pair = effective_pair(energy, energy, a1, a2)
    assert pair.amplitude == pytest.approx(expected, rel=1e-12)
    assert pair.energy == pytest.approx(0.0, abs=1e-12 * max(energy, a1, a2))
    assert pair_tunneling_amplitude(energy, energy, a1, a2, 2 * energy) == pytest.approx(expected, rel=1e-12)


@given(energies, energies, ratios)
@settings(max_examples=40, deadline=None)
def test_equal_amplitudes_solve_a_cubic(e1, e2, ratio):
    a = ratio * min(e1, e2)
    value = pair_tunneling_amplitude(e1, e2, a, a)
    assert value == pytest.approx(a * a / 2 * (1 / (value + e1) + 1 / (value + e2)), rel=1e-12)
    assert pair_resonance(e1, e2, a, a).offset == pytest.approx(0.0, abs=1e-12 * max(e1, e2))


@given(energies, energies, st.floats(0.01, 1.5))
@settings(max_examples=40, deadline=None)
def test_one_weak_amplitude_in_closed_form(e1, e2, ratio):
    """To first order in Delta_01 the second centre follows exactly: an overlap of its two ground states."""
    a2, weak = ratio * min(e1, e2), 1e-9 * min(e1, e2)
    resonance = pair_resonance(e1, e2, weak, a2)
    offset = resonance.offset
    fields = math.atan2(a2, e2), math.atan2(a2, offset - e1)
    overlap = abs(math.cos((fields[1] - fields[0]) / 2))
    assert resonance.amplitude == pytest.approx(weak * overlap, rel=1e-8)
    # Both lowest energies of the second centre agree: sqrt(e2^2 + a2^2) = e2 - 2 (...) at resonance.
    lower = (e2 - math.hypot(e2, a2)) / 2
    upper = e1 + (offset - e1) / 2 - math.hypot(offset - e1, a2) / 2
    assert upper == pytest.approx(lower, abs=1e-9 * max(e1, e2))


@given(energies, energies, ratios, ratios)
@settings(max_examples=30, deadline=None)
def test_symmetries(e1, e2, r1, r2):
    a1, a2 = r1 * e1, r2 * e2
    one, other = effective_pair(e1, e2, a1, a2), effective_pair(e2, e1, a2, a1)
    assert one.amplitude == pytest.approx(other.amplitude, rel=1e-12)
    assert one.energy == pytest.approx(other.energy, abs=1e-12 * max(e1, e2, a1, a2))
    assert 0.5 - 1e-12 <= one.weight <= 1 + 1e-15
    assert one.amplitude <= min(a1, a2) * (1 + 1e-12)


def test_printed_sign_has_the_same_doublet_on_top():
    for coupling in (2.2, 3.0, 3.4):
        levels = pair_levels(1.0, 2.0, 0.3, 0.4, coupling, convention="printed")
        pair = effective_pair(1.0, 2.0, 0.3, 0.4, coupling)
        assert levels[3] - levels[2] == pytest.approx(math.hypot(pair.energy, pair.amplitude), rel=1e-12)


def test_perturbative_amplitude_in_exact_fractions():
    assert pair_tunneling_amplitude(3, 12, 4, 5, 2.0, method="perturbative") == pytest.approx(20 / 65)
    assert pair_tunneling_amplitude(3, 12, 4, 5, 2.0, method="weak") == pytest.approx(20 / 36)
    # Without a coupling the double flip costs nothing: U = eps_1 + eps_2.
    assert pair_tunneling_amplitude(3, 12, 4, 5, method="perturbative") == pytest.approx(150 / 65)


def test_perturbative_error_falls_as_the_square_of_the_amplitudes():
    def error(size, e2, a1, a2, method):
        exact = pair_tunneling_amplitude(1.0, e2, a1 * size, a2 * size)
        return exact / pair_tunneling_amplitude(1.0, e2, a1 * size, a2 * size, method=method) - 1

    for e2, a1, a2 in ((3.0, 1.0, 0.2), (5.0, 0.3, 1.0)):
        for method in ("perturbative", "weak"):
            slope = math.log10(error(1e-1, e2, a1, a2, method) / error(1e-2, e2, a1, a2, method))
            assert slope == pytest.approx(2.0, abs=0.05)
    # Equal energies are special: the printed form errs by (Delta_0i/eps_i)^4 only, with coefficient one.
    assert error(0.01, 1.0, 1.0, 1.0, "perturbative") == pytest.approx(1e-8, rel=1e-3)
    assert error(0.01, 1.0, 1.0, 1.0, "weak") == pytest.approx(-1e-4, rel=1e-3)


def test_the_condition_involves_both_energies():
    """Delta_02 < eps_2 is not enough: with eps_1 below Delta_02 the second order is wrong by a factor."""
    ratio = pair_tunneling_amplitude(1, 10, 1e-3, 5) / pair_tunneling_amplitude(
        1, 10, 1e-3, 5, method="perturbative"
    )
    assert ratio < 0.5
    with pytest.raises(ValueError, match="resonance"):
        pair_resonance(1, 10, 1e-3, 5)
    gentle = pair_tunneling_amplitude(1, 10, 1e-3, 0.05) / pair_tunneling_amplitude(
        1, 10, 1e-3, 0.05, method="perturbative"
    )
    assert gentle == pytest.approx(1, abs=1e-3)


def test_strong_tunneling_leaves_the_smaller_amplitude():
    for a1, a2 in ((1.0, 1.0), (1.0, 3.0), (3.0, 1.0)):
        assert pair_tunneling_amplitude(1e-4, 2e-4, a1, a2) == pytest.approx(1.0, rel=1e-3)


def test_resonance():
    for e1, e2, a1, a2 in ((1.0, 2.0, 0.4, 0.1), (2.0, 0.5, 0.1, 0.3), (1.0, 3.0, 1e-8, 2e-8)):
        resonance = pair_resonance(e1, e2, a1, a2)
        pair = effective_pair(e1, e2, a1, a2, resonance.coupling)
        assert abs(pair.energy) < 1e-14
        assert resonance.coupling == pytest.approx(e1 + e2 - resonance.offset, rel=1e-15)
        step = 1e-3
        sides = [canonical(e1, e2, a1, a2, resonance.coupling - sign * step)[0] for sign in (1, -1)]
        assert resonance.slope == pytest.approx((sides[0] - sides[1]) / (2 * step), rel=1e-4)
    offset = pair_resonance(1.0, 2.0, 0.01, 0.03).offset
    assert offset == pytest.approx((0.03**2 - 0.01**2) * (1 - 1 / 2) / 4, rel=1e-3)


def test_full_energies_miss_the_resonance_by_the_order_of_the_amplitude():
    """With E_i the energy of the double flip is off by Delta_0i^2/eps_i, because h' shifts the levels too."""
    for size in (1e-2, 1e-3):
        resonance = pair_resonance(1.0, 1.0, size, size)
        with_full = 2 * math.hypot(1.0, size) - resonance.coupling
        assert with_full / resonance.amplitude == pytest.approx(1.0, rel=1e-3)
        assert abs(resonance.offset) < 1e-3 * resonance.amplitude


@pytest.mark.parametrize("scale", [1e-140, 1.0, 1e140])
def test_units(scale):
    values = np.array([1.0, 2.0, 0.3, 0.4])
    resonance, reference = pair_resonance(*(scale * values)), pair_resonance(*values)
    assert resonance.amplitude == pytest.approx(scale * reference.amplitude, rel=1e-12)
    assert resonance.offset == pytest.approx(scale * reference.offset, rel=1e-11)
    for method in ("exact", "perturbative", "weak"):
        value = pair_tunneling_amplitude(*(scale * values), 2.9 * scale, method)
        assert value == pytest.approx(scale * pair_tunneling_amplitude(*values, 2.9, method), rel=1e-12)


@given(*[st.floats(-120, 120)] * 4, st.sampled_from(["exact", "perturbative", "weak"]))
@settings(max_examples=60, deadline=None)
def test_extreme_values_are_finite_or_refused(e1, e2, a1, a2, method):
    try:
        value = pair_tunneling_amplitude(10.0**e1, 10.0**e2, 10.0**a1, 10.0**a2, method=method)
    except ValueError:
        return
    assert math.isfinite(value)
    assert value >= 0


def test_shapes():
    energy = np.array([[1.0, 1.5, 2.0], [0.5, 0.7, 0.9]])
    for method in ("exact", "perturbative", "weak"):
        whole = pair_tunneling_amplitude(energy, 1.0, 0.1, [0.1, 0.2, 0.3], method=method)
        assert whole.shape == (2, 3)
        single = pair_tunneling_amplitude(energy[1, 2].item(), 1.0, 0.1, 0.3, method=method)
        assert whole[1, 2] == pytest.approx(single, rel=1e-14)
        assert pair_tunneling_amplitude(energy[:0], 1.0, 0.1, 0.1, method=method).shape == (0, 3)
        assert isinstance(single, float)
    pair, resonance = effective_pair(energy, 1.0, 0.1, 0.2), pair_resonance(energy, 1.0, 0.1, 0.2)
    for value in (pair.energy, pair.amplitude, pair.weight, resonance.coupling, resonance.slope):
        assert value.shape == (2, 3)
    assert isinstance(pair_resonance(1.0, 1.0, 0.1, 0.1).coupling, float)


@pytest.mark.parametrize("function", [effective_pair, pair_tunneling_amplitude, pair_resonance])
@pytest.mark.parametrize("name", ["energy_1", "energy_2", "amplitude_1", "amplitude_2"])
@pytest.mark.parametrize("bad", [math.nan, math.inf, 0.0, -1.0, 1e200, "1", None, 1j, True, [1.0, math.nan]])
def test_bad_numbers(function, name, bad):
    call = {"energy_1": 1.0, "energy_2": 2.0, "amplitude_1": 0.1, "amplitude_2": 0.2}
    with pytest.raises((TypeError, ValueError), match=name):
        function(**{**call, name: bad})


def test_bad_combinations():
    for bad in (2.0, 1.0, 0.0, -1.0, math.nan, "3", True):
        with pytest.raises((TypeError, ValueError), match="coupling"):
            effective_pair(1.0, 2.0, 0.1, 0.1, bad)
    for bad in (0.0, -1.0, math.inf):
        with pytest.raises(ValueError, match="coupling"):
            pair_tunneling_amplitude(1.0, 2.0, 0.1, 0.1, bad, method="perturbative")
    for bad in ("Exact", None, 1, ["exact"]):
        with pytest.raises(ValueError, match="method"):
            pair_tunneling_amplitude(1.0, 2.0, 0.1, 0.1, method=bad)
    with pytest.raises(ValueError, match="amplitude_1"):
        effective_pair(1.0, 2.0, 3e6, 0.1)
    with pytest.raises(ValueError, match="resonance"):
        pair_resonance(0.1, 5.0, 0.1, 8.0)
    with pytest.raises(ValueError, match="energy_1"):
        effective_pair(1e-200, 1.0, 0.1, 0.1)
    with pytest.raises(ValueError, match="shape"):
        effective_pair(np.ones(2), np.ones(3), 0.1, 0.1)
    with pytest.raises(ValueError, match="amplitude"):
        pair_tunneling_amplitude(1e-140, 1e-140, 1e140, 1e140, method="weak")
