"""A recipe is a row; rows that no runtime could run cannot be written down."""

import pytest

from converters.quantization.recipes import RECIPES, QuantRecipe
from edge_effnet.errors import UsageProblem


@pytest.mark.parametrize(
    ("weights", "activations", "compute", "reason"),
    [
        ("float16", "int8", "integer", "need int8 weights"),
        ("int8", "int8", "float", "computed in integers"),
        ("float32", "float32", "integer", "needs int8 weights"),
    ],
)
def test_an_impossible_combination_is_refused_with_its_reason(
    weights: str, activations: str, compute: str, reason: str
) -> None:
    with pytest.raises(UsageProblem, match=reason):
        QuantRecipe("mine", weights, activations, compute, "")  # type: ignore[arg-type]


def test_only_int8_for_either_processor_claims_to_be_full_integer() -> None:
    assert {name for name, r in RECIPES.items() if r.full_integer} == {"int8", "edgetpu"}
    assert {name for name, r in RECIPES.items() if r.calibrated} == {"int8", "edgetpu", "int16x8"}


def test_the_edge_tpu_computes_in_int8_alone() -> None:
    with pytest.raises(UsageProblem, match="in int8 alone"):
        QuantRecipe("mine", "int8", "float32", "float", "", edge_tpu=True)
