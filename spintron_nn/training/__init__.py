"""Training for chips: quantised weights and varying devices in every step."""

from .bar import progress_bar
from .loop import Fit
from .metrics import accuracy, top_k
from .model_file import load_weights, read_manifest, save_model
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

__all__ = [
    "DIGITS",
    "FASHION_LENET",
    "FASHION_MNIST",
    "FASHION_SEPARABLE",
    "Fit",
    "Progress",
    "Recipe",
    "Trained",
    "TrainingFileError",
    "accuracy",
    "fine_tune",
    "load_weights",
    "mlflow_run",
    "one_cycle",
    "progress_bar",
    "read_manifest",
    "save_model",
    "top_k",
    "train",
    "warm_up",
]
