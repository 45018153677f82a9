"""``edge-effnet demo``: the main job in a few minutes, offline, on data that is drawn."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import click
import cv2
import numpy as np

from edge_effnet.errors import MissingExtra
from edge_effnet.image.preprocessing import Pixels
from edge_effnet.ui.console import console, echo, print_note
from edge_effnet.ui.options import force_option
from edge_effnet.ui.output import claim_outputs

VARIANT = "b0"
IMAGES = 12
IMAGE = "answers.jpg"
COLUMNS = 4
TILE_PX = 240
_CAPTION_PX = 26
# Drawn from a split and a seed of its own: neither training nor the comparison saw them.
_SEED = 20_000


@dataclass(frozen=True)
class DemoAnswer:
    """What the models say of one drawn sign."""

    pixels: Pixels
    truth: str
    answers: dict[str, tuple[str, float]]


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("edge-effnet-demo"),
    show_default=True,
    help="Folder for the models and the image.",
)
@force_option
def command(out: Path, force: bool) -> None:
    """See the whole thing work: convert, compare, classify. Offline, no data needed.

    Takes the demo network of this package (EfficientNet-B0 trained on drawn traffic signs),
    makes it int8, compares it with float on freshly drawn signs, and shows its answers. Where
    TensorFlow is not installed, as on a Raspberry Pi, the ready int8 model is used.

    \b
    Examples:
      edge-effnet demo
      edge-effnet demo --out /tmp/demo --force
    """
    screen, image = console(), out / IMAGE
    if _can_train():
        models = _convert(out, image, force)
    else:
        claim_outputs({"--out": image}, overwrite=force)
        models = _ready_made()
    screen.print()
    screen.print(f"{IMAGES} signs nobody has seen", style="bold")
    answers = _ask(models)
    _write_image(answers, image)
    for name in models:
        right = sum(answer.answers[name][0] == answer.truth for answer in answers)
        screen.print(f"{name}: {right} of {len(answers)} right")
    screen.print(f"drawn with both answers in {image}")
    _print_next(models, out)


def _can_train() -> bool:
    return all(importlib.util.find_spec(name) for name in ("tensorflow", "litert_quantizer"))


def _convert(out: Path, image: Path, force: bool) -> dict[str, Path]:
    """The command a user would type, from the demo weights to the comparison."""
    from converters.commands.convert_report import print_conversion
    from converters.config import ConvertConfig
    from converters.conversion import files_to_write
    from converters.float_model.choice import ModelChoice
    from converters.pipeline import convert
    from converters.quantization.recipes import RECIPES
    from edge_effnet.system.cores import available_cores
    from edge_effnet.ui.progress import stages

    where = quote(str(out))
    echo(f"edge-effnet convert --variant {VARIANT} --weights demo --int8 --out {where}")
    config = ConvertConfig(
        out=out, recipes=(RECIPES["int8"],), workers=available_cores(), force=force
    )
    files = [*files_to_write(VARIANT, config, None), image]
    claim_outputs({"--out": files}, overwrite=force)
    with stages() as stage:
        done = stage("exporting the float model", None)
        source = ModelChoice(variant=VARIANT, weights="demo").open()
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


def _ask(models: dict[str, Path]) -> list[DemoAnswer]:
    from edge_effnet.data.signs.render import render_sample, split_index
    from edge_effnet.data.signs.table import LABELS
    from edge_effnet.runtime.classifier import open_classifier

    classifiers = {name: open_classifier(path) for name, path in models.items()}
    answers = []
    for number in range(IMAGES):
        pixels, label = render_sample(split_index("test", number), _SEED, TILE_PX)
        given = {}
        for name, classifier in classifiers.items():
            scores = classifier.scores(pixels)
            best = int(np.argmax(scores))
            given[name] = (classifier.labels[best], float(scores[best]))
        answers.append(DemoAnswer(pixels, LABELS[label], given))
    return answers


def _write_image(answers: list[DemoAnswer], path: Path) -> None:
    """The signs in a grid, each with what the models call it; wrong answers in red."""
    from edge_effnet.files.write import write_atomically

    tiles = [_tile(answer) for answer in answers]
    rows = [np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)]
    grid = cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)
    encoded = cv2.imencode(".jpg", grid, [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    write_atomically(path, encoded.tobytes(), overwrite=True)


def _tile(answer: DemoAnswer) -> Pixels:
    lines = len(answer.answers)
    canvas = np.full((TILE_PX + _CAPTION_PX * lines + 8, TILE_PX, 3), 24, np.uint8)
    canvas[:TILE_PX] = answer.pixels
    for line, (model, (name, score)) in enumerate(answer.answers.items(), start=1):
        colour = (120, 230, 120) if name == answer.truth else (255, 110, 110)
        text = f"{model}: {name} {score:.2f}"
        corner = (6, TILE_PX + _CAPTION_PX * line - 6)
        cv2.putText(canvas, text, corner, cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv2.LINE_AA)
    return canvas


def _print_next(models: dict[str, Path], out: Path) -> None:
    screen, int8, folder = console(), quote(str(models["int8"])), quote(str(out))
    screen.print()
    screen.print("Next", style="bold")
    command = Path(sys.argv[0]).name if sys.argv else "edge-effnet"
    for line in (
        f"{command} signs print -o sheet.pdf         # print it, hold it before a camera",
        f"{command} classify {int8} photo.jpg",
        f"scp {folder}/*.tflite pi@raspberrypi.local:   # then there: pip install edge-effnet",
        f"{command} train --data photos/ --variant {VARIANT}    # your own classes",
    ):
        screen.print(f"  {line}", soft_wrap=True)
