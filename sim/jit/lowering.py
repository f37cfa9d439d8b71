"""How parts are typed and lowered in little time: what nearly all of them consists of, directly.

Takes Numba's passes; gives passes that do the same. The kernel reads tables, reads and writes
arrays of whole numbers, and adds and compares them. Numba asks for each of these anew, of dozens of
candidates, what it means and how it is done, and writes some thirty instructions for reading one
number of an array, which the optimiser takes apart again. Here an answer is kept
(:class:`_Remembering`), and what is frequent is written down in as many instructions as it needs
(:class:`_PartLower`). Everything else is left to Numba, which knows it all.

What is written means what Numba's own means: an index below zero counts from the end, sums that
overflow are nobody's, and a comparison is signed.
"""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Callable
from typing import Any, ClassVar

from llvmlite import ir as llvm
from numba.core import ir, types
from numba.core.compiler_machinery import register_pass
from numba.core.lowering import Lower
from numba.core.typed_passes import NativeLowering, NopythonTypeInference
from numba.core.typeinfer import TypeInferer
from numba.core.types.misc import unliteral

from sim.jit.tables import TableType

_DATA, _SHAPE = 4, 5
"""Places in the structure of an array."""
_DIMENSIONS_MAX = 2

_Emit = Callable[[Any, Any, Any], Any]
_COMPUTED: dict[object, _Emit] = {
    # As Numba has it: what overflows is undefined, so that an index plus one stays positive.
    operator.add: lambda builder, a, b: builder.add(a, b, flags=["nsw"]),
    operator.sub: lambda builder, a, b: builder.sub(a, b, flags=["nsw"]),
    operator.mul: lambda builder, a, b: builder.mul(a, b, flags=["nsw"]),
    operator.and_: lambda builder, a, b: builder.and_(a, b),
    operator.or_: lambda builder, a, b: builder.or_(a, b),
    operator.xor: lambda builder, a, b: builder.xor(a, b),
    operator.lshift: lambda builder, a, b: builder.shl(a, b),
    operator.rshift: lambda builder, a, b: builder.ashr(a, b),
    operator.eq: lambda builder, a, b: builder.icmp_signed("==", a, b),
    operator.ne: lambda builder, a, b: builder.icmp_signed("!=", a, b),
    operator.lt: lambda builder, a, b: builder.icmp_signed("<", a, b),
    operator.le: lambda builder, a, b: builder.icmp_signed("<=", a, b),
    operator.gt: lambda builder, a, b: builder.icmp_signed(">", a, b),
    operator.ge: lambda builder, a, b: builder.icmp_signed(">=", a, b),
}
"""By operation on two whole numbers of 64 bits: its instruction."""


class _Remembering:
    """Typing context that asks once what a function gives for arguments of some types.

    Parameters
    ----------
    context : numba.core.typing.Context
        Who is asked.
    flags : object
        Options of what is compiled; an answer holds for these.
    """

    _known: ClassVar[dict[tuple[object, ...], Any]] = {}

    def __init__(self, context: Any, flags: object) -> None:
        self._context, self._flags = context, flags

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def resolve_function_type(self, function: Any, arguments: Any, keywords: Any) -> Any:
        """Return the signature of a call."""

        def ask() -> Any:
            return self._context.resolve_function_type(function, arguments, keywords)

        # A dispatcher remembers by itself, and types literals as what they are not.
        if keywords or isinstance(function, types.Dispatcher):
            return ask()
        return self._recall(("call", id(function), tuple(arguments)), function, ask)

    def resolve_setitem(self, target: Any, index: Any, value: Any) -> Any:
        """Return the signature of writing an item."""
        key = ("setitem", target, index, value)
        return self._recall(key, None, lambda: self._context.resolve_setitem(target, index, value))

    def resolve_getattr(self, kind: Any, name: str) -> Any:
        """Return the type of an attribute."""
        key = ("getattr", kind, name)
        return self._recall(key, None, lambda: self._context.resolve_getattr(kind, name))

    def _recall(self, key: tuple[object, ...], keep: object, ask: Callable[[], Any]) -> Any:
        try:
            found = self._known.get((self._flags, key))
        # An argument that is no type, as the text of an attribute's name may be.
        except TypeError:
            return ask()
        if found is None:
            answer = ask()
            # Not yet known is no answer; whose place in memory is the key must stay there.
            if answer is not None:
                self._known[self._flags, key] = (answer, keep)
            return answer
        return found[0]


@register_pass(mutates_CFG=False, analysis_only=False)
class PartTyping(NopythonTypeInference):  # type: ignore[misc]
    """Numba's inference of types with a memory."""

    _name = "part_typing"

    def run_pass(self, state: Any) -> bool:
        """Type a function."""
        context, function = state.typingctx, state.func_ir
        infer = TypeInferer(_Remembering(context, repr(state.flags)), function, _Unwarned())
        with context.callstack.register(
            state.targetctx.target, infer, function.func_id, state.args
        ):
            for at, (name, kind) in enumerate(zip(function.arg_names, state.args, strict=True)):
                infer.seed_argument(name, at, kind)
            infer.build_constraint()
            infer.propagate()
            state.typemap, state.return_type, state.calltypes = infer.unify()
        state.typing_errors = None
        return True


class _Unwarned:
    """Nobody who collects warnings: Numba has none of what parts consist of."""

    def catch_warnings(self, **place: object) -> contextlib.AbstractContextManager[None]:
        """Return a context in which nothing is collected."""
        del place
        return _NOTHING


_NOTHING = contextlib.nullcontext()


@register_pass(mutates_CFG=False, analysis_only=False)
class PartLowering(NativeLowering):  # type: ignore[misc]
    """Numba's lowering with short ways for what is frequent."""

    _name = "part_lowering"

    @property
    def lowering_class(self) -> type[Lower]:
        """Return who lowers."""
        return _PartLower


