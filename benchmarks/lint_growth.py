"""Show how the time of linting one file grows with its size, for shapes that might explode.

Each shape is linted at sizes that double. The exponent is the slope of time over size on
logarithmic scales, between the largest size and an eighth of it: 1 is linear, 2 quadratic.
With `--fix`, files are mended instead of linted, of shapes in which everything can be mended.
"""

import argparse
import math
import time
import tracemalloc
from collections.abc import Callable, Iterator

from otelkata.lint.engine import lint_source
from otelkata.lint.finding import Unread
from otelkata.lint.fixes.fixing import fix_source
from otelkata.lint.rule import Rule, load

HEAD = "from opentelemetry import trace\ntracer = trace.get_tracer(__name__)\n"
START = "    span = tracer.start_span('work')\n"
BAR = 40


def _function(body: str) -> str:
    return f"{HEAD}async def work(a, b):\n{START}{body}    span.end()\n"


def _nested(opening: str, count: int, closing: str = "") -> str:
    """Return blocks in one another, in groups as deep as Python's tokenizer allows."""
    groups, depth = divmod(count, 90)
    parts = []
    for deep in [90] * groups + [depth] * bool(depth):
        opened = "".join(f"{' ' * (4 + at)}{opening}\n" for at in range(deep))
        inner = f"{' ' * (4 + deep)}await b()\n"
        closed = "".join(
            f"{' ' * (4 + at)}{line}\n" for at in reversed(range(deep)) for line in _lines(closing)
        )
        parts.append(opened + inner + closed)
    return _function("".join(parts))


def _lines(text: str) -> list[str]:
    return text.splitlines()


def _finally_in_finally(count: int) -> str:
    groups, depth = divmod(count, 90)
    parts = []
    for deep in [90] * groups + [depth] * bool(depth):
        for at in range(deep):
            blank = " " * (4 + at)
            parts.append(f"{blank}try:\n{blank} await b()\n{blank}finally:\n")
        parts.append(f"{' ' * (4 + deep)}await b()\n")
    return _function("".join(parts))


SHAPES: dict[str, Callable[[int], str]] = {
    "statements": lambda n: _function("    await a.b(1)\n" * n),
    "functions": lambda n: (
        HEAD + "".join(_function(f"    a({at})\n")[len(HEAD) :] for at in range(n))
    ),
    "spans in one function": lambda n: (
        HEAD
        + "def work(a):\n"
        + "".join(
            f"    s{at} = tracer.start_span('a')\n    a()\n    s{at}.end()\n" for at in range(n)
        )
    ),
    "spans left open": lambda n: (
        HEAD
        + "def work(a):\n"
        + "".join(f"    s{at} = tracer.start_span('a')\n    a()\n" for at in range(n))
    ),
    "nested if": lambda n: _nested("if a():", n),
    "nested for": lambda n: _nested("for x in a():", n),
    "nested with": lambda n: _nested("with a():", n),
    "nested spans": lambda n: _nested("with tracer.start_as_current_span('a') as s:", n),
    "nested try/finally": lambda n: _nested("try:", n, "finally:\n b()"),
    "nested try/except": lambda n: _nested("try:", n, "except ValueError:\n b()"),
    "finally in finally": _finally_in_finally,
    "try/finally in a row": lambda n: _function(
        "    try:\n        a()\n    finally:\n        b()\n" * n
    ),
    "early returns": lambda n: _function("    if a():\n        span.end()\n        return\n" * n),
    "elif": lambda n: _function("    if a:\n        a()\n" + "    elif b:\n        a()\n" * n),
    "flags asked twice": lambda n: _function(
        "".join(f"    if f{at}:\n        a()\n" for at in range(n)) * 2
    ),
    "flags set and asked": lambda n: _function(
        "".join(f"    f{at} = False\n    if a:\n        f{at} = True\n" for at in range(n))
        + "".join(f"    if f{at}:\n        a()\n" for at in range(n))
    ),
    "aliases": lambda n: _function(
        "".join(f"    if a:\n        s{at} = span\n" for at in range(n))
        + "".join(f"    s{at}.end()\n" for at in range(n))
    ),
    "chain of aliases": lambda n: _function(
        "    s0 = span\n" + "".join(f"    s{at + 1} = s{at}\n" for at in range(n))
    ),
    "names assigned in a chain": lambda n: (
        HEAD
        + "t0 = tracer\n"
        + "".join(f"t{at + 1} = t{at}\nt{at}.start_span('a')\n" for at in range(n))
    ),
    "helpers that call on": lambda n: (
        HEAD
        + "".join(f"def h{at}(span):\n    h{at + 1}(span)\n" for at in range(n))
        + f"def h{n}(span):\n    span.end()\ndef work():\n{START}    h0(span)\n"
    ),
    "helpers that return": lambda n: (
        HEAD
        + f"def h0():\n{START}    return span\n"
        + "".join(f"def h{at + 1}():\n    span = h{at}()\n    return span\n" for at in range(n))
    ),
    "helpers, each calling all": lambda n: (
        HEAD
        + "".join(
            f"def h{at}(span):\n" + "".join(f"    h{to}(span)\n" for to in range(math.isqrt(n)))
            for at in range(math.isqrt(n))
        )
        + f"def work():\n{START}    h0(span)\n"
    ),
    "spans kept on self": lambda n: (
        HEAD
        + "".join(
            f"class C{at}:\n    def a(self):\n        self.s{at} = tracer.start_span('a')\n"
            f"    def b(self):\n        self.s{at}.end()\n"
            for at in range(n)
        )
    ),
    "attributes of one class": lambda n: (
        HEAD
        + "class C:\n    def a(self):\n"
        + "".join(f"        self.s{at} = tracer.start_span('a')\n" for at in range(n))
        + "    def b(self):\n"
        + "".join(f"        self.s{at}.end()\n" for at in range(n))
    ),
    "bindings of one name": lambda n: HEAD + "t = tracer\nt.start_span('a')\n" * n,
    "closures": lambda n: _function("    def f():\n        span.add_event('a')\n" * n),
    "one dictionary": lambda n: _function("    x = {" + "'a': [1, a], " * n + "}\n"),
    "one call": lambda n: _function("    x = a(" + "b(1), " * n + ")\n"),
    "one string": lambda n: _function("    x = '" + "text " * n + "'\n"),
    "a sum": lambda n: _function("    x = " + "a + " * min(n, 900) + "b\n"),
    "conditions of and": lambda n: _function("    if " + "a and " * n + "b:\n        a()\n"),
    "comparisons": lambda n: _function("    x = a" + " < a" * n + "\n"),
    "match": lambda n: _function(
        "    match a:\n" + "".join(f"        case {at}:\n            b()\n" for at in range(n))
    ),
    "comments": lambda n: _function("    # nothing\n" * n),
}
MENDED: dict[str, Callable[[int], str]] = {
    "functions": lambda n: (
        HEAD + "".join(_function(f"    a({at})\n")[len(HEAD) :] for at in range(n))
    ),
    "methods": lambda n: (
        HEAD
        + "class C:\n"
        + "".join(
            f"    def m{at}(self):\n        span = tracer.start_span('a')\n"
            f"        a({at})\n        span.end()\n"
            for at in range(n)
        )
    ),
    "spans in one function": lambda n: (
        HEAD
        + "def work(a):\n"
        + "".join(
            f"    s{at} = tracer.start_span('a')\n    a()\n    s{at}.end()\n" for at in range(n)
        )
    ),
    "handlers": lambda n: (
        HEAD
        + "".join(
            f"def f{at}(a):\n"
            "    with tracer.start_as_current_span('a', kind=trace.SpanKind.CLIENT):\n"
            "        try:\n            a()\n        except OSError:\n            return None\n"
            for at in range(n)
        )
    ),
}
"""Shapes of which each part has a fault that can be mended."""
FIXED = {"a sum"}
"""Shapes that cannot grow: the depth of an expression has a limit."""


