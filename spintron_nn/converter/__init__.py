"""Trained models to networks on sampled chips."""

from .converter import SpintronConverter
from .model import SpintronicModel
from .report import ConversionReport, LayerReport

__all__ = ["ConversionReport", "LayerReport", "SpintronConverter", "SpintronicModel"]
