"""LLVM by llvmlite: compile a text to object code, and load it into this process.

llvmlite is imported on use; the extra ``fast`` installs it. LLVM is not thread-safe, so a lock
guards it. A fork waits for the lock: otherwise a child would inherit LLVM in the middle of its
work, and a lock that no thread of the child ever releases.
"""

from __future__ import annotations

import functools
import hashlib
import os
import threading
import weakref
from collections import deque
from typing import Any

from lossfw.errors import MissingExtraError
from lossfw.extras import install_command
from lossfw.numerics.compiled.operations import UncompiledError

# A thread that has it may take it again: a signal's handler may fork.
_lock = threading.RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
    )

# The name of every kernel in its text; loaded ones have names of their own.
_KERNEL = "@kernel("


class _Target:
    """LLVM for the processor of this process."""

    def __init__(self) -> None:
        import llvmlite.binding as llvm

        self.llvm = llvm
        self.compilations = 0
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        target = llvm.Target.from_default_triple()
        self.triple = target.triple
        # An engine owns the target that it gets.
        self.new_target = functools.partial(
            target.create_target_machine,
            cpu=llvm.get_host_cpu_name(),
            features=llvm.get_host_cpu_features().flatten(),
            opt=3,
            jit=True,
        )
        self.target = self.new_target()

    def compile(self, text: str) -> bytes:
        """Return the object code of a text."""
        llvm = self.llvm
        module = llvm.parse_assembly(text)
        module.triple = self.triple
        module.data_layout = str(self.target.target_data)
        module.verify()
        tuning = llvm.create_pipeline_tuning_options(speed_level=3)
        tuning.loop_vectorization, tuning.slp_vectorization = True, False
        # For a short body LLVM would write out a strip from end to end, which takes twice the time
        # of a loop. Loops over columns would take five times as long to compile, and save a tenth.
        # Strips interleaved take a third more to compile, and as long to compute.
        tuning.loop_unrolling = tuning.loop_interleaving = False
        builder = llvm.create_pass_builder(self.target, tuning)
        _refuse_at_exit()
        builder.getModulePassManager().run(module, builder)
        _refuse_at_exit()
        code: bytes = self.target.emit_object(module)
        self.compilations += 1
        return code

    def load(self, code: bytes, name: str) -> Any:
        """Load object code into an engine of its own, which can be freed without the others."""
        engine = self.llvm.create_mcjit_compiler(self.llvm.parse_assembly(""), self.new_target())
        engine.add_object_file(self.llvm.ObjectFileRef.from_data(code))
        engine.finalize_object()
        if not engine.get_function_address(name):
            raise UncompiledError("LLVM has lost the kernel")
        return engine


# The engines of code that no kernel uses any more.
_unused: deque[Any] = deque()


class Code:
    """Machine code in this process, freed when no kernel uses it any more."""

    def __init__(self, engine: Any, key: str) -> None:
        self._engine = engine
        self.address: int = engine.get_function_address(_symbol_name(key))

    def __del__(self, unused: deque[Any] = _unused) -> None:
        # The thread that drops it does not wait for one that compiles.
        unused.append(self._engine)

    def keep_until_exit(self) -> None:
        """Keep the code until the process ends."""
        self._engine.detach()


_codes: weakref.WeakValueDictionary[str, Code] = weakref.WeakValueDictionary()


def _symbol_name(key: str) -> str:
    return f"lossfw_{key}"


def _free_unused() -> None:
    while _unused:
        _unused.popleft().close()


@functools.cache
def _target() -> _Target:
    try:
        return _Target()
    except ImportError as error:
        raise MissingExtraError(
            f"compiled kernels need llvmlite: {install_command('fast')}. Without it results are "
            "the same, and take longer."
        ) from error


_is_ending = threading.Event()


def stop_compiling() -> None:
    """Stop a compiling thread before its next step, so that Python exits sooner."""
    _is_ending.set()


def _refuse_at_exit() -> None:
    if _is_ending.is_set():
        raise UncompiledError("Python ends")


def keep_until_exit() -> None:
    """Keep LLVM's objects until the process ends; nothing can be compiled afterwards.

    At exit, llvmlite may be gone before them and could not free them.
    """
    with _lock:
        if _target.cache_info().currsize:
            _free_unused()
            for code in _codes.values():
                code.keep_until_exit()
            _target().target.detach()


def is_available() -> bool:
    """Return whether llvmlite is installed, without importing it."""
    from importlib.util import find_spec

    return find_spec("llvmlite") is not None


def compilation_count() -> int:
    """Return the number of kernels that this process has compiled."""
    return _target().compilations if _target.cache_info().currsize else 0


def machine_code(text: str) -> Code:
    """Return the machine code of a kernel's text, compiled unless this process has it.

    It raises `MissingExtraError` without llvmlite, and `UncompiledError` if LLVM fails.
    """
    with _lock:
        _free_unused()
        target = _target()
        key = hashlib.sha256(text.encode()).hexdigest()
        code = _codes.get(key)
        if code is not None:
            return code
        name = _symbol_name(key)
        try:
            compiled = target.compile(text.replace(_KERNEL, f"@{name}("))
            code = _codes[key] = Code(target.load(compiled, name), key)
        except RuntimeError as error:
            # LLVM's own errors have this type.
            raise UncompiledError(f"LLVM fails: {error}") from error
    return code
