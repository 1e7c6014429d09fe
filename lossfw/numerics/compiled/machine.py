"""LLVM by llvmlite: object code of a text, and its loading into this process.

llvmlite is imported on use: the extra ``fast`` brings it. LLVM's engine is not made for several
threads at once, so a lock stands before it.
"""

from __future__ import annotations

import functools
import hashlib
import threading

from lossfw.errors import MissingExtraError
from lossfw.numerics.compiled import store
from lossfw.numerics.compiled.layout import UncompiledError

_lock = threading.Lock()

# The name of every kernel in its text; loaded ones have names of their own.
_KERNEL = "@kernel("


class _Machine:
    """LLVM for the processor of this process."""

    def __init__(self) -> None:
        import llvmlite.binding as llvm

        self.llvm = llvm
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        self.cpu = llvm.get_host_cpu_name()
        self.features = llvm.get_host_cpu_features().flatten()
        self.version = ".".join(map(str, llvm.llvm_version_info))
        target = llvm.Target.from_default_triple()
        self.triple = target.triple
        self.target = target.create_target_machine(
            cpu=self.cpu, features=self.features, opt=3, jit=True
        )
        self.engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), self.target)

    def compiled(self, text: str) -> bytes:
        """Return the object code of a text."""
        llvm = self.llvm
        module = llvm.parse_assembly(text)
        module.triple = self.triple
        module.data_layout = str(self.target.target_data)
        module.verify()
        tuning = llvm.create_pipeline_tuning_options(speed_level=3)
        tuning.loop_vectorization, tuning.slp_vectorization = True, False
        # Of a short body LLVM would write out a strip from end to end, which takes twice the time
        # of a loop. Loops over columns would take five times as long to compile, and save a tenth.
        tuning.loop_unrolling = False
        builder = llvm.create_pass_builder(self.target, tuning)
        builder.getModulePassManager().run(module, builder)
        code: bytes = self.target.emit_object(module)
        return code

    def address(self, code: bytes, name: str) -> int:
        """Load object code, and return the address of a function."""
        self.engine.add_object_file(self.llvm.ObjectFileRef.from_data(code))
        self.engine.finalize_object()
        address: int = self.engine.get_function_address(name)
        return address


@functools.cache
def _machine() -> _Machine:
    try:
        return _Machine()
    except ImportError as error:
        raise MissingExtraError(
            "compiled kernels need llvmlite: pip install 'lossfw[fast]'. Without it results are "
            "the same, and take longer."
        ) from error


def release() -> None:
    """Leave LLVM's objects to the end of the process; nothing can be compiled any more.

    When Python ends, llvmlite may be gone before they are, and could not free them.
    """
    with _lock:
        if _machine.cache_info().currsize:
            _machine().engine.detach()
            _machine().target.detach()


def is_there() -> bool:
    """Tell whether llvmlite is installed, without importing it."""
    from importlib.util import find_spec

    return find_spec("llvmlite") is not None


@functools.lru_cache(maxsize=1024)
def address_of(text: str) -> int:
    """Return the address of the kernel of a text, compiled unless the cache has it.

    Parameters
    ----------
    text : str

    Raises
    ------
    MissingExtraError
        If llvmlite is not installed.
    UncompiledError
        If LLVM fails.
    """
    with _lock:
        machine = _machine()
        described = "\n".join((text, machine.version, machine.cpu, machine.features))
        key = hashlib.sha256(described.encode()).hexdigest()
        name = f"lossfw_{key}"
        try:
            code = store.read(key)
            if code is None:
                code = machine.compiled(text.replace(_KERNEL, f"@{name}("))
                store.write(key, code)
            address = machine.address(code, name)
        except RuntimeError as error:
            # LLVM's own errors have this type.
            raise UncompiledError(f"LLVM fails: {error}") from error
    if not address:
        raise UncompiledError("LLVM has lost the kernel")
    return address
