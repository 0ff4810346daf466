"""What every public function of the package owes its caller, checked by one table of valid calls.

Bad input raises and names the argument; scalars give scalars; arrays broadcast and equal the scalar results
entry by entry; extreme but legal numbers never give NaN or infinity.
"""

import dataclasses
import inspect
import math
import re
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import disorder.magnetic_alloys as package
from disorder.magnetic_alloys import FermiDistribution, TwoStepDistribution
from disorder.numerics.quadrature import ConvergenceError
from disorder.numerics.validation import ValidityWarning

WIRE = TwoStepDistribution(position=0.3, bias=2.0, temperature=0.5)
TRIMER = np.array([[0.0, 1.0, 0.4], [1.0, 0.0, -0.7], [0.4, -0.7, 0.0]])
PAIR = {"energies": [-0.75, 0.25], "strengths": [[0.0, 0.75], [0.75, 1.5]], "degeneracies": [1, 3]}


def equipartition(coupling):
    return np.full((*np.shape(coupling), 3), 1 / 9)


# One valid call of every public function, by keyword; all scalars are inside every range of validity.
CALLS = {
    "alloy_quenching": {"temperature": [4.0], "spin": 0.5, "spins": 3, "samples": 8, "seed": 3},
    "alpha_s": {"spin": 1.5},
    "alpha_s_closed_form": {"spin": 1.5},
    "alpha_s_large_spin": {"spin": 15.0},
    "born_t_matrix": {"temperature": 1e4, "t_k": 1.0, "spin": 1.0, "prefactor": 0.5},
    "clebsch_gordan": {"spin": 1.5, "projection": 1},
    "cluster_quenching": {"couplings": TRIMER, "temperature": 2.0, "spin": 0.5},
    "collision_integral": {"energy": 0.4, "electron_distribution": WIRE, "spin": 1.0},
    "collision_kernel": {"energy": 3.0, "temperature": 2.0, "spin": 1.5, "t_sg": 0.2},
    "cooperon_decay_rate": {"energy": 1e-3, "temperature": 1e-3, "t_k": 1.0, "rate": "inelastic"},
    "correlation_decay": {"time": 0.05, "temperature": 20.0, "spin": 1.5, "t_sg": 1.0},
    "critical_concentration": {"kondo_temperature": 0.3, "factor": 1.0, "prefactor": 2.0},
    "energy_loss_constant": {"spin": 1.5},
    "energy_loss_constant_closed_form": {"spin": 1.5},
    "energy_loss_rate": {"energy": 3.0, "temperature": 2.0, "spin": 1.5},
    "energy_per_impurity": {"concentration": 60.0},
    "fermi_liquid_resistivity": {"temperature": 1e-3, "t_k": 1.0},
    "fermi_liquid_t_matrix": {"energy": 1e-3, "temperature": 1e-3, "t_k": 1.0},
    "field_suppression": {"field": 2.0, "section": "square"},
    "free_electron_metal": {"atomic_density": 6e28, "valence": 1.0},
    "frozen_level_threshold": {"spin": 1.5},
    "frozen_resistivity": {"spin": 1.5, "t_sg": 1e-6, "t_k": 1.0, "prefactor": 0.5},
    "frozen_scattering_rate": {"spin": 1.5, "t_sg": 1e-6, "t_k": 1.0, "prefactor": 0.5},
    "frozen_spin_resistivity": {"spin": 1.5, "t_sg": 100.0, "t_k": 1.0},
    "golden_rule_t_matrix": {"energy": 0.3, "temperature": 0.7, **PAIR},
    "impurity_density": {"concentration": 60.0},
    "inelastic_weight": {"z": 1.3, "dimension": 1},
    "interaction_per_rate": {"temperature": 30.0, "spin": 1.5, "t_k": 1.0, "transit_energy": 1e4},
    "kondo_resistivity": {"temperature": 1e3, "spin": 1.5, "t_sg": 10.0, "t_k": 1.0},
    "kondo_temperatures": {"phase_shift": 1.0},
    "largest_inelastic_rate": {"concentration": 60.0},
    "low_temperature_resistivity": {
        "temperature": 1e-4,
        "spin": 1.5,
        "t_sg": 1e-6,
        "t_k": 1.0,
        "prefactor": 0.5,
    },
    "matsubara_correlator": {"n": 2, "temperature": 0.7, **PAIR},
    "matsubara_t_matrix": {"n": 2, "temperature": 0.7, **PAIR},
    "one_loop_flow": {"coupling": 0.05, "bandwidth": 1.0, "cutoff": 0.1},
    "pair_absorption": {"energy": 0.7, "spin": 1.0, "pair_distribution": equipartition},
    "pair_correlator": {"time": 0.4, "coupling": 1.2, "temperature": 2.0, "spin": 1.5},
    "pair_energies": {"coupling": 1.2, "spin": 1.5},
    "pair_level_populations": {"coupling": 1.2, "temperature": 2.0, "spin": 1.5},
    "pair_lines": {"coupling": 1.2, "spin": 1.5, "temperature": 2.0},
    "pair_matrix_elements": {"spin": 1.5},
    "pair_matrix_elements_from_states": {"spin": 1.5, "projection": 0},
    "pair_partition_function": {"coupling": 1.2, "temperature": 2.0, "spin": 1.5},
    "pair_spectrum": {"u": 1.2, "spin": 1.5},
    "pair_spin_components": {"spin": 1.5, "projection": 0},
    "pair_transition_rates": {"coupling": 1.2, "spin": 1.5, "electron_distribution": WIRE},
    "random_couplings": {"spins": 4, "rng": None, "geometry": "box"},
    "residual_coupling": {"temperature": 1e-4, "t_k": 1.0, "prefactor": 0.5},
    "residual_glass_temperature": {"concentration": 1e-4, "t_k": 1.0, "prefactor": 0.5},
    "residual_interaction_limit": {"kondo_temperature": 0.3, "prefactor": 0.5},
    "residual_scattering_rate": {"temperature": 1e-4, "spin": 1.5, "t_k": 1.0, "prefactor": 0.5},
    "residual_weak_localization": {"temperature": 1e-3, "spin": 1.5, "t_sg": 1e-5, "tau_s": 100.0},
    "resistivity_crossover": {"spin": 1.5, "t_sg": 1e-5, "t_k": 1.0},
    "resistivity_crossover_estimate": {"spin": 1.5, "t_sg": 1e-5, "t_k": 1.0},
    "resistivity_maximum": {"spin": 1.5, "t_sg": 100.0, "t_k": 1.0},
    "resistivity_maximum_estimate": {"spin": 1.5, "t_sg": 100.0, "t_k": 1.0},
    "retarded_t_matrix": {"energy": 0.3, "temperature": 0.7, **PAIR},
    "rkky_coupling": {"distance": 40.0, "fermi_wavenumber": 1.0, "v0": 2.0},
    "rkky_energy_share": {"energy": 0.3, "transit_energy": 2.0},
    "running_coupling": {"temperature": 1e4, "t_k": 1.0, "prefactor": 0.5},
    "self_consistent_interaction": {"concentration": 1e-3, "t_k": 1.0, "prefactor": 0.5},
    "spin_correlator": {"omega": 1.2, "temperature": 20.0, "spin": 1.5, "t_sg": 1.0},
    "spin_flip_rate": {"temperature": 1e4, "spin": 1.5, "t_k": 1.0},
    "spin_glass_temperature": {"concentration": 60.0, "kondo_temperature": 0.3, "prefactor": 0.5},
    "spin_relaxation_rate": {"spin": 1.5, "t_sg": 1.0},
    "spin_scattering_rate": {
        "temperature": 1e4, "concentration": 60.0, "kondo_temperature": 0.3, "spin": 1.5, "prefactor": 0.5,
    },
    "stationary_pair_distribution": {"coupling": 1.2, "spin": 1.5, "electron_distribution": WIRE},
    "suhl_nagaoka_rate": {"temperature": 3.0, "concentration": 60.0, "kondo_temperature": 0.3, "spin": 1.5},
    "suhl_nagaoka_t_matrix": {"temperature": 10.0, "t_k": 1.0, "spin": 1.5, "energy": 0.4},
    "t_matrix": {"energy": 0.7, "temperature": 20.0, "spin": 1.5, "t_sg": 1.0},
    "t_matrix_correction": {"x": 0.7, "spin": 1.5},
    "thermal_average": {"function": lambda e: 1 / (1 + e**2), "temperature": 0.7, "rtol": 1e-10},
    "transit_temperature": {"concentration": 60.0},
    "unitarity_temperature": {"spin": 1.5, "prefactor": 0.5},
    "unitary_resistivity": {"concentration": 60.0},
    "unitary_scattering_rate": {"concentration": 60.0},
    "weak_localization_coefficient": {"rate": "inelastic"},
    "weak_localization_conductivity": {"diffusion": 2.0, "tau_s": 3.0},
    "weak_localization_correction": {
        "temperature": 1e3, "spin": 1.5, "t_sg": 10.0, "t_k": 1.0, "transit_energy": 1e5, "interacting": True,
    },
    "weak_localization_crossover": {"x": 0.3, "spin": 1.5, "dimension": 1},
    "weak_localization_minimum": {"spin": 1.5, "t_sg": 1e3, "t_k": 1.0},
    "weak_localization_plateau": {"spin": 1.5, "dimension": 1},
}  # fmt: skip

