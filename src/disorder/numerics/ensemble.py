"""Work over many independent realisations: parallel, reproducible, and safe against interruption."""

import hashlib
import json
import os
import pickle
import re
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from .cache import source_cache
from .seeds import Seed, child_seed, seed_sequence
from .validation import integer

Task = Callable[..., Any]
_MAGIC = b"disorder-ensemble-1\n"
_Outcome = tuple[int, bool, Any]
_Call = tuple[Task, tuple[Any, ...], np.random.SeedSequence]


class EnsembleError(RuntimeError):
    """Some realisations failed; every finished one is kept.

    Attributes
    ----------
    results : dict
        Results of the finished realisations, by index.
    failures : dict
        Exception of each realisation that failed or was lost with its worker, by index.
    """

    def __init__(self, message: str, results: dict[int, Any], failures: dict[int, BaseException]) -> None:
        super().__init__(message)
        self.results = results
        self.failures = failures


def _run_batch(
    task: Task, arguments: tuple[Any, ...], parent: np.random.SeedSequence, indices: Sequence[int]
) -> list[_Outcome]:
    outcomes: list[_Outcome] = []
    for index in indices:
        try:
            outcomes.append((index, True, task(child_seed(parent, index), *arguments)))
        except Exception as error:
            outcomes.append((index, False, _portable(error)))
    return outcomes


def _portable(error: Exception) -> Exception:
    # An exception that cannot make the way back from a worker would break the whole pool.
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


