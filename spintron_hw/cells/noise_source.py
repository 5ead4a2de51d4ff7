"""Read noise, drawn from the generator that the network defines."""

from typing import Any

import numpy as np
from amaranth import Cat, Const, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import ArrayLike, NDArray

from spintron_ir import arith as contract
from spintron_ir import prng
from spintron_ir.errors import ParameterError, check_int
from spintron_ir.types import IntType

from ..arith import noise_z, round_shift
from ..checks import check_table, check_type
from ..stream import vector
from .constants import schedule, scheduled_constants

__all__ = ["NoiseSource"]

_ROUNDS = 13
_STAGES = _ROUNDS + 4  # the counter, the rounds, the 16 bits of a lane, their z, the noise


class NoiseSource(wiring.Component):
    """Adds the noise of a read to each column level.

    The noise is :func:`spintron_ir.arith.noise_value` of the words that
    :func:`spintron_ir.prng.noise_words` defines, which depend on seed, frame, chunk, converter and
    column alone. The order of reads is known, so the generator, a pipeline of one round a stage,
    runs ahead: the noise of the next beat lies ready when that comes.

    Beats come in this order after reset: for each frame, for each step (which names a converter
    and its first column), for each of :py:`repeat` chunks, one beat. Four neighbouring columns
    share one generator where they always come in one beat.

    Timing
    ------
    :py:`i` is not ready for the first :attr:`warm_up` cycles after reset. Then one beat each
    cycle, offered :attr:`latency` = 1 cycle after it was taken. Backpressure on :py:`o` stalls
    :py:`i` in the same cycle.

    Parameters
    ----------
    current : IntType, at most 40 bits
        Type of a level without noise.
    level : IntType, at most 40 bits
        Type of a level with noise, which must hold every sum that can occur.
    seed : int, 64 bits
        Seed of the layer.
    cols : int, 1..65536
        Columns of the layer.
    amplitude : array of int, 0..65535, shape ``(steps, lanes)``
        Amplitude of the noise, in ``2**-12`` levels. What lies beyond the last column gets none.
    converter : array of int, from 0, shape ``(steps,)``
        Converter, ``(group * slices + slice) * converters + d``, of each step.
    first_col : array of int, 0..cols - 1, shape ``(steps,)``
        Column of the first lane in each step.
    repeat : int, 1..256
        Chunks, which are the beats of a step.

    Members
    -------
    i : In(stream.Signature(vector(current, lanes)))
        Levels without noise.
    o : Out(stream.Signature(vector(level, lanes)))
        Levels with noise.

    Attributes
    ----------
    latency, interval, warm_up : int, cycles
        See Timing.
    generators : int
        Generators in it, about a thousand 4-input LUTs and flip-flops each.

    Raises
    ------
    ParameterError
        If a parameter is outside its range, or every amplitude is 0.

    Source
    ------
    J. K. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011: Threefry-2x32.
    """

    latency = 1
    interval = 1
    warm_up = _STAGES

    def __init__(
        self,
        *,
        current: IntType,
        level: IntType,
        seed: int,
        cols: int,
        amplitude: ArrayLike,
        converter: ArrayLike,
        first_col: ArrayLike,
        repeat: int = 1,
    ):
        owner = "NoiseSource"
        self.current = check_type(owner, "current", current, 40)
        self.level = check_type(owner, "level", level, 40)
        self.seed = check_int(owner, "seed", seed, 0, (1 << 64) - 1)
        self.cols = check_int(owner, "cols", cols, 1, 1 << 16)
        self.amplitude = check_table(owner, "amplitude", amplitude, 0, 65535)
        steps, self.lanes = self.amplitude.shape
        blocks = -(-self.cols // prng.BLOCK_LANES)
        last = (1 << prng.READ_SHIFT) // blocks - 1
        self.converter = check_table(owner, "converter", converter, 0, last, (steps,))
        self.first_col = check_table(owner, "first_col", first_col, 0, self.cols - 1, (steps,))
        self.repeat = check_int(owner, "repeat", repeat, 1, 256)
        column = self.first_col[:, None] + np.arange(self.lanes)
        self._amplitude = np.where(column < self.cols, self.amplitude, 0)
        if not self._amplitude.any():
            raise ParameterError(
                "NoiseSource: amplitude must be above 0 for at least one column; leave the cell "
                "out where there is no noise"
            )
        column = np.minimum(column, self.cols - 1)
        self._column = column
        block = self.converter[:, None] * blocks + column // prng.BLOCK_LANES
        noisy = self._amplitude.any(axis=0)
        self._blocks, place = np.unique(block[:, noisy], axis=1, return_inverse=True)
        self._generator = dict(zip(np.flatnonzero(noisy).tolist(), place.ravel().tolist()))
        self.generators = self._blocks.shape[1]
        super().__init__(
            {
                "i": In(stream.Signature(vector(current, self.lanes))),
                "o": Out(stream.Signature(vector(level, self.lanes))),
            }
        )

    def compute(self, levels: ArrayLike, frame: int = 0) -> NDArray[np.int64]:
        """Levels with noise, ``(beats, lanes)``, of the beats from the start of :py:`frame` on."""
        levels = contract.as_int(levels)
        beat = np.arange(len(levels))
        words = prng.noise_words(
            self.seed,
            frame=frame + beat // (self.repeat * len(self.converter)),
            read=beat % self.repeat,
            converters=schedule(self.converter, len(beat), self.repeat),
            cols=self.cols,
        )
        own = np.take_along_axis(words, schedule(self._column, len(beat), self.repeat), axis=1)
        amplitude = schedule(self._amplitude, len(beat), self.repeat)
        return levels + contract.noise_value(own, amplitude)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        ahead = Signal(_STAGES, name="ahead")  # stages that hold the noise of a beat to come
        taken, move = Signal(), Signal()
        room = ~self.o.valid | self.o.ready
        m.d.comb += [
            self.i.ready.eq(ahead[-1] & room),
            taken.eq(self.i.valid & self.i.ready),
            move.eq(taken | ~ahead[-1]),
        ]
        with m.If(move):
            m.d.sync += ahead.eq(Cat(Const(1, 1), ahead))
        with m.If(taken):
            m.d.sync += self.o.valid.eq(1)
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)

        frame, read = self._count(m, move)
        blocks = scheduled_constants(m, self._blocks, move, repeat=self.repeat, name="block")
        words = [
            self._threefry(m, move, frame, block + Cat(Const(0, prng.READ_SHIFT), read))
            for block in blocks
        ]
        drawn = move & ahead[_ROUNDS]
        selects = scheduled_constants(
            m, self._column % prng.BLOCK_LANES, drawn, repeat=self.repeat, name="select"
        )
        amplitudes = scheduled_constants(
            m, self._amplitude, move & ahead[_ROUNDS + 2], repeat=self.repeat, name="amplitude"
        )
        for lane in range(self.lanes):
            noise: Value = Const(0)
            if lane in self._generator:
                word = Signal(16, name=f"word_{lane}", reset_less=True)
                sample = Value.cast(words[self._generator[lane]]).word_select(selects[lane], 16)
                z = Signal(8, name=f"z_{lane}", reset_less=True)
                value = round_shift(z.as_signed() * amplitudes[lane], contract.NOISE_SHIFT)
                noise = Signal(value.shape(), name=f"noise_{lane}", reset_less=True)
                with m.If(move):
                    m.d.sync += [word.eq(sample), z.eq(noise_z(word)), noise.eq(value)]
            with m.If(taken):
                m.d.sync += self.o.payload[lane].eq(self.i.payload[lane] + noise)
        return m

    def _count(self, m: Module, move: Value) -> tuple[Value, Value]:
        """Frame and chunk of the beat that enters the generator."""
        frame, read = Signal(32, name="frame"), Signal(8, name="read")
        steps = len(self.converter)
        step = Signal(range(steps), name="step")
        with m.If(move):
            m.d.sync += read.eq(read + 1)
            with m.If(read == self.repeat - 1):
                m.d.sync += [read.eq(0), step.eq(step + 1)]
                with m.If(step == steps - 1):
                    m.d.sync += [step.eq(0), frame.eq(frame + 1)]
        return frame, read

    def _threefry(self, m: Module, move: Value, frame: Value, counter: Value) -> Value:
        """The two words of a counter under the key, one round a stage."""
        key = [self.seed & 0xFFFFFFFF, self.seed >> 32]
        key.append(prng.PARITY ^ key[0] ^ key[1])
        x0, x1 = frame + key[0], counter + key[1]
        for number in range(_ROUNDS + 1):
            word0 = Signal(32, name=f"word0_{number}", reset_less=True)
            word1 = Signal(32, name=f"word1_{number}", reset_less=True)
            with m.If(move):
                m.d.sync += [word0.eq(x0), word1.eq(x1)]
            x0 = (word0 + word1)[:32]
            x1 = word1.rotate_left(prng.ROTATIONS[number % 8]) ^ x0
            if number % 4 == 3:
                turn = number // 4 + 1
                x0, x1 = x0 + key[turn % 3], x1 + (key[(turn + 1) % 3] + turn)
        return Cat(word0, word1)
