"""What timm answers with drawn weights, written to ``timm_answers.json`` beside this file.

Run once in an environment of its own, with timm 1.0.31, torch 2.14.1 and numpy 2.4.6:

    pip install timm==1.0.31
    python -m tests.edge_effnet.network.weights.pytorch.record_timm
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.edge_effnet.network.weights.pytorch.drawn_weights import drawn, drawn_pixels

ANSWERS = Path(__file__).with_name("timm_answers.json")
_WANTED = re.compile(r"tf_efficientnet(v2)?_(b[0-7]|lite\d|e[sml]|[sml])")


def fingerprint(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Of all tensors' names and shapes."""
    text = "\n".join(f"{name} {shapes[name]}" for name in sorted(shapes))
    return hashlib.sha256(text.encode()).hexdigest()


def main() -> None:
    import timm
    import torch

    answers: dict[str, Any] = {"timm": timm.__version__, "torch": str(torch.__version__)}
    names = [name for name in timm.list_models("tf_*") if _WANTED.fullmatch(name)]
    answers["models"] = {name: _answers(name) for name in names}
    tags = [one for one in timm.list_models("tf_*", include_tags=True) if "." in one]
    answers["normalization"] = {
        one: [list(cfg.mean), list(cfg.std)]
        for one in tags
        if _WANTED.fullmatch(one.partition(".")[0]) and (cfg := timm.get_pretrained_cfg(one))
    }
    ANSWERS.write_text(json.dumps(answers, indent=1) + "\n")


def _answers(name: str) -> dict[str, Any]:
    import timm
    import torch

    model = timm.create_model(name).eval()
    cfg = model.pretrained_cfg
    shapes = {
        one: tuple(tensor.shape)
        for one, tensor in model.state_dict().items()
        if not one.endswith("num_batches_tracked")
    }
    state = {one: torch.from_numpy(drawn(one, shape)) for one, shape in shapes.items()}
    model.load_state_dict(state, strict=False)
    mean, std = (np.array(cfg[key], np.float32) for key in ("mean", "std"))
    pixels = (drawn_pixels().astype(np.float32) / 255 - mean) / std
    with torch.no_grad():
        logits = model(torch.from_numpy(pixels.transpose(0, 3, 1, 2).copy()))[0].numpy()
    print(name, float(np.abs(logits).max()))
    return {
        "tag": cfg["tag"],
        "tensors": fingerprint(shapes),
        "largest": float(np.abs(logits).max()),
        "logits": [float(one) for one in logits[::100]],
    }


if __name__ == "__main__":
    main()
