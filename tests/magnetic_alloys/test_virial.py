"""Clusters, virial coefficients and random alloys against independent routes."""

import math
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp
from scipy.integrate import quad
from scipy.stats import qmc

from disorder.magnetic_alloys import (
    alloy_quenching,
    alpha_s,
    cluster_quenching,
    quenched_maximum,
    random_couplings,
    resistivity_maximum,
    stationary_concentration,
    virial_coefficient,
    virial_quenching,
)
from disorder.magnetic_alloys.virial import (
    _disc_shapes,
    _shape_measure,
    _size_integral,
    _sphere_shapes,
    _virial_task,
)

ALPHA_HALF = 1.1048512


def spin_matrices(two_s):
    m = np.arange(two_s, -two_s - 1, -2) / 2
    plus = np.diag(np.sqrt((two_s / 2 - m[1:]) * (two_s / 2 + m[1:] + 1)), 1)
    return (plus + plus.T) / 2, (plus - plus.T) / 2j, np.diag(m).astype(complex)


def brute_force(couplings, temperature, two_s):
    """G of every spin from the full Hilbert space, all three components, in plain NumPy."""
    spins = len(couplings)
    single = spin_matrices(two_s)

    def at(i, operator):
        result = np.eye(1)
        for k in range(spins):
            result = np.kron(result, operator if k == i else np.eye(two_s + 1))
        return result

    operators = [[at(i, component) for component in single] for i in range(spins)]
    hamiltonian = sum(
        couplings[i][j] * sum(a @ b for a, b in zip(operators[i], operators[j], strict=True))
        for i, j in combinations(range(spins), 2)
    )
    hamiltonian = hamiltonian + np.zeros(((two_s + 1) ** spins,) * 2)
    energies, states = np.linalg.eigh(hamiltonian)
    energies = energies - energies[0]
    mean = (energies[:, None] + energies) / (2 * temperature)
    x = (energies[:, None] - energies) / temperature
    with np.errstate(invalid="ignore"):
        weight = np.exp(-mean) * np.where(np.abs(x) < 1e-9, 1.0, (x / 2) / np.sinh(x / 2))
    partition = np.exp(-energies / temperature).sum()
    s = two_s / 2
    return np.array(
        [
            sum((abs(states.conj().T @ part @ states) ** 2 * weight).sum() for part in parts)
            / (s * (s + 1) * partition)
            for parts in operators
        ]
    )


def random_matrix(rng, spins, scale=2.0):
    upper = np.triu(rng.normal(scale=scale, size=(spins, spins)), 1)
    return upper + upper.T


def pair(v, temperature=1.0, spin=0.5):
    return float(cluster_quenching([[0.0, v], [v, 0.0]], temperature, spin).factor[0])


def three_spins_half(a, b, c):
    """Mean G of three spins 1/2 from the quartet and the two doublets; arguments are couplings over T."""
    total = a + b + c
    root = np.sqrt(((a - b) ** 2 + (b - c) ** 2 + (c - a) ** 2) / 2)
    levels = np.array([total / 4, -total / 4 - root / 2, -total / 4 + root / 2])
    levels = levels - levels.min(axis=0)
    quartet, low, high = np.exp(-levels)

    def mixed(i, j):
        y = np.abs(levels[i] - levels[j]) / 2
        ratio = np.where(y < 1e-6, 1.0 + y, 2 * y / -np.expm1(-2 * np.maximum(y, 1e-6)))
        return np.exp(-np.maximum(levels[i], levels[j])) * ratio

    sums = (
        (5 / 3) * quartet + (low + high) / 2 + (2 / 3) * mixed(1, 2) + (4 / 3) * (mixed(0, 1) + mixed(0, 2))
    )
    return sums / (0.75 * (4 * quartet + 2 * low + 2 * high))


def two_spins_half(v):
    levels = np.array([-0.75 * v, 0.25 * v])
    levels = levels - levels.min(axis=0)
    singlet, triplet = np.exp(-levels)
    y = np.abs(v) / 2
    ratio = np.where(y < 1e-6, 1.0 + y, 2 * y / -np.expm1(-2 * np.maximum(y, 1e-6)))
    return (1.5 * triplet + 1.5 * np.exp(-levels.max(axis=0)) * ratio) / (0.75 * (singlet + 3 * triplet))


