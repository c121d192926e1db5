"""The style of all figures: one column wide, labelled, with a legend that covers no data."""

import numpy as np
import pytest

from pipeline.core.figures import COLUMN_IN, KINDS, legend, new_figure, styled, write_figure


def draw():
    with styled():
        figure, panels = new_figure(2)
        for axes in panels:
            axes.plot([0, 1], [0, 1], label="a line with a long name\nof two lines")
            legend(axes)
    return figure, panels


def test_figures_fit_a_column_and_their_panels_have_letters():
    figure, panels = draw()
    assert figure.get_figwidth() == COLUMN_IN
    assert [axes.texts[0].get_text() for axes in panels] == ["(a)", "(b)"]


def test_a_legend_lies_outside_of_its_panel_and_within_the_figure():
    figure, panels = draw()
    figure.canvas.draw()
    for axes in panels:
        box = axes.get_legend().get_window_extent()
        assert box.y0 >= axes.get_window_extent().y1 - 1
        assert figure.bbox.x0 <= box.x0 and box.y1 <= figure.bbox.y1
        letter = axes.texts[0].get_window_extent()
        assert letter.x0 >= figure.bbox.x0 and letter.x1 <= box.x0


def test_the_same_figure_gives_the_same_files(tmp_path):
    first = [path.read_bytes() for path in write_figure(tmp_path, "one", draw()[0])]
    again = write_figure(tmp_path, "one", draw()[0])
    assert [path.suffix[1:] for path in again] == list(KINDS)
    assert [path.read_bytes() for path in again] == first
    assert first[0].startswith(b"\x89PNG") and first[1].startswith(b"%PDF")
    # 300 dots per inch of one column.
    assert int.from_bytes(first[0][16:20], "big") == pytest.approx(300 * COLUMN_IN, abs=1)


def test_the_style_ends_with_the_figure():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    with styled():
        assert mpl.rcParams["font.size"] == 8
    assert dict(mpl.rcParams) == before
    assert np.isfinite(mpl.rcParams["figure.dpi"])
