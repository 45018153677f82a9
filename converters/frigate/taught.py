"""A file that was taught, written as Frigate reads it: nothing is quantized anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote
from typing import Any

from converters.frigate.acceptance import acceptance_notes
from converters.frigate.folder import MODEL, classifier_name, files_beside, refuse_bad_labels
from converters.frigate.model import with_bytes
from converters.frigate.source import FED, refuse_other_answers, refuse_other_input
from edge_effnet import __version__
from edge_effnet.artifact import (
    LABELS_NAME,
    Artifact,
    Card,
    artifact_bytes,
    read_artifact,
    split_archive,
    write_artifact,
)
from edge_effnet.errors import ModelError
from edge_effnet.files.scratch import scratch_folder
from edge_effnet.files.write import write_together
from edge_effnet.heads.head import Head
from edge_effnet.image.preprocess_text import parse_preprocess, preprocess_text
from edge_effnet.metrics import Comparison, compare_predictions
from edge_effnet.model_files import identify
from edge_effnet.runtime.evaluating.plan import EvaluationPlan, plan_evaluation
from edge_effnet.stages import StartStage
from edge_effnet.teaching.backbone import TAUGHT
from edge_effnet.tflite.editor import add_metadata
from edge_effnet.tflite.metadata import METADATA_NAME, metadata_of
from edge_effnet.tflite.new_end import with_new_end
from edge_effnet.tflite.reader import read_model_bytes


@dataclass(frozen=True)
class Rewritten:
    """What was written.

    Attributes:
        path: of the model.
        plan, comparison: with the file that was taught, on labelled images; None without any.
    """

    path: Path
    size_bytes: int
    plan: EvaluationPlan | None
    comparison: Comparison | None

    @property
    def notes(self) -> tuple[str, ...]:
        return acceptance_notes(self.comparison.candidate_predictions) if self.comparison else ()

    def to_json(self) -> dict[str, Any]:
        """As of a conversion of this one file."""
        compared = self.comparison.to_json() if self.comparison else None
        return {
            "format": "edge-effnet conversion",
            "version": 1,
            **(self.plan.to_json() if self.plan else {}),
            "notes": list(self.notes),
            "models": [
                {
                    "recipe": "int8",
                    "file": str(self.path),
                    "size_bytes": self.size_bytes,
                    "comparison": compared,
                }
            ],
        }


def taught_artifact(path: Path) -> Artifact | None:
    """The artifact of a file that was taught; None for any other."""
    if not identify(path).kind.code.startswith("tflite"):
        return None
    artifact = read_artifact(path)
    steps: Sequence[Any] = artifact.card.steps if artifact.card else ()
    return artifact if any(step.get("step") == TAUGHT for step in steps) else None


def write_taught(
    path: Path,
    artifact: Artifact,
    out: Path,
    *,
    data: Path | None,
    workers: int,
    strict: bool,
    stage: StartStage,
) -> Rewritten:
    """Write the folder for Frigate, after it was compared with the file that was taught.

    Args:
        path, artifact: of that file.
        data: labelled images to compare on.

    Raises:
        ModelError: it was taught on images as Frigate does not feed them.
        DataError: names or images that do not fit.
        OutputError: something cannot be written; then nothing is.
    """
    model, card = _for_frigate(path, artifact)
    plan, comparison = None, None
    out.mkdir(parents=True, exist_ok=True)
    with scratch_folder(out) as scratch:
        made = scratch / MODEL
        write_artifact(made, model, card)
        if data is not None:
            plan = plan_evaluation([path, made], data, stage=stage)
            done = stage("comparing", len(plan.dataset))
            ours, theirs = plan.predict(
                workers=workers, strict=strict, progress=lambda count, _: done(count)
            )
            theirs = replace(theirs, model=theirs.model and replace(theirs.model, path=out / MODEL))
            comparison = compare_predictions(ours, theirs)
            if not plan.evaluation_set.is_evidence:
                comparison = comparison.without_evidence()
    written = artifact_bytes(model, card)[0]
    beside = files_beside(classifier_name(out), card.labels)
    content = {MODEL: written, **beside}
    write_together({out / name: data for name, data in content.items()}, overwrite=True)
    return Rewritten(out / MODEL, len(written), plan, comparison)


def _for_frigate(path: Path, artifact: Artifact) -> tuple[bytes, Card]:
    card, structure = artifact.card, artifact.structure
    if card is None:
        raise ValueError(f"{path} has no model card")
    settings, (scores, *_) = card.preprocess, structure.outputs
    refuse_other_answers(path.name, card.head or Head("softmax", len(card.labels)))
    refuse_other_input(path.name, settings)
    again = f"edge-effnet teach photos/ --preprocess {FED} --out {quote(str(path))}"
    if parse_preprocess(FED, settings) != settings:
        raise ModelError(
            f"{path.name} was taught on photos in another shape than Frigate's",
            found=preprocess_text(settings),
            expected=f"{FED}: Frigate squashes a region",
            fix=f"teach it again, {again} --force",
        )
    if structure.tensors[structure.inputs[0]].dtype != "uint8":
        raise ModelError(
            f"{path.name} does not take pixels as bytes",
            found=f"an input of {structure.tensors[structure.inputs[0]].dtype}",
            expected="uint8, as convert --int8 and teach without --base make it",
            fix=f"teach it on such a file, {again} --force",
        )
    refuse_bad_labels(card.labels, path.name)
    model, _ = split_archive(read_model_bytes(path), str(path))
    fed = with_bytes(with_new_end(model, structure, scores, (), [scores]), settings)
    name = f"{card.name}-frigate"
    said = metadata_of(fed.preprocess, name=name, version=__version__, labels_file=LABELS_NAME)
    step = {"step": "written for frigate", "of_sha256": card.model_sha256}
    written = replace(
        card,
        name=name,
        preprocess=fed.preprocess,
        steps=(*card.steps, step),
        measured=None,
        unknown=None,
        thresholds={},
    )
    return add_metadata(fed.model, {METADATA_NAME: said}), written
