"""Intrinsic instabilities in Fermi glasses (Lau, Ng)."""

from .density_of_states import (
    DensityOfStates,
    clean_density_of_states,
    density_of_states,
    sample_density_of_states,
)
from .ground_state import GroundState, ground_state
from .hatsugai_kohmoto import (
    DiagonalGroundState,
    FlatBandThermodynamics,
    flat_band_thermodynamics,
    hatsugai_kohmoto_ground_state,
    moment_levels,
)
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
    short_range_interaction,
)
from .lattice import (
    diagonalization_memory,
    dispersion,
    eigenstates,
    hamiltonian,
    site_energies,
)
from .localization import (
    LocalizationEnsemble,
    LocalizationSample,
    RadialProfile,
    localization_configuration,
    localization_ensemble,
    participation_average,
    participation_by_energy,
    profile_decay,
    radial_profile,
)
from .localization_centers import (
    SampledPairs,
    minimum_image_distance,
    sample_pairs,
    sample_quadruples,
    state_centers,
)
from .matrix_elements import (
    exponential_overlap,
    hubbard_overlaps,
    interaction_elements,
    mean_square_element,
    participation_length,
)
from .occupation_energy import (
    Excitation,
    OccupationStability,
    addition_energy,
    first_order_energy,
    occupation_stability,
    pair_addition_energy,
)
from .overlap_distances import (
    DecayFit,
    DistanceAverage,
    distance_average,
    fit_decay,
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

__all__ = [
    "DecayFit",
    "DensityOfStates",
    "DiagonalGroundState",
    "DistanceAverage",
    "Excitation",
    "FlatBandThermodynamics",
    "GroundState",
    "LandauFunctional",
    "LocalizationEnsemble",
    "LocalizationSample",
    "OccupationStability",
    "RadialProfile",
    "SampledPairs",
    "SingleState",
    "SingleStateGround",
    "StonerThreshold",
    "StripExtrapolation",
    "StripLocalization",
    "addition_energy",
    "clean_density_of_states",
    "density_of_states",
    "diagonalization_memory",
    "dispersion",
    "distance_average",
    "eigenstates",
    "exponential_overlap",
    "first_order_energy",
    "fit_decay",
    "flat_band_thermodynamics",
    "forward_scattering",
    "ground_state",
    "hamiltonian",
    "hatsugai_kohmoto_ground_state",
    "hubbard_overlaps",
    "interaction_elements",
    "kramers_forward_scattering",
    "landau_energy",
    "landau_functional",
    "landau_interaction",
    "localization_configuration",
    "localization_ensemble",
    "mean_moments",
    "mean_square_element",
    "minimum_image_distance",
    "moment_levels",
    "occupation_stability",
    "pair_addition_energy",
    "participation_average",
    "participation_by_energy",
    "participation_length",
    "polarization_energies",
    "profile_decay",
    "radial_profile",
    "sample_density_of_states",
    "sample_pairs",
    "sample_quadruples",
    "short_range_interaction",
    "single_state_ground_state",
    "single_state_hartree_fock",
    "single_state_levels",
    "single_state_thermal",
    "site_energies",
    "spin_orbit_eigenstates",
    "state_centers",
    "stoner_threshold",
    "strip_extrapolation",
    "strip_localization",
]
