"""Strips: the recursion against dense inverses, transfer matrices, closed forms and symmetries."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disorder.fermi_glass import strip_extrapolation, strip_localization
from disorder.numerics.quadrature import ConvergenceError


def potential(seed, slices, blocks, width, disorder):
    """Site energies of all slices, the dropped first block included, in the documented order."""
    return (np.random.default_rng(seed).random((slices * (blocks + 1), width)) - 0.5) * disorder


def bonds(width, hopping, diagonal):
    """Hamiltonian of one clean slice, and the hopping matrix from a slice to the next one."""
    inner, outer = np.zeros((width, width)), -hopping * np.eye(width)
    if width > 1:
        for y in range(width):
            for step in (-1, 1):
                inner[y, (y + step) % width] -= hopping
                outer[y, (y + step) % width] -= diagonal
    return inner, outer


def dense_blocks(energy, width, disorder, hopping, diagonal, slices, blocks, seed):
    """ln of the decay of one row of the Green function of the whole strip, from dense inverses."""
    inner, outer = bonds(width, hopping, diagonal)
    sites = potential(seed, slices, blocks, width, disorder)
    logs = []
    for end in range(slices, slices * (blocks + 1) + 1, slices):
        strip = np.kron(np.eye(end), inner) + np.diag(sites[:end].ravel())
        strip += np.kron(np.eye(end, k=1), outer) + np.kron(np.eye(end, k=-1), outer.T)
        green = np.linalg.inv(energy * np.eye(strip.shape[0]) - strip)
        logs.append(np.log(np.abs(outer[0] @ green[:width, -width:]).max()))
    return -np.diff(logs) / slices


@pytest.mark.parametrize(("width", "diagonal"), [(1, 0.0), (3, 0.6), (4, 0.6), (5, -0.3), (4, 0.0)])
def test_blocks_equal_a_dense_inverse(width, diagonal):
    model = {"energy": -0.3, "width": width, "disorder": 24.0}
    strip = strip_localization(**model, hopping=1.2, diagonal_hopping=diagonal, length=64, blocks=4, seed=3)
    dense = dense_blocks(**model, hopping=1.2, diagonal=diagonal, slices=16, blocks=4, seed=3)
    np.testing.assert_allclose(strip.blocks, dense, rtol=1e-9)
    assert strip.exponent == pytest.approx(dense.mean(), rel=1e-9)
    assert strip.exponent_error == pytest.approx(dense.std(ddof=1) / 2, rel=1e-7)
    assert strip.amplitude_length == 1 / strip.exponent
    assert strip.density_length == pytest.approx(strip.amplitude_length / 2, rel=1e-15)
    relative = strip.exponent_error / strip.exponent
    assert strip.density_length_error == pytest.approx(strip.density_length * relative, rel=1e-14)


def test_smallest_of_all_exponents_of_transfer_matrices():
    width, length, seed = 4, 2000, 5
    strip = strip_localization(-0.3, width, 9.0, length=length, blocks=20, seed=seed)
    inner, outer = bonds(width, 1.0, 0.6)
    sites = potential(seed, length // 20, 20, width, 9.0)
    inverse = np.linalg.inv(outer)
    frame, logs = np.eye(2 * width), np.zeros(2 * width)
    for row in sites:
        step = np.block(
            [
                [inverse @ (-0.3 * np.eye(width) - inner - np.diag(row)), -inverse @ outer.T],
                [np.eye(width), np.zeros((width, width))],
            ]
        )
        frame, triangle = np.linalg.qr(step @ frame)
        logs += np.log(np.abs(np.diag(triangle)))
    exponents = logs / len(sites)
    # The exponents of a symplectic product come in pairs of opposite sign.
    np.testing.assert_allclose(exponents, -exponents[::-1], atol=5e-3)
    # Same sites, but the first block is dropped on one side only: the difference is that of one block in 21.
    assert strip.exponent == pytest.approx(exponents[width - 1], abs=2 * strip.exponent_error)


def test_chain_at_weak_disorder():
    """Thouless: lambda = 24 (4 t^2 - E^2)/W^2 for a chain with a uniform distribution, W << t."""
    energies = np.array([0.7, 1.0, 1.5])
    strip = strip_localization(energies, 1, 1.0, length=200_000, seed=2)
    expected = 1 / (24 * (4 - energies**2))
    np.testing.assert_array_less(np.abs(strip.exponent - expected), 4 * strip.exponent_error)
    assert (strip.exponent_error < 0.03 * expected).all()


def test_chain_at_strong_disorder():
    """gamma = <ln|E - W_i|> - ln t + O(t^2/W^2) when every bond is weak."""
    disorder = 2000.0
    strip = strip_localization(0.0, 1, disorder, length=100_000, seed=2)
    assert abs(strip.exponent - (np.log(disorder / 2) - 1)) < 4 * strip.exponent_error + 1e-3


@pytest.mark.parametrize(("width", "energy"), [(1, 2.5), (5, 7.0), (6, -9.0), (8, 2.8)])
def test_clean_strip_outside_the_band(width, energy):
    """E = -2t cos k - 2(t + 2t' cos k) cosh kappa, and the slowest of the transverse modes survives."""
    diagonal = 0.0 if width == 1 else 0.6
    k = 2 * np.pi * np.arange(width) / width
    transverse = -2 * np.cos(k) if width > 1 else np.zeros(1)
    kappa = np.arccosh(np.abs(energy - transverse) / np.abs(2 * (1 + 2 * diagonal * np.cos(k)))).min()
    strip = strip_localization(energy, width, 1e-9, length=2000, seed=1)
    assert strip.exponent == pytest.approx(kappa, rel=1e-6)
    assert strip.exponent_error < 1e-6


@given(
    energy=st.floats(-3, 3), disorder=st.floats(15, 40), hopping=st.floats(0.5, 2), diagonal=st.floats(-1, 1),
    scale=st.floats(1e-3, 1e3),
)  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_symmetries(energy, disorder, hopping, diagonal, scale):
    call = {"width": 4, "length": 200, "blocks": 4, "seed": 7}
    strip = strip_localization(energy, disorder=disorder, hopping=hopping, diagonal_hopping=diagonal, **call)
    # A change of sign on every second site turns t over and leaves t' alone.
    turned = strip_localization(
        energy, disorder=disorder, hopping=-hopping, diagonal_hopping=diagonal, **call
    )
    scaled = strip_localization(
        scale * energy, disorder=scale * disorder, hopping=scale * hopping,
        diagonal_hopping=scale * diagonal, **call,
    )  # fmt: skip
    for other in (turned, scaled):
        np.testing.assert_allclose(other.blocks, strip.blocks, rtol=1e-6)


def test_energy_inversion():
    """(E, t, t', W_i) -> -(E, t, t', W_i): with a symmetric distribution the two exponents agree."""
    call = {"width": 4, "disorder": 12.0, "length": 20_000}
    one = strip_localization(-1.5, seed=1, **call)
    two = strip_localization(1.5, hopping=-1.0, diagonal_hopping=-0.6, seed=2, **call)
    spread = np.hypot(one.exponent_error, two.exponent_error)
    assert abs(one.exponent - two.exponent) < 4 * spread
    other = strip_localization(1.5, seed=2, **call)
    assert abs(one.exponent - other.exponent) > 8 * spread  # t' breaks the symmetry of the band


def test_wider_strips_and_weaker_disorder_reach_further():
    lengths = np.array([
        strip_localization(-0.3, width, np.array([9.0, 12.0, 16.0]), length=3000, seed=1).density_length
        for width in (4, 8, 16)
    ])  # fmt: skip
    assert (np.diff(lengths, axis=0) > 0).all()
    assert (np.diff(lengths, axis=1) < 0).all()


def test_error_bar_covers_the_scatter():
    call = {"energy": -0.3, "width": 4, "disorder": 9.0, "length": 2000}
    runs = [strip_localization(**call, seed=seed) for seed in range(60)]
    scatter = np.std([run.exponent for run in runs], ddof=1)
    claimed = np.sqrt(np.mean([run.exponent_error**2 for run in runs]))
    assert 0.7 < scatter / claimed < 1.4


def test_arrays_and_seeds():
    energies = np.array([[-1.0], [0.5]])
    disorder = np.array([9.0, 11.0, 13.0])
    grid = strip_localization(energies, 4, disorder, length=800, blocks=4, seed=4)
    assert grid.exponent.shape == (2, 3)
    assert grid.blocks.shape == (2, 3, 4)
    for i, j in itertools.product(range(2), range(3)):
        one = strip_localization(float(energies[i, 0]), 4, float(disorder[j]), length=800, blocks=4, seed=4)
        assert type(one.exponent) is float
        assert type(one.exponent_error) is float
        assert one.exponent == grid.exponent[i, j]
    sequence = np.random.SeedSequence(4)
    again = strip_localization(energies, 4, disorder, length=800, blocks=4, seed=sequence)
    np.testing.assert_array_equal(again.blocks, grid.blocks)
    other = strip_localization(energies, 4, disorder, length=800, blocks=4, seed=5)
    assert (other.blocks != grid.blocks).all()


@pytest.mark.parametrize("scale", [1e-290, 1e290])
def test_extreme_units(scale):
    one = strip_localization(-0.5, 4, 16.0, length=400, blocks=4, seed=1)
    other = strip_localization(
        -0.5 * scale,
        4,
        16.0 * scale,
        hopping=scale,
        diagonal_hopping=0.6 * scale,
        length=400,
        blocks=4,
        seed=1,
    )
    np.testing.assert_allclose(other.blocks, one.blocks, rtol=1e-9)
    strong = strip_localization(0.5, 4, 1e99, length=400, blocks=4, seed=1)
    assert 200 < strong.exponent < 99 * np.log(10)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"energy": np.nan}, "energy"), ({"energy": "0"}, "energy"), ({"energy": 1j}, "energy"),
        ({"energy": None}, "energy"), ({"energy": np.inf}, "energy"),
        ({"disorder": 0.0}, "disorder"), ({"disorder": -1.0}, "disorder"), ({"disorder": np.nan}, "disorder"),
        ({"energy": [0.0, 1.0], "disorder": [9.0, 9.0, 9.0]}, "energy"),
        ({"width": 2}, "width"), ({"width": 0}, "width"), ({"width": 4.0}, "width"),
        ({"width": 257}, "width"),
        ({"hopping": np.nan}, "hopping"), ({"hopping": True}, "hopping"),
        ({"hopping": 0.0, "diagonal_hopping": 0.0}, "hopping"), ({"hopping": 0.0, "width": 1}, "hopping"),
        ({"disorder": 1e120}, "hopping"), ({"energy": 1e120}, "hopping"),
        ({"diagonal_hopping": np.inf}, "diagonal_hopping"),
        ({"length": 10}, "length"), ({"length": 1e4}, "length"), ({"blocks": 3}, "blocks"),
        ({"seed": None}, "seed"), ({"seed": -1}, "seed"), ({"seed": 1.5}, "seed"),
    ],
)  # fmt: skip
def test_bad_input(change, name):
    call = {"energy": 0.0, "width": 4, "disorder": 9.0, "length": 400, "seed": 1}
    with pytest.raises((TypeError, ValueError), match=name):
        strip_localization(**{**call, **change})


