"""Generate any value of a type of plain data."""

import dataclasses
import types
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
SCALARS: dict[object, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    type(None): st.none(),
}


def values_of(kind: Any, *, longest: int = 3) -> st.SearchStrategy[Any]:
    """Return a strategy for `kind`; lists have at most `longest` items."""
    if kind in SCALARS:
        return SCALARS[kind]
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        names = [field.name for field in dataclasses.fields(kind)]
        arguments = {name: values_of(hints[name], longest=longest) for name in names}
        return st.builds(kind, **arguments)  # type: ignore[arg-type]
    origin, arguments_of = get_origin(kind), get_args(kind)
    parts = [values_of(part, longest=longest) for part in arguments_of if origin is not Literal]
    if origin is Literal:
        return st.sampled_from(arguments_of)
    if origin in {Union, types.UnionType}:
        return st.one_of(parts)
    if origin is list:
        return st.lists(parts[0], max_size=longest)
    if origin is tuple:
        return st.tuples(*parts)
    if origin is dict:
        return st.dictionaries(*parts, max_size=longest)
    raise TypeError(f"{kind} is no plain data")
