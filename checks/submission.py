"""Does the submission run at all, and does its API answer as it should?"""

from otelkata.check import SOUND, Fault, Findings, View, check, mend, tell


@check(
    why="What cannot be imported, created, started and stopped cannot be graded.",
    fix="Run it as a user would, `kata-serve PATH`, and mend what the message names.",
)
def runs(view: View) -> Findings:
    """The submission can be imported, created, started, served and stopped."""
    # An application may leave an exception to its server, which answers 500.
    problems = [problem for problem in view.problems if problem.stage != "request"]
    told = set()
    for problem in problems:
        fault = Fault(
            tell(problem),
            path=problem.path,
            line=problem.line,
            details=problem.details,
            fix=mend(problem),
        )
        if (fault.message, fault.place) not in told:
            told.add((fault.message, fault.place))
            yield fault
    for start in view.starts.values():
        if start.serves:
            yield SOUND
        elif not problems:
            yield Fault(f"{start.service} did not start ({start.name})")


@check(
    why="A trace tells what the services did; it is judged only where they did the right thing.",
    fix="Mend the answer first: the table of the HTTP API is in the exercise, `KATA.md`.",
)
def answers(view: View) -> Findings:
    """Every service gives the right HTTP answer in every scenario."""
    raised = {p.start: p for p in view.problems if p.stage == "request"}
    for case in view.cases.values():
        if case.data.skipped or ("exit" in case.data.tags and not case.calls):
            continue
        for wrong in case.wrong_answers():
            problem = next(
                (raised[c.data.callee] for c in case.calls if c.data.callee in raised), None
            )
            because = f"; its code raised {problem.message}" if problem else ""
            yield Fault(
                f"in {case.title}, {wrong}{because}",
                case,
                call=case.entry,
                path=problem.path if problem else "",
                line=problem.line if problem else 0,
            )
        yield SOUND
