"""Colours: the scales are symmetric and end where they say, and text on every colour is legible."""

import itertools
import math

import pytest

from viz.colors import CLASS_COLORS, NOT_A_NUMBER, RED_BLUE, THEMES, contrast, diverging, grey, ink, theme_named

STEPS = [i / 500 for i in range(-500, 501)]


def test_the_scale_has_its_middle_at_zero_and_its_ends_at_plus_and_minus_the_largest():
    assert diverging(0.0, 3.0) == diverging(-0.0, 3.0) == diverging(0.0, 0.0) == RED_BLUE[5] == "#f7f7f7"
    assert diverging(-3.0, 3.0) == RED_BLUE[0]
    assert diverging(3.0, 3.0) == RED_BLUE[-1]
    assert diverging(-math.inf, 3.0) == diverging(-7.0, 3.0) == RED_BLUE[0]
    assert [diverging((i - 5) / 5, 1.0) for i in range(11)] == list(RED_BLUE)


def test_the_scale_is_symmetric_in_the_distance_from_its_middle():
    positions = [diverging(x, 1.0) for x in STEPS]
    assert positions[::-1] == [diverging(-x, 1.0) for x in STEPS]
    assert len(set(positions)) > 500


def test_nan_has_a_colour_of_its_own():
    assert diverging(math.nan, 1.0) == grey(math.nan, 0.0, 1.0) == NOT_A_NUMBER


def test_grey_runs_from_white_to_black_and_survives_a_flat_or_infinite_picture():
    assert grey(0.5, 0.0, 1.0) == "#808080"
    assert grey(0.0, 0.0, 0.0) == "#ffffff"
    assert grey(math.inf, 0.0, 1.0) == "#000000"
    assert grey(-math.inf, 0.0, 1.0) == "#ffffff"


def test_text_is_legible_on_every_colour_of_both_scales():
    fills = {diverging(x, 1.0) for x in STEPS} | {grey(x, -1.0, 1.0) for x in STEPS} | {NOT_A_NUMBER}
    assert min(contrast(ink(fill), fill) for fill in fills) >= 4.5


@pytest.mark.parametrize("name", THEMES)
def test_text_is_legible_in_every_theme(name):
    theme = THEMES[name]
    for text in (theme.text, theme.faint):
        assert contrast(text, theme.background) >= 4.5
        assert contrast(text, theme.card) >= 4.5
    assert min(contrast(line, theme.background) for line in (theme.line, theme.above, theme.below)) >= 3.0
    assert min(contrast(ink(fill), fill) for fill in theme.roles.values()) >= 4.5


def test_the_colours_of_classes_are_seen_on_every_background_and_told_apart():
    assert len(CLASS_COLORS) == 10
    for theme in THEMES.values():
        assert min(contrast(color, theme.background) for color in CLASS_COLORS) >= 3.0  # WCAG 2.2, criterion 1.4.11
    channels = [[int(color[i : i + 2], 16) for i in (1, 3, 5)] for color in CLASS_COLORS]
    assert min(math.dist(a, b) for a, b in itertools.combinations(channels, 2)) > 60


def test_contrast_of_the_standard_pairs():
    assert contrast("#ffffff", "#ffffff") == 1.0
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # the best known near miss of WCAG AA


def test_an_unknown_theme_is_named_with_the_legal_ones():
    with pytest.raises(ValueError, match=r"unknown theme 'pink'; the themes are 'light', 'dark'"):
        theme_named("pink")
