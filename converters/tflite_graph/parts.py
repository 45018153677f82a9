"""A network in parts that run one after the other, so that little of it is in memory at once.

All tensors of a large network take gigabytes for one image; those of a few layers take little.
So many images pass a part together, and only the tensor at its end is kept for the next part.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from converters.tflite_graph.segments import Segment, segments
from converters.tflite_graph.subgraph import SubgraphExtractor
from edge_effnet.tflite.reader import Structure, parse_structure

_PART_BYTES = 64_000_000  # of tensors and weights, where the network can be cut
_HELD_BYTES = 256_000_000  # of the tensors between two parts, for all images at once
_LITTLE = 0.25
_FLOAT_BYTES = 4  # of an element; integers take no more


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a network, as a model of its own. Tensors keep their indices.

    Attributes:
        source: the only tensor that it reads.
        end: what the next part reads.
        end_bytes: its size.
        tensors: those that it holds: what it makes, and in the first part the input.
    """

    model: bytes
    source: int
    end: int
    end_bytes: int
    tensors: frozenset[int]


def divide(model: bytes, tensors: Collection[int]) -> list[Part]:
    """The parts of a network up to the last of some tensors.

    A small network is one part, and so is one that has no point at which one tensor is live.
    """
    structure = parse_structure(model, "the model")
    groups = list(_groups(structure))
    whole = Part(
        model,
        structure.inputs[0],
        structure.outputs[0],
        0,
        frozenset(range(len(structure.tensors))),
    )
    if len(groups) < 2 or len(structure.inputs) > 1:
        return [whole]
    extractor = SubgraphExtractor(model, structure, structure.outputs[0])
    if not extractor.is_one_graph:
        return [whole]
    wanted, parts, source = set(tensors), list[Part](), structure.inputs[0]
    for group in groups:
        held = frozenset().union(*(segment.inside for segment in group))
        if not parts:
            held |= {source}
        operators = [index for segment in group for index in segment.operators]
        end = group[-1].end
        part = extractor.extract(operators, (source,), (end,))
        parts.append(Part(part, source, end, _bytes(structure, [end]), held))
        source, wanted = end, wanted - held
        if not wanted:
            break
    return parts


def images_at_once(parts: Sequence[Part]) -> int | None:
    """How many images may pass the parts together; None for any number of them."""
    largest = max((part.end_bytes for part in parts[:-1]), default=0)
    return max(1, _HELD_BYTES // largest) if largest else None


def _groups(structure: Structure) -> Iterator[list[Segment]]:
    """Neighbouring blocks up to a size, all operators in all."""
    group: list[Segment] = []
    size = 0
    for block in _blocks(structure):
        own = sum(_block_bytes(structure, segment) for segment in block)
        if group and size + own > _PART_BYTES:
            yield group
            group, size = [], 0
        group, size = [*group, *block], size + own
    yield group


def _blocks(structure: Structure) -> Iterator[list[Segment]]:
    """Segments up to a small tensor: no larger than the one before the block, smaller than the
    next, or little of what its segment makes."""
    chain = list(_all_segments(structure))
    sizes = [_bytes(structure, [segment.end]) for segment in chain]
    block, began = list[Segment](), _bytes(structure, structure.inputs)
    for segment, size, following in zip(chain, sizes, [*sizes[1:], 0], strict=True):
        block.append(segment)
        made = _bytes(structure, segment.inside)
        if size <= began or size < following or size <= _LITTLE * made:
            yield block
            block, began = [], size
    if block:
        yield block


def _all_segments(structure: Structure) -> Iterator[Segment]:
    """The segments, the last of which may end in several outputs."""
    done = 0
    for segment in segments(structure, []):
        done = segment.operators[-1] + 1
        yield segment
    if rest := structure.operators[done:]:
        made = frozenset(index for operator in rest for index in operator.outputs)
        yield Segment(tuple(operator.index for operator in rest), made, structure.outputs[0])


def _block_bytes(structure: Structure, segment: Segment) -> int:
    operators = [structure.operators[index] for index in segment.operators]
    read = {index for operator in operators for index in operator.inputs if index >= 0}
    weights = sum(structure.tensors[index].constant_bytes for index in read)
    return weights + _bytes(structure, segment.inside)


def _bytes(structure: Structure, tensors: Collection[int]) -> int:
    return sum(_FLOAT_BYTES * structure.tensors[index].elements for index in tensors)