@pytest.mark.parametrize(("spins", "two_s"), [(2, 1), (3, 1), (5, 1), (2, 2), (3, 2), (4, 2), (3, 3), (2, 5)])
def test_multiplets_against_full_space(spins, two_s):
    rng = np.random.default_rng(spins + 10 * two_s)
    couplings = random_matrix(rng, spins)
    for temperature in (0.1, 0.7, 5.0):
        expected = brute_force(couplings, temperature, two_s)
        computed = cluster_quenching(couplings, temperature, two_s / 2).factor
        np.testing.assert_allclose(computed, expected, rtol=0, atol=3e-13)


def test_pair_in_closed_form_to_30_digits():
    mp.dps = 30
    for v in (-40, -3, -0.5, 0.01, 1, 7, 60):
        y = mp.mpf(v)
        partition = mp.exp(3 * y / 4) + 3 * mp.exp(-y / 4)
        exact = 2 * (mp.exp(-y / 4) + mp.exp(y / 4) * (y / 2) / mp.sinh(y / 2)) / partition
        assert abs(pair(v) - float(exact)) < 1e-14


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(-30, 30), min_size=3, max_size=3))
def test_three_spins_half_against_doublet_formula(v):
    a, b, c = v
    matrix = [[0, c, b], [c, 0, a], [b, a, 0]]
    mean = cluster_quenching(matrix, 1.0, 0.5).factor.mean()
    assert abs(mean - three_spins_half(a, b, c)) < 1e-12


def test_classical_limit_of_the_ferromagnetic_pair():
    # Cold ferromagnetic pair: only the ground multiplet is left, where each spin is J/2, so that
    # G = (1/4) 2S(2S+1) / (S(S+1)).
    for spin in (0.5, 1, 2.5):
        assert pair(-2000.0, 1.0, spin) == pytest.approx((2 * spin + 1) / (2 * (spin + 1)), rel=1e-12)
        assert pair(2000.0, 1.0, spin) == pytest.approx(0.0, abs=1e-12)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(2, 5), st.floats(0.05, 50.0))
def test_bounds_symmetry_and_slope(seed, spins, temperature):
    couplings = random_matrix(np.random.default_rng(seed), spins)
    result = cluster_quenching(couplings, temperature, 0.5)
    assert (result.factor >= -1e-13).all()
    assert (result.factor <= 1 + 1e-13).all()
    order = np.random.default_rng(seed + 1).permutation(spins)
    shuffled = cluster_quenching(couplings[np.ix_(order, order)], temperature, 0.5)
    np.testing.assert_allclose(shuffled.factor, result.factor[order], atol=1e-12)
    step = 1e-4
    around = cluster_quenching(couplings, temperature * np.exp([step, -step]), 0.5).factor
    np.testing.assert_allclose((around[0] - around[1]) / (2 * step), result.slope, atol=1e-6)
    # Only couplings over temperature matter.
    scaled = cluster_quenching(3.0 * couplings, 3.0 * temperature, 0.5).factor
    np.testing.assert_allclose(scaled, result.factor, atol=1e-12)


def test_far_spin_decouples():
    couplings = random_matrix(np.random.default_rng(3), 3)
    larger = np.zeros((5, 5))
    larger[:3, :3] = couplings
    larger[3, 4] = larger[4, 3] = 1.7
    result = cluster_quenching(larger, 0.8, 1.0).factor
    np.testing.assert_allclose(result[:3], cluster_quenching(couplings, 0.8, 1.0).factor, atol=1e-13)
    np.testing.assert_allclose(result[3:], pair(1.7, 0.8, 1.0), atol=1e-13)


def test_stacks_and_shapes():
    rng = np.random.default_rng(4)
    stack = np.array([[random_matrix(rng, 3) for _ in range(2)] for _ in range(4)])
    result = cluster_quenching(stack, [0.5, 1.0, 2.0, 4.0, 8.0], 0.5)
    assert result.factor.shape == result.slope.shape == (4, 2, 5, 3)
    np.testing.assert_array_equal(result.factor[1, 1, 2], cluster_quenching(stack[1, 1], 2.0, 0.5).factor)


@pytest.mark.parametrize("spin", [0.5, 1, 1.5, 2.5])
def test_first_coefficient_is_alpha(spin):
    # The control: the route of all orders, on pairs, gives the coefficient of Eq. (28).
    result = virial_coefficient(1, spin, samples=2048, scrambles=4)
    assert abs(result.value + alpha_s(spin)) < 6 * result.error + 1e-7
    assert result.error < 1e-5


