"""Be the debugger of a submission whose services each run in a thread."""

import _thread
import pdb  # noqa: T100 (it is one)
import threading
from typing import Any

_ONE = threading.RLock()


class Prompt(pdb.Pdb):
    """One prompt at a time; to quit it ends the whole run, and not only the thread's request.

    Passed to pytest as `--pdbcls`, which adds what it needs itself.
    """

    def interaction(self, *arguments: Any, **options: Any) -> None:
        """Talk to the user as soon as no other thread does.

        Between prompts nothing is held: a line that is stepped over may wait for another service.
        """
        with _ONE:
            super().interaction(*arguments, **options)

    def do_quit(self, arg: str) -> bool | None:
        """Quit the debugger, and pytest with it."""
        over = super().do_quit(arg)
        if threading.current_thread() is not threading.main_thread():
            # What is raised here only ends a request: its server answers 500 and goes on.
            _thread.interrupt_main()
        return over

    do_q = do_quit
    do_exit = do_quit
