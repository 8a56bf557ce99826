"""Choose the values of a run: random, from a seed, and each one recognisable."""

import random
import string

from otelkata.evidence.model import Headers, Marks, Parent

_LETTERS = string.ascii_lowercase


class Values:
    """A source of values that are never used twice.

    No identifier holds an @ or a run of digits, so that nothing that a privacy filter may remove
    by its form resembles a value that is expected to arrive.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 (reproducible on purpose)
        self._used: set[str] = set()

    def word(self, length: int = 10) -> str:
        """Return a word of lower-case letters."""
        while True:
            word = "".join(self._random.choices(_LETTERS, k=length))
            if word not in self._used:
                self._used.add(word)
                return word

    def marks(self) -> Marks:
        """Return the values of one case."""
        return Marks(
            sku=f"sku-{self.word()}",
            user_id=f"user-{self.word()}",
            tenant_id=f"tenant-{self.word()}",
            email=f"{self.word()}@{self.word()}.example",
            card_number=self.card_number(),
        )

    def card_number(self) -> str:
        """Return 16 digits that pass the Luhn test (ISO/IEC 7812-1, annex B)."""
        while True:
            digits = [4, *(self._random.randrange(10) for _ in range(14))]
            doubled = [2 * d - 9 * (d > 4) if i % 2 == 0 else d for i, d in enumerate(digits)]
            number = "".join(map(str, [*digits, -sum(doubled) % 10]))
            if number not in self._used:
                self._used.add(number)
                return number

    def number(self, low: int, high: int) -> int:
        """Return a number from `low` to `high`."""
        return self._random.randint(low, high)

    def trace_id(self) -> str:
        """Return a valid trace id."""
        return f"{self._random.randrange(1 << 124, 1 << 128):032x}"

    def span_id(self) -> str:
        """Return a valid span id."""
        return f"{self._random.randrange(1 << 60, 1 << 64):016x}"

    def parent(
        self,
        version: str = "00",
        flags: str = "01",
        rest: str = "",
        *,
        extra: Headers | None = None,
    ) -> Parent:
        """Return a parent in a valid `traceparent`, with other headers that go with it."""
        trace_id, span_id = self.trace_id(), self.span_id()
        header = ("traceparent", f"{version}-{trace_id}-{span_id}-{flags}{rest}")
        return Parent([header, *(extra or [])], trace_id, span_id, bool(int(flags, 16) & 1))


NO_PARENT = Parent([], "", "", sampled=False)
