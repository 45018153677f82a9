"""The files of a conversion, each compared with the first on the same images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from converters.config import ConvertConfig
from edge_effnet.data.dataset import Dataset
from edge_effnet.metrics import Comparison, compare_predictions
from edge_effnet.runtime.evaluating.predict import predict_many
from edge_effnet.stages import StartStage

_MOST_BYTES = 2 << 30  # of all workers together: reached by networks of over 90 million weights


def compare_files(
    files: Sequence[Path],
    targets: Sequence[Path],
    evaluation: Dataset,
    config: ConvertConfig,
    stage: StartStage,
) -> list[Comparison | None]:
    """Each file with the first.

    Args:
        files: where they lie now, and ``targets``: where they will; the comparisons name those.
    """
    if len(files) == 1:
        return [None]
    done = stage("comparing", len(evaluation))
    found = predict_many(
        files,
        evaluation,
        workers=workers_for(files, config.workers),
        strict=config.strict,
        progress=lambda count, _: done(count),
    )
    reference, *candidates = [
        replace(one, model=one.model and replace(one.model, path=target))
        for one, target in zip(found, targets, strict=True)
    ]
    return [None, *(compare_predictions(reference, candidate) for candidate in candidates)]


def workers_for(files: Sequence[Path], most: int) -> int:
    """Threads that run files, as many as have room: each opens every file, which is mapped, packed
    anew by XNNPACK, and surrounded by its activations."""
    each = 3 * sum(file.stat().st_size for file in files)
    return max(1, min(most, _MOST_BYTES // each))


def on_generated(comparison: Comparison) -> Comparison:
    """The same, with losses told as what they are on images that show nothing: a reason to look
    at photos, and no verdict."""
    return _without_verdict(comparison, comparison, "generated images", "photos")


def on_trained(comparison: Comparison) -> Comparison:
    """The same on images that the network was trained on, which prove nothing either."""
    plain = comparison.without_evidence()
    where = "images that the network was trained on"
    return _without_verdict(comparison, plain, where, "other photos")


def _without_verdict(
    comparison: Comparison, plain: Comparison, where: str, others: str
) -> Comparison:
    if not comparison.losses:
        return plain
    ours, theirs = comparison.reference_predictions, comparison.candidate_predictions
    moved, agreed = comparison.value_difference, comparison.agreement_percent
    differ = f"mean difference {moved.mean_abs:.4g}" if moved else f"agreement {agreed:.1f} %"
    line = (
        f"{theirs.name} differs from {ours.name} on {where} ({differ}): what that costs on "
        f"{others} cannot be told from them; compare both on {others} before you use it"
    )
    warnings = plain.warnings[len(plain.losses) :]
    return replace(comparison, losses=(line,), warnings=(line, *warnings))