# Functions whose own test files check their contract: arguments with a structure of their own.
STRUCTURED = {
    "alloy_quenching",
    "cluster_quenching",
    "cut_contributions",
    "drude_conductivity",
    "energy_loss_distribution",
    "exchange_vertex",
    "quenched_maximum",
    "random_couplings",
    "singlet_component",
    "stationary_concentration",
    "vertex_continuation",
    "vertex_sum",
    "virial_coefficient",
    "virial_quenching",
}
PUBLIC = sorted(
    name
    for name in package.__all__
    if callable(getattr(package, name)) and not inspect.isclass(getattr(package, name))
)
NUMBERS = [
    (name, argument)
    for name, call in CALLS.items()
    if name not in STRUCTURED
    for argument, value in call.items()
    if isinstance(value, float | int) and not isinstance(value, bool)
]


COMPLEX = {("retarded_t_matrix", "energy")}


def run(name, **changes):
    return getattr(package, name)(**{**CALLS[name], **changes})


def numbers(value):
    """All numbers of a result, whatever its shape."""
    if dataclasses.is_dataclass(value):
        return np.concatenate([numbers(getattr(value, field.name)) for field in dataclasses.fields(value)])
    if isinstance(value, tuple | list):
        return np.concatenate([numbers(item) for item in value])
    return np.atleast_1d(np.asarray(value)).ravel()


