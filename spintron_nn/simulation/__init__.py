"""Networks of sampled chips simulated fast: many chips at once, in torch, integer for integer."""
