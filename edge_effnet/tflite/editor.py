"""Editing a ``.tflite``: its interface and its metadata.

Uses the schema package that comes with LiteRT (the ``convert`` extra). Reading needs none of
this: see ``edge_effnet.tflite.reader``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edge_effnet.errors import MissingExtra, ModelError
from edge_effnet.tflite.reader import FILE_IDENTIFIER

Interface = Literal["uint8", "int8", "float32"]
_REST_BYTES = 1 << 20  # of a file beside its weights, of most networks
_BOTH_TYPES = 2  # the first version of QUANTIZE with int8 <-> uint8


def _tools() -> tuple[Any, Any]:
    try:
        from ai_edge_litert import schema_py_generated as schema
        from ai_edge_litert.tools import flatbuffer_utils
    except ImportError as error:
        raise MissingExtra("ai-edge-litert", "convert", "writing a model") from error
    return schema, flatbuffer_utils


def read_tree(model: bytes) -> tuple[Any, Any]:
    """Parse into the schema package's object tree: (schema, tree). Raises MissingExtra.

    Operator codes are in both of their fields: files of 2019 and 2020 know only the old one, which
    the quantizer does not read.
    """
    schema, tools = _tools()
    tree = tools.read_model_from_bytearray(memoryview(model))  # weights are views, no copies
    for code in tree.operatorCodes:
        code.builtinCode = max(code.builtinCode, code.deprecatedBuiltinCode)
    for buffer in tree.buffers:
        if isinstance(buffer.data, (bytes, bytearray, memoryview)):
            # As an array it is packed by one copy, as bytes by a Python loop over each byte.
            buffer.data = np.frombuffer(buffer.data, np.uint8)
    return schema, tree


def has_old_operator_codes(model: bytes) -> bool:
    """Whether an operator code is in the field of 2019 and 2020 alone."""
    schema, _ = _tools()
    root = schema.Model.GetRootAs(model)
    codes = [root.OperatorCodes(index) for index in range(root.OperatorCodesLength())]
    return any(code.DeprecatedBuiltinCode() > code.BuiltinCode() for code in codes)


def pack_tree(tree: Any) -> bytes:
    """Serialize with every buffer inside the FlatBuffer and aligned to 16 bytes.

    The quantizer puts buffers behind it, which older runtimes (tflite-runtime 2.14) do not
    know; and the schema demands the alignment (``force_align: 16``), which the Python
    FlatBuffers library leaves out and 32-bit Arm may crash without.

    Zero points are 8 bytes for each channel of each kernel and bias, nearly all of them 0:
    equal ones are stored once, which makes an int8 file 8 % smaller. Nobody may edit them in
    place.

    Buffers lie in the order of the operators that read them: those of the last layers are at the
    file's end, where ``new_end`` can cut them off.
    """
    import flatbuffers

    class AlignedBuilder(flatbuffers.Builder):  # type: ignore[misc]
        def __init__(self, size: int) -> None:
            super().__init__(size)
            self.zero_points: dict[bytes, Any] = {}
            self.buffers: dict[int, Any] = {}

        def CreateNumpyVector(self, x: Any) -> Any:  # noqa: N802 (the library's name)
            if x.dtype == np.int64:  # zero points alone have this type
                key = x.tobytes()
                if key not in self.zero_points:
                    self.zero_points[key] = super().CreateNumpyVector(x)
                return self.zero_points[key]
            if x.dtype != np.uint8:
                return super().CreateNumpyVector(x)
            if id(x) in self.buffers:
                return self.buffers[id(x)]
            self.StartVector(1, x.size, 16)
            self.head = self.Head() - x.size
            self.Bytes[self.Head() : self.Head() + x.size] = x.tobytes()
            self.vectorNumElems = x.size
            self.buffers[id(x)] = self.EndVector()
            return self.buffers[id(x)]

    # Large enough at once: growing doubles it, and copies what is in it.
    weights = sum(len(buffer.data) for buffer in tree.buffers if buffer.data is not None)
    builder = AlignedBuilder(weights + _REST_BYTES)
    for data in _in_file_order(tree):
        builder.CreateNumpyVector(data)  # the builder writes from the end
    builder.Finish(tree.Pack(builder), file_identifier=FILE_IDENTIFIER)
    return bytes(memoryview(builder.Bytes)[builder.Head() :])


def _in_file_order(tree: Any) -> Iterator[NDArray[np.uint8]]:
    """The buffers that operators read, the last operator's first."""
    for graph in reversed(tree.subgraphs):
        for operator in reversed(graph.operators):
            for index in reversed([] if operator.inputs is None else list(operator.inputs)):
                if 0 <= index < len(graph.tensors):  # what is packed may contradict itself
                    data = tree.buffers[graph.tensors[index].buffer].data
                    if isinstance(data, np.ndarray) and data.dtype == np.uint8:
                        yield data


def normalize_layout(model: bytes) -> bytes:
    """Rewrite a model so that every runtime reads it; its meaning is unchanged."""
    return pack_tree(read_tree(model)[1])


