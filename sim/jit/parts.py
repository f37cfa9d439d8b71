"""Functions compiled as parts: typed one by one, optimised and made into machine code together.

Takes what Numba makes of a function; gives Numba pipelines for it. Numba optimises a function with
a copy of everything it calls and makes machine code of both, at every level of the call tree: of a
kernel of two hundred functions the innermost ones are optimised dozens of times, and all but one of
the results are thrown away. Here a part stays as it was lowered, and whoever is called from Python
links all its parts once. A cold compile takes less than half as long, and the code is a few per
cent faster as the optimiser sees all of it.

Numba lets pipelines be chosen but calls its libraries private. Where they are not as this file
knows them, :data:`PART` and :data:`WHOLE` are Numba's own pipeline and everything works as slowly
as without.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from llvmlite.binding import Linkage
from numba.core import typed_passes, untyped_passes
from numba.core.codegen import CPUCodeLibrary, JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.compiler_machinery import PassManager

from sim.jit.lowering import PartLowering, PartTyping

_Function = TypeVar("_Function", bound=Callable[..., object])
_KNOWN = (
    "_ensure_finalized",
    "_get_module_for_linking",
    "_optimize_final_module",
    "add_linking_library",
    "finalize",
    "get_pointer_to_function",
)
"""What is replaced or leant on below."""
_PASSES = (
    (untyped_passes.TranslateByteCode, "analyzing bytecode"),
    (untyped_passes.FixupArgs, "fix up args"),
    (untyped_passes.IRProcessing, "processing IR"),
    (untyped_passes.ReconstructSSA, "ssa"),
    (PartTyping, "nopython frontend"),
    (typed_passes.PreLowerStripPhis, "remove phis nodes"),
    (typed_passes.IRLegalization, "ensure IR is legal prior to lowering"),
    (PartLowering, "native lowering"),
    (typed_passes.NoPythonBackend, "nopython mode backend"),
)
"""What a function over whole numbers and arrays needs: no closures, object mode, unrolling."""


class _Codegen:
    """Code generator of a part, which has no environment for Python as nobody calls it there."""

    def __init__(self, codegen: Any) -> None:
        self._codegen = codegen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codegen, name)

    def set_env(self, name: str, environment: object) -> None:
        """Do nothing: there is no machine code with a place for it."""


class _PartLibrary(JITCodeLibrary):  # type: ignore[misc]
    """Functions as lowered, waiting for the library that links them."""

    _shared_module: Any

    @property
    def codegen(self) -> Any:
        return _Codegen(self._codegen)

    def add_linking_library(self, library: Any) -> None:
        self._linking_libraries.append(library)

    def _optimize_functions(self, ll_module: Any) -> None:
        # The whole does so, and to each function once.
        ll_module.data_layout = self._codegen._data_layout

    def _get_module_for_linking(self) -> Any:
        """Return the functions themselves, not a copy of them: nobody else has a use for them."""
        if self._shared_module is None:
            for function in self._final_module.functions:
                if not function.is_declaration and function.linkage == Linkage.external:
                    function.linkage = "linkonce_odr"
            self._shared_module = self._final_module
        return self._shared_module

    def finalize(self) -> None:
        self._raise_if_finalized()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        del name
        self._ensure_finalized()
        return 0


class _WholeLibrary(JITCodeLibrary):  # type: ignore[misc]
    """Function that Python calls, with every part below it."""

    def finalize(self) -> None:
        below: list[Any] = []
        _collect(self, set(), below)
        # Callers first: LLVM leaves out what nobody has asked for when it is linked.
        self._linking_libraries = below[::-1]
        super().finalize()

    def _optimize_final_module(self) -> None:
        for library in self._linking_libraries:
            if isinstance(library, _PartLibrary):
                self._hide(library)
        # Numba's first round makes room for leaving out reference counts, of which there are none.
        passes, builder = self._codegen._module_pass_manager()
        passes.run(self._final_module, builder)

    def _hide(self, library: _PartLibrary) -> None:
        """Let the optimiser know that nobody else calls the functions of a part."""
        for function in library._final_module.functions:
            if function.is_declaration:
                continue
            try:
                self._final_module.get_function(function.name).linkage = "internal"
            # Left out as nobody called it.
            except NameError:
                continue


def _collect(library: Any, seen: set[int], found: list[Any]) -> None:
    """Add the libraries below one to a list, callees before their callers."""
    for below in library._linking_libraries:
        if id(below) not in seen:
            seen.add(id(below))
            # What is no part has linked its own already.
            if isinstance(below, _PartLibrary):
                _collect(below, seen, found)
            found.append(below)


class _WholeCompiler(Compiler):  # type: ignore[misc]
    """Numba's own pipeline into a library that links parts."""

    _library: type[Any] = _WholeLibrary

    def define_pipelines(self) -> list[Any]:
        state = self.state
        state.library = self._library(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return self._passes()

    def _passes(self) -> list[Any]:
        return cast(list[Any], super().define_pipelines())


class _PartCompiler(_WholeCompiler):
    """Pipeline with the passes that parts need."""

    _library = _PartLibrary

    def _passes(self) -> list[Any]:
        manager = PassManager("part")
        for each, why in _PASSES:
            manager.add_pass(each, why)
        manager.finalize()
        # Numba would look after every pass whether it left anything to be put in order.
        manager._ENFORCING = False
        return [manager]


_IS_KNOWN = all(hasattr(JITCodeLibrary, name) for name in _KNOWN) and issubclass(
    JITCodeLibrary, CPUCodeLibrary
)
PART: type[Any] = _PartCompiler if _IS_KNOWN else Compiler
"""Pipeline of a function that only compiled code calls."""
WHOLE: type[Any] = _WholeCompiler if _IS_KNOWN else Compiler
"""Pipeline of a function that Python calls."""


def call_as_part(function: _Function, part: Any) -> _Function:
    """Let compiled code that calls a function of Python's take its part instead.

    Parameters
    ----------
    function : callable
        Numba dispatcher with the pipeline :data:`WHOLE`.
    part : callable
        Dispatcher of the same function with the pipeline :data:`PART`.
    """
    dispatcher = cast(Any, function)
    dispatcher.get_call_template = part.get_call_template
    dispatcher.get_overload = part.get_overload
    return function
