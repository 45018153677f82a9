"""Recovery training in the ladder."""

from dataclasses import replace
from pathlib import Path

from converters.accuracy.candidates import Workshop
from converters.accuracy.strategies import LADDER, ladder
from converters.quantization.qat.step import recovery_rung
from edge_effnet.ui.progress import stages
from tests.converters.conftest import TinyModel

RUNGS = {rung.name: rung for rung in LADDER}


def test_the_ladder_goes_without_it_where_it_cannot_be_trained(
    mini: TinyModel, tmp_path: Path
) -> None:
    foreign = replace(mini.structure.operators[0], name="TANH")
    structure = replace(mini.structure, operators=(*mini.structure.operators, foreign))
    state = tmp_path / "mini.state"
    with stages() as stage:
        assert recovery_rung(structure, state, seed=0, resume=False, stage=stage) is None
        assert recovery_rung(mini.structure, state, seed=0, resume=False, stage=stage) is not None
    assert "recovered" not in [rung.name for rung in ladder(recovery=False)]
    assert "recovered" in [rung.name for rung in ladder()]


def test_training_that_does_not_help_is_not_taken(mini: TinyModel) -> None:
    ruined = {name: (low / 20, high / 20) for name, (low, high) in mini.ranges.items()}
    workshop = Workshop(
        mini.model,
        mini.structure,
        mini.calibration,
        "uint8",
        workers=1,
        recover=lambda model, *_: (model, ruined),
    )
    assert workshop.make(RUNGS["recovered"])[0] == workshop.make(RUNGS["searched"])[0]
