"""Training for chips: quantised weights and varying devices in every step."""

from .bar import progress_bar
from .chip_model import ChipModel
from .devices import Conditions
from .energy_opt import EnergyOptimizedTraining
from .loop import Fit
from .metrics import accuracy, top_k
from .mixed_precision import MixedPrecision, search_bits
from .model_file import load_weights, read_manifest, save_model
from .post_training import post_training
from .progress import Progress
from .qat import fine_tune, train
from .recipes import (
    DIGITS,
    FASHION_LENET,
    FASHION_MNIST,
    FASHION_SEPARABLE,
    Recipe,
    Trained,
)
from .schedules import one_cycle, warm_up
from .tensor_file import TrainingFileError
from .tracking import mlflow_run
from .trainer import SpintronicTrainer
from .variation_aware import VariationAwareTraining

__all__ = [
    "DIGITS",
    "FASHION_LENET",
    "FASHION_MNIST",
    "FASHION_SEPARABLE",
    "ChipModel",
    "Conditions",
    "EnergyOptimizedTraining",
    "Fit",
    "MixedPrecision",
    "Progress",
    "Recipe",
    "SpintronicTrainer",
    "Trained",
    "TrainingFileError",
    "VariationAwareTraining",
    "accuracy",
    "fine_tune",
    "load_weights",
    "mlflow_run",
    "one_cycle",
    "post_training",
    "progress_bar",
    "read_manifest",
    "save_model",
    "search_bits",
    "top_k",
    "train",
    "warm_up",
]
