"""Mean field of any short-range interaction: expectation values in Fock space, additions, stationarity."""

import math
from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disorder.fermi_glass import (
    eigenstates,
    hamiltonian,
    interaction_tensor,
    mean_field_energy,
    mean_field_hamiltonian,
    one_body_density_matrix,
    self_consistent_mean_field,
    short_range_interaction,
    site_energies,
)
from disorder.numerics.quadrature import ConvergenceError

SITES = 3
seeds = st.integers(0, 2**32)


def annihilators(modes):
    """Jordan-Wigner matrices of the annihilation operators, 2^modes dimensions."""
    lower, sign, one = np.array([[0.0, 1.0], [0.0, 0.0]]), np.diag([1.0, -1.0]), np.eye(2)
    return [reduce(np.kron, [sign] * k + [lower] + [one] * (modes - k - 1)) for k in range(modes)]


C = annihilators(2 * SITES)
UP, DOWN = C[:SITES], C[SITES:]
SPINS = (UP, DOWN)


def symmetric(rng, scale=1.0):
    matrix = rng.normal(scale=scale, size=(SITES, SITES))
    return matrix + matrix.T


def orthonormal(rng):
    return np.linalg.qr(rng.normal(size=(SITES, SITES)))[0]


def model(rng):
    return symmetric(rng), symmetric(rng), symmetric(rng)


def quadratic(h):
    return sum(h[i, j] * c[i].T @ c[j] for c in SPINS for i in range(SITES) for j in range(SITES))


def density_interaction(same, opposite):
    """(1/2) sum U n n over all ordered pairs, i = j with equal spins included, as the paper writes it."""
    n = [[c[i].T @ c[i] for i in range(SITES)] for c in SPINS]
    total = np.zeros_like(n[0][0])
    for s in range(2):
        for r in range(2):
            coupling = same if s == r else opposite
            for i in range(SITES):
                for j in range(SITES):
                    total = total + coupling[i, j] / 2 * n[s][i] @ n[r][j]
    return total


def determinant(states, up, down):
    vector = np.zeros(4**SITES)
    vector[0] = 1.0
    for c, occupied in ((UP, up), (DOWN, down)):
        for a in occupied:
            vector = sum(states[i, a] * c[i].T for i in range(SITES)) @ vector
    return vector


