"""The simulated ensemble of Fig. 2 and its controls, against definitions, enumeration and exact limits."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disorder.fermi_glass import (
    OccupationSearch,
    eigenstates,
    fermi_fit,
    fermi_levels,
    ground_state,
    hubbard_overlaps,
    isolated_occupations,
    minimum_image_distance,
    participation_length,
    simulate,
    simulation,
)
from disorder.fermi_glass.simulation import simulate_configuration

SIZE, COUNT = 10, 3
INTERACTIONS = (0.0, 1.0, 3.0)


@pytest.fixture(scope="module")
def run():
    return simulate(
        COUNT,
        SIZE,
        exact=INTERACTIONS,
        compared=[3.0],
        steps=[1000, 50_000],
        window=(-3.0, 1.0),
        pairs=50,
        whole=True,
        seed=7,
    )


@pytest.fixture(scope="module")
def lattices():
    """The same configurations, diagonalised again from the documented seeds."""
    states = [eigenstates(SIZE, 9.0, seed=np.random.SeedSequence(7, spawn_key=(i, 0))) for i in range(COUNT)]
    return [(energies, vectors, hubbard_overlaps(vectors)) for energies, vectors in states]


def energy(xi, overlaps, interaction, up, down):
    return xi @ (up * 1.0 + down) + interaction * (up * 1.0) @ overlaps @ (down * 1.0)


def test_what_is_kept_belongs_to_the_states(run, lattices):
    for one, (xi, vectors, overlaps) in zip(run.configurations, lattices, strict=True):
        np.testing.assert_array_equal(one.energies, xi)
        np.testing.assert_allclose(one.participation_lengths, participation_length(vectors), rtol=1e-12)
        np.testing.assert_allclose(one.self_overlaps, (vectors**4).sum(axis=0), rtol=1e-12)
        sites = np.abs(vectors).argmax(axis=0)
        np.testing.assert_array_equal(one.centers, np.stack(np.divmod(sites, SIZE), axis=1))
        start, stop = one.window
        assert (xi[start:stop] >= -3).all()
        assert (xi[start:stop] < 1).all()
        assert start == 0 or xi[start - 1] < -3
        assert xi[stop] >= 1
        pairs = one.pairs
        assert pairs.overlap.size == 50
        assert (np.minimum(pairs.first, pairs.second) >= start).all()
        assert (np.maximum(pairs.first, pairs.second) < stop).all()
        np.testing.assert_allclose(pairs.overlap, overlaps[pairs.first, pairs.second], rtol=1e-12)
        distance = minimum_image_distance(one.centers[pairs.first], one.centers[pairs.second], SIZE)
        np.testing.assert_allclose(pairs.distance, distance)


def test_decay_averages_are_those_of_their_windows(run, lattices):
    for one, (_, _, overlaps) in zip(run.configurations, lattices, strict=True):
        window = np.arange(*one.window)
        for decay, inside, log in (
            (one.decay, window, False),
            (one.typical_decay, window, True),
            (one.decay_all, np.arange(0, SIZE**2, 4), False),
        ):
            a, c = np.triu_indices(inside.size, 1)
            values = overlaps[inside[a], inside[c]]
            values = np.log(values) if log else values
            away = minimum_image_distance(one.centers[inside[a]], one.centers[inside[c]], SIZE)
            bins = np.floor(away + 0.5).astype(int)
            for b in (2, 3):
                place = np.abs(decay.bins - b).argmin()
                mean = values[bins == b].mean()
                assert decay.mean[place] == pytest.approx(np.exp(mean) if log else mean, rel=1e-10)


def test_every_minimization_keeps_its_promises(run, lattices):
    assert run.particles == 2 * round(5 * SIZE**2 / 12)
    kinds = [(m.method, m.interaction, m.steps) for m in run.configurations[0].minimizations]
    assert kinds == [
        *[("exact", u, 0) for u in INTERACTIONS],
        ("greedy", 3.0, 0),
        ("monte_carlo", 3.0, 1000),
        ("monte_carlo", 3.0, 50_000),
        ("random_start", 3.0, 1000),
        ("paramagnetic", 3.0, 0),
    ]
    for one, (xi, _, overlaps) in zip(run.configurations, lattices, strict=True):
        sea = np.arange(SIZE**2) < run.particles // 2
        exact = {m.interaction: m for m in one.minimizations if m.method == "exact"}
        for m in one.minimizations:
            assert m.up.sum() + m.down.sum() == run.particles
            direct = energy(xi, overlaps, m.interaction, m.up, m.down)
            direct -= energy(xi, overlaps, m.interaction, sea, sea)
            assert m.energy == pytest.approx(direct, abs=1e-9)
            others = overlaps - np.diag(np.diag(overlaps))
            np.testing.assert_allclose(m.shift, others @ (m.up * 0.5 + m.down * 0.5), atol=1e-12)
            assert m.singly_occupied == (m.up != m.down).sum()
            assert m.polarization == abs(int(m.up.sum()) - int(m.down.sum()))
            assert m.energy >= exact[m.interaction].energy - exact[m.interaction].bound - 1e-9
            assert (m.bound < 1.0) == (m.method in ("exact", "paramagnetic"))
            if m.method == "exact":
                assert m.energy <= 0
                assert m.polarization == m.singly_occupied
            if m.method == "paramagnetic":
                assert m.singly_occupied == 0
                assert m.energy <= 0
        assert (exact[0.0].up == sea).all()
        assert (exact[0.0].down == sea).all()


def test_arrays_and_averages_over_configurations(run):
    occupations = run.occupations("exact", 3.0)
    assert occupations.shape == run.energies.shape == (COUNT, SIZE**2)
    assert (occupations.sum(axis=1) == run.particles).all()
    assert set(np.unique(occupations)) <= {0.0, 1.0, 2.0}
    assert run.select("monte_carlo", 3.0)[0].steps == 50_000
    assert run.select("monte_carlo", 3.0, 1000)[0].steps == 1000
    shifts = np.array([m.shift for m in run.select("exact", 3.0)])
    np.testing.assert_allclose(run.interacting_energies("exact", 3.0), run.energies + 3.0 * shifts)
    moments = run.moments()
    np.testing.assert_array_equal(moments.interaction, INTERACTIONS)
    singles = np.array([[m.singly_occupied for m in run.select("exact", u)] for u in INTERACTIONS])
    np.testing.assert_allclose(moments.singly_occupied, singles.mean(axis=1))
    error = np.sqrt(((singles.T - singles.mean(axis=1)) ** 2).sum(axis=0) / (COUNT - 1) / COUNT)
    np.testing.assert_allclose(moments.singly_occupied_error, error)
    np.testing.assert_allclose(moments.polarization, moments.singly_occupied)
    np.testing.assert_allclose(moments.polarization_error, error)
    energies = np.array([[m.energy for m in run.select("exact", u)] for u in INTERACTIONS])
    np.testing.assert_allclose(moments.energy, energies.mean(axis=1))
    np.testing.assert_allclose(moments.energy_error, energies.std(axis=1, ddof=1) / np.sqrt(COUNT))


def test_interacting_energies_order_the_exact_occupations(run):
    # Double below single below empty up to the field of the neighbours' moments, which is small at U = 1.
    xi, n = run.interacting_energies("exact", 1.0), run.occupations("exact", 1.0)
    for level, number in zip(xi, n, strict=True):
        assert level[number == 2].max() < level[number == 0].min() + 0.05


def test_an_exact_result_does_not_depend_on_the_rest_of_the_list(run):
    other = simulate(1, SIZE, exact=[3.0], compared=[], steps=[], window=(-1.0, 1.0), pairs=5, seed=7)
    first, second = other.select("exact", 3.0)[0], run.select("exact", 3.0)[0]
    np.testing.assert_array_equal(first.up, second.up)
    np.testing.assert_allclose(first.shift, second.shift, atol=1e-12)


def test_odd_numbers_have_no_paired_control():
    one = simulate_configuration(
        np.random.SeedSequence(2), 6, 9.0, 1.0, 0.6, 31, (1.0,), (1.0,), (10,), (-3.0, 3.0), 5, True
    )
    assert {m.method for m in one.minimizations} == {"exact", "greedy", "monte_carlo", "random_start"}
    assert all(m.polarization % 2 == 1 for m in one.minimizations)


# ---------------------------------------------------------------- controls


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), interaction=st.floats(0, 5), particles=st.integers(0, 10))
def test_isolated_occupations_against_enumeration(seed, interaction, particles):
    rng = np.random.default_rng(seed)
    xi, own = rng.normal(size=5), rng.uniform(0, 1, 5)
    n = isolated_occupations(xi, own, interaction, particles)
    assert n.sum() == particles

    def cost(occupation):
        occupation = np.array(occupation)
        return xi @ occupation + interaction * own @ (occupation == 2)

    best = min(cost(o) for o in itertools.product(range(3), repeat=5) if sum(o) == particles)
    assert cost(n) == pytest.approx(best, abs=1e-12)


def test_isolated_occupations_are_the_window_of_a_single_state():
    rng = np.random.default_rng(0)
    xi, own = rng.normal(size=400), rng.uniform(0, 0.3, 400)
    n = isolated_occupations(xi, own, 2.0, 400)
    mu = (np.where(n > 0, xi, -np.inf).max() + np.where(n < 1, xi, np.inf).min()) / 2
    np.testing.assert_array_equal(n == 1, (xi < mu) & (xi + 2.0 * own > mu))
    exact = ground_state(xi, np.diag(own), 2.0, 400)
    np.testing.assert_array_equal(n, exact.up.astype(int) + exact.down)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"count": 0}, ValueError, "count"),
        ({"size": 2}, ValueError, "size"),
        ({"size": 8.0}, TypeError, "size"),
        ({"disorder": -1.0}, ValueError, "disorder"),
        ({"disorder": np.nan}, ValueError, "disorder"),
        ({"hopping": "1"}, TypeError, "hopping"),
        ({"diagonal_hopping": np.inf}, ValueError, "diagonal_hopping"),
        ({"particles": 0}, ValueError, "particles"),
        ({"particles": 128}, ValueError, "particles"),
        ({"particles": 12.5}, TypeError, "particles"),
        ({"exact": [-1.0]}, ValueError, "exact"),
        ({"exact": [1.0, 1.0]}, ValueError, "exact must not repeat"),
        ({"exact": 1.0}, ValueError, "exact"),
        ({"exact": [np.nan]}, ValueError, "exact"),
        ({"compared": ["1"]}, TypeError, "compared"),
        ({"steps": 100}, TypeError, "steps"),
        ({"steps": "100"}, TypeError, "steps"),
        ({"steps": [0]}, ValueError, "steps"),
        ({"steps": [1.5]}, TypeError, "steps"),
        ({"steps": [1] * 9}, TypeError, "steps"),
        ({"window": (1.0, -1.0)}, ValueError, "window"),
        ({"window": (np.nan, 1.0)}, ValueError, "window"),
        ({"window": 3}, TypeError, "window"),
        ({"window": (0.0, 1.0, 2.0)}, TypeError, "window"),
        ({"pairs": 0}, ValueError, "pairs"),
        ({"whole": 1}, TypeError, "whole"),
        ({"seed": None}, TypeError, "seed"),
        ({"seed": -1}, ValueError, "seed"),
    ],
)
def test_bad_runs(changes, error, message):
    call = {"count": 1, "size": 8, "exact": [1.0], "compared": [], "window": (-2.0, 1.0), **changes}
    with pytest.raises(error, match=message):
        simulate(call.pop("count"), call.pop("size"), **call)


def test_window_without_states_fails_the_configuration():
    with pytest.raises(ValueError, match="window must hold at least two states"):
        simulate_configuration(np.random.SeedSequence(0), 4, 9.0, 1.0, 0.6, 14, (), (), (), (100.0, 101.0), 5)


def test_what_the_run_does_not_hold_is_named(run):
    with pytest.raises(ValueError, match=r"must be one of .*exact.*got \('exact', 2.0, None\)"):
        run.select("exact", 2.0)
    with pytest.raises(ValueError, match=r"got \('monte_carlo', 3.0, 7\)"):
        run.occupations("monte_carlo", 3.0, 7)
    with pytest.raises(ValueError, match="method must be one of"):
        run.moments("annealing")
    with pytest.raises(ValueError, match="at least 2 configurations"):
        simulate(1, 6, exact=[1.0], compared=[], window=(-3.0, 3.0)).moments()


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"energies": [0.0, np.nan]}, ValueError, "energies"),
        ({"energies": [[0.0, 1.0]]}, ValueError, "energies"),
        ({"energies": None}, TypeError, "energies"),
        ({"interaction": -1.0}, ValueError, "interaction"),
        ({"interaction": np.inf}, ValueError, "interaction"),
        ({"interaction": "1"}, TypeError, "interaction"),
        ({"particles": 5}, ValueError, "particles"),
        ({"particles": -2}, ValueError, "particles"),
        ({"particles": 2.0}, TypeError, "particles"),
    ],
)
def test_bad_controls(changes, error, message):
    call = {"energies": [0.0, 1.0], "interaction": 1.0, "particles": 2, **changes}
    with pytest.raises(error, match=message):
        isolated_occupations(call["energies"], [0.1, 0.2], call["interaction"], call["particles"])


@pytest.mark.parametrize("own", [[0.1], [-0.1, 0.0], [np.nan, 0.0], None, "ab"])
def test_bad_self_overlaps(own):
    with pytest.raises((TypeError, ValueError), match="self_overlaps"):
        isolated_occupations([0.0, 1.0], own, 1.0, 2)


# ---------------------------------------------------------------- states near the Fermi level alone


@pytest.mark.parametrize("interaction", [0.3, 1.0])
def test_leaving_far_states_alone_changes_no_result(interaction):
    options = {"exact": [interaction], "compared": [interaction], "window": (-2.0, 1.0), "seed": 3}
    part = simulate(2, 16, steps=[], **options)
    full = simulate(2, 16, steps=[], whole=True, **options)
    for method in ("exact", "greedy", "paramagnetic"):
        for one, other in zip(
            part.select(method, interaction), full.select(method, interaction), strict=True
        ):
            np.testing.assert_array_equal(one.up, other.up)
            np.testing.assert_array_equal(one.down, other.down)
            np.testing.assert_allclose(one.shift, other.shift, atol=1e-12)
            assert one.energy == pytest.approx(other.energy, abs=1e-10)
    singles = part.occupations("exact", interaction)
    moved = [np.abs(np.diff(one, prepend=2.0)).nonzero()[0] for one in singles]
    assert all(where.size for where in moved)


def test_far_states_are_really_left_alone_and_brought_back_when_needed():
    energies, states = eigenstates(12, 9.0, seed=1)
    seed = np.random.SeedSequence(0)
    lattice = simulation._Lattice(energies, states, 120, 1.3)
    assert not lattice.whole
    assert lattice.find("exact", 0.5, 0, seed).energy <= 0
    assert not lattice.whole
    # Far too narrow for this interaction: the check fails, all states come back, the result is the exact one.
    found = lattice.find("exact", 6.0, 0, seed)
    assert lattice.whole
    expected = ground_state(energies, hubbard_overlaps(states), 6.0, 120)
    assert found.energy == pytest.approx(expected.energy, abs=1e-9)
    narrow = simulation._Lattice(energies, states, 120, 0.5)
    moved = narrow.find("greedy", 6.0, 0, seed)
    assert narrow.whole
    assert moved.energy == pytest.approx(
        ground_state(energies, hubbard_overlaps(states), 6.0, 120, "greedy").energy, abs=1e-9
    )


def test_thinned_monte_carlo_has_the_statistics_of_the_whole_one():
    # Mean energy after 20000 proposals from the sea, states near the Fermi level against all states.
    energies, states = eigenstates(12, 9.0, seed=2)
    means, errors = [], []
    for reach in (3.2, np.inf):
        lattice = simulation._Lattice(energies, states, 120, reach)
        assert lattice.whole == np.isinf(reach)
        values = [
            lattice.find("monte_carlo", 2.0, 20_000, np.random.SeedSequence(4, spawn_key=(n,))).energy
            for n in range(300)
        ]
        means.append(np.mean(values))
        errors.append(np.std(values) / np.sqrt(len(values)))
    assert abs(means[0] - means[1]) < 4 * np.hypot(*errors)
    assert np.hypot(*errors) < 0.05 * abs(means[1])


# ---------------------------------------------------------------- what the page concludes, on small lattices


@pytest.fixture(scope="module")
def ensemble():
    return simulate(24, 20, exact=[0.5, 1.0, 2.0], compared=[1.0], steps=[], window=(-2.0, 1.0), seed=11)


def isolated(run, interaction):
    return np.array(
        [
            isolated_occupations(c.energies, c.self_overlaps, interaction, run.particles)
            for c in run.configurations
        ]
    )


def test_mean_field_without_moments_smears_the_step(ensemble):
    aligned = ensemble.energies - fermi_levels(ensemble.energies, ensemble.particles)[:, None]
    sharp = fermi_fit(aligned, 2.0 * (aligned < 0))
    full = fermi_fit(aligned, ensemble.occupations("exact", 1.0))
    control = fermi_fit(aligned, ensemble.occupations("paramagnetic", 1.0))
    alone = fermi_fit(aligned, isolated(ensemble, 1.0))
    assert sharp.width < 0.002
    assert control.width > 3 * control.width_error
    assert control.width > 0.5 * full.width
    assert alone.width < 0.5 * full.width
    bare = fermi_fit(ensemble.energies, 2.0 * (aligned < 0))
    assert bare.width > 5 * bare.width_error


def test_isolated_number_is_linear_and_the_full_one_is_larger(ensemble):
    moments = ensemble.moments()
    alone = np.array([(isolated(ensemble, u) == 1).sum(axis=1) for u in moments.interaction])
    aligned = ensemble.energies - fermi_levels(ensemble.energies, ensemble.particles)[:, None]
    near = np.abs(aligned) < 0.5
    own = np.mean([c.self_overlaps[e].mean() for c, e in zip(ensemble.configurations, near, strict=True)])
    law = 400 * near.mean() * own * moments.interaction
    error = alone.std(axis=1, ddof=1) / np.sqrt(24)
    assert (np.abs(alone.mean(axis=1) - law) < 4 * error).all()
    np.testing.assert_array_equal(moments.polarization, moments.singly_occupied)
    excess = moments.singly_occupied - alone.mean(axis=1)
    assert (excess[1:] > 3 * moments.singly_occupied_error[1:]).all()
    ratio = moments.singly_occupied[2] / moments.singly_occupied[1]
    assert ratio > 2.5


def test_what_makes_a_result_safe():
    energies, states = eigenstates(12, 9.0, seed=1)
    lattice = simulation._Lattice(energies, states, 120, 1.5)
    level = energies[59]
    assert lattice._holds_every_minimum(level, 0.5)
    assert not lattice._holds_every_minimum(level, 1.6)
    assert not lattice._holds_every_minimum(level + 1.6, 0.5)
    assert not lattice._holds_every_minimum(None, 0.5)
    inside = energies[lattice.start : lattice.stop]
    sea = inside <= level
    assert lattice._holds_every_move(OccupationSearch(sea, sea, 0.0, 0, 0), 1.2)
    assert not lattice._holds_every_move(OccupationSearch(sea, sea, 0.0, 0, 0), 1.7)
    # A hole far down, or a particle far up: somebody outside could go there, or it could go outside.
    hole, top = sea.copy(), sea.copy()
    hole[1], top[-2] = False, True
    assert not lattice._holds_every_move(OccupationSearch(hole, sea, 0.0, 0, 0), 1.2)
    assert not lattice._holds_every_move(OccupationSearch(sea, top, 0.0, 0, 0), 1.2)