class _PartLower(Lower):  # type: ignore[misc]
    """Lowering of one part."""

    def pre_block(self, block: Any) -> None:
        super().pre_block(block)
        # By name: the numbers a tuple consists of, which need not be taken out of it again. What is
        # known in one block need not be so in another.
        self._items: dict[str, list[Any]] = {}

    def lower_block(self, block: Any) -> None:
        """Lower a block, without preparing the text of an error for every line of it."""
        self.pre_block(block)
        for each in block.body:
            self.loc = each.loc
            self.lower_inst(each)
        self.post_block(block)

    def lower_inst(self, inst: Any) -> Any:
        """Lower a line."""
        if isinstance(inst, ir.Assign) and not isinstance(inst.value, ir.Arg):
            name = inst.target.name
            self._items.pop(name, None)
            self.storevar(self.lower_assign(self.typeof(name), inst), name)
            value = inst.value
            if isinstance(value, ir.Expr) and value.op == "build_tuple":
                self._note_items(name, value.items)
            return None
        if isinstance(inst, ir.Del):
            # Nobody counts references to it, so there is nothing to put away.
            if inst.value not in self._blk_local_varmap:
                self._singly_assigned_vars.discard(inst.value)
            return None
        if isinstance(inst, ir.SetItem | ir.StaticSetItem):
            index = inst.index_var if isinstance(inst, ir.StaticSetItem) else inst.index
            kind = self.typeof(inst.value.name)
            place = self._place(inst.target, index) if _is_word(kind) else None
            if place is not None:
                self.builder.store(self.loadvar(inst.value.name), place)
                return None
        return super().lower_inst(inst)

    def lower_expr(self, resty: Any, expr: Any) -> Any:
        """Lower an expression."""
        found = None
        if expr.op in ("getitem", "static_getitem"):
            index = expr.index if expr.op == "getitem" else expr.index_var
            place = self._place(expr.value, index) if resty == types.int64 else None
            found = None if place is None else self.builder.load(place)
        elif expr.op in ("binop", "inplace_binop"):
            found = self._compute(resty, expr)
        elif expr.op == "getattr":
            table = self.typeof(expr.value.name)
            if isinstance(table, TableType):
                read = self.context.get_getattr(table, expr.attr)
                value = self.loadvar(expr.value.name)
                found = read(self.context, self.builder, table, value, expr.attr)
        return super().lower_expr(resty, expr) if found is None else found

    def _note_items(self, name: str, items: list[Any]) -> None:
        """Keep what a tuple of whole numbers consists of."""
        if all(_is_word(self.typeof(item.name)) for item in items):
            self._items[name] = [self.loadvar(item.name) for item in items]

    def _compute(self, resty: Any, expr: Any) -> Any:
        """Return what an operation on two whole numbers gives, None where it is not one of them."""
        function = expr.fn if expr.op == "binop" else expr.immutable_fn
        emit = _COMPUTED.get(function)
        operands = [expr.lhs.name, expr.rhs.name]
        if emit is None or not all(_is_word(self.typeof(name)) for name in operands):
            return None
        signature = self.fndesc.calltypes[expr]
        given = signature.return_type
        if given not in (types.int64, types.boolean) or given != resty:
            return None
        if any(unliteral(kind) != types.int64 for kind in signature.args):
            return None
        return emit(self.builder, *[self.loadvar(name) for name in operands])

    def _place(self, array: Any, index: Any) -> Any:
        """Return where a number of an array is, None where Numba has to find it."""
        kind = self.typeof(array.name)
        if index is None or self.context.enable_boundscheck or not _is_plain(kind):
            return None
        index_kind = self.typeof(index.name)
        is_tuple = isinstance(index_kind, types.BaseTuple)  # type: ignore[attr-defined]
        kinds = index_kind.types if is_tuple else (index_kind,)
        if len(kinds) != kind.ndim or not all(_is_word(each) for each in kinds):
            return None
        builder, value = self.builder, self.loadvar(array.name)
        indices = self._items.get(index.name)
        if indices is None:
            given = self.loadvar(index.name)
            indices = [given]
            if is_tuple:
                indices = [builder.extract_value(given, at) for at in range(len(kinds))]
        place = self._counted(value, indices[0], 0)
        if kind.ndim == _DIMENSIONS_MAX:
            columns = builder.extract_value(value, [_SHAPE, 1])
            place = builder.add(builder.mul(place, columns), self._counted(value, indices[1], 1))
        return builder.gep(builder.extract_value(value, _DATA), [place])

    def _counted(self, array: Any, index: Any, axis: int) -> Any:
        """Return an index counted from the beginning."""
        known = index.constant if isinstance(index, llvm.Constant) else None
        if isinstance(known, int) and known >= 0:
            return index
        builder = self.builder
        length = builder.extract_value(array, [_SHAPE, axis])
        is_from_end = builder.icmp_signed("<", index, index.type(0))
        return builder.select(is_from_end, builder.add(index, length), index)


def _is_word(kind: Any) -> bool:
    """Tell whether a value of a type is a whole number of 64 bits, and nothing but it."""
    plain = unliteral(kind)
    return bool(plain == types.int64) or (
        isinstance(plain, types.IntEnumMember) and plain.dtype == types.int64
    )


def _is_plain(kind: Any) -> bool:
    """Tell whether a type is an array of such numbers, one after the other."""
    return (
        isinstance(kind, types.Array)
        and kind.dtype == types.int64
        and kind.layout == "C"
        and kind.aligned
        and 0 < kind.ndim <= _DIMENSIONS_MAX
    )
