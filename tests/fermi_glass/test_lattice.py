"""The lattice model: plane waves, traces, bonds counted by brute force, memory, refusals."""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disorder.fermi_glass import (
    diagonalization_memory,
    dispersion,
    eigenstates,
    hamiltonian,
    lattice,
    site_energies,
)

amplitudes = st.floats(-3.0, 3.0)


@given(st.integers(3, 7), amplitudes, amplitudes, st.data())
@settings(max_examples=40, deadline=None)
def test_plane_waves_are_eigenstates_of_the_clean_lattice(size, t, diagonal, data):
    h = hamiltonian(size, 0.0, hopping=t, diagonal_hopping=diagonal, seed=0)
    kx, ky = (2 * np.pi * data.draw(st.integers(0, size - 1)) / size for _ in range(2))
    x, y = np.divmod(np.arange(size * size), size)
    wave = np.exp(1j * (kx * x + ky * y))
    energy = dispersion(kx, ky, hopping=t, diagonal_hopping=diagonal)
    expected = -2 * t * (math.cos(kx) + math.cos(ky))
    expected -= 2 * diagonal * (math.cos(kx + ky) + math.cos(kx - ky))
    assert energy == pytest.approx(expected, abs=1e-12)
    assert np.allclose(h @ wave, energy * wave, atol=1e-12)


def test_band_of_8_8_and_its_stationary_points():
    k = np.linspace(-np.pi, np.pi, 721)
    band = np.asarray(dispersion(k[:, None], k))
    assert band.min() == pytest.approx(-6.4, abs=1e-12)
    assert band.max() == pytest.approx(2.4, abs=1e-12)
    assert np.ptp(band) == pytest.approx(8.8, abs=1e-12)
    # A local minimum at (pi, pi), the maximum at (pi, 0), saddles where both cosines are -t/2t'.
    step = 1e-3
    corner = np.asarray(
        dispersion(np.pi + np.array([0, step, 0, step]), np.pi + np.array([0, 0, step, step]))
    )
    assert corner[0] == pytest.approx(1.6, abs=1e-12)
    assert (corner[1:] > corner[0]).all()
    saddle = math.acos(-1 / 1.2)
    assert dispersion(saddle, saddle) == pytest.approx(1 / 0.6, abs=1e-12)
    assert dispersion(saddle + step, saddle + step) < 1 / 0.6 < dispersion(saddle + step, saddle - step)


def test_counting_each_bond_twice_would_double_the_band():
    """The sum over ordered pairs plus its Hermitian conjugate, written out, has the width 17.6."""
    size = 6
    h = hamiltonian(size, 0.0, seed=0).toarray()
    levels = np.linalg.eigvalsh(h)
    assert np.ptp(levels) == pytest.approx(8.8, abs=1e-12)
    assert np.ptp(np.linalg.eigvalsh(h + h.T)) == pytest.approx(17.6, abs=1e-12)


@pytest.mark.parametrize("size", [3, 4, 5, 8])
def test_bonds_by_minimum_image(size):
    h = hamiltonian(size, 5.0, hopping=1.3, diagonal_hopping=-0.7, seed=4).toarray()
    x, y = np.divmod(np.arange(size * size), size)

    def separation(c):
        d = np.abs(c[:, None] - c)
        return np.minimum(d, size - d)

    square = separation(x) ** 2 + separation(y) ** 2
    expected = np.where(square == 1, -1.3, 0.0) + np.where(square == 2, 0.7, 0.0)
    np.fill_diagonal(expected, np.random.default_rng(4).uniform(-2.5, 2.5, size * size))
    assert np.array_equal(h, expected)
    assert np.array_equal(h, h.T)


