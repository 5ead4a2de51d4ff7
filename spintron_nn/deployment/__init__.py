"""From a network to a board: the flow that the commands, the demo and the examples share."""
