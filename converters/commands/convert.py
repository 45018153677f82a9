"""``edge-effnet convert``: quantize a float model and compare the result with it."""

from __future__ import annotations

import glob
from dataclasses import replace
from typing import Any

import click

from converters.accuracy.limits import Limits
from converters.config import ConvertConfig, asked_recipes
from converters.float_model.choice import ModelChoice
from converters.quantization.recipes import FLOAT32, RECIPES
from edge_effnet.heads.kinds import HeadChoice
from edge_effnet.ui.command_classes import OptionsOnly
from edge_effnet.ui.config_options import config_options, from_options
from edge_effnet.ui.options import (
    force_option,
    head_option,
    json_option,
    labels_option,
    threshold_option,
)
from edge_effnet.ui.output import claim_outputs
from edge_effnet.ui.quantities import Share
from edge_effnet.ui.reports.evaluation_set import print_data

_RENAMED = {"--recovery-steps": "--qat-steps", "--recovery-labels": "--qat-labels"}
_GROUPS = {
    "Model, one of these": ("--variant", "--model"),
    "Weights of a variant": ("--weights",),
    "Recipe": ("--int8", "--edgetpu", "--for"),
    "Images": ("--data", "--calibration"),
    "Limits, with --int8 or --edgetpu": ("--max-drop", "--min-agreement"),
    "Output": ("--out", "--json", "--force"),
    "Advanced, recipes": (
        *("--float16", "--weights8", "--dynamic", "--int16x8"),
        *("--full-integer", "--io", "--teachable"),
    ),
    "Advanced, model": (
        *("--labels", "--preprocess", "--head", "--threshold", "--resolution", "--prune"),
        *("--runs", "--baseline"),
    ),
    "Advanced, limits": (
        *("--max-class-drop", "--fallback", "--allow-float", "--qat-steps", "--qat-labels"),
        "--resume",
    ),
    "Advanced, images and run": (
        *("--calibration-images", "--eval-images", "--strict", "--seed", "--threads"),
    ),
}


def _recipe_options(function: Any) -> Any:
    """One flag for each row of the table."""
    for recipe in reversed(RECIPES.values()):
        option = click.option(f"--{recipe.name}", is_flag=True, help=recipe.summary)
        function = option(function)
    return function


@click.command(cls=OptionsOnly, renamed=_RENAMED, groups=_GROUPS)
@config_options(ModelChoice)
@labels_option
@head_option
@threshold_option
@click.option(
    "--prune",
    "prune_share",
    type=Share(high=0.95, low_open=True),
    metavar="SHARE",
    help="Where int8 alone is too slow: first take out so much of the multiply-adds, 0.3 or 30%, "
    "and fine-tune on --calibration.",
)
@_recipe_options
@config_options(Limits)
@config_options(ConvertConfig)
@click.option(
    "--threads",
    type=click.IntRange(1),
    metavar="N",
    help="Cores to use: fewer leave some to other programs.  [default: all]",
)
@json_option
@force_option
def command(**options: Any) -> None:
    """Quantize a float model and compare the result with it, on the same images.

    Writes NAME-float32.tflite and NAME-RECIPE.tflite for each recipe asked for. Each file
    carries its labels, preprocessing, the way it was made and its measured accuracy.

    \b
    Examples:
      edge-effnet convert --variant b0 --int8
      edge-effnet convert --variant v2-b0 --int8 --calibration photos/ --data val.csv
      edge-effnet convert --variant b0 --weights best.h5 --int8 --data photos/ --out models/
      edge-effnet convert --model mine.tflite --int8 --calibration photos/ \\
          --preprocess tf
      edge-effnet convert --variant v2-b0 --int8 --max-drop 0.5 --calibration photos/ \\
          --data val.csv
      edge-effnet convert --variant b0 --prune 0.3 --int8 --calibration photos/ --data val.csv
      edge-effnet convert --variant lite0 --weights best.keras --edgetpu --data photos/
      edge-effnet convert --variant lite0 --data photos/ --for frigate --out front_door
      edge-effnet convert --baseline mobilenetv3 --int8 --calibration photos/ --data val.csv
    """
    from converters.commands.convert_report import print_conversion, print_edgetpu, print_frigate
    from converters.commands.taught_for_frigate import (
        refuse_options_of_float,
        write_taught_for_frigate,
    )
    from converters.conversion import QAT_STATE, TRIALS, files_to_write
    from converters.float_model.input_pixels import settle_input
    from converters.frigate.source import as_fed, at_its_size
    from converters.frigate.taught import taught_artifact
    from converters.pipeline import convert
    from edge_effnet.data.given_labels import read_labels
    from edge_effnet.system.cores import available_cores
    from edge_effnet.system.memory import give_back_large_blocks
    from edge_effnet.ui.console import echo, print_note
    from edge_effnet.ui.output import write_json
    from edge_effnet.ui.progress import stages

    original = from_options(
        ModelChoice, options, head=HeadChoice(options["head"], options["threshold"])
    )
    config = from_options(
        ConvertConfig,
        options,
        recipes=asked_recipes([name for name in RECIPES if options[name]], options["target"]),
        limits=from_options(Limits, options) or None,
        workers=options["threads"] or available_cores(),
        force=options["force"],
    )
    taught = None
    if config.target == "frigate":
        if original.file is not None and (taught := taught_artifact(original.file)):
            refuse_options_of_float(original.file, click.get_current_context())
        original = at_its_size(original)
    share, json_to, shown = options["prune_share"], options["json_to"], options["json_to"] != "-"
    name = _name(original, config, share)
    files = files_to_write(name, config, original.file)
    besides = {config.out: tuple(glob.escape(name) + end for end in (TRIALS, QAT_STATE))}
    if share is not None:
        from converters.pruning.run import run_files

        files.append(config.out / f"{original.name}-{FLOAT32}.tflite")  # what it was pruned from
        besides[original.runs / name] = run_files(name)
    claim_outputs({"--json": json_to, "--out": files}, overwrite=config.force, besides=besides)
    _refuse_bad_data(config)
    if original.file is not None and taught is not None:
        write_taught_for_frigate(original.file, taught, config, options)
        return
    if options["labels"]:
        original = replace(original, labels=read_labels(options["labels"], config.data))
    chosen = original
    if share is not None:
        from converters.pruning.convert_step import prune_first

        chosen = prune_first(original, share, config, shown=shown)
    give_back_large_blocks()
    with stages() as stage:
        verb = "exporting" if original.file is None else "reading"
        done = stage(f"{verb} the float model", None)
        source = chosen.open()
        if share is not None:
            source = replace(source, unpruned=original.open())
        done(1)
        source = settle_input(
            source,
            data=config.data,
            calibration=config.calibration,
            workers=config.workers,
            stage=stage,
        )
        if config.target == "frigate":
            source = as_fed(source)
        for notice in source.notices:
            print_note(notice)
        conversion = convert(source, config, stage, print_note)
    if json_to:
        write_json(conversion.to_json(), json_to, overwrite=config.force)
    if shown:
        print_conversion(conversion)
        if conversion.edgetpu:
            print_edgetpu(conversion.edgetpu)
        if config.target == "frigate" and conversion.made:
            print_frigate(config.out)
    if conversion.edgetpu and conversion.edgetpu.refused:
        raise conversion.edgetpu.refused
    if conversion.search:
        if missed := conversion.search.missed():
            raise missed
        if headline := conversion.search.headline():
            echo(headline, err=True)


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
