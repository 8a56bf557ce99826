"""Say what a run is for that is not for everything."""

from dataclasses import dataclass

EVERYTHING = "view"
"""The need of a check that looks at all that was seen."""

READING = "reading"
"""The need of a check that looks at what the linter made of the source."""


@dataclass(frozen=True, slots=True)
class Only:
    """What a partial run is for: the ids of some checks, and what these need.

    A need is a tag of cases, `exits_` with a tag of exits, `READING`, or `EVERYTHING`.
    """

    checks: tuple[str, ...]
    needs: frozenset[str]

    @property
    def reads(self) -> bool:
        """Tell whether the source has to be read."""
        return READING in self.needs
