"""Fermi functions fitted to occupations: exact recovery, brute force, resampling, and honest failure."""

from itertools import pairwise

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brute

from disorder.fermi_glass import fermi_fit, fermi_levels, occupation_profile
from disorder.numerics.quadrature import ConvergenceError

METHODS = ("least squares", "likelihood")


def curve(xi, width, level):
    return 2 / (np.exp((xi - level) / width) + 1)


def noisy(configurations=12, states=300, width=0.07, level=0.1, seed=3):
    """Spins occupied independently with the probability of the curve, energies at random."""
    rng = np.random.default_rng(seed)
    xi = np.sort(rng.uniform(-1, 1, (configurations, states)), axis=1)
    return xi, rng.binomial(2, curve(xi, width, level) / 2).astype(float)


@settings(max_examples=25, deadline=None)
@given(
    width=st.floats(0.01, 0.3),
    level=st.floats(-0.4, 0.4),
    scale=st.floats(-8, 8),
    offset=st.floats(-1, 1),
    method=st.sampled_from(METHODS),
)
def test_parameters_of_an_exact_curve_are_recovered(width, level, scale, offset, method):
    factor = 10.0**scale
    xi = np.linspace(-1, 1, 301) + np.array([[0.0], [0.001]])
    fit = fermi_fit(factor * (xi + offset), curve(xi, width, level), method=method)
    assert fit.width == pytest.approx(factor * width, rel=1e-6)
    assert fit.level == pytest.approx(factor * (level + offset), abs=1e-6 * factor)
    assert fit.width_error < 1e-6 * fit.width
    assert fit.deviation < 1e-6
    assert fit.points == xi.size


