"""The look of the figures: vector, opaque, the same bytes for the same numbers, told apart without colour."""

import itertools

import numpy as np
import pytest

from disorder import plotting


def _luminance(colour: str) -> float:
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.03928, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_figures_are_vector_and_reproducible():
    def draw() -> str:
        figure, ax = plotting.figure()
        ax.plot([0, 1], [0, 1])
        plotting.label_line(ax, 1, 1, "line", plotting.COLOURS[0])
        plotting.shade_outside(ax, 0.0, 0.2, "beyond")
        return figure._repr_svg_()

    first = draw()
    assert first.startswith("<svg")
    assert first == draw()


def test_lines_differ_in_more_than_colour():
    pairs = list(zip(plotting.COLOURS, plotting.DASHES, strict=True))
    for (colour, dash), (other, other_dash) in itertools.combinations(pairs, 2):
        assert colour != other
        assert dash != other_dash or abs(_luminance(colour) - _luminance(other)) > 0.1


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 2)])
def test_panels(shape):
    _, axes = plotting.figure(*shape)
    assert np.atleast_1d(axes).size == shape[0] * shape[1]
