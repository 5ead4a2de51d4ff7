"""``python -m spintron_nn.cli``: the command line where it is not installed."""

from . import main

main()
