"""The simulation of Fig. 2 as an ensemble: same digits everywhere, nothing finished is lost."""

import dataclasses
import os
import signal
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from interruption import interrupt

from disorder.fermi_glass import PAPER_INTERACTIONS, paper_run, simulate, simulation
from disorder.numerics.ensemble import EnsembleError

SMALL = {
    "size": 8,
    "exact": [1.0, 4.0],
    "compared": [4.0],
    "steps": [500, 2000],
    "window": (-3.0, 1.5),
    "pairs": 20,
    "whole": True,
    "seed": 5,
}


def identical(first, second):
    if dataclasses.is_dataclass(first):
        fields = [field.name for field in dataclasses.fields(first)]
        return type(first) is type(second) and all(
            identical(getattr(first, name), getattr(second, name)) for name in fields
        )
    if isinstance(first, tuple):
        return len(first) == len(second) and all(map(identical, first, second))
    return np.array_equal(first, second)


@pytest.fixture(scope="module")
def serial():
    return simulate(6, **SMALL)


def test_configurations_do_not_depend_on_their_number_and_differ(serial):
    assert identical(simulate(2, **SMALL).configurations, serial.configurations[:2])
    assert not identical(serial.configurations[0], serial.configurations[1])


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_same_digits_for_any_number_of_workers(serial, workers):
    with ThreadPoolExecutor(workers) as threads:
        assert identical(simulate(6, executor=threads, **SMALL), serial)


def test_same_digits_from_spawned_processes(serial):
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        assert identical(simulate(6, executor=processes, **SMALL), serial)


def test_same_digits_from_a_dask_cluster(serial, tmp_path):
    distributed = pytest.importorskip("dask.distributed")
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            local_directory=str(tmp_path),
            memory_limit=0,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        run = simulate(6, executor=client.get_executor(), checkpoint=tmp_path / "run", **SMALL)
    assert identical(run, serial)
    assert identical(simulate(6, checkpoint=tmp_path / "run", **SMALL), serial)


def count_calls(monkeypatch, calls):
    genuine = simulation.eigenstates

    def counted(*arguments, **options):
        calls.append(options["seed"].spawn_key)
        return genuine(*arguments, **options)

    monkeypatch.setattr(simulation, "eigenstates", counted)


def test_killed_worker_loses_nothing_finished(serial, tmp_path, monkeypatch):
    genuine, marker = simulation.eigenstates, tmp_path / "killed"

    def fatal(*arguments, **options):
        if options["seed"].spawn_key[0] == 4 and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return genuine(*arguments, **options)

    # A forked worker inherits the patch; one batch at a time, so that four have arrived.
    with monkeypatch.context() as patch:
        patch.setattr(simulation, "eigenstates", fatal)
        with (
            ProcessPoolExecutor(1, mp_context=get_context("fork")) as processes,
            pytest.raises(EnsembleError, match="2 of 6") as caught,
        ):
            simulate(6, executor=processes, checkpoint=tmp_path / "run", **SMALL)
    assert sorted(caught.value.results) == [0, 1, 2, 3]
    assert all(isinstance(error, BrokenProcessPool) for error in caught.value.failures.values())
    calls = []
    count_calls(monkeypatch, calls)
    assert identical(simulate(6, checkpoint=tmp_path / "run", **SMALL), serial)
    assert [key[0] for key in calls] == [4, 5]


def test_full_disk_costs_only_the_checkpoint(serial, tmp_path, monkeypatch):
    original, calls = os.fsync, []

    def full(handle):
        calls.append(handle)
        if len(calls) > 4:
            raise OSError(28, "No space left on device")
        original(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.warns(RuntimeWarning, match="No space left on device"):
            run = simulate(6, checkpoint=tmp_path / "run", **SMALL)
    assert identical(run, serial)
    assert not list(tmp_path.glob("*.part"))
    done = []
    count_calls(monkeypatch, done)
    assert identical(simulate(6, checkpoint=tmp_path / "run", **SMALL), serial)
    assert [key[0] for key in done] == [3, 4, 5]


def test_interrupted_run_goes_on_where_it_stopped(serial, tmp_path, monkeypatch):
    interrupt(
        f"""
        import time
        from disorder.fermi_glass import simulate, simulation

        genuine = simulation.eigenstates

        def slow(*arguments, **options):
            if options["seed"].spawn_key[0] == 3:
                print("slow", flush=True)
                time.sleep(60)
            return genuine(*arguments, **options)

        simulation.eigenstates = slow
        simulate(6, checkpoint={str(tmp_path / "run")!r}, **{SMALL!r})
        """
    )
    calls = []
    count_calls(monkeypatch, calls)
    assert identical(simulate(6, checkpoint=tmp_path / "run", **SMALL), serial)
    assert [key[0] for key in calls] == [3, 4, 5]


def test_checkpoint_of_other_parameters_is_refused(tmp_path):
    simulate(1, checkpoint=tmp_path / "run", **SMALL)
    with pytest.raises(ValueError, match="belongs to another run: arguments"):
        simulate(1, checkpoint=tmp_path / "run", **{**SMALL, "disorder": 8.0})
    with pytest.raises(ValueError, match="belongs to another run: seed"):
        simulate(1, checkpoint=tmp_path / "run", **{**SMALL, "seed": 6})
    # Other types of the same numbers are the same run.
    again = {**SMALL, "exact": np.array([1, 4]), "steps": (np.int64(500), 2000), "window": [-3, 1.5]}
    assert simulate(1, checkpoint=tmp_path / "run", **again).size == 8


def test_paper_run_asks_for_the_papers_parameters(monkeypatch):
    asked = {}

    def record(task, count, **options):
        asked.update(options, count=count)
        return [None] * count

    monkeypatch.setattr(simulation, "run_ensemble", record)
    run = paper_run(checkpoint=Path("somewhere"))
    size, disorder, hopping, diagonal, particles, exact, compared, steps, window = asked["arguments"][:9]
    assert (asked["count"], size, disorder, hopping, diagonal, particles) == (15, 60, 9.0, 1.0, 0.6, 3000)
    assert (run.size, run.particles, len(run.configurations)) == (60, 3000, 15)
    assert set(PAPER_INTERACTIONS) == set(compared) <= set(exact)
    assert steps[0] == 100_000
    assert window == (-0.91, 0.26)
    assert asked["arguments"][-1] is False
    assert asked["checkpoint"] == Path("somewhere")