def is_array_argument(name, argument):
    return "SupportsArray" in str(inspect.signature(getattr(package, name)).parameters[argument].annotation)


def returns(name):
    """The annotation of the result as it is written in the source."""
    text = inspect.getsource(getattr(package, name))
    return re.search(r"\)\s*->\s*(.+?):\n", text).group(1)


def test_every_public_function_has_a_valid_call_or_its_own_tests():
    assert sorted(set(PUBLIC) - set(CALLS) - STRUCTURED) == []
    assert sorted(set(CALLS) - set(PUBLIC)) == []


def test_the_contract_table():
    expected = {
        "pair_matrix_elements": ["spin"],
        "alpha_s": ["spin"],
        "spin_correlator": ["omega", "temperature", "spin", "t_sg"],
        "resistivity_maximum": ["spin", "t_sg", "t_k"],
        "weak_localization_crossover": ["x", "spin"],
        "collision_kernel": ["energy", "temperature", "spin", "t_sg"],
        "stationary_pair_distribution": ["coupling", "spin", "electron_distribution"],
        "collision_integral": ["energy", "electron_distribution", "spin"],
        "energy_loss_constant": ["spin"],
    }
    for name, arguments in expected.items():
        parameters = list(inspect.signature(getattr(package, name)).parameters)
        assert parameters[: len(arguments)] == arguments, name


