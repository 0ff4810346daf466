"""Weak localization below the Kondo temperature: decay of the Cooperon, Eqs. (55)-(61)."""

import math

import mpmath
import numpy as np
import pytest
from scipy.integrate import quad

from disorder.magnetic_alloys import (
    cooperon_decay_rate,
    fermi_liquid_t_matrix,
    kondo_temperatures,
    residual_weak_localization,
    weak_localization_coefficient,
)
from disorder.numerics.quadrature import panel_rule
from disorder.numerics.validation import ValidityWarning

T_0 = kondo_temperatures(specific_heat=1.0).phase_shift


def amplitude(energy, heat):
    eta = 2 * (energy**2 + (math.pi * heat) ** 2) / T_0**2
    return np.sqrt(1 - eta) * np.exp(2j * (math.pi / 2 + energy / T_0))


@pytest.mark.parametrize(("energy", "heat"), [(1.0, 0.0), (0.0, 1.0), (2.0, 0.7)])
def test_decay_rate_is_the_loss_of_the_amplitude(energy, heat):
    # Retarded and advanced electron at one energy: per impurity 1 - S S* = 1 - |S|^2, over 2 pi nu.
    for small in (1e-2, 1e-3):
        e, t = energy * small, heat * small
        loss = (1 - abs(amplitude(e, t)) ** 2) / (2 * math.pi)
        assert cooperon_decay_rate(e, t, 1.0) == pytest.approx(loss, rel=1e-9, abs=1e-16)


def test_elastic_phase_shift_leaves_the_singlet_alone():
    # At zero temperature the printed rate is the phase shift's two thirds and half of the loss.
    e = 0.01
    elastic = abs(np.exp(2j * (math.pi / 2 + e / T_0)) + 1) ** 2 / (4 * math.pi)
    printed = cooperon_decay_rate(e, 0.0, 1.0, rate="printed")
    inelastic = cooperon_decay_rate(e, 0.0, 1.0)
    assert printed == pytest.approx(elastic + inelastic / 2, rel=1e-3)
    assert elastic / printed == pytest.approx(2 / 3, rel=1e-3)


def test_printed_rate_is_half_the_one_electron_rate():
    # n_s Im T-tilde: the one-electron rate is twice that, the text says half.
    energies = np.linspace(-0.02, 0.02, 9)
    residual = 1 / math.pi - np.asarray(fermi_liquid_t_matrix(energies, 0.01, 1.0))
    printed = cooperon_decay_rate(energies, 0.01, 1.0, rate="printed")
    np.testing.assert_allclose(printed, residual, rtol=1e-10)
    np.testing.assert_allclose(printed, 9 * math.pi / 8 * (3 * energies**2 + math.pi**2 * 1e-4), rtol=1e-13)
    np.testing.assert_allclose(
        cooperon_decay_rate(energies, 0.01, 1.0),
        9 * math.pi / 4 * (energies**2 + math.pi**2 * 1e-4),
        rtol=1e-13,
    )


def test_thermal_averages_of_the_two_rates():
    nodes, weights = panel_rule(np.linspace(-40, 40, 33), 16)
    thermal = weights / (4 * np.cosh(nodes / 2) ** 2)
    heat = 1e-4
    means = [
        thermal @ np.asarray(cooperon_decay_rate(heat * nodes, heat, 1.0, rate=r))
        for r in ("inelastic", "printed")
    ]
    assert means[0] / means[1] == pytest.approx(4 / 3, rel=1e-12)


@pytest.mark.parametrize("rate", ["inelastic", "printed"])
def test_coefficient_against_mpmath(rate):
    with mpmath.workdps(30):
        p2 = mpmath.pi**2

        def decay(x):
            inelastic = mpmath.mpf(9) / 4 * mpmath.pi * (x**2 + p2)
            printed = mpmath.mpf(9) / 8 * mpmath.pi * (3 * x**2 + p2)
            return inelastic if rate == "inelastic" else printed

        value = mpmath.quad(
            lambda x: mpmath.sech(x / 2) ** 2 / 4 / mpmath.sqrt(decay(x)), [-90, -20, -5, 0, 5, 20, 90]
        )
        reference = float(value / (2 * mpmath.pi))
    assert weak_localization_coefficient(rate) == pytest.approx(reference, abs=1e-15)


def test_printed_coefficient_comes_out_of_the_printed_rate():
    assert round(weak_localization_coefficient("printed"), 3) == 0.022
    assert round(weak_localization_coefficient("inelastic"), 3) == 0.017


