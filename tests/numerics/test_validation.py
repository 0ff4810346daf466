"""Every check names the argument and what is allowed, and lets good values through unchanged."""

import fractions

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from disorder.numerics.validation import integer, positive, real_array, real_scalar, twice_spin


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_finite_numbers_pass_unchanged(value):
    assert real_scalar("x", value) == value
    assert real_array("x", [value, value]).tolist() == [value, value]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0, -1.0, 0])
def test_positive_refuses(value):
    with pytest.raises(ValueError, match=r"temperature must be finite and lie in \(0, inf\), got"):
        positive("temperature", value)


@pytest.mark.parametrize("value", [None, "1", 1j, [1.0], True, np.array([1.0]), np.bool_(True)])
def test_scalars_of_wrong_type(value):
    with pytest.raises(TypeError, match="temperature must be a real number"):
        positive("temperature", value)


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int64(2), np.array(2.0), fractions.Fraction(2)])
def test_every_real_type_is_taken(value):
    assert positive("x", value) == 2.0


def test_closed_and_open_ends():
    assert real_scalar("x", 1, low=1, open_low=False) == 1
    assert real_scalar("x", 1, high=1, open_high=False) == 1
    with pytest.raises(ValueError, match=r"\(1, inf\)"):
        real_scalar("x", 1, low=1)
    with pytest.raises(ValueError, match=r"\[0, 1\)"):
        real_array("x", [0, 1], low=0, high=1, open_low=False)


@pytest.mark.parametrize("value", [["a"], [True], [1j], [None]])
def test_arrays_of_wrong_type(value):
    with pytest.raises(TypeError, match="omega must hold real numbers"):
        real_array("omega", value)


@pytest.mark.parametrize("value", [[1.0, np.nan], [np.inf], np.nan])
def test_arrays_with_bad_entries(value):
    with pytest.raises(ValueError, match="omega must be finite"):
        real_array("omega", value)


def test_ragged_and_wrong_axes():
    with pytest.raises(ValueError, match="omega"):
        real_array("omega", [[1.0], [1.0, 2.0]])
    with pytest.raises(ValueError, match=r"omega must have 1 axes, got shape \(\)"):
        real_array("omega", 1.0, ndim=1)


def test_arrays_are_copies():
    source = np.ones(3)
    real_array("x", source)[0] = 5
    assert source[0] == 1


@pytest.mark.parametrize(("spin", "twice"), [(0.5, 1), (1, 2), (fractions.Fraction(7, 2), 7), (100, 200)])
def test_spins(spin, twice):
    assert twice_spin("spin", spin) == twice


@pytest.mark.parametrize("spin", [0, -0.5, 0.3, 1e9, 100.5, np.nan, np.inf])
def test_spins_refused(spin):
    with pytest.raises(ValueError, match="spin must be"):
        twice_spin("spin", spin)


def test_integers():
    assert integer("n", np.int64(3), low=1) == 3
    with pytest.raises(TypeError, match="n must be an integer"):
        integer("n", 3.0)
    with pytest.raises(ValueError, match=r"n must lie in \[1, None\], got 0"):
        integer("n", 0, low=1)
