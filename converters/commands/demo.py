"""``edge-effnet demo``: the main job in a few minutes, offline, on drawn signs or on photos."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from shlex import quote

import click

from converters.commands.demo_images import (
    DemoImage,
    ask,
    drawn_signs,
    photos,
    write_image,
)
from edge_effnet.errors import MissingExtra, UsageProblem
from edge_effnet.plurals import counted
from edge_effnet.ui.console import console, echo, print_note
from edge_effnet.ui.options import force_option
from edge_effnet.ui.output import claim_outputs
from edge_effnet.ui.shown_commands import own_command

SIGNS_VARIANT, IMAGENET_VARIANT = "b0", "lite0"
IMAGE = "answers.jpg"


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("edge-effnet-demo"),
    show_default=True,
    help="Folder for the models and the image.",
)
@click.option(
    "--imagenet",
    is_flag=True,
    help="Photos instead of signs: EfficientNet-Lite0 with ImageNet weights (the extras train and "
    "imagenet-lite).",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="With --imagenet, your photos instead of the two in the package; the first 12.",
)
@force_option
def command(out: Path, imagenet: bool, data: Path | None, force: bool) -> None:
    """See the whole thing work: convert, compare, classify. Offline, no data needed.

    Takes the demo network of this package (EfficientNet-B0 trained on drawn traffic signs),
    makes it int8, compares it with float on freshly drawn signs, and shows its answers. Where
    TensorFlow is not installed, as on a Raspberry Pi, the ready int8 model is used. --imagenet does
    the same with EfficientNet-Lite0 and photos.

    \b
    Examples:
      edge-effnet demo
      edge-effnet demo --out /tmp/demo --force
      edge-effnet demo --imagenet --data photos/
    """
    if data is not None and not imagenet:
        raise UsageProblem(
            "--data gives the demo photos, and the network of the signs knows signs alone",
            fix="add --imagenet",
        )
    screen, image = console(), out / IMAGE
    images = photos(data) if imagenet else drawn_signs()
    if imagenet:
        if not _can_train():
            raise MissingExtra("tensorflow", "train", "converting the ImageNet network")
        models = _convert(IMAGENET_VARIANT, "imagenet", out, image, force)
    elif _can_train():
        models = _convert(SIGNS_VARIANT, "demo", out, image, force)
    else:
        claim_outputs({"--out": image}, overwrite=force)
        models = _ready_made()
    screen.print()
    shown, signs = counted(len(images), "photo"), counted(len(images), "sign")
    screen.print(shown if imagenet else f"{signs} nobody has seen", style="bold")
    ask(models, images)
    write_image(images, image)
    if imagenet:
        _print_answers(images)
    if all(one.truths for one in images):
        for name in models:
            right = sum(one.answers[name][0] in one.truths for one in images)
            screen.print(f"{name}: {right} of {len(images)} right")
    screen.print(f"drawn with both answers in {image}")
    _print_next(models, out, imagenet)


def _print_answers(images: list[DemoImage]) -> None:
    for image in images:
        said = ", ".join(
            f"{model} {label} {100 * score:.0f} %"
            for model, (label, score) in image.answers.items()
        )
        console().print(f"{image.name}: {said}", soft_wrap=True)


def _can_train() -> bool:
    return all(importlib.util.find_spec(name) for name in ("tensorflow", "litert_quantizer"))


def _convert(variant: str, weights: str, out: Path, image: Path, force: bool) -> dict[str, Path]:
    """The command a user would type, from the weights to the comparison."""
    from converters.commands.convert_report import print_conversion
    from converters.config import ConvertConfig
    from converters.conversion import files_to_write
    from converters.float_model.choice import ModelChoice
    from converters.pipeline import convert
    from converters.quantization.recipes import RECIPES
    from edge_effnet.system.cores import available_cores
    from edge_effnet.ui.progress import stages

    where = quote(str(out))
    echo(f"edge-effnet convert --variant {variant} --weights {weights} --int8 --out {where}")
    config = ConvertConfig(
        out=out, recipes=(RECIPES["int8"],), workers=available_cores(), force=force
    )
    files = [*files_to_write(variant, config, None), image]
    claim_outputs({"--out": files}, overwrite=force)
    with stages() as stage:
        done = stage("exporting the float model", None)
        source = ModelChoice(variant=variant, weights=weights).open()
        done(1)
        conversion = convert(source, config, stage)
    print_conversion(conversion)
    return {made.recipe: made.path for made in conversion.made}


def _ready_made() -> dict[str, Path]:
    """The int8 model in the package, for a machine without TensorFlow."""
    from edge_effnet.data.demo import demo_model

    missing = MissingExtra("tensorflow", "train", "converting the demo network here")
    print_note(f"{missing}; using the ready int8 model instead")
    return {"int8": demo_model()}


def _print_next(models: dict[str, Path], out: Path, imagenet: bool) -> None:
    screen, int8, folder = console(), quote(str(models["int8"])), quote(str(out))
    screen.print()
    screen.print("Next", style="bold")
    command = own_command()
    lines = (
        f"{command} create photos/ --for pi4    # photos/: yours, with one folder per class",
        f"{command} push your-name@raspberrypi.local {folder}/*.tflite    # to your Raspberry Pi",
    )
    answered = f"{command} classify {int8} photo.jpg    # a photo of yours"
    printed = f"{command} signs print -o sheet.pdf    # print it, hold it before a camera"
    for line in (answered if imagenet else printed, *lines):
        screen.print(f"  {line}", soft_wrap=True)