def test_docstrings_are_complete():
    for name in package.__all__:
        thing = getattr(package, name)
        if not callable(thing):
            continue
        doc = inspect.getdoc(thing) or ""
        assert ">>> " in doc or inspect.isclass(thing), name
        if name in PUBLIC:
            for section in ("Parameters\n---", "Returns\n---", "Raises\n---"):
                assert section in doc, (name, section)
            for argument in inspect.signature(thing).parameters:
                assert argument in doc, (name, argument)


@pytest.mark.parametrize("name", [name for name in CALLS if name not in STRUCTURED])
def test_valid_calls_are_finite_and_silent(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = numbers(run(name))
    assert np.isfinite(values).all()
    assert values.size


@pytest.mark.parametrize(("name", "argument"), NUMBERS)
def test_bad_numbers_raise_and_name_the_argument(name, argument):
    default = inspect.signature(getattr(package, name)).parameters[argument].default
    for bad in (
        math.nan,
        math.inf,
        -math.inf,
        "1",
        1j,
        [[1.0], [1.0, 2.0]],
        np.array(["a"]),
        object(),
        True,
        None,
    ):
        if (bad is None and default is None) or (
            (name, argument) in COMPLEX and isinstance(bad, complex | list)
        ):
            continue
        with pytest.raises((TypeError, ValueError), match=argument):
            run(name, **{argument: bad})
    if is_array_argument(name, argument):
        good = CALLS[name][argument]
        with pytest.raises((TypeError, ValueError), match=argument):
            run(name, **{argument: [good, math.nan]})


# The law of large spin is a smooth function of a real number.
WITH_SPIN = {name for name, argument in NUMBERS if argument == "spin"} - {"alpha_s_large_spin"}


@pytest.mark.parametrize("name", sorted(WITH_SPIN))
def test_spin_is_a_multiple_of_one_half(name):
    for bad in (0.0, -0.5, 0.4, 0.75, 1e300, 101.0):
        with pytest.raises((TypeError, ValueError), match="spin"):
            run(name, spin=bad)
    assert np.isfinite(numbers(run(name, spin=np.float64(CALLS[name]["spin"])))).all()


POSITIVE = {
    "temperature",
    "t_k",
    "t_sg",
    "tau_s",
    "concentration",
    "kondo_temperature",
    "prefactor",
    "transit_energy",
    "diffusion",
    "distance",
    "fermi_wavenumber",
    "bandwidth",
    "cutoff",
    "factor",
    "x",
    "atomic_density",
    "valence",
}
ANY_SIGN = {("t_matrix_correction", "x")}
ZERO_IS_FINE = {
    ("low_temperature_resistivity", "t_sg"),
    ("residual_weak_localization", "t_sg"),
    ("cooperon_decay_rate", "temperature"),
    ("fermi_liquid_resistivity", "temperature"),
    ("fermi_liquid_t_matrix", "temperature"),
}


@pytest.mark.parametrize(
    ("name", "argument"), [pair for pair in NUMBERS if pair[1] in POSITIVE and pair not in ANY_SIGN]
)
def test_scales_are_positive(name, argument):
    for bad in (-1.0,) if (name, argument) in ZERO_IS_FINE else (0.0, -1.0):
        with pytest.raises(ValueError, match=argument):
            run(name, **{argument: bad})


SCALAR = [
    name
    for name in CALLS
    if name not in STRUCTURED and returns(name) in ("float", "NDArray[np.float64] | float")
]


@pytest.mark.parametrize("name", SCALAR)
def test_scalars_in_float_out(name):
    value = run(name)
    assert isinstance(value, float), type(value)


@pytest.mark.parametrize(
    ("name", "argument"), [pair for pair in NUMBERS if is_array_argument(*pair) and pair[0] not in STRUCTURED]
)
def test_arrays_broadcast_and_equal_the_scalars(name, argument):
    good = CALLS[name][argument]
    if argument == "spin":
        entries = np.array([[0.5, 1.0, 1.5], [2.0, 2.5, 3.0]]) + (10 if name == "alpha_s_large_spin" else 0)
    elif isinstance(good, int):
        entries = good + np.arange(6).reshape(2, 3)
    else:
        entries = good * np.array([[1.0, 1.01, 1.02], [0.99, 0.98, 1.03]])
    whole = np.asarray(run(name, **{argument: entries}))
    assert whole.shape[:2] == (2, 3)
    for index in np.ndindex(2, 3):
        single = np.asarray(run(name, **{argument: entries[index].item()}))
        assert whole[index].shape == single.shape
        assert np.allclose(whole[index], single, rtol=1e-9, atol=1e-13 * np.abs(whole).max())
    empty = np.asarray(run(name, **{argument: entries[:0]}))
    assert empty.shape[:2] == (0, 3)


ARRAY_PAIRS = [
    (
        name,
        *[
            argument
            for argument in CALLS[name]
            if (name, argument) in NUMBERS and is_array_argument(name, argument)
        ][:2],
    )
    for name in CALLS
    if name not in STRUCTURED
    and sum((name, argument) in NUMBERS and is_array_argument(name, argument) for argument in CALLS[name]) > 1
]


@pytest.mark.parametrize(("name", "first", "second"), ARRAY_PAIRS)
def test_shapes_that_do_not_broadcast(name, first, second):
    call = CALLS[name]
    with pytest.raises(ValueError, match=r"shape|broadcast"):
        run(name, **{first: np.full(2, call[first]), second: np.full(3, call[second])})
    row, column = np.full((1, 3), call[first]), np.full((2, 1), call[second])
    assert np.asarray(run(name, **{first: row, second: column})).shape[:2] == (2, 3)


# Adaptive quadratures, whose cost grows with the spin.
HEAVY = {
    "collision_integral",
    "energy_loss_constant",
    "energy_loss_rate",
    "pair_absorption",
    "thermal_average",
}
EXTREME = [name for name in CALLS if name not in STRUCTURED and any(pair[0] == name for pair in NUMBERS)]


@pytest.mark.parametrize("name", EXTREME)
@given(data=st.data())
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_extreme_but_legal_never_gives_nan(name, data):
    changes = {}
    for argument, value in CALLS[name].items():
        if (name, argument) not in NUMBERS:
            continue
        if argument == "spin":
            changes[argument] = data.draw(st.integers(1, 6 if name in HEAVY else 60), label="2S") / 2
        elif isinstance(value, float) and data.draw(st.booleans(), label=argument):
            exponent = data.draw(st.floats(-290.0, 290.0), label=f"log10 {argument}")
            sign = (
                -1.0
                if argument in ("energy", "omega", "time", "u", "coupling", "z") and exponent % 2 > 1
                else 1.0
            )
            changes[argument] = sign * 10.0**exponent
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ValidityWarning)
        try:
            values = numbers(run(name, **changes))
        except (ValueError, ConvergenceError):
            return
    assert np.isfinite(values).all(), changes


def test_distributions_refuse_bad_parameters():
    for make in (
        lambda bad: FermiDistribution(temperature=bad),
        lambda bad: FermiDistribution(temperature=1.0, chemical_potential=bad),
        lambda bad: TwoStepDistribution(position=bad, bias=1.0, temperature=1.0),
        lambda bad: TwoStepDistribution(position=0.5, bias=bad, temperature=1.0),
        lambda bad: TwoStepDistribution(position=0.5, bias=1.0, temperature=bad),
    ):
        for bad in (math.nan, math.inf, "1", None, 1j, True):
            with pytest.raises((TypeError, ValueError), match="must"):
                make(bad)
    for position in (-0.1, 1.1):
        with pytest.raises(ValueError, match="position"):
            TwoStepDistribution(position=position, bias=1.0, temperature=1.0)


def test_distributions_that_are_none_are_refused():
    for occupation in (lambda e: 2 * np.ones_like(e), lambda e: np.full_like(e, math.nan), 3.0, None):
        with pytest.raises((TypeError, ValueError)):
            run("collision_integral", electron_distribution=occupation)
        with pytest.raises((TypeError, ValueError)):
            run("stationary_pair_distribution", electron_distribution=occupation)
