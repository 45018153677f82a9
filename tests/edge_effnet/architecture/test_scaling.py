"""The α^φ family, and the search for the largest member within budgets."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_effnet.architecture.cost import cost
from edge_effnet.architecture.files import (
    find_variant,
    read_variant,
    variant_from_json,
    variant_to_json,
    write_variant,
)
from edge_effnet.architecture.scaling import (
    BUDGETS,
    PHI_MAX,
    PHI_MIN,
    largest_within,
    scaled_variant,
)
from edge_effnet.architecture.spec import network_plan
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.errors import ModelError, UsageProblem

PHIS = st.floats(PHI_MIN, PHI_MAX)


def test_phi_0_is_b0_and_phi_1_is_not_b1() -> None:
    assert scaled_variant(0) is VARIANTS["b0"]
    larger = scaled_variant(1)
    assert larger.resolution == 257
    assert VARIANTS["b1"].resolution == 240
    assert (larger.width, larger.depth) == (pytest.approx(1.1), pytest.approx(1.2))


def test_one_step_of_phi_about_doubles_the_work() -> None:
    ratio = cost(scaled_variant(4)).macs / cost(scaled_variant(1)).macs
    assert ratio ** (1 / 3) == pytest.approx(1.92, rel=0.08)


def test_a_scaled_network_has_no_official_weights_or_figures() -> None:
    spec = scaled_variant(-2.5)
    assert (spec.name, spec.official_weights, spec.published) == ("b0-phi-2.5", None, None)
    assert 0 <= spec.dropout < VARIANTS["b0"].dropout


def test_other_families_scale_too() -> None:
    lite = scaled_variant(-3, base=VARIANTS["lite0"])
    plan = network_plan(lite)
    assert lite.name == "lite0-phi-3"
    assert (plan.stem_width, plan.head_width) == (32, 1280)  # fixed, as in Lite0–4


@pytest.mark.parametrize("constants", [(1.2, 1.2, 1.2), (1.0, 1.1, 1.15), (2.0, 1.0, 1.2)])
def test_constants_far_from_the_constraint_are_refused(
    constants: tuple[float, float, float],
) -> None:
    alpha, beta, gamma = constants
    with pytest.raises(UsageProblem, match="must be near 2"):
        scaled_variant(1, alpha=alpha, beta=beta, gamma=gamma)
    assert scaled_variant(1, alpha=2.0, beta=1.0, gamma=1.0).depth == 2  # depth alone is allowed


@pytest.mark.parametrize("phi", [PHI_MIN - 0.1, PHI_MAX + 0.1, float("nan")])
def test_phi_has_limits(phi: float) -> None:
    with pytest.raises(UsageProblem, match="phi is out of range"):
        scaled_variant(phi)


@given(PHIS)
@settings(max_examples=40, deadline=None)
def test_any_phi_gives_a_network(phi: float) -> None:
    spec = scaled_variant(phi)
    plan = network_plan(spec)
    assert spec.resolution >= 41
    assert {block.name[:6] for block in plan.blocks} == {f"block{n}" for n in range(1, 8)}
    assert min(block.width_out for block in plan.blocks) >= 8
    assert cost(spec).macs > 0


@given(PHIS, PHIS)
@settings(max_examples=40, deadline=None)
def test_costs_grow_with_phi(one: float, other: float) -> None:
    small, large = sorted((one, other))
    less, more = cost(scaled_variant(small)), cost(scaled_variant(large))
    assert less.macs <= more.macs
    assert less.parameters <= more.parameters
    assert less.peak_activations <= more.peak_activations
    assert less.float_bytes <= more.float_bytes
    assert less.int8_bytes <= more.int8_bytes


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "macs": st.floats(2e7, 5e9),
            "params": st.floats(2e6, 3e7),
            "size": st.floats(2e6, 3e7),
            "memory": st.floats(3e5, 1e7),
        },
    ).filter(bool)
)
@settings(max_examples=15, deadline=None)
def test_the_largest_network_keeps_its_budgets(budgets: dict[str, float]) -> None:
    fit = largest_within(budgets)
    assert all(BUDGETS[name](fit.total) <= limit for name, limit in budgets.items())
    assert fit.binding
    larger = cost(scaled_variant(round(fit.phi + 0.001, 3)))
    broken = {name for name, limit in budgets.items() if BUDGETS[name](larger) > limit}
    assert broken == set(fit.binding)


def test_a_budget_that_nothing_reaches_does_not_bind() -> None:
    fit = largest_within({"macs": 1e15})
    assert (fit.phi, fit.binding) == (PHI_MAX, ())


def test_an_impossible_budget_says_what_the_smallest_needs() -> None:
    with pytest.raises(UsageProblem) as refused:
        largest_within({"macs": 1e12, "size": 50_000})
    smallest = cost(scaled_variant(PHI_MIN)).int8_bytes
    assert "budget on size" in str(refused.value)
    assert f"{smallest:,} at the smallest" in str(refused.value)
    assert "fewer --classes" in str(refused.value)
    assert largest_within({"size": smallest}, classes=10).phi > PHI_MIN


@pytest.mark.parametrize(
    "spec",
    [
        scaled_variant(-1.25),
        VARIANTS["lite3"],
        VARIANTS["v2-m"],
        replace(VARIANTS["edgetpu-s"], blocks=network_plan(VARIANTS["edgetpu-s"]).blocks),
    ],
    ids=lambda spec: spec.name,
)
def test_a_row_survives_its_file(spec: object, tmp_path: Path) -> None:
    path = tmp_path / "network.json"
    write_variant(path, spec)
    assert find_variant(str(path)) == spec


def test_a_name_that_is_nothing_is_a_usage_problem(tmp_path: Path) -> None:
    for name in ("b8", "B0", str(tmp_path), "x" * 300):
        with pytest.raises(UsageProblem, match="there is no variant"):
            find_variant(name)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "other"}, "JSON of another kind"),
        ({"version": 2}, "version 2, while this reads 1"),
        ({"width": "1.0"}, "width: '1.0' is no float"),
        ({"resolution": 96.5}, "resolution: 96.5 is no int"),
        ({"activation": "gelu"}, "activation: 'gelu' is none of swish, relu6, relu"),
        ({"colour": 1}, "unknown colour"),
        ({"stages": 3}, "stages: of another kind"),
        ({"resolution": -5}, "describes no network"),
        ({"width": float("nan")}, "NaN, which is no JSON"),
        ({"stages": []}, "describes no network"),
    ],
)
def test_an_edited_file_is_refused_with_its_field(
    change: dict[str, object], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "edited.json"
    path.write_text(json.dumps({**variant_to_json(VARIANTS["b0"]), **change}))
    with pytest.raises(ModelError, match=said) as refused:
        read_variant(path)
    assert str(path) in str(refused.value)


def test_nested_values_are_checked_too() -> None:
    def edited(**changes: object) -> dict[str, object]:
        whole = json.loads(json.dumps(variant_to_json(VARIANTS["b0"])))
        for field, value in changes.items():
            whole["normalization"][field] = value
        return whole

    with pytest.raises(ModelError, match=r"normalization.mean: Not enough values"):
        variant_from_json(edited(mean=[0.5, 0.5]), "x.json")
    with pytest.raises(ModelError, match="divides by none that is 0"):
        variant_from_json(edited(std=[1, 0, 1]), "x.json")
    with pytest.raises(ModelError, match="normalization: unknown scail"):
        variant_from_json(edited(scail=1), "x.json")
    lacking = edited()
    del lacking["stages"]
    with pytest.raises(ModelError, match="stages: missing"):
        variant_from_json(lacking, "x.json")


@pytest.mark.parametrize("content", ["", "not JSON", "[1, 2]", '"b0"', "[" * 100_000])
def test_a_file_of_something_else_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "b0.json"
    path.write_text(content)
    with pytest.raises(ModelError, match="is not a variant file"):
        find_variant(str(path))
