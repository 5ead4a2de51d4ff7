"""Energy of an inference, from the devices, the converters and the codes of a network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintron_ir import Dense, Network, ParameterError, arith
from spintron_ir.errors import check_int

from .checks import check_real, check_reals
from .mtj_models import MTJConfig

__all__ = ["EnergyModel", "EnergyReport", "LayerEnergy"]

Ints = NDArray[np.int64]

TRACE_VALUES = 1 << 20
"""Values of the largest layer that are held at a time."""

NUMBERS = {
    "read_time": ("above 0", "s"),
    "adc_step": ("at least 0", "J"),
    "sense": ("at least 0", "J"),
    "wire_capacitance": ("at least 0", "F/m"),
}
"""What each real field must be, and its unit."""


@dataclass(frozen=True)
class LayerEnergy:
    """Energy of a matrix, of one inference.

    Attributes
    ----------
    name : str
        Node of the network.
    macs : int
        Products of a weight and an input.
    conversions : int
        Codes that converters give.
    adc_bits : int
        Bits of such a code.
    activity : float, 0..1
        Mean square of the voltages on word lines, over that of a full read.
    cell_read_j, adc_j, driver_j : float, joule
        In the devices, the converters, and the word lines.
    """

    name: str
    macs: int
    conversions: int
    adc_bits: int
    activity: float
    cell_read_j: float
    adc_j: float
    driver_j: float

    @property
    def total_j(self) -> float:
        """Everything, joule."""
        return self.cell_read_j + self.adc_j + self.driver_j


@dataclass(frozen=True)
class EnergyReport:
    """Energy of one inference of a network, mean over the frames that were given.

    Attributes
    ----------
    layers : tuple of LayerEnergy
        Matrices, in order.
    frames : int
        Frames of the mean.
    """

    layers: tuple[LayerEnergy, ...]
    frames: int

    @property
    def cell_read_j(self) -> float:
        """Energy in the devices, joule."""
        return math.fsum(layer.cell_read_j for layer in self.layers)

    @property
    def adc_j(self) -> float:
        """Energy of the converters, joule."""
        return math.fsum(layer.adc_j for layer in self.layers)

    @property
    def driver_j(self) -> float:
        """Energy of charging word lines, joule."""
        return math.fsum(layer.driver_j for layer in self.layers)

    @property
    def total_j(self) -> float:
        """Everything, joule."""
        return self.cell_read_j + self.adc_j + self.driver_j

    @property
    def macs(self) -> int:
        """Products of a weight and an input."""
        return sum(layer.macs for layer in self.layers)

    @property
    def mac_energy_pj(self) -> float:
        """Energy of a product, picojoule."""
        return self.total_j / self.macs * 1e12

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain Python values, for JSON."""
        names = ("cell_read_j", "adc_j", "driver_j", "total_j", "macs", "mac_energy_pj", "frames")
        totals = {name: getattr(self, name) for name in names}
        return totals | {"layers": [asdict(layer) for layer in self.layers]}


