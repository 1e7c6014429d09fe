"""An interpreter for the instructions of a pickle that build plain data, within a budget.

Python's own reader runs whatever a pickle names, hashes and compares its content, and recurses as
deep as it is nested. This one reads the instructions in a loop: it calls only the functions that it
was given, keys of dictionaries are strings, and it never hashes, compares or prints nested content.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

# The instructions of a dictionary of arrays are some forty for each array.
MAX_STEPS = 200_000
# Characters of a text in a message.
_SHOWN = 60

_VALUES = {
    *("STRING", "BINSTRING", "SHORT_BINSTRING"),
    *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    *("FLOAT", "BINFLOAT", "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1"),
}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}

Functions: TypeAlias = Mapping[tuple[str, str], Callable[..., Any]]


class RefusedError(Exception):
    """A pickle has a part that is not allowed; the message names it."""


def value_text(value: object) -> str:
    """Return a value for a message; for a value that may be nested, only its type.

    Examples
    --------
    >>> value_text("objects"), value_text((((),),))
    ("'objects'", 'a tuple')
    """
    if isinstance(value, str | bytes | bytearray):
        return repr(value[:_SHOWN])
    if value is None or isinstance(value, bool | float):
        return repr(value)
    if isinstance(value, int) and abs(value) < 10**_SHOWN:
        return repr(value)
    return f"a {type(value).__name__.strip('_').lower()}"


class PickleInterpreter:
    """An interpreter for one pickle that may call only these functions, by module and name."""

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
            self._execute(instruction.name, argument)
        raise ValueError("it has no end")

    def _execute(self, instruction: str, argument: Any) -> None:
        stack = self._stack
        match instruction:
            case "PROTO" | "FRAME":
                pass
            case _ if instruction in _VALUES:
                stack.append(argument)
            case _ if instruction in _CONSTANTS:
                stack.append(_CONSTANTS[instruction])
            case "EMPTY_DICT":
                stack.append({})
            case "EMPTY_LIST":
                stack.append([])
            case "EMPTY_TUPLE":
                stack.append(())
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                size = int(instruction[-1])
                if len(stack) < size:
                    raise IndexError("the stack is empty")
                stack[-size:] = [tuple(stack[-size:])]
            case "GET" | "BINGET" | "LONG_BINGET":
                stack.append(self._memo[int(argument)])
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                self._memo[int(argument)] = stack[-1]
            case "MEMOIZE":
                self._memo[len(self._memo)] = stack[-1]
            case "MARK":
                self._marks.append(len(stack))
            case "POP" if self._marks and self._marks[-1] == len(stack):
                self._marks.pop()
            case "POP":
                stack.pop()
            case "TUPLE":
                stack.append(tuple(self._pop_to_mark()))
            case "LIST":
                stack.append(self._pop_to_mark())
            case "DICT":
                values = self._pop_to_mark()
                stack.append({})
                self._set_items(values)
            case "APPEND":
                self._extend([stack.pop()])
            case "APPENDS":
                self._extend(self._pop_to_mark())
            case "SETITEM":
                value, key = stack.pop(), stack.pop()
                self._set_items([key, value])
            case "SETITEMS":
                self._set_items(self._pop_to_mark())
            case "GLOBAL":
                module, _, name = argument.partition(" ")
                stack.append(self._find(module, name))
            case "STACK_GLOBAL":
                name, module = stack.pop(), stack.pop()
                stack.append(self._find(module, name))
            case "REDUCE":
                arguments, function = stack.pop(), stack.pop()
                stack.append(self._call(function, arguments))
            case "BUILD":
                state = stack.pop()
                # Only results of the functions take a state.
                take = getattr(type(stack[-1]), "take_state", None)
                if take is None:
                    raise RefusedError(f"a change of {value_text(stack[-1])}")
                take(stack[-1], state)
            case _:
                raise RefusedError(f"the instruction {instruction}")

    def _pop_to_mark(self) -> list[Any]:
        """Take the values since the last mark from the stack."""
        first = self._marks.pop()
        values = self._stack[first:]
        del self._stack[first:]
        return values

    def _extend(self, values: list[Any]) -> None:
        into = self._stack[-1]
        if not isinstance(into, list):
            raise RefusedError(f"items in {value_text(into)}")
        into.extend(values)

    def _set_items(self, values: list[Any]) -> None:
        into = self._stack[-1]
        if not isinstance(into, dict):
            raise RefusedError(f"keys in {value_text(into)}")
        for key, value in zip(values[::2], values[1::2], strict=True):
            # Hashing a nested object can take for ever, or end the process.
            if not isinstance(key, str):
                raise RefusedError(f"{value_text(key)} as a key; expected the name of an array")
            into[key] = value

    def _find(self, module: Any, name: Any) -> Callable[..., Any]:
        if not (isinstance(module, str) and isinstance(name, str)):
            raise RefusedError("a function without a name")
        if (module, name) not in self._functions:
            raise RefusedError(f"{module[:_SHOWN]}.{name[:_SHOWN]}")
        return self._functions[module, name]

    def _call(self, function: Any, arguments: Any) -> Any:
        if not any(function is known for known in self._functions.values()):
            raise RefusedError(f"a call of {value_text(function)}")
        if not isinstance(arguments, tuple):
            raise RefusedError("a call without arguments")
        return function(*arguments)
