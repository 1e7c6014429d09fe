"""Find out, without its library, whether a file of ONNX names other files."""

from __future__ import annotations

from collections.abc import Iterator

# Where tensors are in onnx.proto: by message, the fields that hold messages.
_INSIDE: dict[str, dict[int, str]] = {
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


def has_external_data(content: bytes) -> bool:
    """Tell whether a model has weights in other files, which onnxruntime would look for.

    Raises
    ------
    ValueError
        If the content is not a message of protobuf.
    """
    pending = [("model", memoryview(content))]
    while pending:
        name, message = pending.pop()
        for field, value in _fields(message):
            if name == "tensor" and (
                field == _EXTERNAL_DATA or (field, value) == (_DATA_LOCATION, 1)
            ):
                return True
            inner = _INSIDE[name].get(field)
            if inner is not None and isinstance(value, memoryview):
                pending.append((inner, value))
    return False


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield the number and the content of the fields of a message; of floats there is none."""
    at = 0
    while at < len(message):
        key, at = _whole_number(message, at)
        field, wire = key >> 3, key & 7
        if wire in (_EIGHT_BYTES, _FOUR_BYTES):
            at += 8 if wire == _EIGHT_BYTES else 4
        elif wire == _NUMBER:
            value, at = _whole_number(message, at)
            yield field, value
        elif wire == _LENGTH:
            size, start = _whole_number(message, at)
            at = start + size
            yield field, message[start:at]
        else:
            raise ValueError("not a message of protobuf")
    if at > len(message):
        raise ValueError("the message is cut short")


def _whole_number(message: memoryview, at: int) -> tuple[int, int]:
    """Return a number that is written in groups of 7 bits, and where the next field begins."""
    value = shift = 0
    while True:
        if at >= len(message):
            raise ValueError("the message is cut short")
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
