"""Colours of the classes, the same in every figure; told apart by colour-blind readers too."""

BINARY = "#d1602d"
SINGLE = "#4878a8"
OTHER = "#5a9367"
EXCLUDED = "#b9b9b9"
