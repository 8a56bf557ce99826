"""Say in words how a submission broke the contract, and what to do about it."""

from otelkata.host.wire import Problem

_NO_PYTHON = ("SyntaxError", "IndentationError", "TabError")
_FIXES = {
    "elsewhere": "Name that folder instead of this one.",
    "missing": "Name the directory that holds the package `checkout/` or the module `checkout.py`; "
    "`kata-new DIR` makes one to begin with.",
    "importing": "Let the import of `checkout` only define things: connect, wait and serve in "
    "`create_gateway`, `create_inventory`, `create_payment` or the lifespan, which run later.",
    "start": "Let the `create_*` functions and the lifespan's startup come to their end at once; "
    "`kata-serve PATH` shows where they wait.",
    "hang": "Let no handler wait without end: `await` what takes time, and give every call a "
    "timeout.",
    "flood": "Print and send less: the grader bounds what it takes from a submission.",
}


def tell(problem: Problem) -> str:
    """Return what happened and in which service, in one line."""
    message = problem.message
    match problem.stage:
        case (
            "deploy"
            | "elsewhere"
            | "missing"
            | "importing"
            | "start"
            | "hang"
            | "exit"
            | "run"
            | "flood"
            | "report"
        ):
            return message  # they name the service themselves, where there is one
        case "import":
            return f"checkout cannot be imported: {message}"
        case "startup" | "shutdown":
            return f"{problem.service} failed at {problem.stage}: {message}"
        case "init_tracer" | "create_gateway" | "create_inventory" | "create_payment":
            return f"{problem.service} cannot be made: {problem.stage} failed: {message}"
    where = f"{problem.service}, " if problem.service else ""
    return f"{where}{problem.stage}: {message}"


def mend(problem: Problem) -> str:
    """Return what to do; empty where nothing more than usual can be said."""
    if problem.stage == "import":
        if problem.message.startswith(_NO_PYTHON):
            file = problem.path or "FILE"
            return f"Mend the syntax there; `python -m py_compile {file}` checks it at once."
        if problem.message.startswith("ModuleNotFoundError"):
            return (
                "Mend the name, or install the package where submissions run and list it in "
                "`requirements.txt`."
            )
        if "the module checkout offers" in problem.message:
            return (
                "Let `checkout` offer the five functions of the contract: `init_tracer`, "
                "`shutdown_tracer`, `create_gateway`, `create_inventory` and `create_payment`."
            )
        return "Run `python -c 'import checkout'` in the submission, and mend what it names."
    return _FIXES.get(problem.stage, "")
