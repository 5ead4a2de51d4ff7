"""Speed of the device and crossbar physics beside badcrossbar, ngspice and CMTJ."""

__all__: list[str] = []
