"""A board without a board: its whole top level in Amaranth's simulator, behind a serial port."""

from __future__ import annotations

from collections import deque
from functools import cached_property
from typing import Any

from amaranth.sim import Simulator

from spintron_hw.control.board_top import BoardTop
from spintron_ir.errors import check_int

__all__ = ["VirtualBoard"]


class VirtualBoard:
    """The two serial lines of a simulated board, as a host sees them.

    UART, host link and accelerator are simulated bit by bit, as they are built; only the wire is
    not real. :class:`boards.client.BoardClient` takes this instead of a serial port.

    Time passes only while a host waits for bytes. A second of the board takes minutes: use a high
    :py:`baud` and a short :py:`timeout` in the :py:`top`.

    Parameters
    ----------
    top : BoardTop
        The design.
    patience : int, cycles, optional
        How long :meth:`read` waits for a byte. Twice the timeout of the link, and 20,000 cycles
        more, unless given.

    Examples
    --------
    >>> from spintron_hw.build.sample import Sample
    >>> from spintron_hw.control.protocol import Command, Frame
    >>> top = BoardTop(Sample(), digest=bytes(8), clock_hz=1_000_000, baud=250_000)
    >>> board = VirtualBoard(top)
    >>> board.write(Frame(Command.PING, 1).encode())
    7
    >>> Frame.decode(board.read(7))
    Frame(command=129, sequence=1, payload=b'')
    """

    def __init__(self, top: BoardTop, *, patience: int | None = None):
        if patience is None:
            patience = 2 * top.link.timeout + 20_000
        self.patience = check_int("VirtualBoard", "patience", patience, 1, 1 << 40)
        self._period = 1 / top.clock_hz
        self._bit = top.divisor * self._period
        self._waiting: deque[int] = deque()
        self._received = bytearray()
        self._now = 0.0
        self._top = top

    @cached_property
    def _simulator(self) -> Simulator:
        """The simulator, made when it first runs: a testbench that never does is warned of."""
        simulator = Simulator(self._top)
        simulator.add_clock(self._period)
        simulator.add_testbench(self._send(self._top), background=True)
        simulator.add_testbench(self._receive(self._top), background=True)
        return simulator

    @property
    def cycles(self) -> int:
        """Clock cycles since reset."""
        return round(self._now / self._period)

    def write(self, data: bytes) -> int:
        """Put :py:`data` on the line to the board, behind what is still to be sent."""
        self._waiting.extend(data)
        return len(data)

    def read(self, size: int) -> bytes:
        """Up to :py:`size` bytes from the board; fewer if it says nothing more for a while."""
        quiet, had = 0, len(self._received)
        step = 10 * self._bit
        while len(self._received) < size and quiet < self.patience:
            self._now += step
            self._simulator.run_until(self._now)
            quiet += round(step / self._period)
            if self._waiting or len(self._received) != had:
                quiet, had = 0, len(self._received)
        data = bytes(self._received[:size])
        del self._received[:size]
        return data

    def reset_input_buffer(self) -> None:
        """Forget what the board has said so far."""
        self._received.clear()

    def close(self) -> None:
        """Do nothing; serial ports have it."""

    def _send(self, top: BoardTop) -> Any:
        async def testbench(ctx: Any) -> None:
            while True:
                if self._waiting:
                    frame = self._waiting.popleft() << 1 | 1 << 9
                    for bit in range(10):
                        ctx.set(top.rx, frame >> bit & 1)
                        await ctx.delay(self._bit)
                else:
                    await ctx.delay(self._bit)

        return testbench

    def _receive(self, top: BoardTop) -> Any:
        async def testbench(ctx: Any) -> None:
            while True:
                await ctx.edge(top.tx, 0)
                await ctx.delay(self._bit / 2)
                byte = 0
                for bit in range(8):
                    await ctx.delay(self._bit)
                    byte |= ctx.get(top.tx) << bit
                await ctx.delay(self._bit)
                if ctx.get(top.tx):  # the stop bit
                    self._received.append(byte)

        return testbench
