"""Gateware of spintronic crossbar accelerators: cells, layers, mapping and Verilog."""

__all__ = []
