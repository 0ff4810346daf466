"""SI scales of Section VI: free-electron identities, closed forms, inverse problems, bad input."""

import math
import warnings

import mpmath as mp
import numpy as np
import pytest
import scipy.constants as si
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from disorder.magnetic_alloys.gold_iron import (
    critical_concentration,
    residual_interaction_limit,
    spin_glass_temperature,
    spin_scattering_rate,
    suhl_nagaoka_rate,
)
from disorder.magnetic_alloys.host_metal import (
    GOLD,
    Metal,
    energy_per_impurity,
    free_electron_metal,
    impurity_density,
    largest_inelastic_rate,
    transit_temperature,
    unitary_resistivity,
    unitary_scattering_rate,
)
from disorder.magnetic_alloys.kondo import PRINTED_PREFACTOR
from disorder.magnetic_alloys.underscreened import self_consistent_interaction
from disorder.numerics.validation import ValidityWarning

PPM = 60.0  # the alloy of the plateau
KONDO = 0.3  # kelvin
PLATEAU = 6e10  # 1/s, as printed
CRITICAL = 50.0  # ppm, as printed
FREE = free_electron_metal(GOLD.atomic_density)

spins = st.integers(1, 14).map(lambda n: n / 2)
ppms = st.floats(1e-3, 9e4)
factors = st.floats(0.1, 4.0)


def test_gold_constants_against_tabulated_values():
    # Kittel, Table 1.4 and 6.1: 5.90e22 atoms per cubic centimetre, v_F = 1.39e6 m/s, E_F = 5.51 eV.
    assert pytest.approx(5.90e28, rel=3e-3) == GOLD.atomic_density
    assert pytest.approx(1.39e6, rel=5e-3) == GOLD.fermi_velocity
    energy = si.m_e * GOLD.fermi_velocity**2 / 2 / si.e
    assert energy == pytest.approx(5.51, rel=5e-3)
    # Both spin directions, as used in weak-localization experiments: 1.14e47 per joule and m^3.
    assert 2 * GOLD.density_of_states == pytest.approx(1.14e47, rel=5e-3)
    # Kittel, Table 6.2: measured over free-electron heat capacity of gold 1.14.
    assert GOLD.density_of_states / FREE.density_of_states == pytest.approx(1.14, rel=5e-3)


@given(st.floats(1e27, 1e30), st.floats(0.2, 4.0))
@settings(max_examples=25, deadline=None)
def test_free_electron_relation(density, valence):
    # nu = 3 n/(4 E_F) per spin direction, with E_F = m v_F^2/2.
    metal = free_electron_metal(density, valence)
    fermi_energy = si.m_e * metal.fermi_velocity**2 / 2
    assert metal.density_of_states == pytest.approx(3 * density * valence / (4 * fermi_energy), rel=1e-13)


@given(ppms)
@settings(max_examples=25, deadline=None)
def test_unitarity_is_the_geometric_limit_of_s_wave_scattering(ppm):
    # Rate = n_s v_F sigma with the largest s-wave cross section 4 pi/k_F^2; k_F = m v_F/hbar.
    wavenumber = si.m_e * FREE.fermi_velocity / si.hbar
    rate = impurity_density(ppm, FREE) * FREE.fermi_velocity * 4 * math.pi / wavenumber**2
    assert unitary_scattering_rate(ppm, FREE) == pytest.approx(rate, rel=1e-13)
    # The largest reaction cross section of one partial wave is pi/k_F^2.
    assert largest_inelastic_rate(ppm, FREE) == pytest.approx(rate / 4, rel=1e-13)


