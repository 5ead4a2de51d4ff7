"""Cases that others made: those of tests/data, and more where a folder beside has more."""

import gzip
from pathlib import Path

import numpy as np

__all__ = ["DATA", "mnist_images", "mnist_predictions"]

DATA = Path(__file__).parent / "data"
MORE = Path(__file__).parents[2] / "shared" / "vectors"


def mnist_images():
    """Test images of MNIST from the first: all 10,000, or the 1,000 that are always there."""
    path = MORE / "mnist" / "t10k-images-idx3-ubyte.gz"
    if not path.is_file():
        return np.load(DATA / "mnist" / "first_images.npz", allow_pickle=False)["images"]
    data = gzip.decompress(path.read_bytes())
    return np.frombuffer(data, np.uint8, offset=16).reshape(-1, 1, 28, 28)


def mnist_predictions(name):
    """Classes that the reference executor predicts for all 10,000."""
    return np.load(DATA / "qonnx" / "predictions.npz", allow_pickle=False)[name].astype(np.int64)
