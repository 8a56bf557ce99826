"""Say in which order results are worth reading."""

from otelkata.judge.criteria import CRITERIA

from .graded import Judged

_ORDER = [*CRITERIA]


def urgency(result: Judged) -> tuple[bool, int]:
    """Return what results are sorted by, the one to see to first at the front."""
    # What belongs to no criterion breaks everything else; a bonus fails nobody.
    return result.bonus, min((_ORDER.index(c) for c in result.criteria), default=-1)
