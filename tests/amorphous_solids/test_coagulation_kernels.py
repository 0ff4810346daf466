"""Kernels of the renormalization group equation: checks, growth, gelation."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammaln

from disorder.amorphous_solids import coagulation_kernel, gelation_time, kernel_growth
from disorder.numerics.quadrature import ConvergenceError


def power(exponent, scale=1.0):
    return lambda k, m: scale * (k * m) ** exponent


def signs(k, m):
    """<|sum of k m independent signs|>: couplings +-1 of single centres add up to that of two clusters."""
    pairs = np.ceil(k * m / 2)
    return 2 * np.exp(gammaln(pairs + 0.5) - gammaln(pairs)) / math.sqrt(math.pi)


def test_named_kernels():
    assert coagulation_kernel("constant").values([[1], [7]], [2, 3]).tolist() == [[1, 1], [1, 1]]
    assert coagulation_kernel("sqrt").values([1, 4, 9], 4).tolist() == [2, 4, 6]
    checked = coagulation_kernel("sqrt")
    assert coagulation_kernel(checked) is checked
    assert checked.name == "sqrt"
    assert checked.largest is None


def test_table_and_function_agree():
    sizes = np.arange(1.0, 9)
    table = np.add.outer(sizes, sizes)
    by_table, by_function = coagulation_kernel(table), coagulation_kernel(lambda k, m: k + m)
    np.testing.assert_array_equal(by_table.values([[1], [8]], [2, 5]), [[3, 6], [10, 13]])
    np.testing.assert_array_equal(by_table.matrix(8), by_function.matrix(8))
    assert by_table.largest == 8
    table[0, 0] = -1  # a checked table is a copy
    assert by_table.values(1, 1) == 2
    with pytest.raises(ValueError, match="size 9 is needed"):
        by_table.values(9, 1)


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 1.5), st.floats(1e-3, 1e3))
def test_growth_of_power_kernels(exponent, scale):
    growth = kernel_growth(power(exponent, scale))
    assert growth.degree == pytest.approx(2 * exponent, abs=1e-9)
    assert growth.light_exponent == pytest.approx(exponent, abs=1e-9)
    assert growth.gelling == (2 * exponent > 1.02)
    assert growth.instantaneous == (exponent > 1.02)


def test_growth_of_other_kernels():
    assert not kernel_growth("constant").gelling
    assert kernel_growth("sqrt").degree == pytest.approx(1, abs=1e-12)
    assert not kernel_growth(lambda k, m: k + m).gelling
    assert kernel_growth(lambda k, m: k * k + m * m).instantaneous
    assert not kernel_growth(lambda k, m: 1 / (k + m)).gelling
    assert math.isnan(kernel_growth(np.ones((4, 4))).degree)
    assert not kernel_growth(np.ones((4, 4))).gelling
    sizes = np.arange(1.0, 65)
    assert kernel_growth(np.outer(sizes, sizes)).degree == pytest.approx(2)
    assert kernel_growth(lambda k, m: abs(k - m)).degree == pytest.approx(1)
    assert kernel_growth(lambda k, m: 1.0 * (k == m)).degree == pytest.approx(0)
    never = kernel_growth(lambda k, m: 0 * k * m)
    assert not never.gelling


def test_couplings_of_independent_signs():
    # Brute force over all signs, for b_12 = 1, b_13 = b_22 = 3/2, b_23 = 15/8.
    for k, m in ((1, 1), (1, 2), (1, 3), (2, 2), (2, 3)):
        sums = [abs(sum(u)) for u in itertools.product((-1, 1), repeat=k * m)]
        assert float(signs(float(k), float(m))) == pytest.approx(sum(sums) / 2 ** (k * m), rel=1e-12)
    assert signs(2.0, 2.0) == pytest.approx(1.5)
    # b = 1 for all sizes is not what independent couplings give: they lead to the square-root kernel.
    large = 300.0
    assert signs(large, large) == pytest.approx(math.sqrt(2 / math.pi) * large, rel=1e-4)
    growth = kernel_growth(signs)
    assert growth.degree == pytest.approx(1, abs=1e-4)
    assert not growth.gelling


@pytest.mark.parametrize(("a", "b", "c"), [(0, 0, 1), (0, 1, 1), (0.3, 0.1, 1), (0, 0, 1e-30)])
def test_gelation_time_of_bilinear_kernels(a, b, c):
    # For b_km = a + b (k + m) + c k m and I_1 = 1: dI_2/dt = 2 (a + 2 b I_2 + c I_2^2).
    nodes, weights = np.polynomial.legendre.leggauss(60)
    x = (nodes + 1) / 2  # I_2 = 1/x
    expected = (weights / 4 / (a * x**2 + 2 * b * x + c)).sum()
    value = gelation_time(lambda k, m: a + b * (k + m) + c * k * m)
    assert value == pytest.approx(expected, rel=1e-7 if a == b == 0 else 0.02)


def test_gelation_time_of_a_power():
    value = gelation_time(power(0.8))
    assert value == pytest.approx(1.0442, rel=2e-4)  # see test_coagulation for the second route
    assert gelation_time(power(0.8, 1e5)) == pytest.approx(value * 1e-5, rel=1e-6)
    sizes = np.arange(1.0, 513)
    assert gelation_time(np.multiply.outer(sizes, sizes)) == pytest.approx(0.5, rel=1e-6)


def test_gelation_at_the_ends():
    assert gelation_time("constant") == math.inf
    assert gelation_time("sqrt") == math.inf
    assert gelation_time(lambda k, m: k + m) == math.inf
    assert gelation_time(lambda k, m: k**1.5 + m**1.5) == 0.0
    assert gelation_time(lambda k, m: (k - 1) * (m - 1)) == math.inf  # single centres never unite
    with pytest.raises(ConvergenceError, match="not resolved"):
        gelation_time(power(0.56))
    sizes = np.arange(1.0, 65)
    with pytest.raises(ValueError, match="512"):
        gelation_time(np.multiply.outer(sizes, sizes))


BAD = [
    ("cubic", ValueError, "kernel"),
    (None, TypeError, "kernel"),
    (3.0, ValueError, "square"),
    (np.ones(3), ValueError, "square"),
    (np.ones((2, 3)), ValueError, "square"),
    (np.ones((0, 0)), ValueError, "square"),
    ([[1.0, 2.0], [3.0, 1.0]], ValueError, "symmetric"),
    ([[1.0, -2.0], [-2.0, 1.0]], ValueError, "kernel"),
    ([[1.0, math.nan], [math.nan, 1.0]], ValueError, "kernel"),
    ([[1.0, 1j], [1j, 1.0]], TypeError, "kernel"),
    (lambda k, m: k - m, ValueError, "non-negative"),
    (lambda k, m: k + 2 * m, ValueError, "symmetric"),
    (lambda k, m: k + m + (k > 1000) * m, ValueError, "symmetric"),
    (lambda k, m: np.exp(k + m), ValueError, "finite"),
    (lambda k, m: math.nan * k * m, ValueError, "finite"),
    (lambda k, m: "b", TypeError, "real"),
    (lambda k, m: 1j * k * m, TypeError, "real"),
    (lambda k, m: np.ones(5), ValueError, "shape"),
]


@pytest.mark.parametrize(("kernel", "error", "words"), BAD)
@pytest.mark.parametrize("function", [coagulation_kernel, kernel_growth, gelation_time])
def test_bad_kernels(function, kernel, error, words):
    with pytest.raises(error, match=words):
        function(kernel)


def test_message_names_the_sizes():
    with pytest.raises(ValueError, match=r"b\[1,2\] = 5.0 and b\[2,1\] = 4.0"):
        coagulation_kernel(lambda k, m: k + 2 * m)
    with pytest.raises(ValueError, match="sizes 3, 1"):
        coagulation_kernel(lambda k, m: 1.0 + 0 * m - 2 * (k == 3) * (m < 4))
