"""The ensemble runner: same digits everywhere, nothing finished is lost."""

import os
import signal
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from interruption import interrupt

from disorder.numerics import cache, ensemble
from disorder.numerics.ensemble import EnsembleError, cached_checkpoint, run_ensemble


def draw(seed, size=3):
    return np.random.default_rng(seed).normal(size=size)


def draw_unless_odd(seed, forbidden):
    index = seed.spawn_key[-1]
    if index in forbidden:
        raise ArithmeticError(f"number {index}")
    return index


def die_once(seed, victim, marker):
    index = seed.spawn_key[-1]
    if index == victim and not Path(marker).exists():
        while not Path(marker + ".go").exists():
            time.sleep(0.005)
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return index


def count_calls(seed, folder):
    index = seed.spawn_key[-1]
    with open(Path(folder) / f"call-{index}", "a") as stream:
        stream.write("x")
    return index


class Unpicklable(Exception):
    def __init__(self, first, second):
        super().__init__(first)
        self.lock = threading.Lock()


def raise_unpicklable(seed):
    raise Unpicklable("one", "two")


def pool(workers):
    return ProcessPoolExecutor(workers, mp_context=get_context("fork"))


def identical(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_children_are_those_of_spawn():
    results = run_ensemble(draw, 5, seed=7)
    expected = [np.random.default_rng(child).normal(size=3) for child in np.random.SeedSequence(7).spawn(5)]
    assert identical(results, expected)
    parent = np.random.SeedSequence(7, spawn_key=(3,))
    expected = [draw(child) for child in np.random.SeedSequence(7, spawn_key=(3,)).spawn(5)]
    assert identical(run_ensemble(draw, 5, seed=parent), expected)
    assert parent.n_children_spawned == 0


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_same_digits_for_any_number_of_workers(workers):
    serial = run_ensemble(draw, 11, seed=[3, 4], arguments=(2,))
    with ThreadPoolExecutor(workers) as threads:
        assert identical(
            run_ensemble(draw, 11, seed=[3, 4], arguments=(2,), executor=threads, batch=3), serial
        )
    with pool(workers) as processes:
        assert identical(run_ensemble(draw, 11, seed=[3, 4], arguments=(2,), executor=processes), serial)


def test_only_submit_is_used_and_outstanding_is_bounded():
    class Cautious:
        def __init__(self):
            self.open, self.largest = 0, 0
            self.pool = ThreadPoolExecutor(1)

        def submit(self, function, *arguments):
            self.open += 1
            self.largest = max(self.largest, self.open)
            future = self.pool.submit(function, *arguments)
            future.add_done_callback(lambda _: setattr(self, "open", self.open - 1))
            return future

    executor = Cautious()
    with executor.pool:
        assert identical(
            run_ensemble(draw, 20, seed=1, executor=executor, outstanding=3), run_ensemble(draw, 20, seed=1)
        )
    assert executor.largest == 3


def test_all_failures_are_collected(tmp_path):
    with pytest.raises(EnsembleError, match="2 of 6 realisations failed, first number 1") as caught:
        run_ensemble(draw_unless_odd, 6, seed=0, arguments=((1, 4),), checkpoint=tmp_path / "c")
    assert caught.value.results == {0: 0, 2: 2, 3: 3, 5: 5}
    assert sorted(caught.value.failures) == [1, 4]
    assert isinstance(caught.value.__cause__, ArithmeticError)
    with pool(2) as processes, pytest.raises(EnsembleError) as again:
        run_ensemble(draw_unless_odd, 6, seed=0, arguments=((1, 4),), executor=processes, batch=2)
    assert again.value.results == caught.value.results
    assert sorted(again.value.failures) == [1, 4]


def test_exception_that_cannot_travel_does_not_break_the_pool():
    with pool(1) as processes, pytest.raises(EnsembleError, match="Unpicklable: one"):
        run_ensemble(raise_unpicklable, 2, seed=0, executor=processes)


def test_resume_runs_only_what_is_missing(tmp_path):
    with pytest.raises(EnsembleError):
        run_ensemble(draw_unless_odd, 6, seed=0, arguments=([2],), checkpoint=tmp_path / "c")
    stored = ensemble._Checkpoint(
        tmp_path / "c", ensemble._identity(draw_unless_odd, ([2],), np.random.SeedSequence(0), 6)
    )
    assert sorted(stored.load()) == [0, 1, 3, 4, 5]
    arguments = (str(tmp_path),)
    assert run_ensemble(count_calls, 4, seed=0, arguments=arguments, checkpoint=tmp_path / "d") == [
        0,
        1,
        2,
        3,
    ]
    assert run_ensemble(count_calls, 4, seed=0, arguments=arguments, checkpoint=tmp_path / "d") == [
        0,
        1,
        2,
        3,
    ]
    assert all((tmp_path / f"call-{index}").read_text() == "x" for index in range(4))
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seed": 1}, "seed is"),
        ({"count": 5}, "count is 4 there and 5 here"),
        ({"arguments": (4,)}, "arguments is"),
        ({"task": count_calls}, "task is"),
    ],
)
def test_checkpoint_of_another_run_is_refused(tmp_path, changed, message):
    run = {"task": draw, "count": 4, "seed": 0, "arguments": (3,)}

    def start(task, count, **options):
        return run_ensemble(task, count, checkpoint=tmp_path / "c", **options)

    start(**run)
    before = (tmp_path / "c").read_bytes()
    with pytest.raises(ValueError, match=message):
        start(**{**run, **changed})
    assert (tmp_path / "c").read_bytes() == before


