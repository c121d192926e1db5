"""A Gaussian kernel between pixels, factorised so that it costs a few narrow matrix products.

exp(-(x - y)^2 / s^2) is smooth in both wavelengths. The wavelengths are cut into segments one s
wide; within a segment the kernel is, to 1e-6, the polynomial through a dozen Chebyshev nodes. So
a spectrum is gathered from pixels onto nodes, the kernel acts between nodes, and the result is
read off at the pixels. The polynomials are local to a segment on purpose: the error of a global
basis of low rank is relative to the largest sum of weights in the row, which spoils the ratio of
two sums wherever good pixels are few.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from pipeline.spectra.arrays import Array, place

Matrix = np.ndarray[Any, np.dtype[np.float64]]

TOLERANCE = 1e-6
"""Largest relative error of the kernel between wavelengths within reach of each other."""

REACH = 3.0
"""Distance, in kernel widths, up to which the tolerance holds."""

CUT = 6.0
"""Distance, in kernel widths, beyond which the kernel (2e-16) is dropped."""

SEGMENT_WIDTH = 1.0
"""Length of a segment in kernel widths."""

MIN_SEGMENT_PIXEL = 16
"""Segments are not cut finer, however narrow the kernel."""

BAND_SEGMENT = 16
"""Number of segments whose nodes are reached by one product of the node-to-node kernel."""


@dataclass(frozen=True)
class Segment:
    """Neighbouring pixels, the nodes that represent them, and the polynomials between.

    Parameters
    ----------
    pixels : slice
        Pixels of the segment.
    nodes : slice
        Its nodes among all nodes.
    basis : array, (l, j)
        Value at each pixel of the polynomial that is 1 at a node and 0 at the others.
    """

    pixels: slice
    nodes: slice
    basis: Array


@dataclass(frozen=True)
class Band:
    """Kernel from all nodes within reach to those of neighbouring segments.

    Parameters
    ----------
    source : slice
        Nodes within reach: the rows.
    target : slice
        Nodes of the segments: the columns.
    kernel : array, (j, j)
        exp(-d^2) of their distance d in kernel widths.
    """

    source: slice
    target: slice
    kernel: Array


@dataclass(frozen=True)
class Kernel:
    """The factors of one kernel, as arrays of one library on one device.

    Parameters
    ----------
    segments : tuple of Segment
        All pixels, in order.
    bands : tuple of Band
        All nodes, in order.
    n_node : int
        Number of nodes.
    """

    segments: tuple[Segment, ...]
    bands: tuple[Band, ...]
    n_node: int

    def placed(self, like: Array) -> "Kernel":
        """Return the factors where ``like`` is: polynomials in float32, bands in float64.

        Parameters
        ----------
        like : array
            Its library and device are taken.

        Returns
        -------
        Kernel
            The same factors there.
        """

        def put(matrix: Matrix, dtype: type[np.floating] = np.float32) -> Array:
            return place(np.ascontiguousarray(matrix, dtype=dtype), like)

        return Kernel(
            tuple(Segment(part.pixels, part.nodes, put(part.basis)) for part in self.segments),
            tuple(
                Band(band.source, band.target, put(band.kernel, np.float64)) for band in self.bands
            ),
            self.n_node,
        )


@lru_cache(maxsize=16)
def gaussian_kernel(wave: bytes, width_angstrom: float) -> Kernel:
    """Factorise exp(-(l - l_i)^2 / width^2) in float64, in a few milliseconds.

    Parameters
    ----------
    wave : bytes
        Ascending wavelengths in Angstrom: the bytes of a float64 array, so that they can be a
        key of the cache.
    width_angstrom : float
        Distance at which the kernel has fallen to 1/e.

    Returns
    -------
    Kernel
        Its factors as NumPy arrays of float64.

    Raises
    ------
    ValueError
        The wavelengths do not ascend or the width is not positive.
    """
    wave_L = np.frombuffer(wave, dtype=np.float64)
    if not (width_angstrom > 0 and np.all(np.diff(wave_L) > 0)):
        raise ValueError(
            f"cannot smooth with a width of {width_angstrom} Angstrom on these wavelengths: "
            f"the width must be positive and the wavelengths ascend"
        )
    x_L = (wave_L - wave_L[0]) / width_angstrom
    segments: list[Segment] = []
    nodes: list[Matrix] = []
    begin = n_node = 0
    while begin < x_L.size:
        after = int(np.searchsorted(x_L, x_L[begin] + SEGMENT_WIDTH))
        end = min(max(after, begin + MIN_SEGMENT_PIXEL), x_L.size)
        x_j, basis = _nodes(x_L[begin:end])
        segments.append(Segment(slice(begin, end), slice(n_node, n_node + x_j.size), basis))
        nodes.append(x_j)
        n_node += x_j.size
        begin = end
    return Kernel(tuple(segments), _bands(segments, np.concatenate(nodes)), n_node)


def _nodes(x_l: Matrix) -> tuple[Matrix, Matrix]:
    """Nodes of a segment and their polynomials at its pixels; the pixels themselves if few."""
    count = node_count()
    length = x_l[-1] - x_l[0]
    if x_l.size <= count or length > SEGMENT_WIDTH:
        return x_l, np.eye(x_l.size)
    x_j = x_l[0] + length * _chebyshev_points(count)
    return x_j, _lagrange(x_j, x_l)


def _bands(segments: list[Segment], x_J: Matrix) -> tuple[Band, ...]:
    bands = []
    for first in range(0, len(segments), BAND_SEGMENT):
        last = min(first + BAND_SEGMENT, len(segments)) - 1
        target = slice(segments[first].nodes.start, segments[last].nodes.stop)
        lowest, highest = np.searchsorted(
            x_J, [x_J[target.start] - CUT, x_J[target.stop - 1] + CUT]
        )
        source = slice(int(lowest), int(highest))
        distance = x_J[source, None] - x_J[None, target]
        kernel = np.where(np.abs(distance) < CUT, np.exp(-(distance**2)), 0.0)
        bands.append(Band(source, target, kernel))
    return tuple(bands)


@lru_cache(maxsize=1)
def node_count() -> int:
    """Smallest number of nodes in a segment that keeps the kernel within the tolerance.

    Raises
    ------
    ValueError
        No number below 40 does.
    """
    x_l = np.linspace(0.0, SEGMENT_WIDTH, 101)
    target_t = np.linspace(0.0, REACH, 61)
    exact = np.exp(-((x_l[:, None] + target_t) ** 2))
    for count in range(4, 40):
        x_j = SEGMENT_WIDTH * _chebyshev_points(count)
        at_nodes = np.exp(-((x_j[:, None] + target_t) ** 2))
        if np.max(np.abs(_lagrange(x_j, x_l) @ at_nodes / exact - 1.0)) < TOLERANCE:
            return count
    raise ValueError(f"no polynomial reaches a tolerance of {TOLERANCE}: ask for less")


def _chebyshev_points(count: int) -> Matrix:
    """Chebyshev points of the first kind on (0, 1), ascending."""
    angle = math.pi * (np.arange(count) + 0.5) / count
    points: Matrix = 0.5 - 0.5 * np.cos(angle)
    return points


def _lagrange(x_j: Matrix, x_l: Matrix) -> Matrix:
    """Lagrange polynomials of the nodes x_j at the points x_l, shape (points, nodes)."""
    ratio = x_l[:, None, None] - x_j
    ratio = ratio / np.where(np.eye(x_j.size, dtype=bool), 1.0, x_j[:, None] - x_j)
    ratio[:, np.eye(x_j.size, dtype=bool)] = 1.0
    basis: Matrix = np.prod(ratio, axis=2)
    return basis
