"""The model base: strictness, schema and problems below a validator."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import Field, ValidationError

from sim.model.base import FieldProblemsError, Model
from sim.model.distributions import DurationDistribution, parse_duration_distribution
from sim.model.quantities import Count, CurrencyPair, DurationUs, Flag, MoneyAmount, Name
from sim.units import SECOND_US


class Sample(Model):
    wait: DurationUs = 2 * SECOND_US
    """How long to wait."""

    sizes: dict[Name, Count] = Field(default_factory=dict)
    """Sizes by name."""

    is_open: Flag = True
    """Whether it is open."""


def test_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="extra_forbidden"):
        Sample.model_validate({"wiat": "1 s"})


def test_instances_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Sample().wait = 1  # type: ignore[misc]


def test_schema_shows_descriptions_and_defaults_as_people_write_them() -> None:
    wait = Sample.model_json_schema()["properties"]["wait"]
    assert wait["description"] == "How long to wait."
    assert wait["default"] == "2 s"
    assert wait["type"] == "string"


@pytest.mark.parametrize(
    "annotation", [int, float, bool, Decimal, int | None, dict[str, int], tuple[float, ...]]
)
def test_bare_number_types_are_refused_when_the_class_is_defined(annotation: object) -> None:
    with pytest.raises(TypeError, match=r"Bad\.value: found the bare type"):
        type(
            "Bad",
            (Model,),
            {"__module__": __name__, "__annotations__": {"value": annotation}},
        )


def test_quantities_inside_containers_are_not_taken_for_bare_numbers() -> None:
    class Good(Model):
        mid: dict[CurrencyPair, Count | None]
        """Rates."""

    assert Good.model_validate({"mid": {"USD/KHR": "5"}}).mid == {CurrencyPair("USD", "KHR"): 5}


def test_field_problems_name_each_path() -> None:
    error = FieldProblemsError([(("routes", 2), "wrong"), ((), "also wrong")])
    assert str(error) == "routes.2: wrong\n: also wrong"


def test_schema_default_of_an_amount_is_its_text() -> None:
    class Priced(Model):
        price: MoneyAmount = MoneyAmount(1250, "USD")
        """Price."""

        time: DurationDistribution = parse_duration_distribution("0.8 s")
        """Time."""

    properties = Priced.model_json_schema()["properties"]
    assert properties["price"]["default"] == "12.50 USD"
    assert properties["time"]["default"] == "800 ms"
