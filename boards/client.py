"""The host's end of the host link: a board on a serial port, as a function on integers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from spintron_hw.control.protocol import (
    ANSWER,
    OVERHEAD,
    START,
    Cause,
    Command,
    Field,
    Frame,
    decode_info,
    element_bytes,
)
from spintron_ir.errors import MismatchError, ParameterError, ToolError, check_int
from spintron_ir.types import IntType

__all__ = ["BoardClient", "BoardInfo", "Inference", "SerialPort"]


class SerialPort(Protocol):
    """What the client needs of a port: an open ``serial.Serial``, or a virtual board."""

    def write(self, data: bytes, /) -> int | None:
        """Send all of :py:`data`."""

    def read(self, size: int, /) -> bytes:
        """Up to :py:`size` bytes; fewer where the time is over."""


@dataclass(frozen=True)
class BoardInfo:
    """What a board says it runs.

    Parameters
    ----------
    digest : str
        First 16 hexadecimal digits of the digest of the network.
    clock_hz : int, hertz
        Clock of the accelerator.
    inputs, outputs : tuple of Field
        Inputs and outputs of the network.
    writes : tuple of Field
        Fields of a run-time write; none where codes are fixed.
    layers : tuple of Field
        Layers whose codes can be written, with the bits of a word of codes.
    """

    digest: str
    clock_hz: int
    inputs: tuple[Field, ...]
    outputs: tuple[Field, ...]
    writes: tuple[Field, ...]
    layers: tuple[Field, ...]


@dataclass(frozen=True)
class Inference:
    """What a board answers to one input vector.

    Parameters
    ----------
    outputs : dict from str to numpy.ndarray
        ``int64`` of shape ``(length,)`` for each output.
    cycles : int
        Clock cycles from that in which the first input beat is taken to that in which the last
        output beat is, both counted: ``Plan.latency`` of the network.
    """

    outputs: dict[str, np.ndarray]
    cycles: int


_REASONS = {
    Cause.CHECKSUM: "the request arrived damaged (checksum)",
    Cause.TRUNCATED: "the request arrived incomplete",
    Cause.COMMAND: "it does not know the command; codes of this bitstream cannot be written",
    Cause.LENGTH: "the payload has another length than its network needs",
    Cause.LAYER: "it has no layer of this number",
    Cause.STALLED: "the accelerator gave no answer in time, and was restarted",
}


class BoardClient:
    """Runs vectors on a board that was configured with a bitstream of this package.

    A request that arrives damaged is sent once more; the board acts on none that is. A lost answer
    to an inference is an error, as the board's noise generator has moved on.

    Parameters
    ----------
    port : str or SerialPort
        Name of a serial port (``/dev/ttyUSB0``, ``COM3``), or an object with :py:`read` and
        :py:`write`, such as :class:`sim.virtual_board.VirtualBoard`.
    baud : int, bits a second
        Speed of a port given by name.
    timeout : float, seconds
        How long to wait for a byte on a port given by name.

    Raises
    ------
    ToolError
        If the port cannot be opened, or the board is silent, or keeps refusing.

    Examples
    --------
    >>> from sim.virtual_board import VirtualBoard
    >>> from spintron_hw.build.sample import Sample
    >>> from spintron_hw.control.board_top import BoardTop
    >>> top = BoardTop(Sample(), digest=bytes(8), clock_hz=1_000_000, baud=250_000)
    >>> with BoardClient(VirtualBoard(top)) as board:
    ...     board.infer([1, 2, 3, 4, 5, 6, 7, 8])
    Inference(outputs={'y': array([66, 25])}, cycles=6)
    """

    def __init__(self, port: str | SerialPort, *, baud: int = 1_000_000, timeout: float = 5.0):
        self.name = port if isinstance(port, str) else type(port).__name__
        self._port: Any = _open(port, baud, timeout) if isinstance(port, str) else port
        self._sequence = 0
        self._info: BoardInfo | None = None

    def __enter__(self) -> BoardClient:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the port."""
        if hasattr(self._port, "close"):
            self._port.close()

    def ping(self) -> None:
        """Return if the board answers."""
        self._request(Command.PING)

    def reset(self) -> None:
        """Put the accelerator into the state after reset: its next frame is frame 0."""
        self._request(Command.RESET)

    def info(self) -> BoardInfo:
        """What the board runs. Asked once, then remembered."""
        if self._info is None:
            _, digest, clock_hz, fields = decode_info(self._request(Command.INFO))
            parts = [
                tuple(field for field in fields if field.role == role)
                for role in ("input", "output", "write", "layer")
            ]
            self._info = BoardInfo(digest.hex(), clock_hz, *parts)
        return self._info

    def check_digest(self, digest: str) -> None:
        """Check that the board runs the network with this :py:`digest`.

        Raises
        ------
        MismatchError
            If it runs another one.
        """
        if self.info().digest != digest[:16]:
            raise MismatchError(
                f"the board on {self.name} runs network {self.info().digest}, not {digest[:16]}; "
                "configure it with the bitstream that was built for this network"
            )

    def infer(self, x: Any) -> Inference:
        """Run one vector.

        Parameters
        ----------
        x : integers of shape ``(length,)``, or dict from input name to such
            The inputs. Any shape with that many elements does.

        Raises
        ------
        ParameterError
            If a value is no integer in the range of the input, or the count is another.
        ToolError
            If the board does not answer, or refuses.
        """
        fields = self.info().inputs
        values = x if isinstance(x, Mapping) else {fields[0].name: x}
        if values.keys() != {field.name for field in fields}:
            raise ParameterError(
                f"infer: inputs must be {', '.join(f.name for f in fields)}, not "
                f"{', '.join(map(str, values)) or 'none'}"
            )
        payload = b"".join(_to_bytes(field, values[field.name]) for field in fields)
        answer = self._request(Command.INFER, payload)
        outputs, at = {}, 4
        for field in self.info().outputs:
            outputs[field.name] = _from_bytes(field, answer[at : at + field.size])
            at += field.size
        return Inference(outputs, int.from_bytes(answer[:4], "little"))

    def run(self, x: Any) -> np.ndarray | dict[str, np.ndarray]:
        """Run a batch from frame 0 on, and answer as ``Network.run`` does, with flat outputs.

        Parameters
        ----------
        x : integers of shape ``(batch, ...)``, or dict from input name to such
            The inputs.

        Returns
        -------
        numpy.ndarray, or dict from output name to it
            ``int64`` of shape ``(batch, length)``.
        """
        given = dict(x) if isinstance(x, Mapping) else {self.info().inputs[0].name: x}
        names, counts = list(given), sorted({len(values) for values in given.values()})
        if len(counts) > 1:
            raise ParameterError(
                "run: every input must have the same number of frames, not "
                f"{', '.join(map(str, counts))}"
            )
        self.reset()
        batch = zip(*given.values(), strict=True)
        answers = [self.infer(dict(zip(names, row))).outputs for row in batch]
        stacked = {
            field.name: np.array([a[field.name] for a in answers], np.int64).reshape(
                len(answers), field.length
            )
            for field in self.info().outputs
        }
        return stacked if len(stacked) > 1 else next(iter(stacked.values()))

    def write_code(self, layer: str, *, bank: int, address: int, data: int) -> None:
        """Write one word of conductance codes, as the folded tile of :py:`layer` stores it.

        Raises
        ------
        ParameterError
            If the codes of the layer cannot be written, or a number is out of range.
        """
        info = self.info()
        names = [field.name for field in info.layers]
        if layer not in names:
            raise ParameterError(
                f"write_code: layer must be one of {', '.join(names) or 'none'}, not {layer!r}; "
                "only codes of folded tiles can be written"
            )
        number = names.index(layer)
        values = {"layer": number, "bank": bank, "address": address, "data": data}
        bits = {field.name: field.bits for field in info.writes}
        bits["data"] = info.layers[number].bits
        payload = b""
        for field in info.writes:
            high = (1 << bits[field.name]) - 1
            value = check_int("write_code", field.name, values[field.name], 0, high)
            payload += value.to_bytes(field.size, "little")
        self._request(Command.WRITE, payload)

    def _request(self, command: Command, payload: bytes = b"") -> bytes:
        """Payload of the answer to a request, which is sent twice at most."""
        refused: Cause | None = None
        for _ in range(2):
            self._sequence = (self._sequence + 1) & 0xFF
            if hasattr(self._port, "reset_input_buffer"):
                self._port.reset_input_buffer()
            self._port.write(Frame(command, self._sequence, payload).encode())
            answer = self._answer()
            if answer is None or answer.command == command | ANSWER:
                if answer is not None and answer.sequence == self._sequence:
                    return answer.payload
                if command is Command.INFER:
                    break
            elif answer.command == Command.NAK | ANSWER and len(answer.payload) == 1:
                cause = answer.payload[0]
                refused = Cause(cause) if cause in list(Cause) else None
                if refused is Cause.STALLED:
                    break
        if refused is not None:
            raise ToolError(
                f"the board on {self.name} refuses {command.name}: {_REASONS[refused]}; check the "
                "cable and the speed of the port, and that the bitstream is from this package"
            )
        raise ToolError(
            f"the board on {self.name} does not answer {command.name}; check that the bitstream is "
            "loaded, that this is the port of its FPGA, and that no other program has it open"
        )

    def _answer(self) -> Frame | None:
        """The next frame from the board; none if it is silent, or what it says is damaged."""
        for _ in range(4096):
            first = self._port.read(1)
            if not first:
                return None
            if first[0] == START:
                break
        else:
            return None
        header = self._port.read(4)
        rest = self._port.read(int.from_bytes(header[2:], "little") + OVERHEAD - 5)
        try:
            return Frame.decode(first + header + rest)
        except ParameterError:
            return None


