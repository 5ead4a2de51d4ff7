"""Domain walls as analog memory: a wall that moves along a track divides the area of a junction."""
