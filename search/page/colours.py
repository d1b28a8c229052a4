"""Colours that are seen on both of the page's backgrounds, for figures that are drawn once for light and dark."""

#: From low to high; blue and orange are told apart by every kind of colour blindness.
SCALE = ["#3f7fe0", "#7f8796", "#e06c00"]
#: What outlines a point.
OUTLINE = "#808080"
