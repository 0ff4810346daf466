"""Second order of the cluster densities: three centres, their stability, their Monte Carlo average."""

from concurrent.futures import ThreadPoolExecutor
from itertools import combinations, permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disorder.amorphous_solids import (
    COUPLING_DISTRIBUTIONS,
    coupling_ratio,
    density_series,
    fit_logarithms,
    is_stable,
    three_center_coefficients,
    transition_sizes,
    triangle_integrals,
)
from disorder.numerics.quadrature import panel_rule

FIELDS = ("bilinear", "single", "pair", "triple")
triangles = st.tuples(*[st.floats(-3, 3)] * 3)


def matrix(u12, u13, u23):
    return np.array([[0, u12, u13], [u12, 0, u23], [u13, u23, 0]])


def grid(top, points=900):
    step = top / points
    axis = (np.arange(points) + 0.5) * step
    return *(part.ravel() for part in np.meshgrid(axis, axis, indexing="ij")), step**2


CASES = [
    (1.3, 0.4, 0.7), (1.3, -0.4, 0.7), (1.3, 0.4, -0.7), (1.3, -0.4, -0.7), (0.2, 1.1, 0.5), (0.2, -0.15,
    0.9), (-0.6, 1.0, 0.8), (-0.6, 0.4, 1.5), (0.5, 0.6, -0.2), (-0.1, 0.5, 0.6), (0.3, 0.3, 1.5), (-0.3,
    -0.4, -0.5), (0.8, -0.5, 0.0), (0.0, 0.8, 0.5),
]  # fmt: skip


@pytest.mark.parametrize("u", CASES)
def test_energy_integrals_against_the_conditions_on_a_grid(u):
    """Every integral again from the definitions, with indicator functions on a grid of energies."""
    u12, u13, u23 = u
    values = triangle_integrals(*u)
    x, y, cell = grid(3.6)
    f12, f13, f23, t = x < u12, y < u13, x + y < u23, x + y < u12 + u13 + u23
    bilinear = f12 * 1.0 * f13 + f12 * f23 * 1.0 + f13 * 1.0 * f23
    single = bilinear - f12 * 1.0 * f13 * f23 - t * 1.0 * ~f12 * ~f13 * ~f23
    assert values.bilinear == pytest.approx(bilinear.sum() * cell, abs=0.02)
    assert values.single == pytest.approx(single.sum() * cell, abs=0.02)
    # Three centres with e3 = sum of couplings - e1 - e2, all pairs stable.
    third = u12 + u13 + u23 - x - y
    energies = np.stack((x, y, third), axis=1)
    stable = (third > 0) & is_stable(energies, matrix(*u), largest_flip=2)
    assert values.triple == pytest.approx(stable.sum() * cell, abs=0.02)
    # A pair with e1 + e2 = u12 and a third centre.
    if u12 > 0:
        e1 = (np.arange(900) + 0.5) * u12 / 900
        e3 = (np.arange(900) + 0.5) * 3.6 / 900
        first, third = (part.ravel() for part in np.meshgrid(e1, e3))
        allowed = (first + third > u13) & (u12 - first + third > u23) & (third > u13 + u23)
        assert values.pair == pytest.approx((~allowed).sum() * u12 * 3.6 / 900**2, abs=0.01)
    else:
        assert values.pair == 0


@pytest.mark.parametrize("v", [(1.0, 0.6, 0.3), (0.5, -0.9, 0.7), (0.4, 0.5, -1.2)])
def test_energy_integrals_against_true_ground_states(v):
    """Areas of the plane of fields in which 1, 2 or 3 centres flip, from the energies of all states."""
    edge, points = 2.5, 500
    axis = (np.arange(points) + 0.5) * 2 * edge / points - edge
    second, third = (part.ravel() for part in np.meshgrid(axis, axis))
    fields = np.stack((0 * second, second, third), axis=1)
    sizes = transition_sizes(fields, matrix(*v))
    cell = (2 * edge / points) ** 2
    v12, v13, v23 = v
    gauges = np.array([(-v12 * -s, -v13 * -r, -v23 * s * r) for s, r in product((-1, 1), repeat=2)]).T
    here = triangle_integrals(*gauges)
    with_third = triangle_integrals(gauges[1], gauges[0], gauges[2])
    triple = here.triple.sum()
    pair = 2 * edge * (abs(v12) + abs(v13)) - here.pair.sum() - with_third.pair.sum()
    single = (2 * edge) ** 2 - 2 * edge * (abs(v12) + abs(v13)) + here.single.sum()
    areas = np.bincount(sizes, minlength=4)[1:] * cell
    assert areas == pytest.approx([single, pair, triple], abs=0.03)
    assert single + pair + triple == pytest.approx((2 * edge) ** 2, abs=1e-12)


