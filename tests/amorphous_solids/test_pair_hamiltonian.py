"""Hamiltonian of a pair of centres: signs against the energies of a small glass, rotation, exact levels."""

import itertools
import math

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from disorder.amorphous_solids import pair_hamiltonian, pair_levels, pair_rotation, rotated_pair_hamiltonian

energies = st.floats(0.05, 20.0)
amplitudes = st.floats(-5.0, 5.0)
couplings = st.floats(-30.0, 30.0)
parameters = st.tuples(energies, energies, amplitudes, amplitudes, couplings)
STATES = list(itertools.product((-0.5, 0.5), repeat=2))


def spin_operators():
    """S1 and S2 as exact matrices over (--), (+-), (-+), (++), written element by element."""
    order = [(-1, -1), (1, -1), (-1, 1), (1, 1)]
    z1, z2, x1, x2 = (sympy.zeros(4, 4) for _ in range(4))
    for i, left in enumerate(order):
        z1[i, i], z2[i, i] = sympy.Rational(left[0], 2), sympy.Rational(left[1], 2)
        for j, right in enumerate(order):
            if left[1] == right[1] and left[0] != right[0]:
                x1[i, j] = sympy.Rational(1, 2)
            if left[0] == right[0] and left[1] != right[1]:
                x2[i, j] = sympy.Rational(1, 2)
    return z1, z2, x1, x2


@given(parameters)
@settings(max_examples=40, deadline=None)
def test_costs_of_the_flips(values):
    e1, e2, _, _, u = values
    for convention, single in (("consistent", (e1, e2)), ("printed", (e1 - u, e2 - u))):
        cost = np.diag(pair_hamiltonian(*values, convention=convention))
        np.testing.assert_allclose(cost[1:3] - cost[0], single, atol=1e-12)
        np.testing.assert_allclose(cost[3] - cost[0], e1 + e2 - u, atol=1e-12)


@given(parameters)
@settings(max_examples=40, deadline=None)
def test_matrix_elements(values):
    matrix = pair_hamiltonian(*values)
    np.testing.assert_array_equal(matrix, matrix.T)
    np.testing.assert_allclose(np.trace(matrix), 0.0, atol=1e-12)
    a1, a2 = values[2:4]
    expected = [[0, a1, a2, 0], [a1, 0, 0, a2], [a2, 0, 0, a1], [0, a2, a1, 0]]
    np.testing.assert_allclose(2 * (matrix - np.diag(np.diag(matrix))), expected)


def test_stability_energies_of_a_small_glass_fix_the_sign():
    """Eq. (2.2) for five centres by enumeration: only the consistent form costs what the glass costs."""
    generator = np.random.default_rng(5)
    for _ in range(20):
        omega, coupling = generator.normal(size=5), np.triu(generator.normal(size=(5, 5)), 1)
        coupling += coupling.T

        def energy(s, omega=omega, coupling=coupling):
            return omega @ s + s @ coupling @ s / 2

        ground = np.array(min(itertools.product((-0.5, 0.5), repeat=5), key=lambda s: energy(np.array(s))))
        costs = []
        for flipped in ((0,), (1,), (0, 1)):
            state = ground.copy()
            state[list(flipped)] *= -1
            costs.append(energy(state) - energy(ground))
        # Counted from the ground state, in which both wells are called "-", the coupling changes its sign.
        u = -4 * ground[0] * ground[1] * coupling[0, 1]
        matrix = pair_hamiltonian(costs[0], costs[1], 0, 0, u)
        np.testing.assert_allclose(np.diag(matrix)[1:] - matrix[0, 0], costs, atol=1e-12)
        assert min(costs) > 0
        printed = np.diag(pair_hamiltonian(costs[0], costs[1], 0, 0, u, convention="printed"))
        assert abs(printed[1] - printed[0] - costs[0]) == pytest.approx(abs(u))


@given(parameters)
@settings(max_examples=40, deadline=None)
def test_printed_sign_mirrors_the_spectrum(values):
    upright = pair_hamiltonian(*values)
    about_y = np.array([[0.0, 1.0], [-1.0, 0.0]])
    rotation = np.kron(about_y, about_y)
    mirrored = -rotation @ upright @ rotation.T
    np.testing.assert_allclose(pair_hamiltonian(*values, convention="printed"), mirrored, atol=1e-12)
    np.testing.assert_allclose(
        pair_levels(*values, convention="printed"), -pair_levels(*values)[::-1], atol=1e-12
    )