def test_first_coefficient_by_plain_quadrature():
    # -b_1 = 4 pi int r^2 dr <1 - g(cos(phi) / r^3)>, on a grid in phi and ln r^3.
    nodes, weights = np.polynomial.legendre.leggauss(200)
    phase, phase_weight = math.pi / 4 * (nodes + 1), weights / 2
    log_volume, volume_weight = 12 * nodes - 6, 12 * weights
    volume = np.exp(log_volume)
    y = np.cos(phase)[:, None] / volume
    g = (two_spins_half(y) + two_spins_half(-y)) / 2
    mean = phase_weight @ (1 - g) @ (volume_weight * volume)
    # Farther away 1 - g = c y^2 + O(y^4), with <cos^2> = 1/2.
    far = np.array(1e-3)
    c = (1 - (two_spins_half(far) + two_spins_half(-far)) / 2) / far**2
    mean += c / 2 / math.exp(6.0)
    assert 4 * math.pi / 3 * mean == pytest.approx(ALPHA_HALF, abs=1e-5)


def doublet_integrals(cube):
    """Second coefficient, cluster by cluster, from the doublet formula and Gauss nodes in the size."""
    w, theta = np.sqrt(cube[:, 0]), 2 * np.pi * cube[:, 1]
    squares = 1 - w[:, None] * np.cos(theta[:, None] + 2 * np.pi / 3 * np.arange(3))
    v = np.cos(2 * np.pi * cube[:, 2:]) / squares**1.5
    scale = np.abs(v).max(axis=1)
    nodes, weights = np.polynomial.legendre.leggauss(240)
    log_size = 0.5 * (math.log(1e9) * nodes + math.log(1e5))
    total = np.zeros(len(cube))
    for x, weight in zip(log_size, weights * 0.5 * math.log(1e9), strict=True):
        size = math.exp(x)
        for sign in (1, -1):
            y = sign * size * (v / scale[:, None]).T
            u = three_spins_half(*y) - (2 / 3) * two_spins_half(y).sum(axis=0) + 1
            total += 0.5 * weight * u / size**2
    return math.sqrt(27) * math.pi**3 / 6 * total * scale**2


def test_second_coefficient_against_doublet_formula():
    # Same measure derived by hand, but closed-form levels, other nodes and other points.
    cube = qmc.Sobol(5, rng=11).random(2**13)
    parts = doublet_integrals(cube)
    blocks = np.array([doublet_integrals(qmc.Sobol(5, rng=k).random(1024)).mean() for k in range(8)])
    error = blocks.std(ddof=1) / math.sqrt(8)
    result = virial_coefficient(2, 0.5, samples=512, scrambles=8, seed=5)
    assert abs(result.value - parts.mean()) < 5 * math.hypot(result.error, error)
    assert abs(result.value - blocks.mean()) < 5 * math.hypot(result.error, error)
    assert result.error < 0.02
    assert result.clusters == 4096


def test_second_coefficient_with_phases_tied_to_distances():
    # Large 2 k_F r: a random size per cluster and phases 2 k_F r give the same number.
    independent = virial_coefficient(2, 0.5, samples=256, scrambles=8)
    tied = virial_coefficient(2, 0.5, samples=1024, scrambles=8, wave_number=300.0)
    assert abs(tied.value - independent.value) < 4 * math.hypot(tied.error, independent.error)
    assert tied.error < 0.06
    # Slow oscillations: b_1 = -4 pi int r^2 dr {1 - g[cos(kappa r)/r^3]} by a plain sum.
    r = (np.arange(200_000) + 0.5) * 2e-4
    for kappa in (0.01, 2.0, 6.0):
        exact = -4 * np.pi * 2e-4 * (r**2 * (1 - two_spins_half(np.cos(kappa * r) / r**3))).sum()
        result = virial_coefficient(1, 0.5, samples=4096, scrambles=8, wave_number=kappa)
        assert abs(result.value - exact) < 6 * result.error + 3e-5
        assert result.error < 2e-3


