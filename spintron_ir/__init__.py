"""The network description: layers of integers, complete, independent of torch and of any board."""

from .errors import (
    ConversionError,
    MappingError,
    MismatchError,
    NetworkError,
    ParameterError,
    SpintronError,
    ToolError,
)
from .layers import (
    Adc,
    Argmax,
    Cell,
    Concat,
    Dense,
    Flatten,
    Gather,
    Join,
    Noise,
    Pool,
    Quantise,
    Softmax,
    TopK,
    Window,
)
from .network import Network, Node, Output, Port
from .requantise import MulShift, Table, TFLite, Thresholds
from .types import Interval, IntType

__all__ = [
    "Adc",
    "Argmax",
    "Cell",
    "Concat",
    "ConversionError",
    "Dense",
    "Flatten",
    "Gather",
    "IntType",
    "Interval",
    "Join",
    "MappingError",
    "MismatchError",
    "MulShift",
    "Network",
    "NetworkError",
    "Node",
    "Noise",
    "Output",
    "ParameterError",
    "Pool",
    "Port",
    "Quantise",
    "Softmax",
    "SpintronError",
    "TFLite",
    "Table",
    "Thresholds",
    "ToolError",
    "TopK",
    "Window",
]