@given(ppms)
@settings(max_examples=25, deadline=None)
def test_unitary_resistivity_is_drude(ppm):
    rate = unitary_scattering_rate(ppm, FREE)
    drude = si.m_e * rate / (FREE.atomic_density * si.e**2)
    assert unitary_resistivity(ppm, FREE) == pytest.approx(drude, rel=1e-13)
    # Einstein: sigma = 2 e^2 nu D, D = v_F^2 tau/3, for any metal.
    diffusion = GOLD.fermi_velocity**2 / (3 * unitary_scattering_rate(ppm))
    einstein = 1 / (2 * si.e**2 * GOLD.density_of_states * diffusion)
    assert unitary_resistivity(ppm) == pytest.approx(einstein, rel=1e-13)


@given(ppms, st.floats(1e-6, 10.0), factors)
@settings(max_examples=40, deadline=None)
def test_spin_glass_scale_from_v0_over_distance_cubed(ppm, kondo, c):
    # T_sg = n_s V_0, V_0 = nu J_0^2/(2 pi), J_0 = c/(nu ln(hbar v_F/(r k_B T_K))), r = n_s^(-1/3).
    density, nu = mp.mpf(impurity_density(ppm)), mp.mpf(GOLD.density_of_states)
    distance = density ** (-mp.mpf(1) / 3)
    exchange = c / (nu * mp.log(mp.mpf(si.hbar) * GOLD.fermi_velocity / (distance * si.k * kondo)))
    expected = density * nu * exchange**2 / (2 * mp.pi) / si.k
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ValidityWarning)
        assert spin_glass_temperature(ppm, kondo, prefactor=c) == pytest.approx(float(expected), rel=1e-12)


@given(ppms)
@settings(max_examples=20, deadline=None)
def test_energy_scales(ppm):
    # nu is the number of states per energy: n_s impurities need n_s/nu of energy for one state each. For free
    # electrons n_s/nu = (4/3) x E_F with x impurities per electron. The transit takes hbar/E.
    energy = si.m_e * FREE.fermi_velocity**2 / 2
    assert energy_per_impurity(ppm, FREE) == pytest.approx(4 / 3 * 1e-6 * ppm * energy / si.k, rel=1e-13)
    time = impurity_density(ppm) ** (-1 / 3) / GOLD.fermi_velocity
    assert transit_temperature(ppm) * si.k * time == pytest.approx(si.hbar, rel=1e-13)


def test_printed_form_of_t_sg():
    # Eq. (10) literally: 2 n_s/(pi nu ln^2(v_F n_s^(1/3)/T_K)).
    density = impurity_density(PPM)
    logarithm = math.log(si.hbar * GOLD.fermi_velocity * density ** (1 / 3) / (si.k * KONDO))
    literal = 2 * density / (math.pi * GOLD.density_of_states * logarithm**2) / si.k
    assert spin_glass_temperature(PPM, KONDO, prefactor=PRINTED_PREFACTOR) == pytest.approx(
        literal, rel=1e-12
    )


@given(spins, st.floats(1.001, 1e9), factors)
@settings(max_examples=40, deadline=None)
@pytest.mark.filterwarnings("ignore::disorder.numerics.validation.ValidityWarning")
def test_golden_rule_rate(spin, ratio, c):
    # Eq. (6) with J = c/(nu ln): 2 pi nu n_s J^2 S(S+1)/hbar.
    exchange = c / (GOLD.density_of_states * math.log(ratio))
    golden = (
        2
        * math.pi
        * GOLD.density_of_states
        * impurity_density(PPM)
        * exchange**2
        * spin
        * (spin + 1)
        / si.hbar
    )
    rate = spin_scattering_rate(ratio * KONDO, PPM, KONDO, spin, prefactor=c)
    assert rate == pytest.approx(golden, rel=1e-10)


