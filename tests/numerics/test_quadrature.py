"""Panel quadrature against closed forms, and its refusal to return what has not converged."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disorder.numerics.quadrature import ConvergenceError, integrate, logarithmic_edges, panel_rule


@settings(max_examples=40, deadline=None)
@given(order=st.integers(1, 20), left=st.floats(-5, 5), width=st.floats(0.1, 5), panels=st.integers(1, 6))
def test_panel_rule_is_exact_for_polynomials(order, left, width, panels):
    nodes, weights = panel_rule(np.linspace(left, left + width, panels + 1), order)
    degree = 2 * order - 1
    middle = left + width / 2
    exact = sum(
        ((left + width - middle) ** (n + 1) - (left - middle) ** (n + 1)) / (n + 1) for n in range(degree + 1)
    )
    value = weights @ sum((nodes - middle) ** n for n in range(degree + 1))
    assert value == pytest.approx(exact, rel=1e-11)
    assert (np.diff(nodes) > 0).all()
    assert (weights > 0).all()


def test_panel_rule_converges_at_the_order_of_gauss():
    errors = []
    for panels in (2, 4, 8):
        nodes, weights = panel_rule(np.linspace(0, 3, panels + 1), order=3)
        errors.append(abs(weights @ np.exp(nodes) - math.expm1(3)))
    rates = np.log2(np.array(errors[:-1]) / errors[1:])
    assert rates == pytest.approx([6, 6], abs=0.2)


@pytest.mark.parametrize(
    ("integrand", "edges", "exact"),
    [
        (lambda x: np.exp(-x), [0, 1, 50], mpmath.mpf(1)),
        (lambda x: 1 / (1 + x**2), [-1, 0.3, 1], mpmath.pi / 2),
        (lambda x: np.sin(100 * x) ** 2, [0, 1], mpmath.mpf(0.5) - mpmath.sin(200) / 400),
        (lambda x: np.sqrt(x), [0, 1], mpmath.mpf(2) / 3),
        (lambda x: np.log(x), [0, 1], mpmath.mpf(-1)),
        (lambda x: np.sin(x), [-1, 2, 1 + 2], mpmath.cos(1) - mpmath.cos(3)),
    ],
)
def test_integrate_meets_its_tolerance(integrand, edges, exact):
    result = integrate(integrand, edges, rtol=1e-12)
    assert abs(float(result.value) - float(exact)) < 3e-12
    assert float(result.error) < 1e-10


def test_error_estimate_bounds_the_error_of_a_coarse_run():
    for width in (0.5, 0.1, 0.02):
        result = integrate(lambda x, w=width: 1 / (x**2 + w**2), [-1, 1], rtol=1e-6, order=6)
        exact = 2 / width * math.atan(1 / width)
        assert abs(float(result.value) - exact) <= float(result.error) + 1e-14 * exact


def test_many_integrands_share_their_panels():
    powers = np.arange(6)
    result = integrate(lambda x: x[:, None] ** powers, [0.0, 2.0])
    assert result.value == pytest.approx(2.0 ** (powers + 1) / (powers + 1), rel=1e-13)
    assert result.error.shape == (6,)


def test_odd_integrand_gives_zero_instead_of_endless_refinement():
    result = integrate(lambda x: x**3 * np.exp(-(x**2)), [-6.0, 0.5, 6.0])
    assert abs(float(result.value)) < 1e-13


def test_divergent_integral_raises():
    with pytest.raises((ConvergenceError, ValueError)):
        integrate(lambda x: 1 / x, [0.0, 1.0], max_panels=500)


def test_integrand_that_is_not_finite_is_named():
    with pytest.raises(ValueError, match="integrand must be finite"):
        integrate(lambda x: np.full_like(x, np.nan), [0.0, 1.0])


@pytest.mark.parametrize("edges", [[1.0], [0.0, 0.0], [1.0, 0.0], [0.0, np.nan], [[0.0, 1.0]]])
def test_bad_edges(edges):
    with pytest.raises(ValueError, match="edges"):
        panel_rule(edges)
    with pytest.raises(ValueError, match="edges"):
        integrate(np.sin, edges)


def test_logarithmic_edges():
    edges = logarithmic_edges(1e-3, 1e2, per_decade=2)
    assert edges[0] == 0
    assert edges[1:] == pytest.approx(np.geomspace(1e-3, 1e2, 11))
    with pytest.raises(ValueError, match="smallest must lie below"):
        logarithmic_edges(2.0, 1.0)
    with pytest.raises(ValueError, match="per_decade"):
        logarithmic_edges(1.0, 2.0, per_decade=0)
    with pytest.raises(ValueError, match="smallest"):
        logarithmic_edges(0.0, 1.0)
