"""``edge-effnet convert``: make a small ``.tflite`` and compare it with float."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from converters.float_model.baselines import BASELINES
from converters.quantization.qat.config import MOST_PASSES, MOST_STEPS
from converters.quantization.recipes import RECIPES
from edge_effnet.errors import UsageProblem
from edge_effnet.ui.command_classes import OptionsOnly
from edge_effnet.ui.evaluation_set import print_data
from edge_effnet.ui.options import (
    LABELS_HELP,
    force_option,
    head_option,
    json_option,
    threshold_option,
)
from edge_effnet.ui.output import refuse_bad_output
from edge_effnet.ui.quantities import OneOf, Percent, Points, Share

if TYPE_CHECKING:
    from converters.accuracy.limits import Gate
    from converters.conversion import Settings
    from converters.float_model.source import Source

_PATH = click.Path(path_type=Path)


def _recipe_options(function: Any) -> Any:
    """One flag for each row of the table."""
    for recipe in reversed(RECIPES.values()):
        option = click.option(f"--{recipe.name}", is_flag=True, help=recipe.summary)
        function = option(function)
    return function


@click.command(cls=OptionsOnly)
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
    help="Labelled images that judge the result; without --calibration some calibrate.",
)
@click.option(
    "--calibration", type=_PATH, metavar="DIR|CSV|signs", help="Images that set the ranges."
)
@click.option("--calibration-images", default=200, show_default=True, type=click.IntRange(1))
@click.option("--eval-images", type=click.IntRange(1), help="Judge by N images.  [default: all]")
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
    help="First take out so much of the multiply-adds, 0.3 or 30%; recovers on --calibration.",
)
@click.option(
    "--recovery-steps",
    type=click.IntRange(1),
    metavar="N",
    help=f"With a limit: steps of the rung that trains.  [default: {MOST_PASSES} passes over "
    f"the images, {MOST_STEPS} steps at most]",
)
@click.option(
    "--recovery-labels",
    is_flag=True,
    help="With a limit: there the calibration images' labels teach too, beside float.",
)
@click.option("--resume", is_flag=True, help="Take over what an earlier run measured and learned.")
@click.option("--resolution", type=click.IntRange(8, 1024), help="Side of the input in pixels.")
@click.option("--labels", type=_PATH, metavar="FILE|folders|numbers", help=LABELS_HELP + ".")
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
    from converters.commands.convert_report import print_conversion
    from converters.conversion import Settings
    from converters.edgetpu.convert_step import finish_for_edgetpu, print_outcome, refuse_compiled
    from converters.pipeline import convert, refuse_outputs
    from edge_effnet.runtime.evaluation import available_cores
    from edge_effnet.ui.console import print_note
    from edge_effnet.ui.output import write_json
    from edge_effnet.ui.progress import stages

    given = [name for name in ("variant", "model", "baseline") if options[name] is not None]
    if len(given) != 1:
        raise UsageProblem(
            "convert takes one of a variant, a model and a baseline",
            found=" and ".join(f"--{name}" for name in given) or "none",
            fix="for example: edge-effnet convert --variant b0 --int8",
        )
    refuse_bad_output(options["json_to"], overwrite=options["force"])
    settings = Settings(
        out=options["out"],
        recipes=tuple(recipe for name, recipe in RECIPES.items() if options[name]),
        interface=options["interface"],
        data=options["data"],
        calibration=options["calibration"],
        calibration_count=options["calibration_images"],
        evaluation_count=options["eval_images"],
        seed=options["seed"],
        workers=options["threads"] or available_cores(),
        strict=options["strict"],
        force=options["force"],
        gate=_gate(options),
        allow_float=options["allow_float"],
        recovery_steps=options["recovery_steps"],
        recovery_labels=options["recovery_labels"],
        resume=options["resume"],
    )
    refuse_outputs(_name(options), settings, options["model"])
    refuse_compiled(_name(options), settings)
    _refuse_bad_data(settings)
    whole = dict(options)
    if options["prune_share"] is not None:
        from converters.pruning.convert_step import prune_first

        options |= prune_first(options, settings)
    with stages() as stage:
        model: Path | None = options["model"]
        verb = "reading" if model is not None and model.suffix == ".tflite" else "exporting"
        done = stage(f"{verb} the float model", None)
        source = _source(options)
        if options["prune_share"] is not None:
            source = replace(source, unpruned=_source(whole))
        done(1)
        for notice in source.notices:
            print_note(notice)
        conversion = convert(source, settings, stage)
    shown, document = options["json_to"] != "-", conversion.to_json()
    if shown:
        print_conversion(conversion)
    for made in conversion.made:
        if made.recipe in RECIPES and RECIPES[made.recipe].edge_tpu:
            outcome = finish_for_edgetpu(made.path)
            document["edgetpu"] = outcome.to_json()
            if shown:
                print_outcome(outcome)
    if options["json_to"]:
        write_json(document, options["json_to"], overwrite=options["force"])
    missed = conversion.climb.missed() if conversion.climb else None
    if missed:
        raise missed


def _gate(options: dict[str, Any]) -> Gate | None:
    from converters.accuracy.limits import Gate

    limits = options["max_drop"], options["min_agreement"], options["max_class_drop"]
    if limits == (None, None, None):
        for name in ("allow_float", "recovery_steps", "recovery_labels"):
            if options[name]:
                raise UsageProblem(
                    f"--{name.replace('_', '-')} is for a limit that nothing simpler keeps",
                    found="no limit",
                    fix="add --max-drop POINTS or --min-agreement PERCENT",
                )
        return None
    asked = [name for name in RECIPES if options[name]]
    if asked not in (["int8"], ["edgetpu"]):
        raise UsageProblem(
            "limits are for one file, --int8 or --edgetpu",
            found=" and ".join(f"--{name}" for name in asked) or "no recipe",
            fix="for example: convert --variant b0 --int8 --max-drop 0.5 --data photos/",
        )
    if options["edgetpu"] and options["allow_float"]:
        raise UsageProblem(
            "the Edge TPU computes nothing in float",
            found="--allow-float beside --edgetpu",
            fix="leave it out: each tensor in float would end the part that runs there",
        )
    if options["max_class_drop"] is not None and options["data"] is None:
        raise UsageProblem(
            "--max-class-drop needs to know the classes of the images",
            found="no --data",
            fix="add --data DIR|CSV with labelled photos",
        )
    if options["recovery_labels"] and not (options["calibration"] or options["data"]):
        raise UsageProblem(
            "--recovery-labels needs labelled images to calibrate with",
            found="neither --calibration nor --data",
            fix="add --data DIR|CSV with labelled photos",
        )
    return Gate(*limits)


def _name(options: dict[str, Any]) -> str:
    from edge_effnet.architecture.files import find_variant

    if options["prune_share"] is not None:
        from converters.pruning.convert_step import pruned_name

        return pruned_name(options)
    if options["baseline"] is not None:
        return str(options["baseline"])
    if options["model"] is not None:
        return str(options["model"].stem).removesuffix("-float32")
    return find_variant(options["variant"]).name


def _source(options: dict[str, Any]) -> Source:
    from converters.float_model.baseline_source import from_baseline
    from converters.float_model.source import from_file, from_variant
    from edge_effnet.architecture.files import find_variant
    from edge_effnet.data.given_labels import read_labels
    from edge_effnet.heads.head import HeadChoice

    labels = read_labels(options["labels"], options["data"]) if options["labels"] else None
    head = HeadChoice(options["head"], options["threshold"])
    if options["model"] is not None:
        return from_file(
            options["model"], labels=labels, preprocess=options["preprocess"], head=head
        )
    if options["baseline"] is not None:
        return from_baseline(
            BASELINES[options["baseline"]],
            weights=options["weights"],
            resolution=options["resolution"],
            labels=labels,
            preprocess=options["preprocess"],
        )
    return from_variant(
        find_variant(options["variant"]),
        weights=options["weights"],
        runs=options["runs"],
        resolution=options["resolution"],
        labels=labels,
        preprocess=options["preprocess"],
        head=head,
    )


def _refuse_bad_data(settings: Settings) -> None:
    """Look at the folders before the minute that export takes, not after, and say what is there."""
    from edge_effnet.data.listing import load_dataset, load_images
    from edge_effnet.data.sources import is_signs

    if settings.data is not None and not is_signs(settings.data):
        # What a CSV file must say depends on the model's head, which is not known yet.
        listed = load_images if settings.data.is_file() else load_dataset
        print_data(listed(settings.data, part="evaluation"))
    if settings.calibration is not None and not is_signs(settings.calibration):
        if settings.recovery_labels:
            print_data(load_dataset(settings.calibration, part="training"))
        else:
            print_data(load_images(settings.calibration))
