"""What goes wrong on a chip: one file for each kind of effect, its parameters and its drawing."""

from .ageing import Ageing
from .converters import ConverterSpread, SampledConverters
from .effects import EFFECTS
from .faults import Faults
from .programming import Programming
from .spread import Spread
from .telegraph import Telegraph
from .wires import Wires

__all__ = [
    "EFFECTS",
    "Ageing",
    "ConverterSpread",
    "Faults",
    "Programming",
    "SampledConverters",
    "Spread",
    "Telegraph",
    "Wires",
]
