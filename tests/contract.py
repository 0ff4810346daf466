"""What every public function owes its caller, checked from one table of valid calls per paper.

Bad input raises and names the argument; scalars give scalars; arrays broadcast and equal the scalar results
entry by entry; extreme but legal numbers never give NaN or infinity.
A paper's ``test_contract.py`` subclasses :class:`ContractTests` with its package and its table.
"""

import dataclasses
import inspect
import math
import re
import warnings
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

from disorder.numerics.quadrature import ConvergenceError
from disorder.numerics.validation import ValidityWarning

BAD = (
    math.nan, math.inf, -math.inf, "1", 1j, [[1.0], [1.0, 2.0]], np.array(["a"]), object(), True, None,
)  # fmt: skip


def numbers(value):
    """All numbers of a result, whatever its shape; methods of a result and texts are none."""
    if dataclasses.is_dataclass(value):
        fields = [getattr(value, field.name) for field in dataclasses.fields(value)]
        return np.concatenate([np.empty(0), *(numbers(entry) for entry in fields)])
    if isinstance(value, tuple | list):
        return np.concatenate([np.empty(0), *(numbers(item) for item in value)])
    if sparse.issparse(value):
        return value.data
    if value is None or isinstance(value, str) or callable(value):
        return np.empty(0)
    return np.atleast_1d(np.asarray(value)).ravel()


def spoiled(good):
    """Copies of a valid argument with a NaN, an infinity, or complex numbers."""
    if isinstance(good, float) or (isinstance(good, int) and not isinstance(good, bool)):
        return [math.nan, math.inf, 1j]
    try:
        array = np.asarray(good)
    except ValueError:
        return []
    if array.dtype.kind not in "biuf" or not array.size or not array.ndim:
        return []
    copies = [array + 1j]
    for number in (math.nan, math.inf):
        copy = array.astype(float)
        copy.flat[-1] = number
        copies.append(copy)
    return copies


def parts(value):
    """The arrays of a result: itself, or the fields of a dataclass, or the members of a tuple."""
    if dataclasses.is_dataclass(value):
        return [np.asarray(getattr(value, field.name)) for field in dataclasses.fields(value)]
    return [np.asarray(item) for item in (value if isinstance(value, tuple) else (value,))]


