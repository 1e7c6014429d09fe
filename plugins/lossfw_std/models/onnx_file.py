"""Read external data, labels and splits of an ONNX file without the onnx library.

onnxruntime accepts a file that refers to other files, and a tree that splits by an input that a row
does not have. This module finds both in the protobuf messages of the file. It refuses numbers that
can be read in two ways, such as a tag that is longer than necessary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

# Where tensors are in onnx.proto: by message, the fields that hold messages.
_INSIDE: Final[Mapping[str, Mapping[int, str]]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
# Of a tensor: the entries that name a file, and where its numbers are, which is 0 if inside.
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14
# Of a field: a whole number, 8 bytes, a message or text with its length, 4 bytes.
_NUMBER, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5
# A number of 64 bits has so many groups of 7 bits, and a tag has 32 bits.
_NUMBER_BYTES, _TAG_BITS, _NUMBER_BITS = 10, 32, 64
# What onnxruntime takes for its own format, which is not of protobuf, at the fifth byte.
_OTHER_FORMAT: Final = b"ORTM"

_Value: TypeAlias = int | memoryview

# Operations that leave the columns of their first input in their places.
_SAME_COLUMNS: Final = frozenset({"Cast", "Identity", "Scaler", "Imputer", "Normalizer"})
# Operations by which labels leave a file as they are.
_SAME_LABELS: Final = frozenset({"Cast", "Identity", "Reshape", "Squeeze", "ZipMap"})
_LABELS: Final = ("classlabels_strings", "classlabels_int64s", "classlabels_ints")
_SPLITS: Final = "nodes_featureids"
_READ: Final = frozenset({*_LABELS, _SPLITS, "keys_int64s", "values_strings", "values_int64s"})
# Beyond, a list of numbers is not one of labels.
_MOST_LABELS: Final = 10_000


class OnnxNode(NamedTuple):
    """An operation of a graph. Attributes are lists of numbers or strings, by name."""

    operation: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, list[Any]]


class OnnxGraph(NamedTuple):
    """The operations of a model, and its one-dimensional tensors of integers and strings."""

    nodes: tuple[OnnxNode, ...]
    lists: Mapping[str, list[Any]]

    @classmethod
    def from_bytes(cls, content: bytes) -> OnnxGraph:
        """Return the graph of a model that was walked by `has_external_data` before."""
        nodes, lists = list[OnnxNode](), dict[str, list[Any]]()
        for field, graph in _iter_fields(memoryview(content)):
            if field != 7 or not isinstance(graph, memoryview):
                continue
            for part, value in _iter_fields(graph):
                if part == 1 and isinstance(value, memoryview):
                    nodes.append(_read_node(value))
                elif part == 5 and isinstance(value, memoryview):
                    name, numbers = _read_list(value)
                    lists |= {name: numbers} if numbers else {}
        return cls(tuple(nodes), lists)

    def _nodes_by_output(self) -> dict[str, OnnxNode]:
        return {name: node for node in self.nodes for name in node.outputs}

    def labels(self, output: str) -> tuple[str, ...]:
        """Return the class labels of an output; none if the graph does not list them."""
        makers, seen = self._nodes_by_output(), set[str]()
        while output in makers and output not in seen:
            seen.add(output)
            node = makers[output]
            for key in _LABELS:
                if node.attributes.get(key):
                    return tuple(map(str, node.attributes[key]))
            if node.operation == "LabelEncoder":
                return _encoder_labels(node.attributes)
            if node.operation == "ArrayFeatureExtractor" and node.inputs:
                return tuple(map(str, self.lists.get(node.inputs[0], ())))
            if node.operation not in _SAME_LABELS or not node.inputs:
                return ()
            output = node.inputs[0]
        return ()

    def highest_split(self) -> dict[str, int]:
        """Return, for each input of the graph, the highest column that a tree splits by."""
        makers, highest = self._nodes_by_output(), dict[str, int]()
        for node in self.nodes:
            columns = node.attributes.get(_SPLITS)
            if not columns or not node.inputs:
                continue
            name, seen = node.inputs[0], set[str]()
            while name in makers and name not in seen:
                seen.add(name)
                if makers[name].operation not in _SAME_COLUMNS:
                    break
                name = makers[name].inputs[0]
            else:
                highest[name] = max(highest.get(name, 0), *columns)
        return highest


def _encoder_labels(attributes: Mapping[str, list[Any]]) -> tuple[str, ...]:
    """Return the labels that a LabelEncoder gives to the numbers 0, 1, ..."""
    numbers = attributes.get("keys_int64s", [])
    values = attributes.get("values_strings") or attributes.get("values_int64s") or []
    if sorted(numbers) != list(range(len(values))):
        return ()
    return tuple(str(value) for _, value in sorted(zip(numbers, values, strict=True)))


def has_external_data(content: bytes) -> bool:
    """Tell whether a model has weights in other files, which onnxruntime would look for.

    Raises
    ------
    ValueError
        If the content is not a message of protobuf, or could be read in two ways.
    """
    if content[4 : 4 + len(_OTHER_FORMAT)] == _OTHER_FORMAT:
        raise ValueError("in onnxruntime's own format")
    pending = [("model", memoryview(content))]
    while pending:
        name, message = pending.pop()
        for field, value in _iter_fields(message):
            if name == "tensor" and (
                field == _EXTERNAL_DATA or (field == _DATA_LOCATION and value != 0)
            ):
                return True
            inner = _INSIDE[name].get(field)
            if inner is not None and isinstance(value, memoryview):
                pending.append((inner, value))
    return False


def _iter_fields(message: memoryview) -> Iterator[tuple[int, _Value]]:
    """Yield the number and the content of the fields of a message; of floats there is none."""
    at = 0
    while at < len(message):
        key, start = _read_varint(message, at, _TAG_BITS)
        # protobuf drops bits of a tag beyond 32, so that it would see another field.
        if start - at > 1 and key < 1 << 7 * (start - at - 1):
            raise ValueError("a tag is longer than it needs to be")
        field, wire, at = key >> 3, key & 7, start
        if wire in (_EIGHT_BYTES, _FOUR_BYTES):
            at += 8 if wire == _EIGHT_BYTES else 4
        elif wire == _NUMBER:
            value, at = _read_varint(message, at, _NUMBER_BITS)
            yield field, value
        elif wire == _LENGTH:
            size, start = _read_varint(message, at, _TAG_BITS)
            at = start + size
            yield field, message[start:at]
        else:
            raise ValueError("not a message of protobuf")
    if at > len(message):
        raise ValueError("the message is cut short")


def _read_varint(message: memoryview, offset: int, bits: int) -> tuple[int, int]:
    """Return a number that is written in groups of 7 bits, and where the next field begins."""
    value = shift = 0
    for byte in message[offset : offset + _NUMBER_BYTES]:
        value |= (byte & 0x7F) << shift
        offset, shift = offset + 1, shift + 7
        if byte < 0x80:
            if value >> bits:
                raise ValueError(f"a number has more than {bits} bits")
            return value, offset
    raise ValueError("a number is cut short, or has more than 10 bytes")


def _read_node(message: memoryview) -> OnnxNode:
    inputs, outputs, operation, attributes = list[str](), list[str](), "", dict[str, list[Any]]()
    for field, value in _iter_fields(message):
        if not isinstance(value, memoryview):
            continue
        if field == 1:
            inputs.append(_decode(value))
        elif field == 2:
            outputs.append(_decode(value))
        elif field == 4:
            operation = _decode(value)
        elif field == 5:
            name, items = _read_attribute(value)
            attributes |= {name: items} if items else {}
    return OnnxNode(operation, tuple(inputs), tuple(outputs), attributes)


def _read_attribute(message: memoryview) -> tuple[str, list[Any]]:
    """Return the name of an attribute, and its numbers or texts if they are asked for."""
    names = [x for field, x in _iter_fields(message) if field == 1 and isinstance(x, memoryview)]
    name, items = _decode(names[-1]) if names else "", list[Any]()
    if name not in _READ:
        return name, items
    for field, value in _iter_fields(message):
        if field == 5 and isinstance(value, memoryview):
            items = _read_list(value)[1]
        elif field == 8:
            items += _read_integers(value)
        elif field == 9 and isinstance(value, memoryview):
            items.append(_decode(value))
    return name, items


def _read_list(message: memoryview) -> tuple[str, list[Any]]:
    """Return the name of a tensor, and what it holds if these are whole numbers or texts."""
    lengths = [
        x for field, part in _iter_fields(message) if field == 1 for x in _read_integers(part)
    ]
    name, kind, raw, items = "", 0, b"", list[Any]()
    is_list = len(lengths) == 1 and lengths[0] <= _MOST_LABELS
    for field, value in _iter_fields(message) if is_list else ():
        if field == 1:
            continue
        if field == 2 and isinstance(value, int):
            kind = value
        elif field in (5, 7):
            items += _read_integers(value)
        elif field == 6 and isinstance(value, memoryview):
            items.append(_decode(value))
        elif field == 8 and isinstance(value, memoryview):
            name = _decode(value)
        elif field == 9 and isinstance(value, memoryview):
            raw = bytes(value)
    dtype = _WHOLE.get(kind)
    if dtype is None and kind != _TEXTS:
        return name, []
    if raw and dtype is not None and len(raw) % np.dtype(dtype).itemsize == 0:
        items = np.frombuffer(raw, dtype).tolist()
    return name, [bool(item) for item in items] if kind == _BOOLEAN else items


# Of a tensor: the numbers of its types that may be labels.
_WHOLE: Final[Mapping[int, str]] = {2: "u1", 3: "i1", 6: "<i4", 7: "<i8", 9: "?"}
_TEXTS, _BOOLEAN = 8, 9


def _read_integers(value: _Value) -> list[int]:
    """Return the whole numbers of a field, one or several that are packed."""
    if isinstance(value, int):
        numbers = [value]
    else:
        numbers, at = [], 0
        while at < len(value):
            number, at = _read_varint(value, at, _NUMBER_BITS)
            numbers.append(number)
    return [number - (1 << 64) if number >> 63 else number for number in numbers]


def _decode(value: memoryview) -> str:
    return bytes(value).decode("utf-8", "replace")
