"""One look for every figure of the book.

Colours are the Okabe-Ito set, told apart by every common kind of colour blindness; lines also differ in
their dashes, and curves are labelled where they run instead of in a legend. Figures are opaque, so that
they stay legible on a dark page, and 6.4 inches wide with 13 point text, to be legible on a phone.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DASHES: tuple[Any, ...] = (
    "-",
    (0, (6, 2)),
    (0, (2, 1.2)),
    (0, (6, 2, 1.5, 2)),
    (0, (1, 1)),
    (0, (9, 2)),
    "-",
)
GREY = "#5A5A5A"

STYLE: Any = {
    "axes.grid": False,
    "axes.labelsize": 13,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 13,
    "figure.constrained_layout.use": True,
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 13,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "mathtext.fontset": "dejavusans",
    "savefig.facecolor": "white",
    "savefig.transparent": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "disorder",
    "xtick.labelsize": 12,
    "ytick.labelsize": 12,
}


@contextmanager
def style() -> Iterator[None]:
    """Apply the style of the book inside a ``with`` block.

    Examples
    --------
    >>> with style():
    ...     pass
    """
    with rc_context(STYLE):
        yield


class _BookFigure(Figure):
    """A figure that shows itself once, as vector graphics, in the style of the book."""

    def _repr_svg_(self) -> str:
        import io
        import re

        stream = io.StringIO()
        with style():
            # Without a date and with a fixed salt the same numbers give the same file.
            self.savefig(stream, format="svg", metadata={"Date": None})
        return re.sub(r"<\?xml.*?<svg", "<svg", stream.getvalue(), count=1, flags=re.DOTALL)

    def _repr_html_(self) -> None:
        return None


def figure(
    rows: int = 1, columns: int = 1, *, width: float = 6.4, height: float = 4.2, **options: Any
) -> tuple[Figure, Any]:
    """Make a figure and its axes.

    Parameters
    ----------
    rows, columns : int
        Number of panels.
    width, height : float
        Size in inches; keep the width, a phone shows it at 3.6 inches.
    **options
        Passed to :meth:`matplotlib.figure.Figure.subplots`, for instance ``sharex=True``.

    Returns
    -------
    figure : Figure
        Put it last in a cell; it shows itself as vector graphics.
    axes : Axes or ndarray of Axes
        One axes, or an array of shape (rows, columns) without axes of length one.

    Examples
    --------
    >>> fig, ax = figure()
    >>> line = ax.plot([0, 1], [0, 1])
    """
    with style():
        canvas = _BookFigure(figsize=(width, height))
        axes = canvas.subplots(rows, columns, **options)
        for number, ax in enumerate(np.atleast_1d(axes).flat):
            cycle(ax)
            ax.set_label(str(number))
    return canvas, axes


def cycle(ax: Axes) -> None:
    """Give `ax` the colour and dash cycle of the book.

    Examples
    --------
    >>> fig, ax = figure()
    >>> cycle(ax)
    """
    ax.set_prop_cycle(color=list(COLOURS), linestyle=list(DASHES))


def label_line(ax: Axes, x: float, y: float, text: str, colour: str, **options: Any) -> None:
    """Write `text` beside a curve in its own colour, in place of a legend.

    Parameters
    ----------
    ax : Axes
    x, y : float
        Position in data coordinates.
    text, colour : str
        What to write and in which colour.
    **options
        Passed to :meth:`matplotlib.axes.Axes.annotate`.

    Examples
    --------
    >>> fig, ax = figure()
    >>> label_line(ax, 0.5, 0.5, "S = 1/2", COLOURS[0])
    """
    settings: dict[str, Any] = {
        "xytext": (4, 0),
        "textcoords": "offset points",
        "va": "center",
        "fontsize": 12,
    }
    ax.annotate(text, (x, y), color=colour, **{**settings, **options})


def shade_outside(ax: Axes, low: float, high: float, text: str) -> None:
    """Shade a range of the horizontal axis where the theory makes no statement, and say so.

    Parameters
    ----------
    ax : Axes
    low, high : float
        Ends of the range in data coordinates.
    text : str
        Written inside the range, along the vertical.

    Examples
    --------
    >>> fig, ax = figure()
    >>> shade_outside(ax, 0.0, 0.2, "beyond the expansion")
    """
    ax.axvspan(low, high, facecolor="#E8E8E8", edgecolor="none", zorder=0)
    middle = np.sqrt(low * high) if ax.get_xscale() == "log" and low > 0 else (low + high) / 2
    ax.text(
        float(middle), 0.5, text, transform=ax.get_xaxis_transform(), rotation=90, ha="center", va="center",
        fontsize=11, color=GREY,
    )  # fmt: skip


def contour_figure(
    cuts: Sequence[tuple[float, str]], *, spacing: float = 1.0, idle: Sequence[int] = (), height: float = 4.6
) -> tuple[Figure, Axes]:
    """Draw the complex frequency plane with horizontal cuts and the closed contours between them.

    Parameters
    ----------
    cuts : sequence of (float, str)
        Position of each cut on the imaginary axis, and its label (mathematics between dollars).
    spacing : float
        Distance of neighbouring poles, which lie at its multiples; cuts may pass through a pole.
    idle : sequence of int
        Strips, counted from the bottom, whose whole contour gives nothing: dotted.
    height : float
        Of the figure, in inches.

    Returns
    -------
    figure, axes
        Contours run clockwise, solid where they contribute, dotted on the circle where they do not.

    Examples
    --------
    >>> fig, ax = contour_figure([(0.0, "0"), (1.5, "a")])
    """
    fig, ax = figure(height=height)
    radius, gap = 4.0, 0.13
    heights = sorted(position for position, _ in cuts)
    bounds = [-radius, *heights, radius]
    for strip, (low, high) in enumerate(pairwise(bounds)):
        bottom = low + gap if low > -radius else low
        top = high - gap if high < radius else high
        start, stop = np.arcsin(np.clip([bottom / radius, top / radius], -1, 1))
        right = radius * np.exp(1j * np.linspace(start, stop, 100))
        arcs = [right, -right.conj()]
        lines = [(bottom, -1.0)] * (bottom > low) + [(top, 1.0)] * (top < high)
        colour = COLOURS[strip % len(COLOURS)]
        for arc in arcs:
            ax.plot(arc.real, arc.imag, color=colour, linestyle=":", linewidth=1.3)
        for level, direction in lines:
            width = np.sqrt(radius**2 - level**2)
            dash, stroke = (":", 1.3) if strip in idle else ("-", 1.8)
            ax.plot([-width, width], [level, level], color=colour, linestyle=dash, linewidth=stroke)
            for centre in (-width / 2, width / 2):
                arrow = {"arrowstyle": "-|>", "color": colour, "linewidth": 0, "mutation_scale": 16}
                ends = (centre + 0.18 * direction, level), (centre - 0.18 * direction, level)
                ax.annotate("", *ends, arrowprops=arrow)
    for position, text in cuts:
        whole = [-radius - 0.35, radius + 0.35]
        ax.plot(whole, [position] * 2, color=GREY, linestyle="-", linewidth=0.8, zorder=0)
        ax.text(radius + 0.45, position, text, va="center", ha="left", color=GREY)
    ax.plot([0, 0], [-radius - 0.3, radius + 0.4], color=GREY, linestyle="-", linewidth=0.8, zorder=0)
    count = int(np.ceil(radius / spacing)) - 1
    poles = spacing * np.arange(-count, count + 1)
    ax.plot(0 * poles, poles, linestyle="none", marker="o", markersize=4.5, color="black", zorder=5)
    ax.text(0.15, radius + 0.4, r"Im $\omega$", va="top", ha="left", color=GREY)
    ax.set(aspect="equal", xlim=(-radius - 0.6, radius + 2.6), ylim=(-radius - 0.4, radius + 0.5))
    ax.set_axis_off()
    return fig, ax
