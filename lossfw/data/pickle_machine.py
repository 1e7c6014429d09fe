"""A machine for the instructions of a pickle that build plain data, within a budget.

Python's own reader runs whatever a pickle names, hashes and compares what it holds, and
goes as deep as it is nested. This one reads the instructions in a loop: it calls only
the functions that it was given, keys of dictionaries are texts, and nothing is hashed,
compared or printed that the pickle has nested.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

# The instructions of a dictionary of arrays are some forty for each array.
MAX_STEPS = 200_000
# Of a text in a message.
_SHOWN = 60

_VALUES = {
    *("STRING", "BINSTRING", "SHORT_BINSTRING"),
    *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    *("FLOAT", "BINFLOAT", "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1"),
}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_CONTAINERS: dict[str, Callable[[], Any]] = {
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_READS = {"GET", "BINGET", "LONG_BINGET"}
_WRITES = {"PUT", "BINPUT", "LONG_BINPUT"}
_WITHOUT_EFFECT = {"PROTO", "FRAME"}

Functions: TypeAlias = Mapping[tuple[str, str], Callable[..., Any]]


class RefusedError(Exception):
    """A part of a pickle is not admitted; the text names the part."""


def shown(value: object) -> str:
    """Return a value for a message; of a value that may be nested, the type alone.

    Examples
    --------
    >>> shown("objects"), shown((((),),))
    ("'objects'", 'a tuple')
    """
    if isinstance(value, str | bytes | bytearray):
        return repr(value[:_SHOWN])
    if value is None or isinstance(value, bool | float):
        return repr(value)
    if isinstance(value, int) and abs(value) < 10**_SHOWN:
        return repr(value)
    return f"a {type(value).__name__.strip('_').lower()}"


class Machine:
    """A machine for one pickle, which may call these functions, by module and name."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def run(self, content: bytes) -> Any:
        """Return the object that the pickle builds."""
        for step, (instruction, argument, position) in enumerate(pickletools.genops(content)):
            if step >= MAX_STEPS:
                raise RefusedError(f"more than {MAX_STEPS} instructions")
            if instruction.name == "STOP":
                following = len(content) - 1 - (position or 0)
                if following:
                    raise ValueError(f"{following} bytes follow its end")
                return self._stack.pop()
            self._do(instruction.name, argument)
        raise ValueError("it has no end")

    def _do(self, name: str, argument: Any) -> None:
        stack = self._stack
        if name in _VALUES:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _CONTAINERS:
            stack.append(_CONTAINERS[name]())
        elif name in _TUPLES:
            size = _TUPLES[name]
            if len(stack) < size:
                raise IndexError("the stack is empty")
            stack[-size:] = [tuple(stack[-size:])]
        elif name in _READS:
            stack.append(self._memo[int(argument)])
        elif name in _WRITES:
            self._memo[int(argument)] = stack[-1]
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = stack[-1]
        elif name not in _WITHOUT_EFFECT:
            method = _METHODS.get(name)
            if method is None:
                raise RefusedError(f"the instruction {name}")
            method(self, argument)

    def _mark(self, _: Any) -> None:
        self._marks.append(len(self._stack))

    def _marked(self) -> list[Any]:
        """Take the values since the last mark from the stack."""
        first = self._marks.pop()
        values = self._stack[first:]
        del self._stack[first:]
        return values

    def _pop(self, _: Any) -> None:
        if self._marks and self._marks[-1] == len(self._stack):
            self._marks.pop()
        else:
            self._stack.pop()

    def _tuple(self, _: Any) -> None:
        self._stack.append(tuple(self._marked()))

    def _list(self, _: Any) -> None:
        self._stack.append(self._marked())

    def _dict(self, _: Any) -> None:
        values = self._marked()
        self._stack.append({})
        self._set(values)

    def _append(self, _: Any) -> None:
        self._extend([self._stack.pop()])

    def _appends(self, _: Any) -> None:
        self._extend(self._marked())

    def _extend(self, values: list[Any]) -> None:
        into = self._stack[-1]
        if not isinstance(into, list):
            raise RefusedError(f"items in {shown(into)}")
        into.extend(values)

    def _setitem(self, _: Any) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._set([key, value])

    def _setitems(self, _: Any) -> None:
        self._set(self._marked())

    def _set(self, values: list[Any]) -> None:
        into = self._stack[-1]
        if not isinstance(into, dict):
            raise RefusedError(f"keys in {shown(into)}")
        for key, value in zip(values[::2], values[1::2], strict=True):
            # Hashing a nested object can take for ever, or end the process.
            if not isinstance(key, str):
                raise RefusedError(f"{shown(key)} as a key, where the name of an array was wanted")
            into[key] = value

    def _global(self, argument: Any) -> None:
        module, _, name = argument.partition(" ")
        self._find(module, name)

    def _stack_global(self, _: Any) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        self._find(module, name)

    def _find(self, module: Any, name: Any) -> None:
        if not (isinstance(module, str) and isinstance(name, str)):
            raise RefusedError("a function without a name")
        if (module, name) not in self._functions:
            raise RefusedError(f"{module[:_SHOWN]}.{name[:_SHOWN]}")
        self._stack.append(self._functions[module, name])

    def _reduce(self, _: Any) -> None:
        arguments, function = self._stack.pop(), self._stack.pop()
        if not any(function is known for known in self._functions.values()):
            raise RefusedError(f"a call of {shown(function)}")
        if not isinstance(arguments, tuple):
            raise RefusedError("a call without arguments")
        self._stack.append(function(*arguments))

    def _build(self, _: Any) -> None:
        state = self._stack.pop()
        # Of all values on the stack, only results of the functions take a state.
        take = getattr(type(self._stack[-1]), "take_state", None)
        if take is None:
            raise RefusedError(f"a change of {shown(self._stack[-1])}")
        take(self._stack[-1], state)


_METHODS: dict[str, Callable[[Machine, Any], None]] = {
    "MARK": Machine._mark,
    "POP": Machine._pop,
    "TUPLE": Machine._tuple,
    "LIST": Machine._list,
    "DICT": Machine._dict,
    "APPEND": Machine._append,
    "APPENDS": Machine._appends,
    "SETITEM": Machine._setitem,
    "SETITEMS": Machine._setitems,
    "GLOBAL": Machine._global,
    "STACK_GLOBAL": Machine._stack_global,
    "REDUCE": Machine._reduce,
    "BUILD": Machine._build,
}
