"""Where the names of a file come from: an import, a definition of the file, a class of its own."""

from __future__ import annotations

from functools import cached_property

import libcst as cst

from otelkata.lint.meaning.scopes import Index, Scope, dotted


class Origins:
    """The origins of the names of one file."""

    def __init__(self, index: Index) -> None:
        """Look names up in `index`."""
        self._index = index

    @cached_property
    def imports_opentelemetry(self) -> bool:
        """Tell whether any name of this file comes from OpenTelemetry."""
        return any(
            binding.origin is not None and binding.origin.split(".")[0] == "opentelemetry"
            for scope in self._index.scopes.values()
            for bindings in scope.names.values()
            for binding in bindings
        )

    def origin(self, node: cst.BaseExpression) -> str | None:
        """Return the dotted origin of an imported name; None for what was not imported."""
        name = dotted(node)
        if name is None:
            return None
        first, dot, rest = name.partition(".")
        for binding in self._index.scope_of(node).lookup(first):
            if binding.origin is not None:
                return f"{binding.origin}{dot}{rest}"
        return None

    def definition(self, call: cst.Call) -> cst.FunctionDef | None:
        """Return the function of this file that `call` calls: by its name or on its own object."""
        scope = self._index.scope_of(call)
        func = call.func
        if isinstance(func, cst.Name):
            found = scope.lookup(func.value)
        elif isinstance(func, cst.Attribute) and isinstance(func.value, cst.Name):
            owner = self.owner(func.value, scope)
            found = owner.names.get(func.attr.value, []) if owner is not None else []
        else:
            return None
        functions = [item.defined for item in found if isinstance(item.defined, cst.FunctionDef)]
        return functions[0] if len(functions) == len(found) == 1 else None

    def owner(self, node: cst.BaseExpression, scope: Scope) -> Scope | None:
        """Return the class whose object `node` names: `self`, or the class itself."""
        if not isinstance(node, cst.Name):
            return None
        if node.value == scope.object_name():
            return scope.class_scope()
        for binding in scope.lookup(node.value):
            if isinstance(binding.defined, cst.ClassDef):
                return self._index.scopes.get(binding.defined)
        return None
