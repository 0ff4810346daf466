"""Executable companion to five papers on disordered matter.

One subpackage per paper, named as in the book; :mod:`disorder.numerics` holds what they share and
:mod:`disorder.plotting` the look of every figure.
"""

from importlib.metadata import version

__version__ = version("disorder")