@pytest.mark.filterwarnings("ignore::disorder.numerics.validation.ValidityWarning")
def test_product_of_t_sg_and_tau_s_does_not_contain_the_prefactor():
    # Eq. (53).
    hot, spin = 1e5, 1.5
    density = impurity_density(PPM)
    far = math.log(si.hbar * GOLD.fermi_velocity * density ** (1 / 3) / (si.k * KONDO))
    printed = (math.log(hot / KONDO) / far) ** 2 / (4 * math.pi**2 * spin * (spin + 1))
    for c in (0.5, 1.0, 2.0):
        rate = spin_scattering_rate(hot, PPM, KONDO, spin, prefactor=c)
        product = si.k * spin_glass_temperature(PPM, KONDO, prefactor=c) / (si.hbar * rate)
        assert product == pytest.approx(printed, rel=1e-12)


@given(spins)
@settings(max_examples=15, deadline=None)
def test_born_rate_is_the_tail_of_suhl_nagaoka_for_one_loop_only(spin):
    hot = KONDO * 1e200
    smooth = suhl_nagaoka_rate(hot, PPM, KONDO, spin)
    born = spin_scattering_rate(hot, PPM, KONDO, spin)
    strength = math.pi**2 * spin * (spin + 1)
    assert born / smooth - 1 == pytest.approx(strength / math.log(1e200) ** 2, rel=1e-9)
    printed = spin_scattering_rate(hot, PPM, KONDO, spin, prefactor=2.0)
    assert printed / born == pytest.approx(16.0, rel=1e-14)


@given(spins, st.floats(-30.0, 30.0))
@settings(max_examples=40, deadline=None)
def test_suhl_nagaoka_rate_is_one_minus_s_squared(spin, x):
    # Hamann: 2 pi nu Im T = 1 - X/sqrt(X^2 + pi^2 S(S+1)) is 1 - Re S, and S is real at zero energy.
    s = x / math.sqrt(x * x + math.pi**2 * spin * (spin + 1))
    rate = suhl_nagaoka_rate(KONDO * math.exp(x), PPM, KONDO, spin)
    assert rate == pytest.approx(largest_inelastic_rate(PPM) * (1 - s * s), rel=1e-9)
    assert rate <= largest_inelastic_rate(PPM)
    mirror = suhl_nagaoka_rate(KONDO * math.exp(-x), PPM, KONDO, spin)
    assert rate == pytest.approx(mirror, rel=1e-12)


def test_plateau_lies_below_the_inelastic_limit():
    # Ref. 11 as quoted: 6e10 1/s at 60 ppm. No spin-flip process of one channel is faster than this limit.
    limit = largest_inelastic_rate(PPM)
    assert 0.5 < PLATEAU / limit < 1.0
    assert 0.5 < PLATEAU / largest_inelastic_rate(PPM, FREE) < 1.0  # the same with the free density of states


@pytest.mark.parametrize("spin", [0.5, 1.0, 1.5, 2.0, 2.5])
def test_printed_rate_cannot_describe_the_plateau(spin):
    # (52) as printed falls to the plateau value only at ln(T/T_K) > 14: no laboratory temperature.
    def excess(logarithm):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ValidityWarning)
            rate = spin_scattering_rate(KONDO * math.exp(logarithm), PPM, KONDO, spin, prefactor=2.0)
        return rate / PLATEAU - 1

    logarithm = brentq(excess, 1e-3, 700.0)
    assert logarithm == pytest.approx(
        4 * math.pi * math.sqrt(spin * (spin + 1) * largest_inelastic_rate(PPM) / PLATEAU)
    )
    assert logarithm > 13


def test_rate_above_the_limit_warns_with_its_range():
    # 4 pi^2 c^2 S(S+1) = ln^2(T/T_K) is where the Born rate meets the limit.
    edge = math.pi * math.sqrt(0.75)
    with pytest.warns(ValidityWarning, match=r"ln\(T/T_K\)"):
        spin_scattering_rate(KONDO * math.exp(edge * 0.999), PPM, KONDO, 0.5)
    above = spin_scattering_rate(KONDO * math.exp(edge * 1.001), PPM, KONDO, 0.5)
    assert above == pytest.approx(largest_inelastic_rate(PPM), rel=3e-3)


