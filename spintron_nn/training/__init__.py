"""Training for chips: quantised weights and varying devices in every step."""
