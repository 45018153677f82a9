"""How pixels become a model file's input: as the user says, else its card, else what is found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from edge_effnet.artifact import Artifact
from edge_effnet.errors import ModelError
from edge_effnet.image.preprocess_text import parse_preprocess
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.runtime.input_pixels.evidence import Evidence
from edge_effnet.runtime.input_pixels.file_evidence import (
    ask_how,
    contradiction,
    evidence_of,
    found_line,
    with_told,
)
from edge_effnet.runtime.input_pixels.input_tensor import input_format, range_warning
from edge_effnet.tflite.reader import Structure, read_model_bytes


@dataclass(frozen=True)
class InputPixels:
    """How pixels become the input of one model file.

    Attributes:
        settings: of an ``open`` evidence a stand-in with the right size and channels.
        evidence: of a file that had to be looked at; None where the user or the card said all.
        notices: lines for the user: from what it was found, and what is wrong with it.
    """

    path: Path
    structure: Structure
    settings: Preprocess
    evidence: Evidence | None = None
    notices: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        return self.evidence is None or self.evidence.strength != "open"

    def refusal(self, tried: int = 0) -> ModelError:
        """The question to the user where it is not known; see ``ask_how``."""
        model = read_model_bytes(self.path)
        return ask_how(str(self.path), model, self.structure, self.settings, tried=tried)


def input_pixels(
    path: Path, artifact: Artifact, asked: Preprocess | str | None = None
) -> InputPixels:
    """What is known without photos.

    Args:
        artifact: of ``path``, with one input of height x width x 1 or 3 channels.
        asked: what the user says.

    Raises:
        UsageProblem: ``asked`` is not understood.
    """
    structure = artifact.structure
    evidence, line = None, None
    if isinstance(asked, Preprocess):
        settings = asked
    elif artifact.card is not None:
        settings = artifact.card.preprocess
        settings = parse_preprocess(asked, settings) if asked else settings
    else:
        # TFLite metadata does not apply to a uint8 input: Android's and MediaPipe's loaders
        # hand it pixels as they are.
        plain = structure.tensors[structure.inputs[0]].dtype == "uint8"
        evidence = evidence_of(
            read_model_bytes(path), structure, stated=None if plain else artifact.preprocess
        )
        told = with_told(evidence, asked) if asked else evidence
        if isinstance(told, Preprocess):
            line = contradiction(evidence, told)
            line, evidence, settings = line and f"{path.name}: {line}", None, told
        else:
            evidence, settings = told, told.settings
            line = found_line(path.name, told.found) if told.found else None
    unsettled = InputPixels(path, structure, settings, evidence)
    return with_settings(unsettled, settings, line, evidence=evidence)


def with_settings(
    known: InputPixels, settings: Preprocess, line: str | None, evidence: Evidence | None = None
) -> InputPixels:
    """The same with these settings, and what there is to say of them.

    Args:
        line: from what they were found, or what speaks against them.
        evidence: what is left open; None where photos have told.
    """
    name, said = known.path.name, known.evidence
    if said is not None and (said.settings.mean, said.settings.std) == (
        settings.mean,
        settings.std,
    ):
        warnings = tuple(f"{name}: {text}" for text in said.warnings)
    else:
        warnings = (range_warning(settings, input_format(known.structure), name) or "",)
    notices = tuple(filter(None, (line, *warnings)))
    return replace(known, settings=settings, evidence=evidence, notices=notices)
