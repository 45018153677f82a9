"""Converting and comparing from Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import converters
from edge_effnet.errors import LimitMissed, OutputError, UsageProblem


def test_what_is_made_is_compared_with_float(tiny_file: Path, photos: Path, tmp_path: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    conversion = converters.convert(
        str(tiny_file),
        out=tmp_path / "out",
        data=str(photos),
        recipes=("int8", "float16"),
        calibration_images=12,
        threads=2,
        progress=lambda *stage: told.append(stage),
    )
    names = [made.path.name for made in conversion.made]
    assert names == ["tiny-float32.tflite", "tiny-int8.tflite", "tiny-float16.tflite"]
    assert ("calibrating", 12, 12) in told
    reference, int8, _ = conversion.made
    assert int8.size_bytes < reference.size_bytes / 2
    assert int8.comparison is not None

    again = converters.compare(reference.path, int8.path, photos, threads=2)
    assert isinstance(again, converters.Comparison)
    assert again.images == 80
    assert again.agreement_percent == pytest.approx(int8.comparison.agreement_percent, abs=15)


def test_a_limit_that_no_file_keeps_is_an_error(
    tiny_file: Path, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(LimitMissed, match="NO INT8 FILE REACHED 101 %"):
        converters.convert(
            tiny_file,
            out=out,
            calibration=photos,
            calibration_images=8,
            min_agreement=101,
            qat_steps=1,
            threads=2,
        )
    assert not list(out.glob("*.tflite"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"recipes": ("int4",)}, "no recipe 'int4'"),
        ({"qat_steps": 5}, "for a limit"),
        ({"max_drop": 1.0, "recipes": ("int8", "float16")}, "for one file"),
    ],
)
def test_arguments_that_do_not_go_together(
    tiny_file: Path, tmp_path: Path, wrong: dict[str, object], said: str
) -> None:
    with pytest.raises(UsageProblem, match=said):
        converters.convert(tiny_file, out=tmp_path / "out", **wrong)  # type: ignore[arg-type]


def test_a_name_may_be_a_variant_or_a_baseline(tmp_path: Path) -> None:
    (tmp_path / "mobilenetv3-float32.tflite").touch()
    (tmp_path / "lite0-int8.tflite").touch()
    for name in ("mobilenetv3", "lite0"):  # looked for before anything is built
        with pytest.raises(OutputError, match=name):
            converters.convert(name, out=tmp_path)


def test_the_import_is_light() -> None:
    code = "import sys, converters; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"numpy", "cv2", "click", "tensorflow", "converters.api"} & set(loaded)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        converters.nothing  # noqa: B018
