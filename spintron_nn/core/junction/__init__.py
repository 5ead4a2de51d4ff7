"""Closed-form physics of a magnetic tunnel junction, one idea a file; see docs/physics.md."""

from .barrier import barrier_conductance, resistance_area
from .conductance import (
    angular_conductance,
    antiparallel_resistance,
    parallel_resistance,
    pillar_area,
)
from .demagnetisation import cylinder_factor, elliptic_factors
from .magnetics import (
    anisotropy_field,
    effective_anisotropy,
    interface_anisotropy,
    saturation_magnetisation,
    thermal_stability,
)
from .magnetoresistance import (
    industrial_tmr,
    julliere_tmr,
    polarisation_at_temperature,
    polarisation_from_tmr,
    tmr_at_temperature,
    tmr_at_voltage,
)
from .spin_orbit import (
    least_assist_field,
    spin_hall_angle,
    spin_orbit_field,
    threshold_current_density,
    track_resistance,
    track_share,
    write_energy,
)
from .spin_orbit_stability import instability_field
from .stability import (
    activation_volume,
    dwell_time,
    failure_probability,
    read_disturb,
    required_stability,
    stability_in_field,
    stability_with_current,
    switching_rate,
)
from .switching import (
    critical_current,
    critical_current_from_field,
    spin_torque_efficiency,
    switching_time,
    switching_time_from_current,
)
from .telegraph import (
    antiparallel_probability,
    averaged_variance,
    correlation_time,
    noise_density,
    sample_telegraph,
    telegraph_rates,
    update_p_bits,
)
from .vcma import (
    anisotropy_at_voltage,
    critical_voltage,
    half_precession_pulse,
    stability_at_voltage,
)
from .write_error import pulse_for_error_rate, switching_probability, write_error_rate

__all__ = [
    "activation_volume",
    "angular_conductance",
    "anisotropy_at_voltage",
    "anisotropy_field",
    "antiparallel_probability",
    "antiparallel_resistance",
    "averaged_variance",
    "barrier_conductance",
    "correlation_time",
    "critical_current",
    "critical_current_from_field",
    "critical_voltage",
    "cylinder_factor",
    "dwell_time",
    "effective_anisotropy",
    "elliptic_factors",
    "failure_probability",
    "half_precession_pulse",
    "industrial_tmr",
    "instability_field",
    "interface_anisotropy",
    "julliere_tmr",
    "least_assist_field",
    "noise_density",
    "parallel_resistance",
    "pillar_area",
    "polarisation_at_temperature",
    "polarisation_from_tmr",
    "pulse_for_error_rate",
    "read_disturb",
    "required_stability",
    "resistance_area",
    "sample_telegraph",
    "saturation_magnetisation",
    "spin_hall_angle",
    "spin_orbit_field",
    "spin_torque_efficiency",
    "stability_at_voltage",
    "stability_in_field",
    "stability_with_current",
    "switching_probability",
    "switching_rate",
    "switching_time",
    "switching_time_from_current",
    "telegraph_rates",
    "thermal_stability",
    "threshold_current_density",
    "tmr_at_temperature",
    "tmr_at_voltage",
    "track_resistance",
    "track_share",
    "update_p_bits",
    "write_energy",
    "write_error_rate",
]