@given(st.integers(4, 9), st.floats(0.0, 12.0), amplitudes, amplitudes, st.integers(0, 2**63))
@settings(max_examples=30, deadline=None)
def test_traces_of_one_configuration(size, disorder, t, diagonal, seed):
    """tr H^2 and tr H^3 by counting closed walks: 24 triangles of two short bonds and one long."""
    w = site_energies(size, disorder, seed=seed)
    levels = eigenstates(size, disorder, hopping=t, diagonal_hopping=diagonal, seed=seed)[0]
    square = 4 * t**2 + 4 * diagonal**2
    scale = 1 + (disorder + 8 * abs(t) + 8 * abs(diagonal)) ** 3
    assert levels.sum() == pytest.approx(w.sum(), abs=1e-11 * scale)
    assert (levels**2).sum() == pytest.approx(size**2 * square + (w**2).sum(), abs=1e-11 * scale)
    third = -24 * t**2 * diagonal * size**2 + 3 * square * w.sum() + (w**3).sum()
    assert (levels**3).sum() == pytest.approx(third, abs=1e-10 * scale)


def test_site_energies_are_uniform_and_use_the_seed_as_promised():
    w = site_energies(200, 9.0, seed=11)
    assert np.array_equal(w, np.random.default_rng(11).uniform(-4.5, 4.5, 40_000))
    sigma = 9.0 / math.sqrt(12 * w.size)
    assert abs(w.mean()) < 5 * sigma
    # Var(w^2) = W^4/180
    assert abs((w**2).mean() - 81 / 12) < 5 * math.sqrt(9.0**4 / 180 / w.size)
    sequence = np.random.SeedSequence(11)
    assert np.array_equal(site_energies(200, 9.0, seed=sequence), w)
    assert np.array_equal(site_energies(200, 9.0, seed=sequence), w)
    assert sequence.n_children_spawned == 0
    assert not np.array_equal(site_energies(200, 9.0, seed=12), w)


@pytest.mark.parametrize("largest", [181, 5])
def test_eigenstates_solve_the_eigenproblem_with_either_driver(largest, monkeypatch):
    monkeypatch.setattr(lattice, "_DIVIDE_AND_CONQUER", largest)
    energies, states = eigenstates(9, 6.0, seed=3)
    h = hamiltonian(9, 6.0, seed=3)
    assert (np.diff(energies) > 0).all()
    assert np.abs(states.T @ states - np.eye(81)).max() < 1e-13
    assert np.abs(h @ states - states * energies).max() < 1e-12
    assert np.allclose(energies, np.linalg.eigvalsh(h.toarray()), atol=1e-12)


def test_sign_of_the_hopping_is_a_convention_on_an_even_lattice():
    """t changes its sign under (-1)^(x+y), t' does not."""
    energies = eigenstates(6, 4.0, seed=8)[0]
    assert np.allclose(eigenstates(6, 4.0, hopping=-1.0, seed=8)[0], energies, atol=1e-12)
    assert not np.allclose(eigenstates(6, 4.0, diagonal_hopping=-0.6, seed=8)[0], energies, atol=1e-2)