class ContractTests:
    """Tests shared by all papers; a subclass sets the attributes below.

    Attributes
    ----------
    package : module
    calls : dict
        One valid call of every public function, by keyword.
    structured : set of str
        Functions whose own test files check their contract: arguments with a structure of their own.
    arguments : dict
        Leading arguments that callers rely on, by function.
    anything_goes : set
        Pairs (function, argument) of structured functions that take any object.
    outer : set of str
        Functions that combine every entry of one argument with every entry of another.
    agreement : float
        Relative difference allowed between an array call and its entries.
    positive, any_sign, zero_is_fine, complex_arguments, signed : set
        Names of arguments that are scales; pairs (function, argument) exempt from that; pairs where zero is
        legal; pairs that take complex numbers; names of arguments of either sign.
    """

    package = None
    calls: ClassVar = {}
    structured: ClassVar = set()
    arguments: ClassVar = {}
    positive: ClassVar = set()
    any_sign: ClassVar = set()
    zero_is_fine: ClassVar = set()
    complex_arguments: ClassVar = set()
    signed: ClassVar = set()
    outer: ClassVar = set()
    anything_goes: ClassVar = set()
    agreement = 1e-9

    # ---------------------------------------------------------------- the table, cut into cases

    @classmethod
    def run(cls, name, **changes):
        return getattr(cls.package, name)(**{**cls.calls[name], **changes})

    @classmethod
    def public(cls):
        return sorted(
            name
            for name in cls.package.__all__
            if callable(getattr(cls.package, name)) and not inspect.isclass(getattr(cls.package, name))
        )

    @classmethod
    def plain(cls):
        return [name for name in cls.calls if name not in cls.structured]

    @classmethod
    def pairs(cls):
        """(function, argument) wherever the valid call passes a number."""
        return [
            (name, argument)
            for name in cls.plain()
            for argument, value in cls.calls[name].items()
            if isinstance(value, float | int) and not isinstance(value, bool)
        ]

    @classmethod
    def takes_arrays(cls, name, argument):
        parameter = inspect.signature(getattr(cls.package, name)).parameters[argument]
        return "SupportsArray" in str(parameter.annotation)

    @classmethod
    def array_pairs(cls):
        return [pair for pair in cls.pairs() if cls.takes_arrays(*pair)]

    @classmethod
    def returns_scalar(cls, name):
        """Whether the annotation of the result, as written in the source, is that of a broadcast function."""
        text = inspect.getsource(getattr(cls.package, name))
        annotation = re.search(r"\)\s*->\s*(.+?):\n", text).group(1)
        return annotation in ("float", "NDArray[np.float64] | float", "FloatArray | float")

    @classmethod
    def pytest_generate_tests(cls, metafunc):
        cases = {
            "plain": cls.plain,
            "scalar": lambda: [name for name in cls.plain() if cls.returns_scalar(name)],
            "pair": cls.pairs,
            "scale": lambda: [
                pair for pair in cls.pairs() if pair[1] in cls.positive and pair not in cls.any_sign
            ],
            "array_pair": cls.array_pairs,
            "two_arrays": lambda: [
                (name, *arguments[:2])
                for name in cls.plain()
                if name not in cls.outer
                if len(arguments := [pair[1] for pair in cls.array_pairs() if pair[0] == name]) > 1
            ],
            "numeric": lambda: sorted({name for name, _ in cls.pairs()}),
            "structured_pair": lambda: [
                (name, argument)
                for name in sorted(cls.structured & set(cls.calls))
                for argument in cls.calls[name]
                if (name, argument) not in cls.anything_goes
            ],
        }
        for fixture, make in cases.items():
            if fixture in metafunc.fixturenames:
                values = make()
                ids = ["-".join(v) if isinstance(v, tuple) else v for v in values]
                metafunc.parametrize(fixture, values, ids=ids)

    # ---------------------------------------------------------------- hooks

    def entries(self, name, argument, good):
        """A (2, 3) array of legal values around the one of the table."""
        if isinstance(good, int):
            return good + np.arange(6).reshape(2, 3)
        return good * np.array([[1.0, 1.01, 1.02], [0.99, 0.98, 1.03]])

    def draw_extreme(self, data, name, argument, value):
        """An extreme legal value, or None to keep the one of the table."""
        if not isinstance(value, float) or not data.draw(st.booleans(), label=argument):
            return None
        exponent = data.draw(st.floats(-290.0, 290.0), label=f"log10 {argument}")
        return (-1.0 if argument in self.signed and exponent % 2 > 1 else 1.0) * 10.0**exponent

    # ---------------------------------------------------------------- tests

    def test_every_public_function_has_a_valid_call_or_its_own_tests(self):
        assert sorted(set(self.public()) - set(self.calls) - self.structured) == []
        assert sorted(set(self.calls) - set(self.public())) == []

    def test_leading_arguments(self):
        for name, arguments in self.arguments.items():
            parameters = list(inspect.signature(getattr(self.package, name)).parameters)
            assert parameters[: len(arguments)] == arguments, name

    def test_docstrings_are_complete(self):
        for name in self.package.__all__:
            thing = getattr(self.package, name)
            if not callable(thing):
                continue
            doc = inspect.getdoc(thing) or ""
            assert ">>> " in doc or inspect.isclass(thing), name
            if name in self.public():
                parameters = inspect.signature(thing).parameters
                sections = ["Returns", "Raises", "Parameters"] if parameters else ["Returns"]
                for section in sections:
                    assert f"{section}\n---" in doc, (name, section)
                for argument in parameters:
                    assert argument in doc, (name, argument)

    def test_valid_calls_are_finite_and_silent(self, plain):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            values = numbers(self.run(plain))
        assert np.isfinite(values).all()
        assert values.size

    def test_bad_numbers_raise_and_name_the_argument(self, pair):
        name, argument = pair
        default = inspect.signature(getattr(self.package, name)).parameters[argument].default
        for bad in BAD:
            if (bad is None and default is None) or (
                pair in self.complex_arguments and isinstance(bad, complex | list)
            ):
                continue
            with pytest.raises((TypeError, ValueError), match=argument):
                self.run(name, **{argument: bad})
        if self.takes_arrays(name, argument):
            good = self.calls[name][argument]
            with pytest.raises((TypeError, ValueError), match=argument):
                self.run(name, **{argument: [good, math.nan]})

    def test_structured_arguments_refuse_garbage(self, structured_pair):
        name, argument = structured_pair
        good = self.calls[name][argument]
        default = inspect.signature(getattr(self.package, name)).parameters[argument].default
        for bad in (object(), "no such thing", None, *spoiled(good)):
            if bad is None and default is None:
                continue
            with pytest.raises((TypeError, ValueError), match=argument):
                self.run(name, **{argument: bad})

    def test_scales_are_positive(self, scale):
        name, argument = scale
        for bad in (-1.0,) if scale in self.zero_is_fine else (0.0, -1.0):
            with pytest.raises(ValueError, match=argument):
                self.run(name, **{argument: bad})

    def test_scalars_in_float_out(self, scalar):
        value = self.run(scalar)
        assert isinstance(value, float), type(value)

    def test_arrays_broadcast_and_equal_the_scalars(self, array_pair):
        name, argument = array_pair
        entries = self.entries(name, argument, self.calls[name][argument])
        whole = parts(self.run(name, **{argument: entries}))
        assert [array.shape[:2] for array in whole] == [(2, 3)] * len(whole)
        for index in np.ndindex(2, 3):
            singles = parts(self.run(name, **{argument: entries[index].item()}))
            for array, single in zip(whole, singles, strict=True):
                assert array[index].shape == single.shape
                scale = np.abs(array).max()
                assert np.allclose(array[index], single, rtol=self.agreement, atol=1e-13 * scale)
        for empty in parts(self.run(name, **{argument: entries[:0]})):
            assert empty.shape[:2] == (0, 3)

    def test_shapes_that_do_not_broadcast(self, two_arrays):
        name, first, second = two_arrays
        call = self.calls[name]
        with pytest.raises(ValueError, match=r"shape|broadcast"):
            self.run(name, **{first: np.full(2, call[first]), second: np.full(3, call[second])})
        row, column = np.full((1, 3), call[first]), np.full((2, 1), call[second])
        for array in parts(self.run(name, **{first: row, second: column})):
            assert array.shape[:2] == (2, 3)

    @given(data=st.data())
    @settings(
        max_examples=12,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.differing_executors],
    )
    def test_extreme_but_legal_never_gives_nan(self, numeric, data):
        changes = {}
        for argument, value in self.calls[numeric].items():
            if (numeric, argument) in self.pairs():
                drawn = self.draw_extreme(data, numeric, argument, value)
                if drawn is not None:
                    changes[argument] = drawn
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", ValidityWarning)
            try:
                values = numbers(self.run(numeric, **changes))
            except (ValueError, ConvergenceError):
                return
        assert np.isfinite(values).all(), changes