def test_damaged_and_foreign_checkpoints_are_refused(tmp_path):
    path = tmp_path / "c"
    run_ensemble(draw, 2, seed=0, checkpoint=path)
    good = path.read_bytes()
    path.write_bytes(good[:-1])
    with pytest.raises(ValueError, match="damaged"):
        run_ensemble(draw, 2, seed=0, checkpoint=path)
    path.write_bytes(b"my letters to Aunt Ada")
    with pytest.raises(ValueError, match="is no checkpoint"):
        run_ensemble(draw, 2, seed=0, checkpoint=path)
    assert path.read_bytes() == b"my letters to Aunt Ada"
    with pytest.raises(OSError, match="missing"):
        run_ensemble(draw, 2, seed=0, checkpoint=tmp_path / "missing" / "c")
    with pytest.raises(TypeError, match="picklable"):
        run_ensemble(lambda seed: 0, 2, seed=0, checkpoint=tmp_path / "e")


def test_full_disk_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "c"
    original, calls = os.fsync, []

    def full(handle):
        calls.append(handle)
        if len(calls) > 3:
            raise OSError(28, "No space left on device")
        original(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.warns(RuntimeWarning, match="No space left on device"):
        results = run_ensemble(draw, 5, seed=0, checkpoint=path)
    assert identical(results, run_ensemble(draw, 5, seed=0))
    assert not list(tmp_path.glob("*.part"))
    monkeypatch.undo()
    stored = ensemble._Checkpoint(path, ensemble._identity(draw, (), np.random.SeedSequence(0), 5)).load()
    assert sorted(stored) == [0, 1]
    assert identical(run_ensemble(draw, 5, seed=0, checkpoint=path), results)


def test_worker_death_loses_no_finished_result(tmp_path):
    marker = str(tmp_path / "dead")
    run = {"seed": 0, "arguments": (5, marker), "checkpoint": tmp_path / "c"}

    class Opening:
        # Lets the victim die only when all others have been finished and collected.
        def __init__(self, inner):
            self.inner, self.finished = inner, 0

        def submit(self, *call):
            future = self.inner.submit(*call)
            future.add_done_callback(self.count)
            return future

        def count(self, future):
            if not future.cancelled() and future.exception() is None:
                self.finished += 1
                if self.finished == 7:
                    Path(marker + ".go").touch()

    with pool(2) as processes, pytest.raises(EnsembleError, match="1 of 8") as caught:
        run_ensemble(die_once, 8, executor=Opening(processes), outstanding=8, **run)
    assert isinstance(caught.value.failures[5], BrokenProcessPool)
    assert sorted(caught.value.results) == [0, 1, 2, 3, 4, 6, 7]
    with pool(2) as processes:
        assert run_ensemble(die_once, 8, executor=processes, **run) == list(range(8))


def test_broken_executor_fails_the_rest_without_hanging():
    with pool(1) as processes:
        doomed = processes.submit(os._exit, 1)
        with pytest.raises(BrokenProcessPool):
            doomed.result()
        with pytest.raises(EnsembleError, match="3 of 3") as caught:
            run_ensemble(draw, 3, seed=0, executor=processes)
    assert sorted(caught.value.failures) == [0, 1, 2]


@pytest.mark.parametrize("parallel", [False, True])
def test_interruption_keeps_what_has_arrived(tmp_path, parallel):
    interrupt(
        f"""
        import sys, time
        from concurrent.futures import ThreadPoolExecutor
        from disorder.numerics.ensemble import run_ensemble

        def slow(seed):
            if seed.spawn_key[-1] >= 3:
                print("slow", flush=True)
                time.sleep({"1.0" if parallel else "60"})
            return seed.spawn_key[-1]

        executor = ThreadPoolExecutor(1) if {parallel} else None
        run_ensemble(slow, 6, seed=0, checkpoint={str(tmp_path / "c")!r}, executor=executor, batch=1)
        """
    )
    content = (tmp_path / "c").read_bytes()
    assert content.startswith(ensemble._MAGIC)
    import pickle

    payload = content[len(ensemble._MAGIC) :].split(b"\n", 1)[1]
    assert pickle.loads(payload) == {0: 0, 1: 1, 2: 2}


def test_results_that_arrive_during_the_interruption_are_kept():
    # A future that is done but not yet collected when the interruption strikes.
    done: Future = Future()
    done.set_result([(0, True, "kept")])
    kept = []

    class Interrupting:
        def submit(self, *call):
            if not kept:
                kept.append(None)
                return done
            raise KeyboardInterrupt

    recorded = []
    with pytest.raises(KeyboardInterrupt):
        ensemble._parallel(
            Interrupting(), 2, (draw, (), np.random.SeedSequence(0)), [[0], [1]], recorded.extend
        )
    assert recorded == [(0, True, "kept")]


def test_progress_bar_counts(capsys):
    run_ensemble(draw, 4, seed=0, progress=True)
    assert "4/4" in capsys.readouterr().err
    run_ensemble(draw, 4, seed=0)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"count": 0}, ValueError, "count"),
        ({"count": 2.0}, TypeError, "count"),
        ({"batch": 0}, ValueError, "batch"),
        ({"outstanding": 0}, ValueError, "outstanding"),
        ({"seed": -1}, ValueError, "seed"),
        ({"seed": None}, TypeError, "seed"),
        ({"seed": 1.5}, TypeError, "seed"),
        ({"arguments": [1]}, TypeError, "arguments"),
        ({"executor": 4}, TypeError, "executor"),
        ({"task": 3}, TypeError, "task"),
    ],
)
def test_bad_input(options, error, message):
    call = {"task": draw, "count": 2, "seed": 0, **options}
    with pytest.raises(error, match=message):
        run_ensemble(call.pop("task"), call.pop("count"), **call)


def test_cached_checkpoint_is_found_again_and_follows_the_sources(tmp_path, monkeypatch):
    monkeypatch.setenv("DISORDER_CACHE_DIR", str(tmp_path))
    path = cached_checkpoint("dice-60")
    assert path.parent.parent == tmp_path
    assert path == cached_checkpoint("dice-60")
    first = run_ensemble(draw, 3, seed=1, checkpoint=path)
    assert identical(first, run_ensemble(draw, 3, seed=1, checkpoint=path))
    monkeypatch.setattr(cache.Path, "read_bytes", lambda self: b"edited")
    assert cached_checkpoint("dice-60") != path


@pytest.mark.parametrize("name", ["", "../dice", "a/b", ".dice", 3, None])
def test_cached_checkpoint_refuses_names_that_leave_the_folder(name):
    with pytest.raises((TypeError, ValueError), match="name must"):
        cached_checkpoint(name)
