"""From a converted network to Verilog and design files: the one door to the gateware."""