def measured(rules: list[Rule], source: bytes) -> float:
    """Return the seconds of processor time to lint `source`, the less of two runs."""
    times = []
    for _ in range(2):
        before = time.process_time()
        found = lint_source(source, "generated.py", rules)
        times.append(time.process_time() - before)
        if isinstance(found, Unread):
            raise SystemExit(f"generated source is unread: {found.reason}")
    return min(times)


def mended(rules: list[Rule], source: bytes) -> float:
    """Return the seconds of processor time to mend `source`, the less of two runs."""
    times = []
    for _ in range(2):
        before = time.process_time()
        count = fix_source(source, "generated.py", rules).count
        times.append(time.process_time() - before)
        if not count:
            raise SystemExit("nothing in generated source could be mended")
    return min(times)


def sizes(largest: int) -> Iterator[int]:
    """Yield an eighth, a quarter, a half and the whole."""
    yield from (largest // 8, largest // 4, largest // 2, largest)


def main() -> None:
    """Print a line per shape, with its bar, exponent and memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--largest", type=int, default=1600)
    parser.add_argument("--fix", action="store_true", help="mend instead of linting")
    parser.add_argument("--memory", action="store_true", help="measure memory, too (slow)")
    parser.add_argument("shapes", nargs="*", help="only these shapes")
    options = parser.parse_args()
    rules = load()
    lint_source(_function("").encode(), "warm.py", rules)
    shapes, measure = (MENDED, mended) if options.fix else (SHAPES, measured)
    print(f"seconds for all {len(rules)} rules at sizes up to {options.largest}, and the exponent")
    for name in options.shapes or shapes:
        shape = shapes[name]
        sources = [shape(size).encode() for size in sizes(options.largest)]
        times = [measure(rules, source) for source in sources]
        grown = math.log(len(sources[-1]) / len(sources[0])) if name not in FIXED else 0
        slope = math.log(times[-1] / times[0]) / grown if grown else 0
        columns = "".join(f"{value:8.3f}" for value in times)
        bar = "#" * min(BAR, round(BAR * slope / 2))
        print(f"{name:26}{len(sources[-1]):9,} B{columns}{slope:6.2f} {bar}", flush=True)
        if options.memory:
            tracemalloc.start()
            lint_source(sources[-1], "generated.py", rules)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            print(
                f"{'':26}peak {peak / 1e6:.0f} MB, {peak / len(sources[-1]):.0f} times the source"
            )


if __name__ == "__main__":
    main()
