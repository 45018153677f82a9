"""Which delegate a file asks for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edge_effnet.errors import ModelError
from edge_effnet.runtime import delegates
from edge_effnet.runtime.delegates import DELEGATES, ExternalDelegate, delegate_for
from edge_effnet.runtime.edgetpu import OPERATOR, is_compiled
from edge_effnet.runtime.interpreter import open_interpreter
from edge_effnet.tflite.reader import read_structure
from tests.edge_effnet.edgetpu import compile_for_edgetpu


def test_the_file_decides(
    colour_model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = colour_model()
    compiled = compile_for_edgetpu(plain)
    assert delegate_for(read_structure(plain)) is None
    assert delegate_for(read_structure(compiled)) is DELEGATES[0]

    def refuse(path: Path, runtime: str) -> None:
        raise ModelError(f"{path.name} would crash {runtime.split()[0]}", fix="none")

    row = ExternalDelegate(OPERATOR, is_compiled, lambda _module: None, refuse)
    monkeypatch.setattr(delegates, "DELEGATES", (row,))
    with pytest.raises(ModelError, match=f"{compiled.name} would crash"):
        open_interpreter(compiled)


def test_the_operators_name_alone_is_no_compiled_file(colour_model: Callable[..., Path]) -> None:
    named = compile_for_edgetpu(colour_model(), package=False)
    assert delegate_for(read_structure(named)) is None
    with pytest.raises(ModelError, match=r"holds no program for it.*edgetpu_compiler"):
        open_interpreter(named)
