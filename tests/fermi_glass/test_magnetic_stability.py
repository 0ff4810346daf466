"""What linear response sees on random clusters, against an unrestricted search."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disorder.fermi_glass import (
    hamiltonian,
    instability_temperature,
    linear_response,
    magnetic_stability,
    restricted_hartree_fock,
    unrestricted_hartree_fock,
)
from disorder.numerics.ensemble import run_ensemble

SETTINGS = settings(max_examples=12, deadline=None)


@given(st.integers(0, 10**6), st.floats(0.3, 5))
@SETTINGS
def test_order_of_the_energies(seed, u):
    """E_UHF <= E_RHF <= sea and E_UHF <= min E^(1) <= sea; a cheap promotion implies negative curvature."""
    c = magnetic_stability(seed, 4, 9.0, u, starts=1)
    assert c.unrestricted_energy <= c.restricted_energy + 1e-8
    assert c.restricted_energy <= 1e-9
    assert c.unrestricted_energy <= c.frozen_energy + 1e-8
    assert c.frozen_energy <= 1e-9
    assert c.curvature < c.promotion
    if c.promotion < -1e-9:
        assert c.curvature < 0
        assert c.frozen_energy < 0
        assert c.frozen_moment >= 2


@given(st.integers(0, 10**6), st.floats(0.3, 5))
@SETTINGS
def test_an_unstable_paramagnet_is_not_the_lowest_state(seed, u):
    """A negative eigenvalue, or a pinned level, proves a lower state; the search finds one."""
    c = magnetic_stability(seed, 4, 9.0, u, starts=1)
    if c.eigenvalue < -1e-3:
        assert c.magnetic
        assert c.unrestricted_energy < c.restricted_energy
    assert (c.pinned > 0) == (c.eigenvalue == -math.inf)


@pytest.mark.parametrize(
    ("u", "stable", "lower"), [(1.13, True, False), (1.16, True, True), (1.18, False, True)]
)
def test_a_transition_of_first_order(u, stable, lower):
    """A cluster whose triplet crosses a paramagnet that is still linearly stable."""
    h = hamiltonian(4, 9.0, seed=1063).toarray()
    paramagnet = restricted_hartree_fock(h, u, particles=14)
    triplet = unrestricted_hartree_fock(h, u, np.full(16, 0.5), np.full(16, 0.375), particles=14)
    assert triplet.occupations_up.sum() - triplet.occupations_down.sum() == 2
    assert linear_response(paramagnet).stable == stable
    assert (triplet.energy < paramagnet.energy) == lower


def test_no_interaction_effect_without_partners():
    """Clean lattice with a closed shell, weak interaction: nothing happens."""
    c = magnetic_stability(0, 4, 30.0, 0.01)
    assert not c.magnetic
    assert not c.detected
    assert c.frozen_energy == 0
    # Relaxation is of second order in U.
    assert -1e-4 < c.restricted_energy <= 1e-11
    assert c.unrestricted_energy == pytest.approx(c.restricted_energy, abs=1e-9)
    assert c.promotion > 0


def test_ensemble_keeps_its_digits():
    one = run_ensemble(magnetic_stability, 3, seed=5, arguments=(3, 9.0, 2.0, 1))
    two = run_ensemble(magnetic_stability, 2, seed=5, arguments=(3, 9.0, 2.0, 1))
    assert one[:2] == two
    assert len({c.restricted_energy for c in one}) == 3


def test_transition_temperature_of_the_dimer():
    """Levels -+t: chi = tanh(t/2T)/t between them and the own terms; root of the closed form."""
    u = 3.0
    t_c = instability_temperature([[0, -1], [-1, 0]], u, 2, response="isolated")
    assert 1 - 0.5 * u * math.tanh(1 / (2 * t_c)) == pytest.approx(0, abs=1e-5)
    assert instability_temperature([[0, -1], [-1, 0]], 1.9, 2) == 0.0


def test_transition_temperature_of_far_sites():
    """Two sites of one energy without hopping: U/4, the general bound; isolated: none."""
    assert instability_temperature(np.zeros((2, 2)), 1.0, 2) == pytest.approx(0.25, rel=1e-5)
    assert instability_temperature(np.zeros((2, 2)), 1.0, 2, response="isolated") == 0.0


def test_eigenvalue_vanishes_at_the_transition():
    h = hamiltonian(4, 9.0, seed=1).toarray()
    isothermal = instability_temperature(h, 4.0, 14)
    isolated = instability_temperature(h, 4.0, 14, response="isolated")
    assert isolated <= isothermal <= 1.0
    state = restricted_hartree_fock(h, 4.0, particles=14, temperature=isothermal)
    assert linear_response(state).eigenvalue == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"size": 2}, "size"),
        ({"size": 21}, "size"),
        ({"size": 4.0}, "size"),
        ({"disorder": -1.0}, "disorder"),
        ({"disorder": math.nan}, "disorder"),
        ({"interaction": 0.0}, "interaction"),
        ({"interaction": -1.0}, "interaction"),
        ({"interaction": None}, "interaction"),
        ({"starts": -1}, "starts"),
        ({"starts": True}, "starts"),
    ],
)
def test_bad_input(change, match):
    with pytest.raises((TypeError, ValueError), match=match):
        magnetic_stability(1, **{"size": 4, "disorder": 9.0, "interaction": 1.0, **change})


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"matrix": [[0, 1]]}, "matrix"),
        ({"interaction": -1.0}, "interaction"),
        ({"particles": 5}, "particles"),
        ({"response": "x"}, "response"),
    ],
)
def test_bad_temperature(change, match):
    with pytest.raises((TypeError, ValueError), match=match):
        instability_temperature(**{"matrix": np.eye(2), "interaction": 1.0, "particles": 2, **change})


def test_fields_are_plain():
    c = magnetic_stability(1, 3, 9.0, 2.0, starts=0)
    for field in dataclasses.fields(c):
        assert type(getattr(c, field.name)) in (float, int)
