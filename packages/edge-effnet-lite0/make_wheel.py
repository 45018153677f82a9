"""Build the wheel ``edge-effnet-lite0``: convert the model, add licence and NOTICE, pack.

python packages/edge-effnet-lite0/make_wheel.py build/lite0
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from converters.taught_base import make_base
from edge_effnet.files.scratch import scratch_folder
from edge_effnet.teaching.base import LITE0
from edge_effnet.ui.progress import stages

HERE = Path(__file__).resolve().parent
# The licence is that of the whole repository.
BESIDE = (
    *(HERE / name for name in ("pyproject.toml", "README.md", "NOTICE")),
    HERE.parents[1] / "LICENSE",
)


def pack(model: bytes, out: Path) -> Path:
    """Build the wheel of a model in a folder; the same bytes for the same model.

    Raises:
        subprocess.CalledProcessError: the build failed; it has said why.
    """
    with scratch_folder() as project:
        for file in BESIDE:
            shutil.copy(file, project)
        target = project / LITE0.file
        target.parent.mkdir()
        target.write_bytes(model)
        build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(out), str(project)]
        subprocess.run(build, check=True, stdout=sys.stderr)
    return out / f"{LITE0.package.replace('-', '_')}-{LITE0.version}-py3-none-any.whl"


def main() -> None:
    with stages() as stage:
        model = make_base(stage)["int8"]
    wheel = pack(model, Path(sys.argv[1]))
    print(f"{wheel}: {wheel.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
