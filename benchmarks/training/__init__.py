"""Accuracies that training for the chip reaches, its speed, and the energy that it saves."""

__all__: list[str] = []
