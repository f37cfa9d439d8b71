"""Every published figure is met within its tolerance, or known not to be; its control is not."""

from __future__ import annotations

import pytest

from sim.scenario.shipped import shipped_scenarios
from tests.published.everything import ALL
from tests.published.figure import Figure


def _marked(figure: Figure) -> object:
    marks = (pytest.mark.large,) if figure.is_large else (pytest.mark.slow,)
    return pytest.param(figure, marks=marks, id=figure.key.replace(" ", "-"))


@pytest.mark.parametrize("figure", [_marked(figure) for figure in ALL])
def test_a_published_figure(figure: Figure) -> None:
    ours, control = figure.ours(), figure.control()
    # One that is known not to agree is found out when it does: then its reason is no longer one.
    assert figure.agrees(ours) is not bool(figure.because), ours
    assert not figure.agrees(control), control


def test_figures_say_where_they_are_from_and_whose_scenario_they_are() -> None:
    assert len({figure.key for figure in ALL}) == len(ALL) > 50
    for figure in ALL:
        assert figure.scenario in shipped_scenarios(), figure.key
        assert figure.source, figure.key
        assert figure.why, figure.key
        assert figure.against, figure.key
        assert figure.tolerance >= 0, figure.key


def test_every_scenario_is_sampled_in_every_run() -> None:
    quick = {figure.scenario for figure in ALL if not figure.is_large}
    assert {figure.scenario for figure in ALL} - quick <= {"golden-week"}
