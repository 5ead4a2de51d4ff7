"""The whole of what runs on a board: UART, host link, accelerator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from amaranth import Module, ResetInserter, Signal
from amaranth.lib import cdc, wiring
from amaranth.lib.wiring import In, Out

from spintron_ir.errors import ParameterError, check_int

from ..mapping.ports import StreamPort
from ..stream import connect_streams
from .host_link import HostLink
from .uart import UARTReceiver, UARTTransmitter

__all__ = ["BoardTop", "Served"]


class Served(Protocol):
    """What a board can run: a component with streams, as ``Accelerator`` is."""

    signature: Any

    @property
    def streams(self) -> Sequence[StreamPort]:
        """Its streams."""


class BoardTop(wiring.Component):
    """An accelerator behind a serial line.

    Parameters
    ----------
    accelerator : wiring.Component
        Has a member for each input and output in its :py:`streams`, and ``w_NODE`` for
        each layer whose codes can be written.
    digest : bytes, 8
        First bytes of the digest of the network.
    clock_hz : int, hertz
        Clock.
    baud : int, bits a second
        Speed of the serial line; at most a quarter of the clock.
    timeout : int, cycles, optional
        A pause within a frame that ends it. 50 ms unless given: serial adapters on USB pause for
        up to 20 ms.
    max_cycles : int, cycles
        Longest time that the accelerator may take for a frame.

    Members
    -------
    rx : In(1)
        Line from the host, asynchronous.
    tx : Out(1)
        Line to the host.

    Raises
    ------
    ParameterError
        If the clock does not give the speed of the line to within 2 %.
    """

    def __init__(
        self,
        accelerator: Served,
        *,
        digest: bytes,
        clock_hz: int,
        baud: int,
        timeout: int | None = None,
        max_cycles: int = 1 << 26,
    ):
        self.clock_hz = check_int("BoardTop", "clock_hz", clock_hz, 1000, 1 << 32)
        self.baud = check_int("BoardTop", "baud", baud, 1, self.clock_hz // 4)
        self.divisor = round(clock_hz / baud)
        if abs(clock_hz / self.divisor / baud - 1) > 0.02:
            raise ParameterError(
                f"BoardTop: baud must be within 2 % of {clock_hz:,} Hz over an integer, not "
                f"{baud:,}; the nearest is {clock_hz // self.divisor:,}"
            )
        self.accelerator = accelerator
        writes = {
            name: member.signature.members["payload"].shape
            for name, member in accelerator.signature.members.items()
            if name.startswith("w_")
        }
        self.link = HostLink(
            accelerator.streams,
            digest=digest,
            clock_hz=clock_hz,
            timeout=clock_hz // 20 if timeout is None else timeout,
            max_cycles=max_cycles,
            writes=writes,
        )
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1)})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.receiver = receiver = UARTReceiver(divisor=self.divisor)
        m.submodules.transmitter = transmitter = UARTTransmitter(divisor=self.divisor)
        m.submodules.link = link = self.link
        # What was written at run time stays: a reset does not reach memories.
        restart = Signal()  # a register, as it goes to every flip-flop of the accelerator
        m.d.sync += restart.eq(link.restart)
        m.submodules.accelerator = ResetInserter(restart)(self.accelerator)
        m.submodules.rx_sync = cdc.FFSynchronizer(self.rx, receiver.rx, init=1)

        m.d.comb += [
            link.rx.payload.eq(receiver.o.payload),
            link.rx.valid.eq(receiver.o.valid),
            receiver.o.ready.eq(1),
            self.tx.eq(transmitter.tx),
        ]
        connect_streams(m, link.tx, transmitter.i)
        for port in link.inputs:
            connect_streams(m, getattr(link, port.name), getattr(self.accelerator, port.name))
        for port in link.outputs:
            connect_streams(m, getattr(self.accelerator, port.name), getattr(link, port.name))
        for name in link.writes:
            connect_streams(m, getattr(link, name), getattr(self.accelerator, name))
        return m
