"""Collect the operators of all themes."""

from benchmarks.mutants import (
    baggage,
    context,
    database,
    errors,
    events,
    kinds,
    lifecycle,
    names,
    privacy,
    propagation,
    setup,
    shutdown,
)
from benchmarks.mutants.mutation import CATALOGUE, Operator

THEMES = (
    propagation,
    context,
    kinds,
    lifecycle,
    errors,
    setup,
    shutdown,
    names,
    events,
    database,
    baggage,
    privacy,
)


def operators() -> list[tuple[str, Operator]]:
    """List each operator with its theme, theme by theme, in the order of the code."""
    return [
        (theme.__name__.rpartition(".")[2], operator)
        for theme in THEMES
        for operator in CATALOGUE
        if operator.sites.__module__ == theme.__name__
    ]
