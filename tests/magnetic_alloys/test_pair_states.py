"""States of a pair: Clebsch-Gordan coefficients and the elements summed over them."""

import numpy as np
import pytest
from sympy import Rational
from sympy.physics.wigner import wigner_3j

from disorder.magnetic_alloys import (
    clebsch_gordan,
    pair_matrix_elements,
    pair_matrix_elements_from_states,
    pair_spin_components,
)


@pytest.mark.parametrize(
    ("two_s", "projections"), [(1, (-1, 0, 1)), (2, (-2, -1, 0, 1)), (3, (-2, 1)), (5, (1,))]
)
def test_coefficients_against_3j_symbols(two_s, projections):
    spin = Rational(two_s, 2)
    for m in projections:
        table = clebsch_gordan(two_s / 2, m)
        for j in range(abs(m), two_s + 1):
            for i in range(two_s + 1):
                m1 = Rational(2 * i - two_s, 2)
                # The 3j symbol of the printed (A1); the printed form lacks the factor (-1)^M.
                symbol = wigner_3j(j, spin, spin, -m, m1, m - m1) if abs(m - m1) <= spin else 0
                assert table[j, i] == pytest.approx(float((-1) ** m * (2 * j + 1) ** 0.5 * symbol), abs=1e-14)


@pytest.mark.parametrize("spin", [0.5, 1, 3.5, 20])
def test_coefficients_are_orthonormal(spin):
    for m in {-int(2 * spin), -1, 0, 1, int(spin)}:
        table = clebsch_gordan(spin, m)
        np.testing.assert_allclose(table @ table.T, np.diag(np.arange(len(table)) >= abs(m)), atol=1e-12)


@pytest.mark.parametrize("spin", [0.5, 1, 2.5])
def test_exchange_of_the_spins_gives_a_sign(spin):
    two_s = int(2 * spin)
    table = clebsch_gordan(spin, 0)
    signs = (-1.0) ** (two_s - np.arange(two_s + 1))
    np.testing.assert_allclose(table[:, ::-1], signs[:, None] * table, atol=1e-13)


@pytest.mark.parametrize("spin", [0.5, 1, 1.5, 2, 2.5, 3, 3.5, 10])
def test_sum_over_states_gives_the_closed_form_for_every_projection(spin):
    closed = pair_matrix_elements(spin)
    for m in range(-int(2 * spin), int(2 * spin) + 1):
        expected = np.where(np.arange(len(closed))[:, None] >= abs(m), closed, 0.0)
        np.testing.assert_allclose(pair_matrix_elements_from_states(spin, m), expected, atol=1e-11)


def test_components():
    spin = 1.5
    for m in (-2, 0, 1):
        x, y, z = pair_spin_components(spin, m)
        np.testing.assert_array_equal(x, y)
        for j in range(max(abs(m), 1), int(2 * spin) + 1):
            # Half of the total spin belongs to either member: <J M|S_z|J M> = M/2.
            assert z[j, j] == pytest.approx(m**2 / 4, abs=1e-13)
            assert x[j, j] == pytest.approx((j * (j + 1) - m**2) / 8, abs=1e-13)


def test_printed_squares_would_depend_on_the_projection():
    # Eq. (A2) with eta^2 in place of |eta|^2: the elements of S_y are imaginary and their squares cancel S_x.
    def printed(m):
        x, y, z = pair_spin_components(1, m)
        return x - y + z

    closed = pair_matrix_elements(1)
    assert printed(0)[1, 1] == pytest.approx(0, abs=1e-15)
    assert printed(1)[1, 1] == pytest.approx(1 / 4)
    assert closed[1, 1] == 1 / 2
    assert pair_matrix_elements_from_states(1, 0)[1, 1] == pytest.approx(1 / 2)


@pytest.mark.parametrize("function", [clebsch_gordan, pair_spin_components, pair_matrix_elements_from_states])
def test_bad_input(function):
    for spin in (0, -1, 0.25, 101, np.nan, np.inf):
        with pytest.raises(ValueError, match="spin"):
            function(spin)
    for spin in ("1", None, 1j, [0.5]):
        with pytest.raises(TypeError, match="spin"):
            function(spin)
    for projection in (3, -3):
        with pytest.raises(ValueError, match="projection"):
            function(1, projection)
    for projection in (0.5, np.nan, True):
        with pytest.raises(TypeError, match="projection"):
            function(1, projection)
