"""The contract of every public function (see ``tests/contract.py``): the table of this paper."""

import math
from typing import ClassVar

import numpy as np
import pytest
from contract import ContractTests, numbers
from hypothesis import strategies as st

import disorder.magnetic_alloys as package
from disorder.magnetic_alloys import FermiDistribution, TwoStepDistribution

WIRE = TwoStepDistribution(position=0.3, bias=2.0, temperature=0.5)
TRIMER = np.array([[0.0, 1.0, 0.4], [1.0, 0.0, -0.7], [0.4, -0.7, 0.0]])
PAIR = {"energies": [-0.75, 0.25], "strengths": [[0.0, 0.75], [0.75, 1.5]], "degeneracies": [1, 3]}


def equipartition(coupling):
    return np.full((*np.shape(coupling), 3), 1 / 9)


# One valid call of every public function, by keyword; all scalars are inside every range of validity.
CALLS = {
    "alloy_quenching": {"temperature": [4.0], "spin": 0.5, "spins": 3, "samples": 128, "seed": 3},
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

# Adaptive quadratures, whose cost grows with the spin.
HEAVY = {
    "collision_integral",
    "energy_loss_constant",
    "energy_loss_rate",
    "pair_absorption",
    "thermal_average",
}

# The law of large spin is a smooth function of a real number.
WITH_SPIN = sorted(
    name for name in CALLS if "spin" in CALLS[name] and name not in STRUCTURED | {"alpha_s_large_spin"}
)


class TestContract(ContractTests):
    package = package
    calls = CALLS
    structured = STRUCTURED
    arguments: ClassVar = {
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
    positive: ClassVar = {
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
    any_sign: ClassVar = {("t_matrix_correction", "x")}
    zero_is_fine: ClassVar = {
        ("low_temperature_resistivity", "t_sg"),
        ("residual_weak_localization", "t_sg"),
        ("cooperon_decay_rate", "temperature"),
        ("fermi_liquid_resistivity", "temperature"),
        ("fermi_liquid_t_matrix", "temperature"),
    }
    complex_arguments: ClassVar = {("retarded_t_matrix", "energy")}
    signed: ClassVar = {"energy", "omega", "time", "u", "coupling", "z"}

    def entries(self, name, argument, good):
        if argument == "spin":
            large = 10 if name == "alpha_s_large_spin" else 0
            return np.array([[0.5, 1.0, 1.5], [2.0, 2.5, 3.0]]) + large
        return super().entries(name, argument, good)

    def draw_extreme(self, data, name, argument, value):
        if argument == "spin":
            return data.draw(st.integers(1, 6 if name in HEAVY else 60), label="2S") / 2
        return super().draw_extreme(data, name, argument, value)

    @pytest.mark.parametrize("name", WITH_SPIN)
    def test_spin_is_a_multiple_of_one_half(self, name):
        for bad in (0.0, -0.5, 0.4, 0.75, 1e300, 101.0):
            with pytest.raises((TypeError, ValueError), match="spin"):
                self.run(name, spin=bad)
        assert np.isfinite(numbers(self.run(name, spin=np.float64(CALLS[name]["spin"])))).all()


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
            TestContract.run("collision_integral", electron_distribution=occupation)
        with pytest.raises((TypeError, ValueError)):
            TestContract.run("stationary_pair_distribution", electron_distribution=occupation)
