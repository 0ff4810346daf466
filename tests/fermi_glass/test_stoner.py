"""Stoner's criterion: equal spacing, plane waves, weak disorder, enumeration."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disorder.fermi_glass import (
    dispersion,
    eigenstates,
    hubbard_overlaps,
    polarization_energies,
    stoner_threshold,
)


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=6), st.floats(-3, 8), st.data())
@settings(max_examples=40, deadline=None)
def test_energies_by_enumeration(levels, interaction, data):
    levels = np.array(levels)
    particles = data.draw(st.integers(1, 2 * levels.size - 1))
    moments, energies = polarization_energies(levels, interaction, particles)
    expected = []
    for moment in moments:
        up, down = (particles + moment) // 2, (particles - moment) // 2
        best = min(sum(chosen) for chosen in combinations(levels, up))
        best += min(sum(chosen) for chosen in combinations(levels, down))
        expected.append(best + interaction / levels.size * up * down)
    np.testing.assert_allclose(energies, np.array(expected) - expected[0], atol=1e-12)
    assert moments[-1] == min(particles, 2 * levels.size - particles)


def test_threshold_of_equal_spacing_is_one_per_spin():
    """U N(0) = 1 with N(0) per spin for every moment, from the first flipped spin on; not 2."""
    spacing, volume = 0.01, 200
    levels = spacing * np.arange(volume)
    per_spin = 1 / (volume * spacing)
    for particles in (2, 150, 200, 330):
        assert stoner_threshold(levels, particles).interaction * per_spin == pytest.approx(1, rel=1e-9)
        _, below = polarization_energies(levels, 0.999 / per_spin, particles)
        moments, above = polarization_energies(levels, 1.001 / per_spin, particles)
        assert below.argmin() == 0
        assert moments[above.argmin()] == moments[-1]
    for particles in (151, 331):
        # A first moment of an odd number: 4 V (2 - 0) d / (3^2 - 1), the same.
        assert stoner_threshold(levels, particles).interaction * per_spin == pytest.approx(1, rel=1e-9)


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=12), st.data())
@settings(max_examples=40, deadline=None)
def test_threshold_separates(levels, data):
    particles = data.draw(st.integers(2, 2 * len(levels) - 2))
    threshold = stoner_threshold(levels, particles)
    assert threshold.interaction >= 0
    moments, energies = polarization_energies(levels, threshold.interaction, particles)
    assert energies.min() >= -1e-9
    assert energies[moments == threshold.moment][0] == pytest.approx(0, abs=1e-9)
    _, below = polarization_energies(levels, 0.9 * threshold.interaction - 1e-9, particles)
    assert below[1:].min(initial=0) >= -1e-12


def plane_wave_levels(size):
    """Twisted boundary condition, so that no two plane waves share an energy by symmetry."""
    k = 2 * np.pi * np.arange(size) / size
    kx, ky = np.meshgrid(k + 0.61 / size, k + 0.23 / size, indexing="ij")
    return dispersion(kx, ky).ravel()


def test_plane_waves_turn_magnetic_at_stoners_criterion():
    """Second-order transition where the density of states is smooth: U N(0) = 1 within the finite size."""
    levels = plane_wave_levels(700)
    volume = levels.size
    for filling in (0.1, 0.2):
        particles = 2 * int(filling * volume)
        fermi = np.sort(levels)[particles // 2]
        window = 0.05
        per_spin = (np.abs(levels - fermi) < window).sum() / volume / (2 * window)
        moments, kinetic = polarization_energies(levels, 0.0, particles)
        small = moments == 2 * int(0.01 * volume)
        threshold = 4 * volume * kinetic[small][0] / moments[small][0] ** 2
        assert threshold * per_spin == pytest.approx(1, abs=0.02)
        # All moments together: never above the threshold of small ones, and far below that of U N(0) = 2.
        assert stoner_threshold(levels, particles).interaction * per_spin < 1.02


def test_plane_waves_have_equal_overlaps():
    """U/V for all pairs, so that Eq. (13) is Stoner's energy."""
    size = 6
    x = np.arange(size)
    phase = np.exp(2j * np.pi * np.outer(x, x) / size) / np.sqrt(size)
    states = np.kron(phase, phase)
    np.testing.assert_allclose((np.abs(states) ** 2).T @ np.abs(states) ** 2, 1 / size**2, rtol=1e-12)


def test_weak_disorder_is_close_to_stoners_energy():
    """Weakly disordered states: off-diagonal overlaps near U/V, energy of small moments within a tenth."""
    size, particles = 20, 200
    energies, states = eigenstates(size, 1.5, seed=0)
    k = hubbard_overlaps(states)
    volume = size**2
    interaction = 5.0
    moments, stoner = polarization_energies(energies, interaction, particles)
    for place in (20, 40):
        up, down = (particles + moments[place]) // 2, (particles - moments[place]) // 2
        gain = k[:up, :down].sum() - k[: particles // 2, : particles // 2].sum()
        kinetic = stoner[place] + interaction * moments[place] ** 2 / 4 / volume
        assert gain == pytest.approx(-(moments[place] ** 2) / 4 / volume, rel=0.2)
        assert kinetic > 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, "1", None, 1j, True])
def test_bad_numbers(bad):
    with pytest.raises((TypeError, ValueError), match="levels"):
        polarization_energies([bad, 0.0] if bad is not True else True, 1.0, 1)
    with pytest.raises((TypeError, ValueError), match="levels"):
        stoner_threshold([bad, 0.0, 1.0] if bad is not True else True, 2)
    with pytest.raises((TypeError, ValueError), match="interaction"):
        polarization_energies([0.0, 1.0], bad, 1)
    with pytest.raises((TypeError, ValueError), match="particles"):
        polarization_energies([0.0, 1.0], 1.0, bad)
    with pytest.raises((TypeError, ValueError), match="particles"):
        stoner_threshold([0.0, 1.0, 2.0], bad)


def test_bad_shapes_and_ranges():
    for call, match in (
        (lambda: polarization_energies([0.0, 1.0], 1.0, 0), "particles"),
        (lambda: polarization_energies([0.0, 1.0], 1.0, 4), "particles"),
        (lambda: polarization_energies([[0.0, 1.0]], 1.0, 1), "levels"),
        (lambda: polarization_energies([1e308, 1.5e308], 1.0, 3), "levels"),
        (lambda: polarization_energies(np.arange(50.0), 1.5e308, 50), "interaction"),
        (lambda: stoner_threshold([0.0, 1.0], 1), "particles"),
        (lambda: stoner_threshold([0.0, 1.0], 3), "particles"),
        (lambda: stoner_threshold([0.0], 1), "particles"),
    ):
        with pytest.raises(ValueError, match=match):
            call()
