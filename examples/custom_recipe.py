"""Convert with a recipe of your own: a row of the table, and nothing else.

    python examples/custom_recipe.py FLOAT.tflite OUT

Needs the extra convert. The recipe is int8 with one scale for the whole last layer instead of one
for each class, which some accelerators ask for. Its file stands beside that of plain int8.
"""

import sys

import converters
from converters.quantization.recipes import RECIPES, QuantRecipe

ONE_SCALE = QuantRecipe(
    name="int8-one-scale",
    weights="int8",
    activations="int8",
    compute="integer",
    summary="int8 with one scale for the last layer",
    dense_scales="tensor",
)


def main(model: str, out: str) -> None:
    RECIPES[ONE_SCALE.name] = ONE_SCALE
    done = converters.convert(model, out=out, recipes=("int8", ONE_SCALE.name), force=True)
    for made in done.made:
        agreement = made.comparison.agreement_percent if made.comparison else 100.0
        print(f"{made.path.name:32} {made.size_bytes:9} bytes  {agreement:5.1f} % as float answers")


if __name__ == "__main__":
    main(*sys.argv[1:])