@given(parameters)
@settings(max_examples=40, deadline=None)
def test_rotation_diagonalises_single_centres(values):
    e1, e2, a1, a2, _ = values
    rotation = pair_rotation(e1, e2, a1, a2)
    np.testing.assert_allclose(rotation.T @ rotation, np.eye(4), atol=1e-14)
    f1, f2 = math.hypot(e1, a1), math.hypot(e2, a2)
    turned = rotation.T @ pair_hamiltonian(e1, e2, a1, a2, 0.0) @ rotation
    levels = [(-f1 - f2) / 2, (f1 - f2) / 2, (f2 - f1) / 2, (f1 + f2) / 2]
    np.testing.assert_allclose(turned, np.diag(levels), atol=1e-12)
    for convention in ("consistent", "printed"):
        turned = rotation.T @ pair_hamiltonian(*values, convention=convention) @ rotation
        parts = rotated_pair_hamiltonian(*values, convention=convention)
        np.testing.assert_allclose(parts.main + parts.rest, turned, atol=1e-12)
        np.testing.assert_allclose(parts.main, parts.main.T, atol=1e-14)


def test_rotated_operators_symbolically():
    """Eq. (3.2) put into (3.1) gives (3.4) and (3.5) with both signs; the last indices must be 11 and 22."""
    z1, z2, x1, x2 = spin_operators()
    e1, e2, a1, a2, f1, f2, u, sign = sympy.symbols("e1 e2 a1 a2 E1 E2 U s")
    c1, c2, s1, s2 = e1 / f1, e2 / f2, a1 / f1, a2 / f2
    old_z1, old_z2 = c1 * z1 - s1 * x1, c2 * z2 - s2 * x2
    old_x1, old_x2 = s1 * z1 + c1 * x1, s2 * z2 + c2 * x2
    whole = e1 * old_z1 + e2 * old_z2 + a1 * old_x1 + a2 * old_x2
    whole += -u * (old_z1 + old_z2) / 2 + sign * u * old_z1 * old_z2
    main = f1 * z1 + f2 * z2 - c1 * u * z1 / 2 - c2 * u * z2 / 2
    main += sign * u * (c1 * c2 * z1 * z2 + s1 * s2 * x1 * x2)
    rest = -sign * u * (c1 * s2 * z1 * x2 + s1 * c2 * x1 * z2)
    circles = {f1: sympy.sqrt(e1**2 + a1**2), f2: sympy.sqrt(e2**2 + a2**2)}
    right = whole - main - rest - u / 2 * (s1 * x1 + s2 * x2)
    assert sympy.simplify(right.subs(circles)) == sympy.zeros(4, 4)
    printed = whole - main - rest - u / 2 * (a2 / f1 * x1 + a1 / f2 * x2)
    assert sympy.simplify(printed.subs(circles)) != sympy.zeros(4, 4)
    numbers = {e1: 3, e2: 12, a1: 4, a2: 5, f1: 5, f2: 13, u: 7}
    for convention, value in (("consistent", -1), ("printed", 1)):
        for indices, part in (("consistent", s1 * x1 + s2 * x2), ("printed", a2 / f1 * x1 + a1 / f2 * x2)):
            parts = rotated_pair_hamiltonian(3, 12, 4, 5, 7, convention, indices)
            point = {**numbers, sign: value}
            np.testing.assert_allclose(parts.main, np.array(main.subs(point), dtype=float), atol=1e-13)
            reference = np.array((rest + u / 2 * part).subs(point), dtype=float)
            np.testing.assert_allclose(parts.rest, reference, atol=1e-13)


@given(parameters)
@settings(max_examples=30, deadline=None)
def test_energy_of_the_double_flip(values):
    e1, e2, a1, a2, u = values
    f1, f2 = math.hypot(e1, a1), math.hypot(e2, a2)
    for convention, sign in (("consistent", -1), ("printed", 1)):
        main = rotated_pair_hamiltonian(*values, convention=convention).main
        np.testing.assert_allclose(main[3, 3] - main[0, 0], f1 + f2 - u * (e1 / f1 + e2 / f2) / 2, atol=1e-11)
        coupling = sign * u * a1 * a2 / (4 * f1 * f2)
        np.testing.assert_allclose(main[3, 0], coupling, atol=1e-12)