@given(st.floats(1e-9, 10.0), factors, st.floats(0.3, 5.0))
@settings(max_examples=40, deadline=None)
@pytest.mark.filterwarnings("ignore::disorder.numerics.validation.ValidityWarning")
def test_critical_concentration_inverts_t_sg(kondo, c, factor):
    metal = Metal(GOLD.atomic_density, GOLD.density_of_states, GOLD.fermi_velocity)
    critical = critical_concentration(kondo, factor=factor, prefactor=c, metal=metal)
    if critical < 1e6:
        assert factor * spin_glass_temperature(critical, kondo, prefactor=c) == pytest.approx(kondo, rel=1e-9)
        # On the physical branch T_sg grows with concentration.
        assert factor * spin_glass_temperature(critical * 0.99, kondo, prefactor=c) < kondo
    else:
        assert factor * spin_glass_temperature(999_999, kondo, prefactor=c) < kondo


def test_critical_concentration_by_root_search():
    for c in (0.5, 2.0):
        found = brentq(
            lambda n, c=c: spin_glass_temperature(n, KONDO, prefactor=c) - KONDO, 1.0, 9e4, xtol=1e-10
        )
        assert critical_concentration(KONDO, prefactor=c) == pytest.approx(found, rel=1e-10)


def test_critical_concentration_is_not_the_quoted_one():
    # Neither prefactor explains 50 ppm with T_sg = T_K = 0.3 K; the printed one misses by about 10.
    assert 8 < critical_concentration(KONDO, prefactor=2.0) / CRITICAL < 15
    assert 150 < critical_concentration(KONDO) / CRITICAL < 300


@pytest.mark.parametrize("c", [0.5, 2.0])
def test_residual_interaction_limit_is_where_the_equation_loses_its_root(c):
    limit = residual_interaction_limit(KONDO, prefactor=c)
    energy = impurity_density(limit) / GOLD.density_of_states / si.k  # n_s/nu in kelvins

    def best(scale):  # max over v in (0, 1) of v ln^2 v - g
        v = np.linspace(1e-6, 1 - 1e-6, 200_001)
        return (v * np.log(v) ** 2).max() - c**2 * scale * energy / (2 * math.pi * KONDO)

    assert best(1 - 1e-6) > 0 > best(1 + 1e-6)
    assert self_consistent_interaction(energy * (1 - 1e-9), KONDO, prefactor=c) == pytest.approx(
        KONDO * math.exp(-2), rel=1e-3
    )
    with pytest.raises(ValueError, match="concentration"):
        self_consistent_interaction(energy * (1 + 1e-9), KONDO, prefactor=c)


def test_shapes_and_types():
    ppm, kondo = np.array([[1.0], [10.0]]), np.array([0.1, 0.2, 0.3])
    assert spin_glass_temperature(ppm, kondo).shape == (2, 3)
    assert spin_scattering_rate(np.array([300.0, 400.0]), 5.0, 0.3, 1).shape == (2,)
    assert suhl_nagaoka_rate(np.ones((2, 1, 1)), ppm, kondo, 0.5).shape == (2, 2, 3)
    assert critical_concentration(kondo).shape == (3,)
    for value in (
        spin_glass_temperature(1, 0.3),
        suhl_nagaoka_rate(1, 1, 0.3, 2),
        critical_concentration(0.3),
        residual_interaction_limit(0.3),
        impurity_density(1),
        unitary_resistivity(1),
    ):
        assert type(value) is float


