"""Figures with axes, by Matplotlib. Image grids are in `plots`, which does without."""