@pytest.mark.parametrize("method", METHODS)
def test_optimum_against_brute_force_on_the_definition(method):
    xi, n = noisy()

    def objective(x):
        if method == "least squares":
            return ((curve(xi, *x) - n) ** 2).sum()
        u = (xi - x[1]) / x[0]
        return (n * np.log1p(np.exp(u)) + (2 - n) * np.log1p(np.exp(-u))).sum()

    fit = fermi_fit(xi, n, method=method)
    best = brute(objective, ((0.03, 0.12), (0.0, 0.2)), Ns=25, finish=None)
    assert objective((fit.width, fit.level)) <= objective(best)
    for change in ((1e-3, 0), (-1e-3, 0), (0, 1e-3), (0, -1e-3)):
        assert objective((fit.width, fit.level)) < objective((fit.width + change[0], fit.level + change[1]))
    rms = np.sqrt(np.mean((curve(xi, fit.width, fit.level) - n) ** 2))
    assert fit.deviation == pytest.approx(rms, rel=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_errors_against_leaving_out_one_configuration(method):
    xi, n = noisy(30, 200)
    fit = fermi_fit(xi, n, method=method)
    parts = []
    for c in range(30):
        part = fermi_fit(np.delete(xi, c, 0), np.delete(n, c, 0), method=method)
        parts.append((part.width, part.level))
    jackknife = np.sqrt(29 / 30 * ((parts - np.mean(parts, axis=0)) ** 2).sum(axis=0))
    assert fit.width_error == pytest.approx(jackknife[0], rel=0.1)
    assert fit.level_error == pytest.approx(jackknife[1], rel=0.1)


def test_errors_cover_the_truth():
    pulls = []
    for seed in range(40):
        fit = fermi_fit(*noisy(15, 120, seed=seed), method="likelihood")
        pulls.append([(fit.width - 0.07) / fit.width_error, (fit.level - 0.1) / fit.level_error])
    spread = np.std(pulls, axis=0)
    assert ((spread > 0.75) & (spread < 1.4)).all()
    assert (np.abs(np.mean(pulls, axis=0)) < 0.5).all()


def test_objective_derivatives_against_mpmath():
    from disorder.fermi_glass.fermi_fit import _objective

    u = np.array([-30.0, -2.0, -0.3, 0.0, 0.7, 5.0, 40.0])
    for likelihood in (False, True):
        for occupation in (0.0, 1.0, 2.0):

            def exact(x, occupation=occupation, likelihood=likelihood):
                p = 1 / (1 + mp.exp(x))
                if likelihood:
                    return -occupation * mp.log(p) - (2 - occupation) * mp.log(1 - p)
                return (2 * p - occupation) ** 2 / 2

            parts = _objective(u, np.full(u.size, occupation), likelihood)
            with mp.workdps(40):
                for order, part in enumerate(parts):
                    reference = [float(mp.diff(exact, mp.mpf(x), order)) for x in u]
                    np.testing.assert_allclose(part, reference, rtol=1e-10, atol=1e-14)


def test_step_has_width_zero_and_the_gap_as_resolution():
    xi = np.array([[0.0, 1.0, 2.0, 3.0], [0.5, 1.5, 2.5, 3.5]])
    n = np.array([[2, 2, 0, 0], [2, 2, 0, 0]])
    for method in METHODS:
        fit = fermi_fit(xi, n, method=method)
        assert (fit.width, fit.width_error, fit.level, fit.level_error) == (0.0, 0.25, 1.75, 0.25)
        assert fit.deviation == 0.0
    # One single occupation right at the step lies on the curve of any width.
    fit = fermi_fit([[0.0, 1.0], [2.0, 3.0]], [[2, 2], [1, 0]])
    assert (fit.width, fit.level, fit.level_error) == (0.0, 2.0, 0.0)


def test_step_with_exceptions_far_away():
    # One state that is empty deep below: no width helps, least squares ends on the step.
    xi = np.tile(np.linspace(-1, 1, 100), (2, 1))
    n = np.where(xi < 0, 2.0, 0.0)
    n[0, 10] = 0.0
    fit = fermi_fit(xi, n)
    assert fit.width < 0.02
    assert fit.deviation == pytest.approx(2 / np.sqrt(200), rel=0.01)
    wide = fermi_fit(xi, n, method="likelihood")
    assert wide.width > 0.05


def test_window_selects_the_states():
    xi, n = noisy()
    inside = fermi_fit(xi, n, window=0.3)
    rank = round(n.sum() / 2)
    centre = np.sort(xi.ravel())[rank]
    assert inside.points == (np.abs(xi - centre) <= 0.3).sum()
    assert abs(inside.width - 0.07) < 5 * inside.width_error


def test_spread_of_the_fermi_level_alone_gives_a_width():
    # Sharp steps at normally distributed levels: the mean is an error function, and the narrowest Fermi
    # function in the least-squares sense has this width for unit spread (computed by quadrature in mpmath).
    from scipy.special import ndtri

    levels = ndtri((np.arange(120) + 0.5) / 120)
    xi = np.tile(np.linspace(-6, 6, 241), (120, 1))
    n = 2.0 * (xi < levels[:, None])
    fit = fermi_fit(xi, n)
    with mp.workdps(20):

        def slope(width):
            # d/dw of the integral of (f - Phi)^2 over the line
            def integrand(x):
                p = 1 / (1 + mp.exp(x / width))
                return (p - mp.ncdf(-x)) * p * (1 - p) * x

            return mp.quad(integrand, [-12, -4, -1, 0, 1, 4, 12])

        reference = float(mp.findroot(slope, (0.5, 0.65), solver="secant"))
    assert fit.width == pytest.approx(reference, rel=0.01)
    assert abs(fit.level) < 1e-3
    aligned = fermi_fit(xi - levels[:, None], n)
    assert aligned.width < 0.03


def test_levels():
    assert fermi_levels([[3.0, 0.0, 1.0, 7.0]], 4)[0] == 2.0
    assert fermi_levels([[3.0, 0.0, 1.0, 7.0]], 3)[0] == 1.0
    assert fermi_levels([[3.0, 0.0, 1.0, 7.0]], 7)[0] == 7.0
    shift = np.array([[0.0], [5.0]])
    np.testing.assert_allclose(fermi_levels(np.arange(3.0) + shift, 2), [0.5, 5.5])


def test_profile_against_plain_loops():
    xi, n = noisy(6, 80)
    edges = np.linspace(-1.5, 1.0, 11)
    profile = occupation_profile(xi, n, edges)
    rows = []
    for low, high in pairwise(edges):
        inside = (xi >= low) & (xi < high)
        if inside.any():
            total = inside.sum()
            mean = n[inside].mean()
            residual = [(n[c][inside[c]] - mean).sum() for c in range(6)]
            rows.append(
                (xi[inside].mean(), mean, np.sqrt(np.sum(np.square(residual)) * 6 / 5) / total, total)
            )
    energy, mean, error, states = np.array(rows).T
    np.testing.assert_allclose(profile.energy, energy, rtol=1e-12)
    np.testing.assert_allclose(profile.occupation, mean, rtol=1e-12)
    np.testing.assert_allclose(profile.occupation_error, error, rtol=1e-12, atol=1e-15)
    assert (profile.states == states).all()
    assert profile.states.size < 10


def test_what_cannot_be_fitted_raises():
    xi = np.tile(np.linspace(-1, 1, 50), (2, 1))
    with pytest.raises(ConvergenceError, match="no Fermi function"):
        fermi_fit(xi, np.ones(xi.shape))
    with pytest.raises(ConvergenceError, match="no Fermi function"):
        fermi_fit(xi, 2.0 - curve(xi, 0.1, 0.0))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"energies": [0.0, 1.0]}, ValueError, "energies must have 2 axes"),
        ({"energies": [[0.0, np.nan], [0.0, 1.0]]}, ValueError, "energies"),
        ({"energies": [["a", "b"], ["c", "d"]]}, TypeError, "energies"),
        ({"energies": [[1.0, 1.0], [1.0, 1.0]]}, ValueError, "energies must not all be the same"),
        ({"occupations": [[0, 1, 2], [0, 1, 2]]}, ValueError, "occupations must have the shape"),
        ({"occupations": [[2, 2.1], [0, 0]]}, ValueError, "occupations"),
        ({"occupations": [[2, -1], [0, 0]]}, ValueError, "occupations"),
        ({"occupations": [[2, 2], [2, 2]]}, ValueError, "occupations must not be all"),
        ({"occupations": [[0, 0], [0, 0]]}, ValueError, "occupations must not be all"),
        ({"occupations": None}, TypeError, "occupations"),
        ({"window": 0.0}, ValueError, "window"),
        ({"window": np.inf}, ValueError, "window"),
        ({"window": "1"}, TypeError, "window"),
        ({"window": 1e-9}, ValueError, "window must reach"),
        ({"method": "chi"}, ValueError, "method"),
        ({"method": 3}, ValueError, "method"),
    ],
)
def test_bad_fits(changes, error, message):
    call = {"energies": [[0.0, 1.0], [0.1, 1.1]], "occupations": [[2, 0], [2, 1]], **changes}
    with pytest.raises(error, match=message):
        fermi_fit(call.pop("energies"), call.pop("occupations"), **call)


