"""Figures with axes. Apart from `plots`, so that drawing needs no plotting library."""
