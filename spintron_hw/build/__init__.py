"""What is made of a component: Verilog, testbenches, bitstreams."""

__all__ = []