@given(triangles)
@settings(max_examples=50, deadline=None)
def test_symmetries_and_scaling(u):
    values = triangle_integrals(*u)
    swapped = triangle_integrals(u[1], u[0], u[2])
    assert values.single == pytest.approx(swapped.single, abs=1e-13)
    assert values.bilinear == pytest.approx(swapped.bilinear, abs=1e-13)
    assert values.pair == pytest.approx(triangle_integrals(u[0], u[2], u[1]).pair, abs=1e-13)
    for order in permutations(range(3)):
        assert values.triple == pytest.approx(triangle_integrals(*(u[i] for i in order)).triple, abs=1e-13)
    larger = triangle_integrals(*(4 * x for x in u))
    for name in FIELDS:
        assert getattr(larger, name) == pytest.approx(16 * getattr(values, name), abs=1e-12)
        assert getattr(values, name) >= -1e-12 or name == "single"


@given(triangles)
@settings(max_examples=50, deadline=None)
def test_nothing_is_lost_in_any_triangle(u):
    """Summed over signs and over the roles of the centres: the sum of n P_n, and each part."""
    signs = np.array(list(product((-1, 1), repeat=3))) * u
    single = pair = bilinear = 0.0
    for opposite in range(3):
        a, b, c = signs[:, opposite - 2], signs[:, opposite - 1], signs[:, opposite]
        observed = triangle_integrals(a, b, c)
        single += observed.single.sum()
        bilinear += observed.bilinear.sum()
        pair += triangle_integrals(c, a, b).pair.sum()
    triple = triangle_integrals(*signs.T).triple.sum()
    assert single - 2 * pair + 3 * triple == pytest.approx(0, abs=1e-10)
    assert bilinear - single == pytest.approx(triple, abs=1e-10)
    products = sum(abs(x * y) for x, y in combinations(u, 2))
    assert bilinear == pytest.approx(2 * pair - 2 * triple, abs=1e-10)
    # The chain of two couplings symmetrised over their exchange is their product.
    a, c = abs(u[0]), abs(u[1])
    chain = triangle_integrals(a, 0.0, c).bilinear + triangle_integrals(c, 0.0, a).bilinear
    assert chain == pytest.approx(a * c, abs=1e-12)
    assert products >= 0


def test_far_third_centre():
    # One strong bond: the triple integral tends to U_12 (U_13 + U_23), the step before (2.24).
    strong = 1e8
    for a, b in ((0.3, 0.9), (0.9, -0.3), (-0.2, 0.5)):
        assert triangle_integrals(strong, a, b).triple == pytest.approx(strong * (a + b), rel=1e-7)
        assert triangle_integrals(strong, -a, -b).triple == 0
        assert triangle_integrals(strong, a, b).pair == pytest.approx(strong * (a + b), rel=1e-7)
        assert triangle_integrals(-strong, a, b).triple == 0


def test_no_cancellation_between_distant_scales():
    big, small = 1e60, 1e-60
    values = triangle_integrals(big, small, 2 * small)
    assert values.triple == pytest.approx(3.0, rel=1e-14)
    # f12 f13 + f13 f23 - f12 f13 f23 = small * small*2 scale and big * small
    assert triangle_integrals(small, 2 * small, big).bilinear == pytest.approx(3.0, rel=1e-14)
    assert values.pair == pytest.approx(3.0, rel=1e-14)


@pytest.fixture(scope="module", params=COUPLING_DISTRIBUTIONS)
def measured(request):
    xi = [6, 7, 8, 9, 10, 12, 14, 16]
    return request.param, fit_logarithms(three_center_coefficients(xi, request.param, samples=65_536, seed=1))


