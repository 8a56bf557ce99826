"""Read the options of the learner's loop: by which checks to grade, and whether again on save."""

import argparse
import sys

IN_PROCESS = (
    "--in-process is for debugging, and kata-grade promises that nothing of a submission comes "
    "near a verdict; to debug: pytest --submission=PATH --in-process --pdb"
)
_OF_BATCHES = ("each", "shard", "scheduler", "reports", "evidence", "output", "resume", "regrade")
_OF_RUNS = ("each", "shard", "quick", "evidence", "resume", "isolation", "cache", "no_cache")
_OF_SEVERAL = ("jobs", "resume", "no_cache")


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--only",
        metavar="ID[,ID…]",
        action="append",
        default=[],
        help="run and judge only what is needed for a criterion (T3) or check "
        "(broken_chain.one_checkout_is_one_trace); may be repeated",
    )
    parser.add_argument(
        "--failed",
        action="store_true",
        help="run and judge only what had not passed when PATH was last graded",
    )
    parser.add_argument(
        "--watch",
        action="store_true",
        help="grade PATH again whenever a file in it is saved, and say what changed",
    )
    parser.add_argument("--in-process", action="store_true", help=argparse.SUPPRESS)


def settle(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Check the options against the others; `only` becomes ids of checks.

    Leaves with a message, and the exit code 2, where they cannot be meant.
    """
    if options.in_process:
        parser.error(IN_PROCESS)
    if options.watch:
        _check_watch(parser, options)
    if options.failed:
        _refuse(parser, options, "--failed", ("each", "shard", "regrade"))
    if options.only:
        _refuse(parser, options, "--only", ("regrade",))
        _select(parser, options)
    if options.regrade is not None:
        _note_what_regrade_leaves(options)


def check_number(
    parser: argparse.ArgumentParser, options: argparse.Namespace, paths: list[str]
) -> None:
    """Leave with a message where several `paths` are named and only one can be meant."""
    if len(paths) > 1:
        for option in ("watch", "failed"):
            if getattr(options, option):
                parser.error(f"--{option} is for one submission; {len(paths)} are named")


def _check_watch(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    if options.format != "text":
        parser.error(f"--watch tells people what changed: leave out --format {options.format}")
    if options.engine != "local":
        parser.error("--watch is for one submission; --engine spreads batches")
    _refuse(parser, options, "--watch", _OF_BATCHES)


def _note_what_regrade_leaves(options: argparse.Namespace) -> None:
    # The contract forbids none of it beside --regrade, and scripts may give it to every command.
    named = [*options.paths, *_given(options, _OF_RUNS)]
    if options.seed is not None:
        named.append("--seed")
    if options.engine != "local":
        named.append("--engine")
    _note(f"--regrade judges what was kept in {options.regrade} and runs nothing", named)


def note_what_one_leaves(options: argparse.Namespace) -> None:
    """Tell which options for batches are of no use to a single submission."""
    _note("one submission is no batch and is always run", _given(options, _OF_SEVERAL))


def _given(options: argparse.Namespace, names: tuple[str, ...]) -> list[str]:
    return [f"--{name.replace('_', '-')}" for name in names if getattr(options, name)]


def _note(why: str, named: list[str]) -> None:
    if named:
        print(f"kata-grade: {why}; it makes no use of {', '.join(named)}", file=sys.stderr)


def _refuse(
    parser: argparse.ArgumentParser,
    options: argparse.Namespace,
    option: str,
    others: tuple[str, ...],
) -> None:
    for other in others:
        if getattr(options, other):
            parser.error(f"{option} and --{other} cannot be combined; leave out one of them")


def _select(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    names = [name.strip() for names in options.only for name in names.split(",") if name.strip()]
    if not names:
        parser.error("--only names no check; give a criterion (T3) or the id of a check")
    # Only who names checks waits for them.
    from otelkata.drive.choice import left_out  # noqa: PLC0415
    from otelkata.judge import registry, selection  # noqa: PLC0415

    checks = registry.load()
    try:
        options.only = selection.select(names, checks)
    except selection.UnknownCheck as error:
        parser.error(f"--only: {error}")
    never = selection.never_run(options.only, checks, left_out(quick=options.quick))
    if len(never) == len(options.only):
        why = "--quick leaves out" if options.quick else "this system cannot run"
        parser.error(f"--only asks for nothing but what {why}: {', '.join(never)}")
