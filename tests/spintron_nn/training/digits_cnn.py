"""A small convolutional network of digits, trained once, as a graph that converts fast."""

import functools

import torch
from torch import nn

from spintron_nn.converter.converter import graph_of
from spintron_nn.datasets import digits
from spintron_nn.training import train

__all__ = ["DATA", "digits_cnn", "parsed"]

DATA = digits()


@functools.cache
def digits_cnn():
    """The module, in evaluation mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = nn.Sequential(
            nn.Unflatten(1, (1, 8, 8)),
            nn.Conv2d(1, 8, 3, padding=1),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(64, 32),
            nn.ReLU(),
            nn.Linear(32, 10),
        )
    return train(module, (DATA.train_x, DATA.train_y), epochs=10, batch_size=128).eval()


@functools.cache
def parsed():
    """Its graph: layer_1 and layer_5 are convolutions, layer_10 and layer_12 matrices."""
    return graph_of(digits_cnn(), DATA.train_x[:2])