@given(seeds, st.sets(st.integers(0, 2)), st.sets(st.integers(0, 2)))
@settings(max_examples=40, deadline=None)
def test_energy_is_the_expectation_value_in_fock_space(seed, up, down):
    """The paper's sum over all n n, minus the one-body part U_ii n_i/2 that n_i^2 = n_i makes of i = j."""
    rng = np.random.default_rng(seed)
    h, same, opposite = model(rng)
    states = orthonormal(rng)
    vector = determinant(states, up, down)
    assert vector @ vector == pytest.approx(1.0)
    occupations = [np.isin(range(SITES), list(s)).astype(float) for s in (up, down)]
    rho = [one_body_density_matrix(states, n) for n in occupations]
    exact = vector @ (quadratic(h) + density_interaction(same, opposite)) @ vector
    shift = same.diagonal() @ (rho[0] + rho[1]).diagonal() / 2
    energy = mean_field_energy(h, same, opposite, *rho)
    assert energy + shift == pytest.approx(exact, abs=1e-11)
    for c, matrix in zip(SPINS, rho, strict=True):
        exact = [[vector @ c[j].T @ c[i] @ vector for j in range(SITES)] for i in range(SITES)]
        assert np.allclose(matrix, exact, atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_hamiltonian_in_the_eigenstate_representation(seed):
    """(4) with its order of the operators is (1) with its sum over n n, as matrices of 64 dimensions."""
    rng = np.random.default_rng(seed)
    h, same, opposite = model(rng)
    energies, states = np.linalg.eigh(h)
    rotated = [[sum(states[i, a] * c[i] for i in range(SITES)) for a in range(SITES)] for c in SPINS]
    total = sum(e * c[a].T @ c[a] for c in rotated for a, e in enumerate(energies))
    hops = [[[c[a].T @ c[b] for b in range(SITES)] for a in range(SITES)] for c in rotated]
    for s in range(2):
        for r in range(2):
            tensor = interaction_tensor(states, same if s == r else opposite)
            for a, b, c, e in np.ndindex(tensor.shape):
                total = total + tensor[a, b, c, e] / 2 * hops[s][a][b] @ hops[r][c][e]
    assert np.allclose(total, quadratic(h) + density_interaction(same, opposite), atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_order_of_the_operators_hides_a_one_body_term(seed):
    """sum_c U_accb, left by normal ordering of (4), vanishes exactly if U_ii between equal spins does."""
    rng = np.random.default_rng(seed)
    states, same = orthonormal(rng), symmetric(rng)
    term = np.einsum("accb->ab", interaction_tensor(states, same))
    assert np.allclose(term, (states.T * same.diagonal()) @ states, atol=1e-12)
    np.fill_diagonal(same, 0.0)
    assert np.abs(np.einsum("accb->ab", interaction_tensor(states, same))).max() < 1e-12


@given(seeds)
@settings(max_examples=30, deadline=None)
def test_adding_a_particle_costs_the_mean_field(seed):
    """E(rho + phi phi^T) - E(rho) = phi^T h^HF phi, exactly: a particle does not repel itself."""
    rng = np.random.default_rng(seed)
    h, same, opposite = model(rng)
    states = orthonormal(rng)
    own, other = (
        one_body_density_matrix(states, [1, 0, 0]),
        one_body_density_matrix(orthonormal(rng), [1, 1, 0]),
    )
    phi = states[:, 2]
    more = own + np.outer(phi, phi)
    cost = mean_field_energy(h, same, opposite, more, other) - mean_field_energy(
        h, same, opposite, own, other
    )
    for rho in (own, more):
        field = mean_field_hamiltonian(h, same, opposite, rho, other)
        assert phi @ field @ phi == pytest.approx(cost, abs=1e-11)


@given(seeds)
@settings(max_examples=30, deadline=None)
def test_mean_field_is_the_derivative_of_the_energy(seed):
    rng = np.random.default_rng(seed)
    h, same, opposite = model(rng)
    own, other = (one_body_density_matrix(orthonormal(rng), rng.uniform(0.2, 0.8, 3)) for _ in range(2))
    change = 1e-2 * symmetric(rng) / 10
    field = mean_field_hamiltonian(h, same, opposite, own, other)
    # Central differences of a quadratic form are exact.
    plus = mean_field_energy(h, same, opposite, own + change, other)
    minus = mean_field_energy(h, same, opposite, own - change, other)
    assert (plus - minus) / 2 == pytest.approx((field * change).sum(), abs=1e-12)


def test_tensor_is_its_definition():
    rng = np.random.default_rng(2)
    phi, u = rng.normal(size=(4, 3)), rng.normal(size=(4, 4))
    u = u + u.T
    exact = np.einsum("ij,ia,ib,jc,je->abce", u, phi, phi, phi, phi)
    assert np.allclose(interaction_tensor(phi, u), exact, atol=1e-12)


def test_hubbard_model_has_no_exchange():
    """(A1): W_i + U <n_i of the other spin>, hopping unchanged; in general t_ij + U_ij <c+_j c_i>."""
    h = hamiltonian(4, 3.0, seed=1).toarray()
    states = eigenstates(4, 3.0, seed=1)[1]
    rho = one_body_density_matrix(states, np.arange(16) < 6)
    on_site = short_range_interaction(4, 2.5)
    field = mean_field_hamiltonian(h, np.zeros((16, 16)), on_site, rho)
    assert np.allclose(field, h + 2.5 * np.diag(rho.diagonal()), atol=1e-13)
    near = short_range_interaction(4, nearest=0.7)
    field = mean_field_hamiltonian(h, near, near, rho)
    neighbours = near / 0.7
    assert np.allclose(field - np.diag(field.diagonal()), h - np.diag(h.diagonal()) - 0.7 * neighbours * rho)
    density = 2 * rho.diagonal()
    assert np.allclose(
        field.diagonal(), site_energies(4, 3.0, seed=1) + 0.7 * neighbours @ density, atol=1e-13
    )


@pytest.mark.parametrize("size", [3, 4, 6])
def test_short_range_interaction_by_minimum_image(size):
    x, y = np.divmod(np.arange(size * size), size)

    def separation(c):
        d = np.abs(c[:, None] - c)
        return np.minimum(d, size - d)

    square = separation(x) ** 2 + separation(y) ** 2
    expected = np.select([square == 0, square == 1, square == 2], [2.0, -0.5, 0.25], 0.0)
    assert np.array_equal(short_range_interaction(size, 2.0, -0.5, 0.25), expected)


# ---------------------------------------------------------------- self-consistency


@given(st.floats(-1.5, 1.5), st.floats(0.0, 1.5))
@settings(max_examples=30, deadline=None)
def test_two_sites_in_closed_form(difference, u):
    """One pair on two sites: d = n_1 - n_2 obeys d = b/sqrt(b^2 + 4), b = difference - U d."""
    h = [[0.0, -1.0], [-1.0, difference]]
    result = self_consistent_mean_field(h, np.zeros((2, 2)), u * np.eye(2), 1)
    d = result.density_matrix[0, 0] - result.density_matrix[1, 1]
    b = difference - u * d
    assert d == pytest.approx(b / math.hypot(b, 2), abs=1e-8)


@pytest.mark.parametrize("u", [0.5, -0.5, 1.0])
def test_fixed_point_is_stationary_and_aufbau(u):
    h = hamiltonian(5, 6.0, seed=2).toarray()
    same, opposite = short_range_interaction(5, 0.0, 0.2), short_range_interaction(5, u, 0.2)
    result = self_consistent_mean_field(h, same, opposite, 10)
    assert result.residual < 1e-8
    assert np.trace(result.density_matrix) == pytest.approx(10, abs=1e-10)
    field = mean_field_hamiltonian(h, same, opposite, result.density_matrix)
    assert np.array_equal(field, result.hamiltonian)
    assert np.allclose(field @ result.states, result.states * result.energies, atol=1e-11)
    lowest = one_body_density_matrix(result.states, np.arange(25) < 10)
    assert np.allclose(lowest, result.density_matrix, atol=1e-8)
    assert result.energy == pytest.approx(
        mean_field_energy(h, same, opposite, result.density_matrix), abs=1e-11
    )
    # Rotating an occupied into an empty state by a small angle costs an energy of second order.
    for angle in (1e-3, -1e-3):
        turned = result.states.copy()
        turned[:, 9] = math.cos(angle) * result.states[:, 9] + math.sin(angle) * result.states[:, 10]
        energy = mean_field_energy(h, same, opposite, one_body_density_matrix(turned, np.arange(25) < 10))
        gap = result.energies[10] - result.energies[9]
        assert abs(energy - result.energy) < 10 * (gap + 1) * angle**2


def test_mean_field_weakens_the_disorder():
    """A low site holds more particles, which raise it: the fluctuation of W^HF shrinks."""
    h = hamiltonian(8, 9.0, seed=6).toarray()
    result = self_consistent_mean_field(h, np.zeros((64, 64)), short_range_interaction(8, 0.5), 28)
    assert result.hamiltonian.diagonal().std() < h.diagonal().std()
    free = one_body_density_matrix(np.linalg.eigh(h)[1], np.arange(64) < 28)
    assert np.corrcoef(free.diagonal(), h.diagonal())[0, 1] < -0.5


def test_empty_full_and_free():
    h = hamiltonian(3, 4.0, seed=0).toarray()
    zero, u = np.zeros((9, 9)), short_range_interaction(3, 1.0)
    assert self_consistent_mean_field(h, zero, u, 0).energy == 0.0
    full = self_consistent_mean_field(h, zero, u, 9)
    assert full.energy == pytest.approx(2 * np.trace(h) + 9, abs=1e-11)
    free = self_consistent_mean_field(h, zero, zero, 4)
    assert free.energy == pytest.approx(2 * np.linalg.eigvalsh(h)[:4].sum(), abs=1e-11)
    assert free.iterations <= 3


def test_iteration_without_a_fixed_point_raises():
    h = hamiltonian(4, 9.0, seed=0).toarray()
    with pytest.raises(ConvergenceError, match="still changes"):
        self_consistent_mean_field(
            h, np.zeros((16, 16)), short_range_interaction(4, 1.0), 6, max_iterations=2
        )
    strong = short_range_interaction(4, 60.0)
    with pytest.raises(ConvergenceError, match="still changes"):
        self_consistent_mean_field(h, np.zeros((16, 16)), strong, 6, mixing=1.0, max_iterations=100)


# ---------------------------------------------------------------- refusals

EYE = np.eye(2)
BAD_MATRICES = [math.nan, "1", None, 1j, [1.0, 2.0], [[1.0, 2.0]], [[1.0, math.nan], [math.nan, 1.0]]]
BAD_MATRICES += [
    [[0.0, 1.0], [2.0, 0.0]],
    np.eye(3),
    np.empty((0, 0)),
    [[1e200, 0], [0, 1]],
    [[True, False]] * 2,
]
MATRICES = {"single_particle": EYE, "same_spin": EYE, "opposite_spin": EYE}
CALLS = {
    mean_field_hamiltonian: {**MATRICES, "density_matrix": EYE, "other_density_matrix": EYE},
    mean_field_energy: {**MATRICES, "density_matrix": EYE, "other_density_matrix": EYE},
    self_consistent_mean_field: {**MATRICES, "pairs": 1},
}


@pytest.mark.parametrize("bad", BAD_MATRICES)
@pytest.mark.parametrize("function", CALLS)
def test_bad_matrices(function, bad):
    for argument, good in CALLS[function].items():
        if good is EYE and not (bad is None and argument == "other_density_matrix"):
            # A wrong size of the first matrix shows as a mismatch of the second.
            with pytest.raises((TypeError, ValueError), match=r"single_particle|same_spin|" + argument):
                function(**{**CALLS[function], argument: bad})


@pytest.mark.parametrize("argument", ["density_matrix", "other_density_matrix"])
def test_density_matrices_hold_probabilities(argument):
    for function in (mean_field_hamiltonian, mean_field_energy):
        with pytest.raises(ValueError, match=f"{argument} must have entries between"):
            function(**{**CALLS[function], argument: 2 * EYE})


@pytest.mark.parametrize(
    ("argument", "bad"),
    [
        *(("pairs", value) for value in (-1, 3, 1.0, None, True, "1")),
        *(("mixing", value) for value in (0.0, 1.1, -0.5, math.nan, None, "1")),
        *(("tolerance", value) for value in (0.0, -1.0, math.nan, None)),
        *(("max_iterations", value) for value in (0, 1.0, None)),
    ],
)
def test_bad_iteration_arguments(argument, bad):
    with pytest.raises((TypeError, ValueError), match=argument):
        self_consistent_mean_field(**{**CALLS[self_consistent_mean_field], argument: bad})


@pytest.mark.parametrize("bad", [math.nan, math.inf, "1", None, 1j, True])
def test_bad_strengths(bad):
    for argument in ("on_site", "nearest", "diagonal"):
        with pytest.raises((TypeError, ValueError), match=argument):
            short_range_interaction(4, **{argument: bad})


@pytest.mark.parametrize("bad", [2, 65, 3.0, None, True])
def test_bad_size(bad):
    with pytest.raises((TypeError, ValueError), match="size"):
        short_range_interaction(bad)


@pytest.mark.parametrize(
    "bad", [math.nan, "1", None, 1j, [1.0], [[1.0, math.inf]], np.ones((2, 65)), np.ones((2, 0))]
)
def test_bad_states(bad):
    with pytest.raises((TypeError, ValueError), match="states"):
        interaction_tensor(bad, EYE)
    if not (isinstance(bad, np.ndarray) and bad.size):
        with pytest.raises((TypeError, ValueError), match=r"states|occupations"):
            one_body_density_matrix(bad, [1.0])


@pytest.mark.parametrize(
    "bad", [[1.0], [1.0, 1.1], [-0.1, 0.0], [math.nan, 0.0], "1", None, [[1.0, 0.0]], [1j, 0]]
)
def test_bad_occupations(bad):
    with pytest.raises((TypeError, ValueError), match="occupations"):
        one_body_density_matrix(EYE, bad)


def test_bad_interaction():
    for bad in ([[0.0, 1.0], [2.0, 0.0]], np.eye(3), None, "1", [[math.nan, 0], [0, 1]]):
        with pytest.raises((TypeError, ValueError), match="interaction"):
            interaction_tensor(EYE, bad)