def test_leading_logarithms_are_those_of_the_renormalization_group(measured):
    name, fit = measured
    b12 = coupling_ratio(1, 2, name)
    expected = density_series(2, lambda k, m: b12 if k * m == 2 else 1.0)[:, 2]
    deviation = (fit.values[:3, 0] - expected) / fit.errors[:3, 0]
    assert (np.abs(deviation) < 4.5).all()
    assert fit.errors[:3, 0].max() < 0.012
    # The printed form of (2.26), without the 2, is off by more than a hundred standard errors.
    assert abs(fit.values[1, 0] + b12) / fit.errors[1, 0] > 100
    assert (fit.chi_square < 35).all()
    assert fit.degrees == 5


def test_bilinear_part_is_exactly_four(measured):
    fit = measured[1]
    assert fit.values[4] == pytest.approx([4, 0, 0], abs=4.5 * fit.errors[4].max())
    assert abs(fit.values[4, 0] - 4) < 4.5 * fit.errors[4, 0]


def test_total_vanishes_at_every_distance(measured):
    name = measured[0]
    result = three_center_coefficients([0.3, 1.0, 5.0, 40.0, 100.0], name, samples=2000, seed=2)
    assert np.abs(result.total / result.xi**2).max() < 1e-11
    # All three are one function of xi and the bilinear part.
    assert result.single + result.triple == pytest.approx(result.bilinear, rel=1e-10)
    assert -result.pair - result.triple == pytest.approx(result.bilinear / 2, rel=1e-10)
    assert (result.single_error > 0).all()


def brute_force(xi, count, rng, window):
    """P_3, second order, with equal |u|: random places and energies, every condition checked."""
    radius = np.exp(xi)
    places = rng.normal(size=(2, count, 3))
    places *= radius * rng.random((2, count, 1)) ** (1 / 3) / np.linalg.norm(places, axis=2, keepdims=True)
    first, second = places
    top = 3.0
    energies = rng.uniform(0, top, (count, 3))
    distances = [np.linalg.norm(d, axis=1) for d in (first, second, first - second)]
    u12, u13, u23 = (
        rng.choice([-1, 1], count) * np.where((r > 1) & (r < radius), r**-3.0, 0.0) for r in distances
    )
    couplings = np.zeros((count, 3, 3))
    for (i, j), u in zip(combinations(range(3), 2), (u12, u13, u23), strict=True):
        couplings[:, i, j] = couplings[:, j, i] = u
    total = energies.sum(axis=1) - u12 - u13 - u23
    hits = (total > 0) & (total < window) & is_stable(energies, couplings, largest_flip=2)
    volume = (4 * np.pi / 3 * radius**3) ** 2 * top**3 / window
    return hits, volume / (6 * np.pi**2)


def test_triples_by_rejection():
    # Both other centres within R_max of the first one: compare on that part of the integral alone.
    rng = np.random.default_rng(3)
    xi, window, count = 0.35, 0.1, 1_000_000
    hits, volume = brute_force(xi, count, rng, window)
    share = hits.mean()
    rejected, error = share * volume, volume * np.sqrt(share / count)
    sampled = triples_inside(xi, window)
    assert rejected == pytest.approx(sampled, abs=4 * error)
    assert error < 0.1 * rejected


def triples_inside(xi, window):
    """The same part by product quadrature over places, energies by inclusion and exclusion."""
    radius = np.exp(xi)
    r, w = panel_rule(np.array([0, 0.5, 1.0, radius]), 10)
    c, wc = panel_rule(np.linspace(-1, 1, 25), 6)
    a, b, cosine = np.meshgrid(r, r, c, indexing="ij")
    measure = (4 * np.pi * w * r**2)[:, None, None] * (4 * np.pi * w * r**2)[:, None] * wc / 2
    third = np.sqrt(np.maximum(a * a + b * b - 2 * a * b * cosine, 0))
    sides = [np.where((s > 1) & (s < radius), np.maximum(s, 0.1) ** -3.0, 0.0) for s in (a, b, third)]
    total = 0.0
    shifts, shift_weights = panel_rule(np.array([0.0, window]), 3)
    for signs in product((-1, 1), repeat=3):
        u12, u13, u23 = (sign * side for sign, side in zip(signs, sides, strict=True))
        for shift, weight in zip(shifts, shift_weights, strict=True):
            total += (weight / window * measure * stable_area(u12, u13, u23, shift)).sum() / 8
    return total / (6 * np.pi**2)


