"""Shared by tools/plot_run and tools/plot_study: reading files, colours, saving.  They import it before other packages,
because it reports a missing package."""

import re
import sys
from pathlib import Path

try:
    import h5py
    import matplotlib
    import numpy as np
except ImportError as missing:
    sys.exit(f"{Path(sys.argv[0]).name}: {missing} in {sys.executable}; install python3-h5py and python3-matplotlib and "
             f"use the Python of the system: /usr/bin/python3 {sys.argv[0]} ..., or: python3 -m venv venv && "
             f"venv/bin/pip install h5py matplotlib && venv/bin/python {sys.argv[0]} ...")
matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  after the choice of a backend that needs no screen
from matplotlib.ticker import FuncFormatter, LogFormatterMathtext, LogLocator, NullFormatter  # noqa: E402

# The colours of Okabe and Ito, which colour-blind readers can distinguish.  Markers and dashes work in grey print, too.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]

plt.rcParams.update({
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.grid": True,
    "grid.color": "0.88",
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "svg.hashsalt": "tutti",  # the same picture is the same file
})


class PlotError(Exception):
    """Says in one sentence what is wrong with the input of the user."""


def look(i):
    """Colour and marker of thing number i."""
    return {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[i % len(MARKERS)]}


def line_look(i, n):
    """Colour and marker of a line of n points.  If there are many points, only some of them have a mark."""
    return {**look(i), "markersize": 3.5, "markevery": 0.1 if n > 20 else 1, "linewidth": 1.2}


def plain_log(axis):
    """Gives a log axis plain numbers, and ticks at 1, 2 and 5.  An axis of more than three decades (an x axis: two) has ticks only
    at 1."""
    low, high = axis.get_view_interval()
    wide = high / low > 1000
    crowded = high / low > (100 if axis.axis_name == "x" else 1000)
    axis.set_major_locator(LogLocator(base=10, subs=(1,) if crowded else (1, 2, 5)))
    axis.set_major_formatter(LogFormatterMathtext() if wide else FuncFormatter(lambda x, _: f"{x:,.10g}"))
    axis.set_minor_formatter(NullFormatter())


def open_file(path):
    try:
        return h5py.File(path, "r")
    except FileNotFoundError:
        raise PlotError(f"{path}: no such file") from None
    except OSError as error:
        raise PlotError(f"{path}: cannot be read as HDF5: {error}") from None


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def save(figure, stem, formats=("png", "svg")):
    """Writes the picture in each format and prints the names."""
    for kind in formats:
        path = Path(f"{stem}.{kind}")
        path.parent.mkdir(parents=True, exist_ok=True)
        metadata = {"Date": None} if kind == "svg" else None
        figure.savefig(path, dpi=200, metadata=metadata)
        if kind == "svg":  # five digits are enough for the eye, and the file is much smaller
            path.write_text(re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number[0]):.5g}", path.read_text()))
        print(path)
    plt.close(figure)


def run(main):
    """Calls main.  A PlotError ends the program with its sentence."""
    try:
        main()
    except (PlotError, OSError) as error:
        sys.exit(f"{Path(sys.argv[0]).name}: {error}")