def _open(name: str, baud: int, timeout: float) -> SerialPort:
    try:
        import serial
    except ImportError:
        raise ToolError("pyserial is missing; install it with: pip install pyserial") from None
    try:
        return serial.Serial(name, baud, timeout=timeout)
    except (serial.SerialException, ValueError) as error:
        raise ToolError(
            f"serial port {name!r} must be one that can be opened, but: {error}; python -m "
            "serial.tools.list_ports lists those there are"
        ) from None


def _to_bytes(field: Field, values: Any) -> bytes:
    values = np.asarray(values).reshape(-1)
    kind = IntType(field.bits, field.signed)
    if not np.issubdtype(values.dtype, np.integer) or len(values) != field.length:
        raise ParameterError(
            f"infer: {field.name} must be {field.length} integers, not {len(values)} values of "
            f"{values.dtype}"
        )
    wrong = np.flatnonzero((values < kind.low) | (values > kind.high))
    if len(wrong):
        raise ParameterError(
            f"infer: {field.name}[{wrong[0]}] must be in {kind.low}..{kind.high}, not "
            f"{values[wrong[0]]}"
        )
    octets = values.astype("<i8").view(np.uint8).reshape(-1, 8)
    return octets[:, : element_bytes(field.bits)].tobytes()


def _from_bytes(field: Field, data: bytes) -> np.ndarray:
    size = element_bytes(field.bits)
    octets = np.zeros((field.length, 8), np.uint8)
    octets[:, :size] = np.frombuffer(data, np.uint8).reshape(-1, size)
    values = octets.view("<i8")[:, 0].astype(np.int64)
    if field.signed and size < 8:
        values -= (values >> (8 * size - 1)) << (8 * size)
    return values