def test_odd_orders_cancel_cluster_by_cluster():
    rng = np.random.default_rng(9)
    bonds = rng.normal(size=(20, 3))
    np.testing.assert_array_equal(_size_integral(bonds, 2, 1, 0.25), _size_integral(-bonds, 2, 1, 0.25))


def test_disc_and_sphere_sample_the_same_triangles():
    disc = _disc_shapes(qmc.Sobol(2, rng=1).random(2**14))
    sphere = _sphere_shapes(qmc.Sobol(6, rng=1).random(2**14), 3)
    np.testing.assert_allclose((disc**2).sum(axis=1), 3.0)
    np.testing.assert_allclose((sphere**2).sum(axis=1), 3.0)
    for power in (-1, 1, 3, 4):
        assert (disc**power).mean() == pytest.approx((sphere**power).mean(), rel=0.01)
    assert (disc[:, 0] * disc[:, 1]).mean() == pytest.approx((sphere[:, 0] * sphere[:, 1]).mean(), rel=0.01)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_shape_measure_by_gaussian_integral(order):
    # int d^3r_2.. exp(-sum_i |r_i - centre|^2) has the closed form N^(3/2) pi^(3k/2); over sizes
    # s = lambda^(-1/3) it is measure * k! * int d(lambda) lambda^(-k-1) exp(-lambda^(-2/3)).
    integral, _ = quad(lambda s: 3 * s ** (3 * order - 1) * math.exp(-s * s), 0, 20)
    exact = (order + 1) ** 1.5 * math.pi ** (1.5 * order)
    assert _shape_measure(order) * math.factorial(order) * integral == pytest.approx(exact, rel=1e-10)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_size_integral_does_not_depend_on_its_nodes(order):
    coarse, fine = (
        _virial_task(np.random.SeedSequence(8), order, 1, 64, None, step) for step in (0.25, 0.11)
    )
    assert coarse == pytest.approx(fine, rel=3e-6)


def test_third_coefficient_has_the_sign_and_size_of_the_quotient():
    # b_3 is compared with an estimate that uses nothing of its sampling: the alloy itself at T = 4 T_sg.
    third = virial_coefficient(3, 0.5, samples=256, scrambles=8)
    alloy = alloy_quenching([8.0], 0.5, 6, samples=6000, geometry="neighbours", exact_pairs=True)
    second = virial_coefficient(2, 0.5, samples=256, scrambles=8).value
    rest = (alloy.factor[0] - 1 + ALPHA_HALF / 8 - second / 64) * 512
    # The remainder also holds b_4 / 8, about +0.3.
    assert abs(rest - third.value - 0.3) < 5 * math.hypot(alloy.factor_error[0] * 512, third.error) + 0.2
    assert -2.4 < third.value < -1.4


def test_alloy_follows_the_virial_expansion_when_hot():
    second = virial_coefficient(2, 0.5, samples=256, scrambles=8).value
    t = np.array([12.0, 25.0])
    expansion = virial_quenching(t, [-alpha_s(0.5), second])
    for geometry, spins in (("neighbours", 6), ("box", 6)):
        alloy = alloy_quenching(t, 0.5, spins, samples=2000, geometry=geometry, exact_pairs=True)
        room = 2.5 / t**3 + 0.1 / spins / t
        assert (np.abs(alloy.factor - expansion.factor) < 5 * alloy.factor_error + room).all()
        assert (
            np.abs(alloy.slope - expansion.slope / expansion.factor) < 5 * alloy.slope_error + 3 * room
        ).all()


@pytest.mark.parametrize("geometry", ["neighbours", "box"])
def test_clusters_scatter_less_than_frozen_spins(geometry):
    # The mean-field value S/(S+1) of Eq. (30) is crossed well above the lowest temperature computed here.
    alloy = alloy_quenching([0.25], 0.5, 7, samples=600, geometry=geometry)
    assert alloy.factor[0] + 5 * alloy.factor_error[0] < 1 / 3
    assert alloy.slope[0] > 5 * alloy.slope_error[0]


@pytest.mark.parametrize("geometry", ["neighbours", "box"])
def test_no_maximum_of_the_resistivity_at_moderate_concentration(geometry):
    # First order promises a maximum above 2 T_sg at T_sg = 3 T_K; exact clusters have none above T_sg / 4.
    t = np.geomspace(0.25, 10.0, 30)
    alloy = alloy_quenching(t, 0.5, 7, samples=600, geometry=geometry)
    assert resistivity_maximum(0.5, 3.0, 1.0) > 2 * 3.0
    assert stationary_concentration(t, alloy.slope + 5 * alloy.slope_error).min() > 30