def add_metadata(model: bytes, buffers: Mapping[str, bytes]) -> bytes:
    """Put named buffers into a model's metadata, replacing those of the same name."""
    schema, tree = read_tree(model)
    entries = [e for e in tree.metadata or [] if e.name.decode() not in buffers]
    for name, content in buffers.items():
        buffer, entry = schema.BufferT(), schema.MetadataT()
        buffer.data = np.frombuffer(content, np.uint8)
        tree.buffers.append(buffer)
        entry.name, entry.buffer = name.encode(), len(tree.buffers) - 1
        entries.append(entry)
    tree.metadata = entries
    return pack_tree(tree)


def writable_constant(model: bytearray, tensor: int) -> NDArray[np.uint8]:
    """The stored bytes of a constant of the main graph, as a view that writes into ``model``."""
    schema, _ = _tools()
    root = schema.Model.GetRootAs(model)
    buffer = root.Buffers(root.Subgraphs(0).Tensors(tensor).Buffer())
    return np.asarray(buffer.DataAsNumpy(), np.uint8)


def writable_scales(model: bytearray, tensor: int) -> NDArray[np.float32]:
    """The scales of a quantized tensor of the main graph, as a view that writes into ``model``."""
    schema, _ = _tools()
    quantization = schema.Model.GetRootAs(model).Subgraphs(0).Tensors(tensor).Quantization()
    return np.asarray(quantization.ScaleAsNumpy(), np.float32)


def writable_outputs(model: bytearray) -> NDArray[np.int32]:
    """The tensor indices of the main graph's outputs, as a view that writes into ``model``."""
    schema, _ = _tools()
    return np.asarray(schema.Model.GetRootAs(model).Subgraphs(0).OutputsAsNumpy(), np.int32)


def set_interface(model: bytes, interface: Interface) -> bytes:
    """Change the input and output type of an integer model.

    ``int8`` leaves it. ``uint8`` puts an exact QUANTIZE at both ends (the zero point moves by
    128, every value maps to one value). ``float32`` quantizes and dequantizes inside. An output
    that is computed in float stays float32.

    Raises:
        ModelError: the model's input or output is not int8 (int16 can become float32).
    """
    schema, tree = read_tree(model)
    if interface == "int8":
        return pack_tree(tree)
    graph = tree.subgraphs[0]
    renamed: dict[int, int] = {}
    for end in ("inputs", "outputs"):
        indices = list(getattr(graph, end))
        for position, inner in enumerate(indices):
            if end == "outputs" and graph.tensors[inner].type == schema.TensorType.FLOAT32:
                continue
            indices[position] = renamed[inner] = _add_end(schema, tree, inner, end, interface)
        setattr(graph, end, np.array(indices, np.int32))
    for signature in tree.signatureDefs or []:
        for entry in (*(signature.inputs or []), *(signature.outputs or [])):
            entry.tensorIndex = renamed.get(entry.tensorIndex, entry.tensorIndex)
    return pack_tree(tree)


def _add_end(schema: Any, tree: Any, inner: int, end: str, interface: Interface) -> int:
    """Add a tensor of the wanted type and the operator that joins it to ``inner``."""
    graph = tree.subgraphs[0]
    tensor = graph.tensors[inner]
    types = schema.TensorType
    if tensor.type != types.INT8 and (tensor.type, interface) != (types.INT16, "float32"):
        raise ModelError(
            f"the model's {end} cannot become {interface}",
            found="an interface that is not int8",
            expected="a full-integer int8 model",
            fix="convert the float model with --int8",
        )
    outer = schema.TensorT()
    outer.shape, outer.shapeSignature = tensor.shape, tensor.shapeSignature
    outer.name = tensor.name  # clients look inputs up by name
    tensor.name = tensor.name + b"_quantized"
    outer.buffer = 0  # buffer 0 is empty by convention
    if interface == "uint8":
        outer.type = schema.TensorType.UINT8
        outer.quantization = schema.QuantizationParametersT()
        outer.quantization.scale = tensor.quantization.scale
        outer.quantization.zeroPoint = np.asarray(tensor.quantization.zeroPoint) + 128
    else:
        outer.type = schema.TensorType.FLOAT32
    graph.tensors.append(outer)
    index = len(graph.tensors) - 1
    operator = schema.OperatorT()
    dequantizes = interface == "float32" and end == "outputs"
    builtin = schema.BuiltinOperator
    operator.opcodeIndex = operator_code(
        schema, tree, builtin.DEQUANTIZE if dequantizes else builtin.QUANTIZE, _BOTH_TYPES
    )
    ends = (index, inner) if end == "inputs" else (inner, index)
    operator.inputs = np.array([ends[0]], np.int32)
    operator.outputs = np.array([ends[1]], np.int32)
    operators = list(graph.operators)
    graph.operators = [operator, *operators] if end == "inputs" else [*operators, operator]
    return index


def operator_code(schema: Any, tree: Any, builtin: int, version: int = 1) -> int:
    """The index of an operator code of this version or a later one; added where it is missing."""
    code = schema.OperatorCodeT()
    code.builtinCode, code.deprecatedBuiltinCode, code.version = builtin, builtin, version
    for index, known in enumerate(tree.operatorCodes):
        if known.builtinCode == builtin and known.version >= version:
            return index
    tree.operatorCodes.append(code)
    return len(tree.operatorCodes) - 1
