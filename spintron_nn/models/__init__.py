"""Networks made for crossbars of spintronic devices, some with trained weights."""