def test_single_configurations_are_refused():
    with pytest.raises(ValueError, match="at least 2 configurations"):
        fermi_fit([[0.0, 1.0, 2.0]], [[2, 1, 0]])
    with pytest.raises(ValueError, match="at least 2 configurations"):
        occupation_profile([[0.0], [1.0]], [[2], [0]], [0, 1])


@pytest.mark.parametrize("edges", [[1.0], [1.0, 1.0], [2.0, 1.0], [0.0, np.nan], "ab", [[0.0, 1.0]], None])
def test_bad_edges(edges):
    with pytest.raises((TypeError, ValueError), match="edges"):
        occupation_profile([[0.0, 1.0], [0.0, 1.0]], [[2, 0], [2, 0]], edges)


@pytest.mark.parametrize("particles", [0, 6, 2.0, True, None, -1])
def test_bad_particles(particles):
    with pytest.raises((TypeError, ValueError), match="particles"):
        fermi_levels([[0.0, 1.0, 2.0]], particles)


@pytest.mark.parametrize("energies", [[0.0], [[np.inf, 0.0]], None, [["a"]]])
def test_bad_energies(energies):
    with pytest.raises((TypeError, ValueError), match="energies"):
        fermi_levels(energies, 1)


@pytest.mark.parametrize("method", METHODS)
def test_errors_of_a_doubled_ensemble(method):
    # Every configuration twice: half the squared influences, and 5 in place of 2 degrees of freedom.
    xi, n = noisy(3, 200)
    once = fermi_fit(xi, n, method=method)
    twice = fermi_fit(np.tile(xi, (2, 1)), np.tile(n, (2, 1)), method=method)
    assert twice.width == pytest.approx(once.width, rel=1e-7)
    assert twice.width_error == pytest.approx(once.width_error * np.sqrt(2 / 5), rel=1e-5)
    assert twice.level_error == pytest.approx(once.level_error * np.sqrt(2 / 5), rel=1e-5)
