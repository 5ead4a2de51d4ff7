"""One value a channel from all values of a window, while they pass."""

from typing import Any

import numpy as np
from amaranth import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import ArrayLike, NDArray

from spintron_ir import IntType, Pool
from spintron_ir.errors import ParameterError, check_int

from ..checks import check_type
from ..loops import Loop, nest
from ..mapping.timing import POOL
from ..stream import shape_of, vector

__all__ = ["ChannelPool"]


class ChannelPool(wiring.Component):
    """Gives the largest value of each channel of a window, or their sum.

    A window is :py:`places` times all channels. What is known of each channel goes round in a
    ring of registers.

    Timing
    ------
    A window takes ``places * channels / lanes`` beats, one each cycle (:attr:`interval`). A result
    is offered 1 cycle (:attr:`latency`) after the beat with the last values of its channels was
    taken. Only such beats are stalled, until the result before is taken, in the same cycle.

    Parameters
    ----------
    input : IntType, at most 32 bits
        Type of an element.
    places : int, 1..65536
        Values of each channel in a window.
    channels : int, 1..65536
        Channels.
    lanes : int, 1..channels
        Channels in a beat. Must divide :py:`channels`.
    mode : str
        ``max`` or ``sum``.

    Members
    -------
    i : In(stream.Signature(vector(input, lanes)))
        Windows: places, in each the channels.
    o : Out(stream.Signature(vector(type, lanes)))
        Channels.

    Attributes
    ----------
    type : IntType
        Type of a result.
    latency, interval : int, cycles
        See Timing.

    Raises
    ------
    ParameterError
        If a parameter is outside its range, or :py:`lanes` does not divide the channels.
    """

    latency = POOL

    def __init__(self, *, input: IntType, places: int, channels: int, lanes: int, mode: str):
        self.input = check_type("ChannelPool", "input", input, 32)
        self.places = check_int("ChannelPool", "places", places, 1, 1 << 16)
        self.channels = check_int("ChannelPool", "channels", channels, 1, 1 << 16)
        self.lanes = check_int("ChannelPool", "lanes", lanes, 1, self.channels)
        if self.channels % self.lanes:
            raise ParameterError(
                f"ChannelPool: lanes must divide the {self.channels} channels, not be {self.lanes}"
            )
        values = self.places * self.channels
        self.layer = Pool(input=input, in_shape=(1, values), channels=self.channels, mode=mode)
        self.mode, self.type = mode, self.layer.type
        self.interval = values // self.lanes
        super().__init__(
            {
                "i": In(stream.Signature(vector(input, lanes))),
                "o": Out(stream.Signature(vector(self.type, lanes))),
            }
        )

    def compute(self, beats: ArrayLike) -> NDArray[np.int64]:
        """Results, in beats, of the beats of whole windows, shape ``(beats, lanes)``."""
        windows = np.asarray(beats).reshape(-1, 1, self.places * self.channels)
        return self.layer.run(windows).reshape(-1, self.lanes)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        word = Loop(m, "word", self.channels // self.lanes)
        place = Loop(m, "place", self.places)
        taken = self.i.valid & self.i.ready
        nest(m, taken, [word, place])
        m.d.comb += self.i.ready.eq(~place.last | ~self.o.valid | self.o.ready)
        with m.If(taken & place.last):
            m.d.sync += self.o.valid.eq(1)
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)

        for lane in range(self.lanes):
            value = self.i.payload[lane]
            ring = [
                Signal(shape_of(self.type), name=f"ring_{lane}_{number}", reset_less=True)
                for number in range(self.channels // self.lanes)
            ]
            known = ring[-1]
            joined = Mux(value > known, value, known) if self.mode == "max" else value + known
            result = Mux(place.index == 0, value, joined)
            with m.If(taken):
                m.d.sync += [after.eq(before) for before, after in zip([result, *ring], ring)]
            with m.If(taken & place.last):
                m.d.sync += self.o.payload[lane].eq(result)
        return m