@dataclass(frozen=True)
class EnergyModel:
    """What a read, a conversion and a word line cost on one technology.

    ::

        devices     sum over devices and input chunks of  V^2 G read_time
        word lines  sum over devices and input chunks of  V^2 wire_capacitance sqrt(cell_area)
        converters  one for each column, row group, slice, converter of the scheme and chunk:
                    adc_step 2^bits, or sense where a code has one bit
        V           read_voltage |chunk| / (2^dac_bits - 1)

    Digital logic, memories, converters of the inputs, leakage and clocks are not counted.

    Parameters
    ----------
    config : MTJConfig
        Technology: conductances, read voltage, area of a cell, energy of writes.
    read_time : float, s, above 0
        Time that voltages are applied for in one read. The default is the integration whose noise
        bandwidth, ``1 / (2 read_time)``, is 10 MHz, that of the read noise of the technology cards;
        a settled read of ISAAC takes 100 ns.
    adc_step : float, J, at least 0
        Figure of merit of the converters: energy of a conversion over ``2**bits``.
    sense : float, J, at least 0
        A decision of a sense amplifier, the converter of one bit.
    wire_capacitance : float, F/m, at least 0
        Of a word line; 0 leaves the drivers out.

    Source
    ------
    Figure of merit: Walden, IEEE J. Sel. Areas Commun. 17, 539 (1999). Its default: first
    quartile of the converters of 7.5 to 8.5 effective bits from 2010 on in Murmann's "ADC
    Performance Survey", 6.7 pJ a conversion; 6.1 fJ in ISAAC (Shafiee et al., ISCA 2016, table I:
    2 mW, 1.28 GS/s, 8 bits). Sense amplifier: assumed, latches take 1 to 10 fJ a decision.
    Capacitance: Ho, Mai and Horowitz, "The future of wires", Proc. IEEE 89, 490 (2001): about
    0.2 fF/um, which hardly scales.

    Examples
    --------
    >>> energy = EnergyModel(MTJConfig())
    >>> f"{energy.conversion_j(8):.3g}"
    '6.4e-12'
    """

    config: MTJConfig
    read_time: float = 50e-9
    adc_step: float = 25e-15
    sense: float = 10e-15
    wire_capacitance: float = 2e-10

    def __post_init__(self) -> None:
        if not isinstance(self.config, MTJConfig):
            raise ParameterError(f"EnergyModel: config must be an MTJConfig, not {self.config!r}")
        for name, (rule, unit) in NUMBERS.items():
            value = check_real("EnergyModel", name, getattr(self, name), rule, unit)
            object.__setattr__(self, name, value)

    def device_read_j(self, conductance: ArrayLike) -> Any:
        """Energy of devices in a read at full voltage, joule.

        Parameters
        ----------
        conductance : float or array, siemens

        Examples
        --------
        >>> f"{EnergyModel(MTJConfig(), read_time=10e-9).device_read_j(1e-6):.3g}"
        '1e-16'
        """
        held = check_reals("EnergyModel", "conductance", conductance, "at least 0", "siemens")
        found = self.config.read_voltage**2 * self.read_time * held
        return found if found.ndim else float(found)

    def conversion_j(self, bits: int) -> float:
        """Energy of one conversion of :py:`bits` bits, joule."""
        check_int("EnergyModel", "bits", bits, 1, 32)
        return self.sense if bits == 1 else float(self.adc_step * 2.0**bits)

    @property
    def line_j(self) -> float:
        """Energy of charging the word line of one cell to the read voltage, joule."""
        pitch = math.sqrt(self.config.cell_area * 1e-6)  # from mm2 to m2
        return self.wire_capacitance * pitch * self.config.read_voltage**2

    def write_j(self, changes: Any) -> Any:
        """Energy of changing weights: :meth:`MTJConfig.estimate_switching_energy`, joule."""
        return self.config.estimate_switching_energy(changes)

    def of_layer(self, name: str, layer: Dense, codes: ArrayLike) -> LayerEnergy:
        """Energy of one matrix with the conductance codes that it has.

        Codes count with the conductance step of the network; those of columns with steps of their
        own (``code_steps="column"``) are off by the share that their wires lose.

        Parameters
        ----------
        name : str
            Name in the report.
        layer : Dense
            The crossbars.
        codes : integer array of shape ``(batch, *layer.in_shape)``
            Inputs; the energy is the mean over the batch.
        """
        if layer.cell_bits != self.config.cell_bits:
            raise ParameterError(
                f"EnergyModel: {name} must have conductance codes of {self.config.cell_bits} bits, "
                f"not {layer.cell_bits}; give the technology that the network was converted with"
            )
        squares, frames = _squares(layer, np.asarray(codes)), len(np.asarray(codes))
        full = ((1 << layer.dac_bits) - 1) ** 2
        cells, segments = _rows(layer)
        one_code = float(self.device_read_j(self.config.conductance_step))
        vectors = layer.positions or 1
        converters = layer.groups * layer.slices * layer.converters
        conversions = vectors * layer.chunks * converters * layer.cols
        bits = layer.ranges.level.type.bits if layer.adc is None else layer.adc.bits
        return LayerEnergy(
            name=name,
            macs=vectors * layer.rows * layer.cols,
            conversions=conversions,
            adc_bits=bits,
            activity=float(squares.mean()) / (full * frames * vectors * layer.chunks),
            cell_read_j=float(squares @ cells) / (full * frames) * one_code,
            adc_j=conversions * self.conversion_j(bits),
            driver_j=float(squares.sum()) * segments / (full * frames) * self.line_j,
        )

    def of_network(self, network: Network, input_codes: Any) -> EnergyReport:
        """Energy of a network on the chip that it was converted for.

        Parameters
        ----------
        network : Network
            The integers, conductance codes included.
        input_codes : integer array of shape ``(batch, *input)``, or dict of such by input name
            Inputs, as for ``Network.run``.

        Raises
        ------
        ParameterError
            If there is no matrix or no frame, or the technology is another.
        NetworkError
            If the inputs do not fit the network.
        """
        matrices = [
            (node.name, node.inputs[0], node.layer)
            for node in network.nodes
            if isinstance(node.layer, Dense)
        ]
        if not matrices:
            raise ParameterError("EnergyModel: network must have a matrix, and has none")
        given = input_codes
        if not isinstance(given, Mapping):
            given = {network.inputs[0].name: given}
        frames = len(next(iter(given.values()))) if given else 0
        if frames == 0:
            raise ParameterError("EnergyModel: input_codes must have at least one frame")
        largest = max(math.prod(node.layer.shape) for node in network.nodes)
        step, parts = max(1, TRACE_VALUES // largest), []
        for start in range(0, frames, step):
            some = {name: np.asarray(codes)[start : start + step] for name, codes in given.items()}
            known = some | network.trace(some, first_frame=start)
            parts.append(
                [self.of_layer(name, layer, known[source]) for name, source, layer in matrices]
            )
        shares = [min(step, frames - start) / frames for start in range(0, frames, step)]
        layers = [_mean(same, shares) for same in zip(*parts, strict=True)]
        return EnergyReport(tuple(layers), frames)


def _squares(layer: Dense, codes: Ints) -> NDArray[np.float64]:
    """Sum over vectors and chunks of the square of the chunk, for each input."""
    vectors = codes.reshape(-1, layer.inputs)
    kind = layer.input
    chunks = arith.chunks(vectors, bits=kind.bits, signed=kind.signed, dac_bits=layer.dac_bits)
    squares: NDArray[np.float64] = (chunks**2).sum(axis=(0, 1)).astype(np.float64)
    return squares


def _rows(layer: Dense) -> tuple[NDArray[np.float64], int]:
    """Conductance codes that each input drives, ``(inputs,)``, and cells on its word lines."""
    blocks = layer.blocks or 1
    codes = layer.codes.astype(np.float64).sum(axis=(0, 1))
    cells = codes.reshape(layer.rows, blocks, -1).sum(axis=2)
    count = layer.slices * layer.codes.shape[1] * layer.block_cols
    if layer.reference is not None:
        # Two devices at half the voltage, whose mean the code is: half of what it says.
        side = layer.reference.astype(np.float64).sum(axis=0) / 2
        cells += side.reshape(layer.rows, blocks, -1).sum(axis=2)
        count += layer.slices * layer.reference.shape[2] // blocks
    return cells.T.reshape(-1), count


def _mean(parts: tuple[LayerEnergy, ...], shares: list[float]) -> LayerEnergy:
    """One layer over all frames, of parts that have these shares of them."""
    first = asdict(parts[0])
    names = ("activity", "cell_read_j", "driver_j")
    means = {
        name: math.fsum(getattr(p, name) * share for p, share in zip(parts, shares, strict=True))
        for name in names
    }
    return LayerEnergy(**(first | means))