def test_too_short_for_its_decay_length():
    with pytest.raises(ConvergenceError, match="length above 400"):
        strip_localization(-0.3, 16, 5.0, length=400, seed=1)
    with pytest.raises(ConvergenceError):
        strip_localization(0.0, 4, 1e-60, length=400, seed=1)  # the clean level at zero


def test_extrapolation_of_exact_lines():
    widths = np.array([10.0, 20.0, 40.0, 80.0])
    limit = strip_extrapolation(widths, 0.07 + 1.3 / widths, [0.01, 0.02, 0.005, 0.01])
    assert limit.exponent == pytest.approx(0.07, rel=1e-12)
    assert limit.constant == pytest.approx(1.3, rel=1e-12)
    assert limit.chi_squared == pytest.approx(0, abs=1e-20)
    assert limit.density_length == pytest.approx(1 / 0.14, rel=1e-12)


@given(noise=st.lists(st.floats(-3, 3), min_size=4, max_size=4))
@settings(max_examples=30, deadline=None)
def test_extrapolation_is_weighted_least_squares(noise):
    widths, errors = np.array([16.0, 24.0, 48.0, 96.0]), np.array([1e-3, 2e-3, 1e-3, 3e-3])
    values = 0.1 + 1.2 / widths + errors * noise
    limit = strip_extrapolation(widths, values, errors)
    line, covariance = np.polyfit(1 / widths, values, 1, w=1 / errors, cov="unscaled")
    assert [limit.constant, limit.exponent] == pytest.approx(list(line), rel=1e-9)
    spread = [limit.constant_error, limit.exponent_error]
    assert spread == pytest.approx(list(np.sqrt(np.diag(covariance))), rel=1e-9)
    rest = (values - np.polyval(line, 1 / widths)) / errors
    assert limit.chi_squared == pytest.approx(rest @ rest, rel=1e-6, abs=1e-12)
    relative = limit.exponent_error / limit.exponent
    assert limit.density_length_error == pytest.approx(limit.density_length * relative, rel=1e-12)


