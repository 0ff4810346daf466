"""Electron transport and energy relaxation in dilute magnetic alloys (Vavilov, Glazman, Larkin)."""

from .cluster_t_matrix import (
    cut_contributions,
    golden_rule_t_matrix,
    matsubara_correlator,
    matsubara_t_matrix,
    retarded_t_matrix,
)
from .clusters import Quenching, cluster_quenching
from .cooperon import (
    exchange_vertex,
    pair_lines,
    singlet_component,
    vertex_continuation,
    vertex_sum,
)
from .electron_distributions import FermiDistribution, TwoStepDistribution
from .energy_loss import (
    energy_loss_constant,
    energy_loss_constant_closed_form,
    energy_loss_distribution,
    energy_loss_rate,
)
from .energy_relaxation import collision_integral, collision_kernel
from .fermi_liquid import (
    KondoTemperatures,
    cooperon_decay_rate,
    fermi_liquid_resistivity,
    fermi_liquid_t_matrix,
    kondo_temperatures,
    weak_localization_coefficient,
)
from .frozen_spins import frozen_level_threshold, frozen_scattering_rate
from .gold_iron import (
    critical_concentration,
    residual_interaction_limit,
    spin_glass_temperature,
    spin_scattering_rate,
    suhl_nagaoka_rate,
)
from .host_metal import (
    GOLD,
    Metal,
    energy_per_impurity,
    free_electron_metal,
    impurity_density,
    largest_inelastic_rate,
    transit_temperature,
    unitary_resistivity,
    unitary_scattering_rate,
)
from .kondo import (
    ONE_LOOP_PREFACTOR,
    PRINTED_PREFACTOR,
    born_t_matrix,
    one_loop_flow,
    running_coupling,
    suhl_nagaoka_t_matrix,
    unitarity_temperature,
)
from .numerical_distribution import NumericalDistribution
from .pair_kinetics import pair_absorption, pair_transition_rates, stationary_pair_distribution
from .pair_levels import (
    pair_correlator,
    pair_energies,
    pair_level_populations,
    pair_matrix_elements,
    pair_partition_function,
    rkky_coupling,
)
from .pair_quenching import alpha_s, alpha_s_closed_form, alpha_s_large_spin
from .pair_states import clebsch_gordan, pair_matrix_elements_from_states, pair_spin_components
from .phase_relaxation import (
    interaction_per_rate,
    spin_flip_rate,
    weak_localization_correction,
    weak_localization_minimum,
)
from .quenched_resistivity import quenched_maximum, stationary_concentration, virial_quenching
from .random_alloys import AlloyQuenching, alloy_quenching, random_couplings
from .resistivity import (
    frozen_spin_resistivity,
    kondo_resistivity,
    resistivity_maximum,
    resistivity_maximum_estimate,
)
from .spin_pairs import correlation_decay, pair_spectrum, spin_correlator, spin_relaxation_rate
from .t_matrix import drude_conductivity, t_matrix, t_matrix_correction, thermal_average
from .underscreened import (
    residual_coupling,
    residual_glass_temperature,
    residual_scattering_rate,
    rkky_energy_share,
    self_consistent_interaction,
)
from .underscreened_transport import (
    frozen_resistivity,
    low_temperature_resistivity,
    residual_weak_localization,
    resistivity_crossover,
    resistivity_crossover_estimate,
)
from .virial import VirialCoefficient, virial_coefficient
from .weak_localization import (
    field_suppression,
    inelastic_weight,
    weak_localization_conductivity,
    weak_localization_crossover,
    weak_localization_plateau,
)

__all__ = [
    "GOLD",
    "ONE_LOOP_PREFACTOR",
    "PRINTED_PREFACTOR",
    "AlloyQuenching",
    "FermiDistribution",
    "KondoTemperatures",
    "Metal",
    "NumericalDistribution",
    "Quenching",
    "TwoStepDistribution",
    "VirialCoefficient",
    "alloy_quenching",
    "alpha_s",
    "alpha_s_closed_form",
    "alpha_s_large_spin",
    "born_t_matrix",
    "clebsch_gordan",
    "cluster_quenching",
    "collision_integral",
    "collision_kernel",
    "cooperon_decay_rate",
    "correlation_decay",
    "critical_concentration",
    "cut_contributions",
    "drude_conductivity",
    "energy_loss_constant",
    "energy_loss_constant_closed_form",
    "energy_loss_distribution",
    "energy_loss_rate",
    "energy_per_impurity",
    "exchange_vertex",
    "fermi_liquid_resistivity",
    "fermi_liquid_t_matrix",
    "field_suppression",
    "free_electron_metal",
    "frozen_level_threshold",
    "frozen_resistivity",
    "frozen_scattering_rate",
    "frozen_spin_resistivity",
    "golden_rule_t_matrix",
    "impurity_density",
    "inelastic_weight",
    "interaction_per_rate",
    "kondo_resistivity",
    "kondo_temperatures",
    "largest_inelastic_rate",
    "low_temperature_resistivity",
    "matsubara_correlator",
    "matsubara_t_matrix",
    "one_loop_flow",
    "pair_absorption",
    "pair_correlator",
    "pair_energies",
    "pair_level_populations",
    "pair_lines",
    "pair_matrix_elements",
    "pair_matrix_elements_from_states",
    "pair_partition_function",
    "pair_spectrum",
    "pair_spin_components",
    "pair_transition_rates",
    "quenched_maximum",
    "random_couplings",
    "residual_coupling",
    "residual_glass_temperature",
    "residual_interaction_limit",
    "residual_scattering_rate",
    "residual_weak_localization",
    "resistivity_crossover",
    "resistivity_crossover_estimate",
    "resistivity_maximum",
    "resistivity_maximum_estimate",
    "retarded_t_matrix",
    "rkky_coupling",
    "rkky_energy_share",
    "running_coupling",
    "self_consistent_interaction",
    "singlet_component",
    "spin_correlator",
    "spin_flip_rate",
    "spin_glass_temperature",
    "spin_relaxation_rate",
    "spin_scattering_rate",
    "stationary_concentration",
    "stationary_pair_distribution",
    "suhl_nagaoka_rate",
    "suhl_nagaoka_t_matrix",
    "t_matrix",
    "t_matrix_correction",
    "thermal_average",
    "transit_temperature",
    "unitarity_temperature",
    "unitary_resistivity",
    "unitary_scattering_rate",
    "vertex_continuation",
    "vertex_sum",
    "virial_coefficient",
    "virial_quenching",
    "weak_localization_coefficient",
    "weak_localization_conductivity",
    "weak_localization_correction",
    "weak_localization_crossover",
    "weak_localization_minimum",
    "weak_localization_plateau",
]