class _Checkpoint:
    """Finished results in one file that is replaced as a whole, never written in place."""

    def __init__(self, path: Path, identity: dict[str, Any]) -> None:
        self.path = path
        self.identity = identity

    def load(self) -> dict[int, Any]:
        try:
            stream = self.path.open("rb")
        except FileNotFoundError:
            return {}
        with stream:
            if stream.read(len(_MAGIC)) != _MAGIC:
                raise ValueError(f"checkpoint {str(self.path)!r} is no checkpoint of an ensemble")
            header = stream.readline()
            payload = stream.read()
        stored = json.loads(header)
        if stored.pop("sha256", None) != hashlib.sha256(payload).hexdigest():
            raise ValueError(f"checkpoint {str(self.path)!r} is damaged; remove it to start again")
        for key, expected in self.identity.items():
            if stored.get(key) != expected:
                raise ValueError(
                    f"checkpoint {str(self.path)!r} belongs to another run: {key} is {stored.get(key)!r} "
                    f"there and {expected!r} here"
                )
        results: dict[int, Any] = pickle.loads(payload)
        return results

    def save(self, results: dict[int, Any]) -> None:
        payload = pickle.dumps(results, protocol=5)
        header = json.dumps({**self.identity, "sha256": hashlib.sha256(payload).hexdigest()})
        handle, name = tempfile.mkstemp(prefix=self.path.name, suffix=".part", dir=self.path.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(_MAGIC + header.encode() + b"\n" + payload)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(name, self.path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def _identity(
    task: Task, arguments: tuple[Any, ...], parent: np.random.SeedSequence, count: int
) -> dict[str, Any]:
    try:
        digest = hashlib.sha256(pickle.dumps((task, arguments), protocol=5)).hexdigest()
    except Exception as error:
        raise TypeError(f"task and arguments must be picklable to use a checkpoint: {error}") from error
    return {
        "task": f"{getattr(task, '__module__', '?')}.{getattr(task, '__qualname__', type(task).__name__)}",
        "count": count,
        "seed": f"{parent.entropy}/{parent.spawn_key}/{parent.pool_size}",
        "arguments": digest,
    }


def _serial(call: _Call, missing: list[int], record: Callable[[list[_Outcome]], None]) -> None:
    for index in missing:
        record(_run_batch(*call, [index]))


def _parallel(
    executor: Executor,
    outstanding: int,
    call: _Call,
    batches: list[list[int]],
    record: Callable[[list[_Outcome]], None],
) -> None:
    waiting = iter(batches)
    pending: dict[Future[list[_Outcome]], list[int]] = {}
    broken: BaseException | None = None

    def collect(future: Future[list[_Outcome]]) -> BaseException | None:
        try:
            outcomes = future.result()
        except (Exception, CancelledError) as error:
            record([(index, False, error) for index in pending.pop(future)])
            return error if isinstance(error, BrokenExecutor) else None
        record(outcomes)
        del pending[future]
        return None

    try:
        while True:
            while broken is None and len(pending) < outstanding:
                if (batch := next(waiting, None)) is None:
                    break
                try:
                    pending[executor.submit(_run_batch, *call, batch)] = batch
                except BrokenExecutor as error:
                    broken = error
                    record([(index, False, error) for index in batch])
            if not pending:
                break
            for future in wait(pending, return_when=FIRST_COMPLETED).done:
                broken = collect(future) or broken
        if broken is not None:
            record([(index, False, broken) for batch in waiting for index in batch])
    finally:
        # Only after an interruption is anything left here: keep what has arrived, call off the rest.
        for future in list(pending):
            if not future.cancel() and future.done():
                collect(future)


def run_ensemble(
    task: Task,
    count: int,
    *,
    seed: Seed,
    arguments: tuple[Any, ...] = (),
    executor: Executor | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    batch: int = 1,
    outstanding: int | None = None,
    progress: bool | None = None,
) -> list[Any]:
    """Evaluate ``task(seed_sequence, *arguments)`` for `count` independent realisations.

    Parameters
    ----------
    task : callable
        Function of module level (it is pickled). Its first argument is the realisation's own
        ``numpy.random.SeedSequence``, the only source of randomness it may use.
    count : int
        Number of realisations, at least 1.
    seed : int, sequence of int or SeedSequence
        Realisation i gets child i of it, whatever the number of workers.
    arguments : tuple
        Further arguments, the same for all realisations.
    executor : concurrent.futures.Executor, optional
        Where to run: a thread or process pool, loky, ``mpi4py.futures.MPIPoolExecutor``, Dask's
        ``Client.get_executor()``. Only ``submit`` is used and the executor is left open. Serial by default.
    checkpoint : path, optional
        File that keeps the finished results; an existing one of the same run is continued. It is a pickle:
        open only your own.
    batch : int
        Realisations sent to a worker at once and written at once; a batch should take 0.3 s or more.
    outstanding : int, optional
        Largest number of batches submitted and unfinished; by default twice the number of processors.
    progress : bool, optional
        Whether to show a bar; by default only in a terminal.

    Returns
    -------
    list
        Results in the order of the realisations, the same digits for any executor.

    Raises
    ------
    EnsembleError
        If realisations failed or workers died, after all others are finished; it carries these.
    TypeError, ValueError
        If an argument is wrong, or the checkpoint belongs to another run or is damaged.
    OSError
        If the checkpoint cannot be written at the start. A later failure to write only warns
        (RuntimeWarning), leaves the last checkpoint as it was, and is tried again.

    Notes
    -----
    A checkpoint is written to a second file and renamed, so that it is complete at every moment. After
    KeyboardInterrupt the results that have arrived are written before the exception goes on.

    Examples
    --------
    >>> def roll(seed, sides):
    ...     return int(np.random.default_rng(seed).integers(sides)) + 1
    >>> run_ensemble(roll, 4, seed=1, arguments=(6,)) == run_ensemble(roll, 6, seed=1, arguments=(6,))[:4]
    True
    """
    if not callable(task):
        raise TypeError(f"task must be callable, got {task!r}")
    count = integer("count", count, low=1)
    batch = integer("batch", batch, low=1)
    if outstanding is None:
        outstanding = 2 * (os.cpu_count() or 1)
    outstanding = integer("outstanding", outstanding, low=1)
    if not isinstance(arguments, tuple):
        raise TypeError(f"arguments must be a tuple, got {arguments!r} of type {type(arguments).__name__}")
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise TypeError(f"executor must have a method submit, got {executor!r}")
    parent = seed_sequence(seed)
    store = None
    results: dict[int, Any] = {}
    if checkpoint is not None:
        store = _Checkpoint(Path(checkpoint), _identity(task, arguments, parent, count))
        results = store.load()
        store.save(results)
    failures: dict[int, BaseException] = {}
    missing = [index for index in range(count) if index not in results]
    saved = len(results)

    def save() -> None:
        nonlocal saved
        if store is not None and len(results) > saved:
            try:
                store.save(results)
                saved = len(results)
            except OSError as error:
                warnings.warn(
                    f"checkpoint {str(store.path)!r} not written, the last one stays: {error}",
                    RuntimeWarning,
                    stacklevel=3,
                )

    disable = None if progress is None else not progress
    with tqdm(total=count, initial=len(results), disable=disable, file=sys.stderr) as bar:

        def record(outcomes: list[_Outcome]) -> None:
            for index, good, value in outcomes:
                (results if good else failures)[index] = value
            bar.update(len(outcomes))
            if len(results) - saved >= batch:
                save()

        try:
            if executor is None:
                _serial((task, arguments, parent), missing, record)
            else:
                batches = [missing[start : start + batch] for start in range(0, len(missing), batch)]
                _parallel(executor, outstanding, (task, arguments, parent), batches, record)
        finally:
            save()
    if failures:
        first = min(failures)
        raise EnsembleError(
            f"{len(failures)} of {count} realisations failed, first number {first}: "
            f"{type(failures[first]).__name__}: {failures[first]}",
            results,
            failures,
        ) from failures[first]
    return [results[index] for index in range(count)]


def cached_checkpoint(name: str) -> Path:
    """Return a file for the `checkpoint` of a run that several programs share, such as chapters of the book.

    Parameters
    ----------
    name : str
        Name of the run: letters, digits, dots, dashes, underscores.

    Returns
    -------
    pathlib.Path
        File below the user's cache folder, or below ``DISORDER_CACHE_DIR`` if that is set; its folder exists.
        After any edit of the package's sources it is another file, so that no outdated result is continued.

    Raises
    ------
    TypeError, ValueError
        If `name` is no such text.
    OSError
        If the folder cannot be made.

    Examples
    --------
    >>> from disorder.numerics.ensemble import cached_checkpoint
    >>> cached_checkpoint("dice").name
    'dice.checkpoint'
    """
    if not isinstance(name, str):
        raise TypeError(f"name must be a text, got {name!r} of type {type(name).__name__}")
    if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", name):
        raise ValueError(f"name must consist of letters, digits, dots, dashes and underscores, got {name!r}")
    folder = source_cache("ensembles", "DISORDER_CACHE_DIR")
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.checkpoint"