def stable_area(u12, u13, u23, delta):
    """Area of e1 + e2 + e3 = delta + sum of couplings with positive energies, stable pairs."""
    total = delta + u12 + u13 + u23
    bounds = [np.maximum(total - np.maximum(u, 0), 0) for u in (u23, u13, u12)]
    # e_k < total - u_ij, and of course e_k < total: clip the bound at the total.
    area = np.maximum(total, 0) ** 2
    for bound in bounds:
        area = area - np.maximum(total - bound, 0) ** 2
    for x, y in combinations(bounds, 2):
        area = area + np.maximum(total - x - y, 0) ** 2
    area = area - np.maximum(total - sum(bounds), 0) ** 2
    return np.maximum(np.where(total > 0, area / 2, 0.0), 0.0)


def test_workers_give_the_same_digits():
    serial = three_center_coefficients([5.0, 8.0], "laplace", samples=2000, seed=4)
    with ThreadPoolExecutor(2) as pool:
        parallel = three_center_coefficients([5.0, 8.0], "laplace", samples=2000, seed=4, executor=pool)
    for name in ("single", "pair", "triple", "bilinear", "pair_error"):
        assert (getattr(serial, name) == getattr(parallel, name)).all()
    other = three_center_coefficients([5.0, 8.0], "laplace", samples=2000, seed=5)
    assert (other.single != serial.single).all()


def test_errors_are_honest():
    pulls = []
    for seed in range(30):
        result = three_center_coefficients([7.0], "uniform", samples=4000, seed=seed)
        pulls.append((result.bilinear[0] - 4 * 49) / result.bilinear_error[0])
    assert abs(np.mean(pulls)) < 0.75
    assert 0.65 < np.std(pulls) < 1.5


def test_coefficients_refuse():
    for bad in ([0.0], [-1.0], [np.nan], [np.inf], [101.0], 5.0, [[5.0]], []):
        with pytest.raises(ValueError, match="xi"):
            three_center_coefficients(bad)
    for bad in ("5", None, [True], [1j]):
        with pytest.raises(TypeError, match="xi"):
            three_center_coefficients(bad)
    for bad in (0, 999, -5, 2**31):
        with pytest.raises(ValueError, match="samples"):
            three_center_coefficients([5.0], samples=bad)
    with pytest.raises(TypeError, match="samples"):
        three_center_coefficients([5.0], samples=2000.0)
    with pytest.raises(ValueError, match="seed"):
        three_center_coefficients([5.0], samples=2000, seed=-1)
    with pytest.raises(ValueError, match="distribution"):
        three_center_coefficients([5.0], "levy")
    with pytest.raises(TypeError, match="executor"):
        three_center_coefficients([5.0], samples=1000, executor=3)


def test_fit_refuses():
    with pytest.raises(TypeError, match="coefficients"):
        fit_logarithms(3.0)
    for xi in ([5.0, 6.0, 7.0], [5.0, 6.0, 7.0, 7.0], [2.0, 5.0, 6.0, 7.0]):
        with pytest.raises(ValueError, match="4 different xi"):
            fit_logarithms(three_center_coefficients(xi, samples=1000))


def test_triangles_refuse():
    for bad in (np.nan, np.inf, 1e101):
        for name in ("u12", "u13", "u23"):
            with pytest.raises(ValueError, match=name):
                triangle_integrals(**{"u12": 1.0, "u13": 1.0, "u23": 1.0, name: bad})
    for bad in ("1", None, True, 1j):
        with pytest.raises(TypeError, match="u13"):
            triangle_integrals(1.0, bad, 1.0)
    assert type(triangle_integrals(1.0, 2.0, 3.0).single) is float
    assert triangle_integrals([[1.0], [2.0]], [1.0, 0.5, 0.1], 3.0).pair.shape == (2, 3)