def test_exact_pairs_do_not_change_the_mean_of_a_large_cluster():
    t = np.array([6.0, 12.0])
    plain = alloy_quenching(t, 0.5, 7, samples=4000, geometry="neighbours", seed=1)
    exact = alloy_quenching(t, 0.5, 7, samples=4000, geometry="neighbours", seed=2, exact_pairs=True)
    error = np.hypot(plain.factor_error, exact.factor_error)
    assert (np.abs(plain.factor - exact.factor) < 4 * error + 0.003).all()
    assert (exact.factor_error < plain.factor_error).all()


def test_random_couplings_have_the_density_of_the_alloy():
    rng = np.random.default_rng(6)
    limit = 40.0
    for geometry in ("box", "neighbours"):
        found = []
        for _ in range(4000):
            v = random_couplings(6, rng, geometry)
            assert (v == v.T).all()
            found.append((np.abs(v[0]) > limit).sum())
        # Expected number of neighbours of spin 0 with |V| > limit: (4 pi/3) <|cos|> / limit.
        expected = 4 * np.pi / 3 * 2 / np.pi / limit
        assert abs(np.mean(found) - expected) < 5 * math.sqrt(expected / 4000)


def test_same_digits_with_workers_and_after_resumption(tmp_path):
    call = {"temperature": [1.0, 3.0], "spin": 0.5, "spins": 4, "samples": 100, "seed": 3}
    serial = alloy_quenching(**call, checkpoint=tmp_path / "a")
    for executor in (ThreadPoolExecutor(2), ProcessPoolExecutor(2)):
        with executor:
            parallel = alloy_quenching(**call, executor=executor)
        np.testing.assert_array_equal(parallel.factor, serial.factor)
        np.testing.assert_array_equal(parallel.slope_error, serial.slope_error)
    np.testing.assert_array_equal(alloy_quenching(**call, checkpoint=tmp_path / "a").factor, serial.factor)
    first = virial_coefficient(2, 1, samples=16, scrambles=2)
    with ThreadPoolExecutor(2) as threads:
        assert virial_coefficient(2, 1, samples=16, scrambles=2, executor=threads) == first


def test_quotient_and_series_share_two_coefficients():
    coefficients = [-1.2, 1.7]
    t = np.array([1e3, 2e3])
    series, quotient = (virial_quenching(t, coefficients, form) for form in ("series", "pade"))
    # They part at third order: b_2^2 / b_1.
    third = (quotient.factor - series.factor) * t**3
    np.testing.assert_allclose(third, 1.7**2 / -1.2, rtol=3e-3)
    np.testing.assert_allclose((quotient.slope - series.slope) * t**3, -3 * 1.7**2 / -1.2, rtol=4e-3)
    for form in ("series", "pade"):
        up, down = (virial_quenching(2.0 * math.exp(h), coefficients, form).factor for h in (1e-5, -1e-5))
        assert (up - down) / 2e-5 == pytest.approx(float(virial_quenching(2.0, coefficients, form).slope))


@pytest.mark.parametrize("ratio", [2.0, 10.0, 1e4])
def test_maximum_of_the_first_order_is_the_exact_one(ratio):
    t = np.geomspace(1.3, 30.0, 400)
    quenching = virial_quenching(t, [-alpha_s(0.5)])
    found = quenched_maximum(t, quenching.slope / quenching.factor, ratio)
    assert found == pytest.approx(resistivity_maximum(0.5, ratio, 1.0) / ratio, rel=1e-7)


def test_stationary_concentration_inverts_the_maximum():
    t = np.geomspace(0.2, 30.0, 300)
    quenching = virial_quenching(t, [-1.1, 1.4], "pade")
    slope = quenching.slope / quenching.factor
    ratio = stationary_concentration(t, slope)
    assert quenched_maximum(t, slope, 3000.0) == pytest.approx(
        np.interp(3000.0, ratio[100:], t[100:]), rel=1e-3
    )
    assert quenched_maximum(t, slope, 0.9 * ratio.min()) is None
    assert quenched_maximum(t, slope, 1.1 * ratio.min()) is not None
    assert stationary_concentration(1.0, 1e-3) == np.inf


