"""Comments that keep a finding quiet: `# kata-lint: ignore[OTK101]`, `# kata-lint: skip-file`."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from otelkata.lint.finding import Finding, Place, Severity

MARK = b"kata-lint"
CODE = "OTK901"
NAME = "unused-suppression"

_COMMENT = re.compile(r"#\s*kata-lint\s*:\s*(?P<order>[\w-]*)\s*(?:\[(?P<rules>[^\]]*)\])?")


@dataclass(frozen=True, slots=True)
class Suppression:
    """One comment. It covers the findings that begin between `first` and `last`, one statement.

    `rules` are codes and names; None: all. `order` is what the comment asks for.
    """

    place: Place
    order: str
    rules: frozenset[str] | None
    first: int
    last: int

    def covers(self, finding: Finding) -> bool:
        """Tell whether this comment keeps `finding` quiet."""
        if not self.first <= finding.place.line <= self.last:
            return False
        return self.rules is None or not self.rules.isdisjoint({finding.code, finding.name})


@dataclass(frozen=True, slots=True)
class Suppressions:
    """All such comments of one file."""

    comments: tuple[Suppression, ...] = ()
    used: set[tuple[Suppression, str | None]] = field(default_factory=set)
    """Comments that kept something quiet, each with the code or name by which it did."""

    @property
    def skip(self) -> bool:
        """Whether the file asks not to be linted at all."""
        return any(comment.order == "skip-file" for comment in self.comments)

    def keep(self, findings: Iterable[Finding]) -> list[Finding]:
        """Return the findings that no comment covers, and remember which comments did."""
        kept = []
        for finding in findings:
            covering = [
                comment
                for comment in self.comments
                if comment.order == "ignore" and comment.covers(finding)
            ]
            for comment in covering:
                by = None if comment.rules is None else comment.rules & {finding.code, finding.name}
                self.used.update((comment, name) for name in by or (None,))
            if not covering:
                kept.append(finding)
        return kept

    def unused(
        self, path: str, *, on: Collection[str], known: Collection[str], everything: bool
    ) -> Iterator[Finding]:
        """Yield a finding for each comment that keeps nothing quiet; call after `keep`.

        `on` are the codes and names of the rules that were run, `known` those of all rules. What
        names a rule that was not run may be of use in another run. `everything` says that all rules
        ran which run by default: only then is a comment without codes known to be of no use.
        """
        for comment in self.comments:
            message = self._fault(comment, on, known, everything=everything)
            if message is not None:
                yield Finding(
                    CODE, NAME, path, comment.place, message, Severity.NOTE, certain=False
                )

    def _fault(
        self,
        comment: Suppression,
        on: Collection[str],
        known: Collection[str],
        *,
        everything: bool,
    ) -> str | None:
        if comment.order not in {"ignore", "skip-file"}:
            asked = comment.order or "nothing"
            return f"asks for {asked}; write ignore, ignore[OTK101] or skip-file"
        if comment.rules is None:
            useless = comment.order == "ignore" and everything and (comment, None) not in self.used
            return "keeps no finding quiet on this statement; remove it" if useless else None
        return self._fault_of_rules(comment, comment.rules, on, known)

    def _fault_of_rules(
        self,
        comment: Suppression,
        rules: frozenset[str],
        on: Collection[str],
        known: Collection[str],
    ) -> str | None:
        unknown = sorted(rules - set(known))
        if unknown:
            return f"names {', '.join(unknown)}, which is no rule; name it by its code or name"
        if rules & {CODE, NAME}:
            return None
        idle = sorted(rule for rule in rules & set(on) if (comment, rule) not in self.used)
        if not idle:
            return None
        return f"keeps no finding of {', '.join(idle)} quiet on this statement; remove it"


def read(text: str) -> Suppressions:
    """Return the comments for the linter in `text`; in a string there is none."""
    comments = []
    spoken: list[tokenize.TokenInfo] = []
    first: int | None = None
    for token in _tokens(text):
        if token.type == tokenize.COMMENT and "kata-lint" in token.string:
            spoken.append(token)
        elif token.type in {tokenize.NEWLINE, tokenize.ENDMARKER}:
            last = token.start[0]
            comments += [_suppression(one, first or last, last) for one in spoken]
            spoken, first = [], None
        elif token.type == tokenize.NL and first is None:
            # A comment on a line of its own covers that line, on which nothing begins.
            comments += [_suppression(one, one.start[0], one.start[0]) for one in spoken]
            spoken = []
        elif first is None and token.type not in {tokenize.INDENT, tokenize.DEDENT}:
            first = token.start[0]
    comments += [_suppression(one, first or one.start[0], one.start[0]) for one in spoken]
    return Suppressions(tuple(comments))


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    """Yield the tokens of `text`, as far as this Python can tell them."""
    try:
        yield from tokenize.generate_tokens(io.StringIO(text).readline)
    except (tokenize.TokenError, SyntaxError):
        return


def _suppression(token: tokenize.TokenInfo, first: int, last: int) -> Suppression:
    line, column = token.start
    found = _COMMENT.search(token.string)
    order = found["order"] if found else ""
    rules = found["rules"] if found else None
    return Suppression(
        place=Place(line, column + 1, line, token.end[1] + 1),
        order=order,
        rules=None if rules is None else frozenset(re.split(r"[\s,]+", rules.strip())) - {""},
        first=first,
        last=last,
    )
