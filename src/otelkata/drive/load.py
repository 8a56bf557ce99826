"""Say how patient to be on a machine that others keep busy."""

import os

ROOMY = 4.0
"""Processes that are ready to run, for each processor, that the limits of a run leave room for."""

MOST = 4.0
"""What limits are multiplied by at most."""


def patience() -> float:
    """Return what limits are multiplied by: 1, or up to `MOST` where the machine is very busy.

    A service that is given a tenth of a processor cannot be told from one that hangs, if both have
    the same time; what it may do with its own timeouts is the same in either case.
    """
    if not hasattr(os, "getloadavg"):  # Windows
        return 1.0
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    return min(MOST, max(1.0, load / ROOMY))
