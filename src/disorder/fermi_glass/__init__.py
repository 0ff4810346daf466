"""Intrinsic instabilities in Fermi glasses (Lau, Ng)."""

from .clean_band import clean_density_of_states
from .density_of_states import (
    DensityOfStates,
    density_of_states,
    fermi_level,
    sample_density_of_states,
)
from .fermi_fit import (
    FermiFit,
    OccupationProfile,
    fermi_fit,
    fermi_levels,
    occupation_profile,
)
from .ground_state import GroundState, ground_state
from .hartree_fock import HartreeFockState, restricted_hartree_fock
from .hatsugai_kohmoto import (
    DiagonalGroundState,
    FlatBandThermodynamics,
    flat_band_thermodynamics,
    hatsugai_kohmoto_ground_state,
    moment_levels,
)
from .isolated_states import isolated_occupations
from .kramers import (
    kramers_forward_scattering,
    spin_orbit_eigenstates,
)
from .landau_functional import (
    LandauFunctional,
    forward_scattering,
    landau_energy,
    landau_functional,
    landau_interaction,
)
from .lattice import (
    diagonalization_memory,
    dispersion,
    eigenstates,
    hamiltonian,
    site_energies,
)
from .linear_response import (
    LinearResponse,
    density_matrix_response,
    level_susceptibility,
    linear_response,
    site_response,
)
from .localization import (
    LocalizationEnsemble,
    LocalizationSample,
    localization_configuration,
    localization_ensemble,
    participation_average,
    participation_by_energy,
)
from .localization_centers import (
    SampledPairs,
    minimum_image_distance,
    sample_pairs,
    sample_quadruples,
    state_centers,
)
from .magnetic_stability import (
    MagneticStability,
    instability_temperature,
    magnetic_stability,
)
from .matrix_elements import (
    exponential_overlap,
    hubbard_overlaps,
    interaction_elements,
    mean_square_element,
    participation_length,
)
from .mean_field import (
    MeanField,
    interaction_tensor,
    mean_field_energy,
    mean_field_hamiltonian,
    one_body_density_matrix,
    self_consistent_mean_field,
    short_range_interaction,
)
from .minimum_cut import GrandCanonicalMinimum, grand_canonical_minimum
from .occupation_energy import (
    Excitation,
    OccupationStability,
    addition_energy,
    first_order_energy,
    occupation_stability,
    pair_addition_energy,
)
from .occupation_moves import OccupationSearch, occupation_monte_carlo, steepest_descent
from .overlap_distances import (
    DecayFit,
    DistanceAverage,
    distance_average,
    fit_decay,
)
from .radial_profiles import (
    RadialProfile,
    profile_decay,
    radial_profile,
)
from .simulation import (
    PAPER_INTERACTIONS,
    paper_run,
    simulate,
)
from .simulation_results import (
    Configuration,
    Minimization,
    MomentCount,
    Simulation,
)
from .single_state import (
    SingleState,
    SingleStateGround,
    mean_moments,
    single_state_ground_state,
    single_state_hartree_fock,
    single_state_levels,
    single_state_thermal,
)
from .stoner import (
    StonerThreshold,
    polarization_energies,
    stoner_threshold,
)
from .strips import (
    StripExtrapolation,
    StripLocalization,
    strip_extrapolation,
    strip_localization,
)
from .unrestricted_hartree_fock import unrestricted_hartree_fock

__all__ = [
    "PAPER_INTERACTIONS",
    "Configuration",
    "DecayFit",
    "DensityOfStates",
    "DiagonalGroundState",
    "DistanceAverage",
    "Excitation",
    "FermiFit",
    "FlatBandThermodynamics",
    "GrandCanonicalMinimum",
    "GroundState",
    "HartreeFockState",
    "LandauFunctional",
    "LinearResponse",
    "LocalizationEnsemble",
    "LocalizationSample",
    "MagneticStability",
    "MeanField",
    "Minimization",
    "MomentCount",
    "OccupationProfile",
    "OccupationSearch",
    "OccupationStability",
    "RadialProfile",
    "SampledPairs",
    "Simulation",
    "SingleState",
    "SingleStateGround",
    "StonerThreshold",
    "StripExtrapolation",
    "StripLocalization",
    "addition_energy",
    "clean_density_of_states",
    "density_matrix_response",
    "density_of_states",
    "diagonalization_memory",
    "dispersion",
    "distance_average",
    "eigenstates",
    "exponential_overlap",
    "fermi_fit",
    "fermi_level",
    "fermi_levels",
    "first_order_energy",
    "fit_decay",
    "flat_band_thermodynamics",
    "forward_scattering",
    "grand_canonical_minimum",
    "ground_state",
    "hamiltonian",
    "hatsugai_kohmoto_ground_state",
    "hubbard_overlaps",
    "instability_temperature",
    "interaction_elements",
    "interaction_tensor",
    "isolated_occupations",
    "kramers_forward_scattering",
    "landau_energy",
    "landau_functional",
    "landau_interaction",
    "level_susceptibility",
    "linear_response",
    "localization_configuration",
    "localization_ensemble",
    "magnetic_stability",
    "mean_field_energy",
    "mean_field_hamiltonian",
    "mean_moments",
    "mean_square_element",
    "minimum_image_distance",
    "moment_levels",
    "occupation_monte_carlo",
    "occupation_profile",
    "occupation_stability",
    "one_body_density_matrix",
    "pair_addition_energy",
    "paper_run",
    "participation_average",
    "participation_by_energy",
    "participation_length",
    "polarization_energies",
    "profile_decay",
    "radial_profile",
    "restricted_hartree_fock",
    "sample_density_of_states",
    "sample_pairs",
    "sample_quadruples",
    "self_consistent_mean_field",
    "short_range_interaction",
    "simulate",
    "single_state_ground_state",
    "single_state_hartree_fock",
    "single_state_levels",
    "single_state_thermal",
    "site_energies",
    "site_response",
    "spin_orbit_eigenstates",
    "state_centers",
    "steepest_descent",
    "stoner_threshold",
    "strip_extrapolation",
    "strip_localization",
    "unrestricted_hartree_fock",
]
