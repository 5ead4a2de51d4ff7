"""The two halves of a UART: 8 data bits, no parity, one stop bit."""

from typing import Any

from amaranth import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spintron_ir.errors import check_int

__all__ = ["UARTReceiver", "UARTTransmitter"]


class UARTReceiver(wiring.Component):
    """Receives bytes from a serial line.

    Each bit is read in its middle. A byte without its stop bit is dropped, and the line must rise
    before the next start bit counts. So must a byte that finds the one before it not yet taken.

    Timing
    ------
    A byte is offered in the middle of its stop bit. It waits for ready until the next one arrives.

    Parameters
    ----------
    divisor : int, 4..65536
        Clock cycles a bit.

    Members
    -------
    rx : In(1)
        The serial line, already synchronised to the clock. 1 when idle.
    o : Out(stream.Signature(8))
        Received bytes.

    Raises
    ------
    ParameterError
        If :py:`divisor` is out of range.
    """

    def __init__(self, *, divisor: int):
        self.divisor = check_int("UARTReceiver", "divisor", divisor, 4, 1 << 16)
        super().__init__({"rx": In(1, init=1), "o": Out(stream.Signature(8))})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        timer = Signal(range(self.divisor + self.divisor // 2))
        bits = Signal(9)
        left = Signal(range(10))
        idle = Signal()

        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(left == 0):
            m.d.sync += idle.eq(self.rx)
            with m.If(idle & ~self.rx):
                m.d.sync += [
                    left.eq(9),
                    timer.eq(self.divisor + self.divisor // 2 - 2),
                    idle.eq(0),
                ]
        with m.Elif(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.Else():
            m.d.sync += [
                timer.eq(self.divisor - 1),
                left.eq(left - 1),
                bits.eq(Cat(bits[1:], self.rx)),
            ]
            with m.If((left == 1) & self.rx & (~self.o.valid | self.o.ready)):
                m.d.sync += [self.o.payload.eq(bits[1:]), self.o.valid.eq(1)]
        return m


class UARTTransmitter(wiring.Component):
    """Sends bytes over a serial line.

    Timing
    ------
    A byte takes 10 bits of :py:`divisor` cycles; the next is taken when its stop bit is over.

    Parameters
    ----------
    divisor : int, 4..65536
        Clock cycles a bit.

    Members
    -------
    i : In(stream.Signature(8))
        Bytes to send.
    tx : Out(1)
        The serial line. 1 when idle.

    Raises
    ------
    ParameterError
        If :py:`divisor` is out of range.
    """

    def __init__(self, *, divisor: int):
        self.divisor = check_int("UARTTransmitter", "divisor", divisor, 4, 1 << 16)
        super().__init__({"i": In(stream.Signature(8)), "tx": Out(1, init=1)})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        timer = Signal(range(self.divisor))
        bits = Signal(10, init=0x3FF)
        left = Signal(range(11))

        m.d.comb += [self.tx.eq(bits[0]), self.i.ready.eq(left == 0)]
        with m.If(left == 0):
            with m.If(self.i.valid):
                m.d.sync += [
                    bits.eq(Cat(0, self.i.payload, 1)),
                    left.eq(10),
                    timer.eq(self.divisor - 1),
                ]
        with m.Elif(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.Else():
            m.d.sync += [
                timer.eq(self.divisor - 1),
                left.eq(left - 1),
                bits.eq(Cat(bits[1:], 1)),
            ]
        return m
