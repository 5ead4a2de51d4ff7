"""Training for chips: quantised weights and varying devices in every step."""

from .qat import Progress, fine_tune, train
from .recipes import (
    DIGITS,
    FASHION_LENET,
    FASHION_MNIST,
    FASHION_SEPARABLE,
    Recipe,
    Trained,
)

__all__ = [
    "DIGITS",
    "FASHION_LENET",
    "FASHION_MNIST",
    "FASHION_SEPARABLE",
    "Progress",
    "Recipe",
    "Trained",
    "fine_tune",
    "train",
]