BAD_NUMBERS = [math.nan, math.inf, -math.inf, -1.0, 0.0]
CALLS = {
    "spin_glass_temperature": lambda x: spin_glass_temperature(x, 0.3),
    "spin_glass_temperature kondo": lambda x: spin_glass_temperature(60, x),
    "spin_glass_temperature prefactor": lambda x: spin_glass_temperature(60, 0.3, prefactor=x),
    "rate temperature": lambda x: spin_scattering_rate(x, 60, 0.3, 0.5),
    "rate concentration": lambda x: spin_scattering_rate(30, x, 0.3, 0.5),
    "rate kondo": lambda x: spin_scattering_rate(30, 60, x, 0.5),
    "rate spin": lambda x: spin_scattering_rate(30, 60, 0.3, x),
    "rate prefactor": lambda x: spin_scattering_rate(30, 60, 0.3, 0.5, prefactor=x),
    "suhl temperature": lambda x: suhl_nagaoka_rate(x, 60, 0.3, 0.5),
    "suhl concentration": lambda x: suhl_nagaoka_rate(1, x, 0.3, 0.5),
    "suhl kondo": lambda x: suhl_nagaoka_rate(1, 60, x, 0.5),
    "suhl spin": lambda x: suhl_nagaoka_rate(1, 60, 0.3, x),
    "critical kondo": lambda x: critical_concentration(x),
    "critical factor": lambda x: critical_concentration(0.3, factor=x),
    "critical prefactor": lambda x: critical_concentration(0.3, prefactor=x),
    "limit kondo": lambda x: residual_interaction_limit(x),
    "limit prefactor": lambda x: residual_interaction_limit(0.3, prefactor=x),
    "density": impurity_density,
    "energy": energy_per_impurity,
    "transit": transit_temperature,
    "unitary": unitary_scattering_rate,
    "inelastic": largest_inelastic_rate,
    "resistivity": unitary_resistivity,
    "metal": free_electron_metal,
    "valence": lambda x: free_electron_metal(6e28, x),
    "metal density": lambda x: Metal(x, 5e46, 1e6),
    "metal states": lambda x: Metal(6e28, x, 1e6),
    "metal velocity": lambda x: Metal(6e28, 5e46, x),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("bad", [*BAD_NUMBERS, "60", None, 1j, True, [[1.0], [2.0, 3.0]]])
def test_bad_input(name, bad):
    with pytest.raises((TypeError, ValueError), match=r"must"):
        CALLS[name](bad)


@pytest.mark.parametrize(
    "call",
    [
        lambda: impurity_density(1e6),
        lambda: spin_scattering_rate(0.3, 60, 0.3, 0.5),
        lambda: spin_scattering_rate(0.2, 60, 0.3, 0.5),
        lambda: spin_scattering_rate(30, 60, 0.3, 0.4),
        lambda: spin_glass_temperature(60, 1e4),
        lambda: critical_concentration(1e9),
        lambda: Metal(5.9e22, 5.7e46, 1.4e6),  # per cubic centimetre
        lambda: Metal(5.9e28, 8.0e27, 1.4e6),  # per electron volt
        lambda: impurity_density(60, "gold"),
    ],
)
def test_out_of_range(call):
    with pytest.raises((TypeError, ValueError), match=r"must"):
        call()


def test_warnings_name_their_range():
    with pytest.warns(ValidityWarning, match="dilute limit"):
        impurity_density(5e5)
    with pytest.warns(ValidityWarning, match="below 2"):
        spin_glass_temperature(60, 500.0)


@given(st.floats(1e-300, 1e5), st.floats(1e-300, 1e300), st.floats(1e-300, 1e300), st.integers(1, 200))
@settings(max_examples=50, deadline=None)
@pytest.mark.filterwarnings("ignore::disorder.numerics.validation.ValidityWarning")
def test_extreme_but_legal(ppm, kondo, hot, two_s):
    for call in (
        lambda: spin_glass_temperature(ppm, kondo),
        lambda: spin_scattering_rate(hot, ppm, kondo, two_s / 2),
        lambda: suhl_nagaoka_rate(hot, ppm, kondo, two_s / 2),
        lambda: critical_concentration(kondo),
        lambda: residual_interaction_limit(kondo),
    ):
        try:
            value = call()
        except ValueError:
            continue
        assert math.isfinite(value)
        assert value >= 0
