"""The pictures of examples/devices.py: a function each, the module names what they show."""