@pytest.mark.parametrize("convention", ["consistent", "printed"])
def test_the_rest_contributes_in_fourth_order_only(convention):
    """Second order in h' joins (--) and (++) by paths that vanish as the fourth power of the amplitudes."""
    paths = []
    for size in (1e-2, 1e-3):
        parts = rotated_pair_hamiltonian(1.0, 2.0, size, 3 * size, 3.0, convention)
        levels = np.diag(parts.main)
        rest = parts.rest
        middle = (levels[0] + levels[3]) / 2
        second = sum(rest[3, m] * rest[m, 0] / (middle - levels[m]) for m in (1, 2))
        assert abs(rest[1, 0] * rest[3, 1]) > 0
        paths.append((second, parts.main[3, 0]))
    assert math.log10(paths[0][0] / paths[1][0]) == pytest.approx(4, abs=0.01)
    assert math.log10(paths[0][1] / paths[1][1]) == pytest.approx(2, abs=0.01)
    # Its second-order shift of the levels is of the order of E_i - eps_i and must not be left out.
    shifts = [sum(rest[m, k] ** 2 for m in (1, 2)) for k in (0, 3)]
    assert max(shifts) > 1e-6 > 1e3 * min(shifts)


@given(parameters)
@settings(max_examples=40, deadline=None)
def test_levels_are_the_eigenvalues(values):
    for convention in ("consistent", "printed"):
        matrix = pair_hamiltonian(*values, convention=convention)
        np.testing.assert_allclose(
            pair_levels(*values, convention=convention), np.linalg.eigvalsh(matrix), atol=1e-12
        )


@pytest.mark.parametrize("scale", [1e-150, 1e-20, 1.0, 1e149])
def test_levels_scale_with_the_energies(scale):
    values = np.array([1.0, 2.0, 0.3, 0.4, 2.7])
    np.testing.assert_allclose(pair_levels(*(scale * values)), scale * pair_levels(*values), rtol=1e-14)


def test_shapes():
    u = np.linspace(1, 3, 5)
    assert pair_hamiltonian(1.0, np.ones((2, 1)), 0.1, 0.1, u).shape == (2, 5, 4, 4)
    assert pair_levels(1.0, np.ones((2, 1)), 0.1, 0.1, u).shape == (2, 5, 4)
    assert pair_levels(1.0, 1.0, 0.1, 0.1, np.empty(0)).shape == (0, 4)
    assert pair_rotation(1.0, np.ones((2, 1)), 0.1, np.full(5, 0.1)).shape == (2, 5, 4, 4)
    parts = rotated_pair_hamiltonian(1.0, np.ones((2, 1)), 0.1, 0.1, u)
    for i, k in np.ndindex(2, 5):
        np.testing.assert_array_equal(parts.rest[i, k], rotated_pair_hamiltonian(1, 1, 0.1, 0.1, u[k]).rest)


@pytest.mark.parametrize("function", [pair_hamiltonian, pair_levels, rotated_pair_hamiltonian])
@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("bad", [math.nan, math.inf, 1e200, "1", None, 1j, True, [[1.0], [1.0, 2.0]]])
def test_bad_numbers(function, place, bad):
    names = ["energy_1", "energy_2", "amplitude_1", "amplitude_2", "coupling"]
    call = dict(zip(names, (1.0, 2.0, 0.1, 0.2, 2.5), strict=True))
    with pytest.raises((TypeError, ValueError), match=names[place]):
        function(**{**call, names[place]: bad})


def test_bad_choices():
    for bad in ("minus", None, 1, ["printed"]):
        with pytest.raises(ValueError, match="convention"):
            pair_hamiltonian(1, 1, 0.1, 0.1, 2, convention=bad)
        with pytest.raises(ValueError, match="convention"):
            pair_levels(1, 1, 0.1, 0.1, 2, convention=bad)
        with pytest.raises(ValueError, match="indices"):
            rotated_pair_hamiltonian(1, 1, 0.1, 0.1, 2, indices=bad)
    with pytest.raises(ValueError, match="energy_2"):
        rotated_pair_hamiltonian(1, 0, 0.1, 0.0, 2)
    with pytest.raises(ValueError, match="energy_1"):
        pair_rotation(0, 1, 0.0, 0.0)
    with pytest.raises(ValueError, match="shape"):
        pair_levels(np.ones(2), np.ones(3), 0.1, 0.1, 2)
    with pytest.raises((TypeError, ValueError), match="amplitude_2"):
        pair_rotation(1, 1, 0.1, math.nan)