BAD_COUPLINGS = [
    ([[0, 1], [2, 0]], ValueError),
    ([[1, 1], [1, 0]], ValueError),
    ([0, 1], ValueError),
    ([[0, np.nan], [np.nan, 0]], ValueError),
    ([[0, 1, 2], [1, 0, 3]], ValueError),
    ("none", TypeError),
    (np.zeros((14, 14)), ValueError),
    ([[0, 1j], [1j, 0]], TypeError),
]


@pytest.mark.parametrize(("couplings", "error"), BAD_COUPLINGS)
def test_bad_couplings(couplings, error):
    with pytest.raises(error, match=r"couplings|spins"):
        cluster_quenching(couplings, 1.0, 0.5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cluster_quenching([[0, 1], [1, 0]], 0.0, 0.5), "temperature"),
        (lambda: cluster_quenching([[0, 1], [1, 0]], np.nan, 0.5), "temperature"),
        (lambda: cluster_quenching([[0, 1], [1, 0]], [[1.0]], 0.5), "temperature"),
        (lambda: cluster_quenching([[0, 1], [1, 0]], 1.0, 0.3), "spin"),
        (lambda: random_couplings(1, np.random.default_rng(0)), "spins"),
        (lambda: random_couplings(3, 7), "rng"),
        (lambda: random_couplings(3, np.random.default_rng(0), "sphere"), "geometry"),
        (lambda: virial_coefficient(0, 0.5), "order"),
        (lambda: virial_coefficient(5, 0.5), "order"),
        (lambda: virial_coefficient(2, 0.25), "spin"),
        (lambda: virial_coefficient(2, 50.0), "spins"),
        (lambda: virial_coefficient(2, 0.5, samples=100), "samples"),
        (lambda: virial_coefficient(2, 0.5, samples=8), "samples"),
        (lambda: virial_coefficient(2, 0.5, scrambles=1), "scrambles"),
        (lambda: virial_coefficient(2, 0.5, seed=-1), "seed"),
        (lambda: virial_coefficient(2, 0.5, wave_number=0.0), "wave_number"),
        (lambda: virial_quenching(0.0, [1.0]), "temperature"),
        (lambda: virial_quenching(1.0, []), "coefficients"),
        (lambda: virial_quenching(1.0, [1.0, np.inf]), "coefficients"),
        (lambda: virial_quenching(1.0, [1.0, 1.0], "pade"), "coefficients"),
        (lambda: virial_quenching(1.0, [-1.0], "pade"), "coefficients"),
        (lambda: virial_quenching(1.0, [1.0], "borel"), "form"),
        (lambda: alloy_quenching(1.0, 0.5, 4), "temperature"),
        (lambda: alloy_quenching([-1.0], 0.5, 4), "temperature"),
        (lambda: alloy_quenching([1.0], 0.5, 1), "spins"),
        (lambda: alloy_quenching([1.0], 0.5, 13), "spins"),
        (lambda: alloy_quenching([1.0], 0.5, 4, samples=10), "samples"),
        (lambda: alloy_quenching([1.0], 0.5, 4, geometry="ball"), "geometry"),
        (lambda: stationary_concentration(1.0, 0.0), "log_slope"),
        (lambda: stationary_concentration(-1.0, 1.0), "temperature"),
        (lambda: quenched_maximum([1.0, 2.0], [1.0, 2.0], 3.0), "temperature"),
        (lambda: quenched_maximum([1.0, 2.0, 2.0, 3.0], [1.0] * 4, 3.0), "temperature"),
        (lambda: quenched_maximum([1.0, 2.0, 3.0, 4.0], [1.0] * 4, 0.5), "temperature"),
        (lambda: quenched_maximum([1.0, 2.0, 3.0, 4.0], [np.nan] * 4, 3.0), "log_slope"),
        (lambda: quenched_maximum([1.0, 2.0, 3.0, 4.0], [1.0] * 4, 0.0), "ratio"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()


def test_extreme_but_legal_values():
    for v, t in ((1e300, 1e-300), (-1e300, 1e-300), (1e-300, 1e300), (1.0, 1e-10)):
        result = cluster_quenching([[0, v, 0.5 * v], [v, 0, v], [0.5 * v, v, 0]], t, 0.5)
        assert np.isfinite(result.factor).all()
        assert np.isfinite(result.slope).all()
