"""``edge-effnet convert``: make a small ``.tflite`` and compare it with float."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from converters.float_model.baselines import BASELINES
from converters.quantization.qat.config import MOST_PASSES, MOST_STEPS
from converters.quantization.recipes import RECIPES
from edge_effnet.ui.command_classes import OptionsOnly
from edge_effnet.ui.evaluation_set import print_data
from edge_effnet.ui.options import (
    force_option,
    head_option,
    json_option,
    labels_option,
    threshold_option,
)
from edge_effnet.ui.output import refuse_bad_output
from edge_effnet.ui.quantities import OneOf, Percent, Points, Share

if TYPE_CHECKING:
    from converters.conversion import ConvertConfig
    from converters.float_model.choice import ModelChoice

_PATH = click.Path(path_type=Path)


_RENAMED = {"--recovery-steps": "--qat-steps", "--recovery-labels": "--qat-labels"}


def _recipe_options(function: Any) -> Any:
    """One flag for each row of the table."""
    for recipe in reversed(RECIPES.values()):
        option = click.option(f"--{recipe.name}", is_flag=True, help=recipe.summary)
        function = option(function)
    return function


@click.command(cls=OptionsOnly, renamed=_RENAMED)
@click.option(
    "--variant", metavar="NAME|FILE", help="b0…b7, lite0…4, edgetpu-s|m|l, v2-…, or a variant file."
)
@click.option("--model", type=_PATH, help="Your own .keras or float .tflite instead.")
@click.option(
    "--baseline",
    type=OneOf(tuple(BASELINES)),
    metavar="NAME",
    help=f"A peer's network of keras.applications instead: {', '.join(BASELINES)}.",
)
@click.option(
    "--weights",
    default="auto",
    show_default=True,
    metavar="auto|imagenet|demo|random|FILE",
    help="auto: the newest trained checkpoint, else ImageNet, else the demo weights.",
)
@_recipe_options
@click.option(
    "--data",
    type=_PATH,
    metavar="DIR|CSV|signs",
    help="Labelled evaluation images; without --calibration some of them calibrate.",
)
@click.option(
    "--calibration", type=_PATH, metavar="DIR|CSV|signs", help="Images that set the ranges."
)
@click.option("--calibration-images", default=200, show_default=True, type=click.IntRange(1))
@click.option("--eval-images", type=click.IntRange(1), help="Evaluate on N images.  [default: all]")
@click.option(
    "--io",
    "interface",
    type=OneOf(["uint8", "int8", "float32"]),
    default="uint8",
    show_default=True,
    help="Input and output of the int8 file; uint8 takes camera pixels as they are.",
)
@click.option(
    "--max-drop",
    type=Points(least=0.1),
    metavar="POINTS",
    help="With --int8 or --edgetpu: try ways until top-1 falls by at most so much.",
)
@click.option(
    "--min-agreement",
    type=Percent(),
    metavar="PERCENT",
    help="With --int8 or --edgetpu: … until so many answers are float's. Needs no labels.",
)
@click.option(
    "--max-class-drop",
    type=Points(least=1),
    metavar="POINTS",
    help="With --int8 or --edgetpu: … until no class loses more recall than this.",
)
@click.option(
    "--allow-float",
    default=0,
    metavar="N",
    type=click.IntRange(0),
    help="With a limit: … at last with the N costliest tensors in float. Not for the Edge TPU.",
)
@click.option(
    "--prune",
    "prune_share",
    type=Share(high=0.95, low_open=True),
    metavar="SHARE",
    help="First take out so much of the multiply-adds, 0.3 or 30%, and fine-tune on --calibration.",
)
@click.option(
    "--qat-steps",
    type=click.IntRange(1),
    metavar="N",
    help=f"With a limit: steps of quantization-aware training.  [default: {MOST_PASSES} passes "
    f"over the images, {MOST_STEPS} steps at most]",
)
@click.option(
    "--qat-labels",
    is_flag=True,
    help="With a limit: there the calibration images' labels teach too, beside float.",
)
@click.option("--resume", is_flag=True, help="Take over what an earlier run measured and learned.")
@click.option("--resolution", type=click.IntRange(8, 1024), help="Side of the input in pixels.")
@labels_option
@click.option("--preprocess", metavar="SPEC", help="Such as crop=0.9,mean=127.5,std=127.5.")
@head_option
@threshold_option
@click.option(
    "--out", type=_PATH, default=Path(), show_default="here", help="Folder for the files."
)
@click.option("--runs", type=_PATH, default=Path("runs"), show_default=True, help="Training runs.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
@click.option("--threads", type=click.IntRange(1), help="Cores to use.  [default: all]")
@click.option("--strict", is_flag=True, help="Refuse unreadable images instead of skipping them.")
@json_option
@force_option
def command(**options: Any) -> None:
    """Make a small .tflite and compare it with float, on the same images.

    Writes NAME-float32.tflite and NAME-RECIPE.tflite for each recipe asked for. Each file
    carries its labels, preprocessing, the way it was made and its measured accuracy.

    \b
    Examples:
      edge-effnet convert --variant b0 --int8
      edge-effnet convert --variant v2-b0 --int8 --calibration photos/ --data val.csv
      edge-effnet convert --variant b0 --weights best.h5 --int8 --data photos/ --out models/
      edge-effnet convert --model mine.tflite --int8 --calibration photos/ \\
          --preprocess mean=127.5,std=127.5
      edge-effnet convert --variant v2-b0 --int8 --max-drop 0.5 --calibration photos/ \\
          --data val.csv
      edge-effnet convert --variant b0 --prune 0.3 --int8 --calibration photos/ --data val.csv
      edge-effnet convert --variant lite0 --weights best.keras --edgetpu --data photos/
      edge-effnet convert --baseline mobilenetv3 --int8 --calibration photos/ --data val.csv
    """
    from converters.commands.convert_report import print_conversion, print_edgetpu
    from converters.conversion import refuse_outputs
    from converters.pipeline import convert
    from edge_effnet.data.given_labels import read_labels
    from edge_effnet.ui.console import print_note
    from edge_effnet.ui.output import write_json
    from edge_effnet.ui.progress import stages

    whole, config, share = _model(options), _config(options), options["prune_share"]
    json_to, shown = options["json_to"], options["json_to"] != "-"
    refuse_bad_output(json_to, overwrite=config.force)
    name = _name(whole, config, share)
    refuse_outputs(name, config, whole.file)
    _refuse_bad_data(config)
    if options["labels"]:
        whole = replace(whole, labels=read_labels(options["labels"], config.data))
    chosen = whole
    if share is not None:
        from converters.pruning.convert_step import prune_first

        chosen = prune_first(whole, share, config, shown=shown)
    with stages() as stage:
        verb = (
            "reading" if whole.file is not None and whole.file.suffix == ".tflite" else "exporting"
        )
        done = stage(f"{verb} the float model", None)
        source = chosen.open()
        if share is not None:
            source = replace(source, unpruned=whole.open())
        done(1)
        for notice in source.notices:
            print_note(notice)
        conversion = convert(source, config, stage)
    if shown:
        print_conversion(conversion)
        if conversion.edgetpu:
            print_edgetpu(conversion.edgetpu)
    if json_to:
        write_json(conversion.to_json(), json_to, overwrite=config.force)
    if conversion.edgetpu and conversion.edgetpu.refused:
        raise conversion.edgetpu.refused
    missed = conversion.search.missed() if conversion.search else None
    if missed:
        raise missed


def _model(options: dict[str, Any]) -> ModelChoice:
    from converters.float_model.choice import ModelChoice
    from edge_effnet.heads.kinds import HeadChoice

    return ModelChoice(
        variant=options["variant"],
        file=options["model"],
        baseline=options["baseline"],
        weights=options["weights"],
        runs=options["runs"],
        resolution=options["resolution"],
        preprocess=options["preprocess"],
        head=HeadChoice(options["head"], options["threshold"]),
    )


def _config(options: dict[str, Any]) -> ConvertConfig:
    from converters.accuracy.limits import Limits
    from converters.conversion import ConvertConfig
    from edge_effnet.cores import available_cores

    return ConvertConfig(
        out=options["out"],
        recipes=tuple(recipe for name, recipe in RECIPES.items() if options[name]),
        interface=options["interface"],
        data=options["data"],
        calibration=options["calibration"],
        calibration_images=options["calibration_images"],
        evaluation_images=options["eval_images"],
        seed=options["seed"],
        workers=options["threads"] or available_cores(),
        strict=options["strict"],
        force=options["force"],
        limits=Limits.where_set(
            options["max_drop"], options["min_agreement"], options["max_class_drop"]
        ),
        allow_float=options["allow_float"],
        qat_steps=options["qat_steps"],
        qat_labels=options["qat_labels"],
        resume=options["resume"],
    )


def _name(model: ModelChoice, config: ConvertConfig, share: float | None) -> str:
    if share is None:
        return model.name
    from converters.pruning.convert_step import pruned_name

    return pruned_name(model, share, config)


def _refuse_bad_data(config: ConvertConfig) -> None:
    """Look at the folders before the minute that export takes, not after, and say what is there."""
    from edge_effnet.data.listing import load_dataset, load_images
    from edge_effnet.data.signs.option import is_signs

    if config.data is not None and not is_signs(config.data):
        # What a CSV file must say depends on the model's head, which is not known yet.
        listed = load_images if config.data.is_file() else load_dataset
        print_data(listed(config.data, part="evaluation"))
    if config.calibration is not None and not is_signs(config.calibration):
        if config.qat_labels:
            print_data(load_dataset(config.calibration, part="training"))
        else:
            print_data(load_images(config.calibration))