@pytest.mark.parametrize("size", [16, 24])
def test_memory_is_what_was_stated(size):
    eigenstates(size, 9.0, seed=0)
    tracemalloc.start()
    energies, states = eigenstates(size, 9.0, seed=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0.9 * diagonalization_memory(size) < peak <= diagonalization_memory(size)
    assert states.nbytes == 8 * size**4
    assert energies.shape == (size**2,)


def test_memory_law():
    assert diagonalization_memory(80) == pytest.approx(24 * 80**4, rel=0.005)
    assert diagonalization_memory(200) == pytest.approx(16 * 200**4, rel=0.005)


def test_what_does_not_fit_is_refused_before_it_is_taken(monkeypatch):
    monkeypatch.setattr(lattice, "_available_memory", lambda: 10_000_000)
    tracemalloc.start()
    with pytest.raises(MemoryError, match=r"size = 30 needs 0\.02 GB, 0\.01 GB are available"):
        eigenstates(30, 9.0, seed=0)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()
    monkeypatch.setattr(lattice, "_available_memory", lambda: None)
    assert eigenstates(4, 9.0, seed=0)[1].shape == (16, 16)


def test_available_memory_is_read_or_unknown(monkeypatch):
    value = lattice._available_memory()
    assert value is None or value > 1_000_000
    texts = {
        "/proc/meminfo": "MemTotal: 9000 kB\nMemAvailable:    5000 kB\n",
        "/sys/fs/cgroup/memory.max": "3000000\n",
        "/sys/fs/cgroup/memory.current": "1000000\n",
    }
    monkeypatch.setattr(lattice.Path, "read_text", lambda path: texts[str(path)])
    assert lattice._available_memory() == 2_000_000
    texts["/sys/fs/cgroup/memory.max"] = "max\n"
    assert lattice._available_memory() == 5_120_000

    def missing(path):
        raise FileNotFoundError(path)

    monkeypatch.setattr(lattice.Path, "read_text", missing)
    assert lattice._available_memory() is None


@given(st.floats(-290, 290), st.floats(-290, 290), st.floats(-290, 290))
@settings(max_examples=25, deadline=None)
def test_extreme_energies(disorder, t, diagonal):
    scales = [10.0**value for value in (disorder, t, diagonal)]
    energies, states = eigenstates(3, scales[0], hopping=scales[1], diagonal_hopping=scales[2], seed=1)
    assert np.isfinite(energies).all()
    assert np.isfinite(states).all()
    assert np.abs(energies).max() <= (scales[0] / 2 + 4 * scales[1] + 4 * scales[2]) * (1 + 1e-12)
    assert np.isfinite(dispersion(0.3, 1.0, hopping=scales[1], diagonal_hopping=scales[2]))


def test_dispersion_broadcasts():
    k = np.linspace(0, 1, 5)
    assert np.shape(dispersion(k[:, None], k[:3])) == (5, 3)
    assert isinstance(dispersion(0.0, 0), float)
    with pytest.raises(ValueError, match="shapes"):
        dispersion([1.0, 2.0], [1.0, 2.0, 3.0])


BAD_NUMBERS = [math.nan, math.inf, -math.inf, 1e305]
CALLS = {
    eigenstates: {"size": 4, "disorder": 1.0, "seed": 1},
    hamiltonian: {"size": 4, "disorder": 1.0, "seed": 1},
    site_energies: {"size": 4, "disorder": 1.0, "seed": 1},
}


@pytest.mark.parametrize("function", CALLS)
@pytest.mark.parametrize(
    ("argument", "bad", "error"),
    [
        *(("size", value, ValueError) for value in (2, 0, -4, 10**6)),
        *(("size", value, TypeError) for value in (4.0, "4", None, True, [4])),
        *(("disorder", value, ValueError) for value in (-1.0, *BAD_NUMBERS)),
        *(("disorder", value, TypeError) for value in ("1", None, 1j, [1.0], True)),
        *(("seed", value, TypeError) for value in (1.5, None, "1", True)),
        ("seed", -1, ValueError),
    ],
)
def test_bad_input(function, argument, bad, error):
    with pytest.raises(error, match=argument):
        function(**{**CALLS[function], argument: bad})


@pytest.mark.parametrize("argument", ["hopping", "diagonal_hopping"])
@pytest.mark.parametrize("bad", [*BAD_NUMBERS, "1", None, 1j, True, [1.0]])
def test_bad_hoppings(argument, bad):
    for call in (
        lambda **kw: eigenstates(4, 1.0, seed=1, **kw),
        lambda **kw: hamiltonian(4, 1.0, seed=1, **kw),
        lambda **kw: dispersion(0.0, 0.0, **kw),
    ):
        with pytest.raises((TypeError, ValueError), match=argument):
            call(**{argument: bad})


@pytest.mark.parametrize("bad", [math.nan, math.inf, "1", None, 1j, True, [1.0, math.nan]])
def test_bad_wave_vectors(bad):
    with pytest.raises((TypeError, ValueError), match="kx"):
        dispersion(bad, 0.0)
    with pytest.raises((TypeError, ValueError), match="ky"):
        dispersion(0.0, bad)


@pytest.mark.parametrize("bad", [2, 215, 4.0, None, "8", True])
def test_bad_size_for_memory(bad):
    with pytest.raises((TypeError, ValueError), match="size"):
        diagonalization_memory(bad)
