"""Localization length of a strip 32 sites wide: compiled recursion, NumPy recursion, transfer matrices."""

import numpy as np
import pytest

from disorder.fermi_glass import strip_localization

WIDTH, SLICES, BLOCKS, ENERGY, DISORDER = 32, 4000, 20, -0.3, 9.0
pytestmark = pytest.mark.benchmark(group="strip localization length, 32 x 4000 sites")


@pytest.fixture(scope="module")
def reference():
    strip = strip_localization(ENERGY, WIDTH, DISORDER, length=40_000, seed=11)
    return strip.exponent


def _slices():
    return (np.random.default_rng(1).random((SLICES // BLOCKS * (BLOCKS + 1), WIDTH)) - 0.5) * DISORDER


def _bonds():
    ring = np.roll(np.eye(WIDTH), 1, axis=0) + np.roll(np.eye(WIDTH), -1, axis=0)
    return -ring, -(np.eye(WIDTH) + 0.6 * ring)


def _green():
    """The same recursion with dense matrices in NumPy."""
    inner, outer = _bonds()
    clean = ENERGY * np.eye(WIDTH) - inner
    green, row = np.zeros((WIDTH, WIDTH)), np.eye(WIDTH)[0]
    decay, first = 0.0, SLICES // BLOCKS
    for n, sites in enumerate(_slices()):
        green = np.linalg.inv(clean - np.diag(sites) - outer.T @ green @ outer)
        row = row @ outer @ green
        largest = np.abs(row).max()
        row /= largest
        decay -= np.log(largest) if n >= first else 0.0
    return decay / SLICES


def _transfer():
    """Products of transfer matrices, orthonormalized at every fourth slice; all exponents, T inverted."""
    inner, outer = _bonds()
    inverse = np.linalg.inv(outer)
    step = np.zeros((2 * WIDTH, 2 * WIDTH))
    step[WIDTH:, :WIDTH] = np.eye(WIDTH)
    step[:WIDTH, WIDTH:] = -inverse @ outer.T
    clean = inverse @ (ENERGY * np.eye(WIDTH) - inner)
    frame, logs = np.eye(2 * WIDTH), np.zeros(2 * WIDTH)
    rows = _slices()
    for n, sites in enumerate(rows, start=1):
        step[:WIDTH, :WIDTH] = clean - inverse * sites
        frame = step @ frame
        if n % 4 == 0:
            frame, triangle = np.linalg.qr(frame)
            logs += np.log(np.abs(np.diag(triangle)))
    return logs[WIDTH - 1] / len(rows)


def test_compiled_recursion(benchmark, reference):
    strip = benchmark(
        lambda: strip_localization(ENERGY, WIDTH, DISORDER, length=SLICES, blocks=BLOCKS, seed=1)
    )
    assert abs(strip.exponent - reference) < 5 * strip.exponent_error
    benchmark.extra_info.update(
        what="compiled recursion of Green functions", error=abs(strip.exponent - reference), role="ours"
    )


def test_numpy_recursion(benchmark, reference):
    value = benchmark.pedantic(_green, rounds=1)
    strip = strip_localization(ENERGY, WIDTH, DISORDER, length=SLICES, blocks=BLOCKS, seed=1)
    assert abs(value - strip.exponent) < 1e-8
    benchmark.extra_info.update(
        what="the same recursion in NumPy", error=abs(value - reference), role="alternative"
    )


def test_transfer_matrices(benchmark, reference):
    value = benchmark.pedantic(_transfer, rounds=1)
    assert abs(value - reference) < 0.02
    benchmark.extra_info.update(
        what="transfer matrices, all exponents, NumPy", error=abs(value - reference), role="alternative"
    )