def test_one_parameter_scaling():
    """M gamma_M is a function of M/xi alone: the constants of two disorders agree, chi squared is normal."""
    limits = []
    for disorder in (16.0, 22.0):
        widths = (12, 16, 24)
        strips = [strip_localization(0.0, m, disorder, length=4000, seed=m) for m in widths]
        limits.append(
            strip_extrapolation(widths, [s.exponent for s in strips], [s.exponent_error for s in strips])
        )
    one, two = limits
    assert one.exponent < two.exponent
    assert one.chi_squared < 8
    assert two.chi_squared < 8
    spread = np.hypot(one.constant_error, two.constant_error)
    assert abs(one.constant - two.constant) < 3 * spread


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (([8, 16], [0.2, 0.1], [0.01, 0.01]), "widths"),
        (([8, 8, 16], [0.2, 0.2, 0.1], [0.01] * 3), "widths"),
        (([8, 16, 0], [0.2] * 3, [0.01] * 3), "widths"),
        (([8, 16, 32], [0.2] * 2, [0.01] * 3), "exponents"),
        (([8, 16, 32], [0.2, np.nan, 0.1], [0.01] * 3), "exponents"),
        (([8, 16, 32], [0.2, -0.1, 0.1], [0.01] * 3), "exponents"),
        (([8, 16, 32], [0.2] * 3, [0.01, 0.0, 0.01]), "errors"),
        (([8, 16, 32], [0.2] * 3, "x"), "errors"),
    ],
)
def test_bad_extrapolation(arguments, name):
    with pytest.raises((TypeError, ValueError), match=name):
        strip_extrapolation(*arguments)


def test_extrapolation_without_a_finite_length():
    with pytest.raises(ConvergenceError, match="finite length"):
        strip_extrapolation([8, 16, 32], [0.4, 0.15, 0.02], [0.01] * 3)