def test_coefficient_from_the_cooperon_integral():
    # (43) with (55): e^2 D/hbar int de/(2 pi) [1/(2 T cosh^2(e/2T))] int dq/(2 pi) 1/(D q^2 + Gamma(e)),
    # with D = n_s/nu = T_K = 1 and T = 1e-3; momenta and energies by quadrature.
    heat = 1e-3
    nodes, weights = panel_rule(np.linspace(-40, 40, 25), 12)
    total = 0.0
    for x, w in zip(nodes, weights, strict=True):
        gamma = cooperon_decay_rate(heat * x, heat, 1.0)
        scale = math.sqrt(gamma)
        q_integral = 2 * quad(lambda s: 1 / (s * s + 1), 0, np.inf)[0] / scale / (2 * math.pi)
        total += w * heat / (2 * math.pi) / (2 * heat * math.cosh(x / 2) ** 2) * q_integral
    assert total * heat == pytest.approx(weak_localization_coefficient(), rel=1e-7)


def test_cooperon_decay_in_time_is_set_by_the_loss():
    # Deterministic toy of (55): n amplitudes S and S* met in sequence; only |S| survives in the product.
    e, t, n = 0.004, 0.003, 400
    s = amplitude(e, t)
    product = s**n * np.conj(s) ** n
    rate = -math.log(abs(product)) / n / (2 * math.pi)
    assert rate == pytest.approx(cooperon_decay_rate(e, t, 1.0), rel=2e-2)


@pytest.mark.parametrize("spin", [1.0, 1.5, 3.5])
def test_plateau_of_the_residual_spins(spin):
    # (60) in its printed form, reached for T tau >> 1.
    tau, t_sg = 1e6, 1e-3
    value = residual_weak_localization(1e3, spin, t_sg, tau)
    expected = math.pi * (16 * spin**2 - 1) / (240 * spin) * t_sg * tau
    assert value - 1 == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("spin", "table"), [(1.0, 1.10), (2.0, 1.85), (3.0, 2.33)])
def test_slow_scattering_limit_of_the_residual_spins(spin, table):
    # (61): 1 + alpha_{S-1/2} T_sg/(2T), with alpha from the printed Table I.
    value = residual_weak_localization(1.0, spin, 1e-2, 1e-6)
    assert (value - 1) / 1e-2 * 2 == pytest.approx(table, abs=6e-3)


def test_residual_weak_localization_grows_towards_low_temperature():
    temperatures = np.geomspace(1e-2, 1e2, 20)
    values = residual_weak_localization(temperatures, 1.5, 5e-3, 1.0)
    assert (np.diff(values) < 0).all()
    assert np.shape(residual_weak_localization(temperatures[:, None], 1.5, 1e-3, np.ones(3))) == (20, 3)
    assert np.shape(residual_weak_localization(temperatures[:, None], 1.5, 0.0, np.ones(3))) == (20, 3)
    with pytest.warns(ValidityWarning, match="virial"):
        residual_weak_localization(1e-3, 1.0, 1e-3, 1.0)


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf, "1", None])
def test_bad_input(bad):
    for call, name in [
        (lambda v: residual_weak_localization(v, 1.0, 0.0, 1.0), "temperature"),
        (lambda v: residual_weak_localization(1.0, v, 0.0, 1.0), "spin"),
        (lambda v: residual_weak_localization(1.0, 1.0, 0.0, v), "tau_s"),
        (lambda v: cooperon_decay_rate(0.0, 0.0, v), "t_k"),
        (lambda v: cooperon_decay_rate(0.0, 0.0, 1.0, rate=v), "rate"),
        (weak_localization_coefficient, "rate"),
    ]:
        with pytest.raises((ValueError, TypeError), match=name):
            call(bad)
    if bad != 0.0:
        with pytest.raises((ValueError, TypeError), match="t_sg"):
            residual_weak_localization(1.0, 1.0, bad, 1.0)
        with pytest.raises((ValueError, TypeError), match="temperature"):
            cooperon_decay_rate(0.0, bad, 1.0)
    with pytest.raises(ValueError, match="energy"):
        cooperon_decay_rate(math.nan, 0.0, 1.0)
    with pytest.warns(ValidityWarning, match="Fermi-liquid"):
        cooperon_decay_rate(1.0, 0.0, 1.0)
