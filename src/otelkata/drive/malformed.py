"""Spell `traceparent` headers that are to be ignored.

From the syntax and its rules in W3C Trace Context, levels 1 and 2, section 3.2. White space around
the value and repeated headers are left out: the SDK's own propagator accepts them, and a learner
is not judged on what the SDK does.
"""

from collections.abc import Callable

Spelling = Callable[[str, str], str]

MALFORMED: dict[str, Spelling] = {
    "empty": lambda _t, _s: "",
    "no_traceparent_at_all": lambda _t, _s: "hello",
    "version_ff": lambda t, s: f"ff-{t}-{s}-01",
    "version_one_digit": lambda t, s: f"0-{t}-{s}-01",
    "version_three_digits": lambda t, s: f"000-{t}-{s}-01",
    "version_not_hex": lambda t, s: f".0-{t}-{s}-01",
    "trace_id_zero": lambda _t, s: f"00-{'0' * 32}-{s}-01",
    "trace_id_short": lambda t, s: f"00-{t[:31]}-{s}-01",
    "trace_id_long": lambda t, s: f"00-{t}a-{s}-01",
    "trace_id_upper_case": lambda t, s: f"00-ABCDEF{t[6:]}-{s}-01",
    "trace_id_not_hex": lambda t, s: f"00-{t[:31]}g-{s}-01",
    "span_id_zero": lambda t, _s: f"00-{t}-{'0' * 16}-01",
    "span_id_short": lambda t, s: f"00-{t}-{s[:15]}-01",
    "span_id_long": lambda t, s: f"00-{t}-{s}a-01",
    "span_id_upper_case": lambda t, s: f"00-{t}-ABC{s[3:]}-01",
    "flags_missing": lambda t, s: f"00-{t}-{s}",
    "flags_one_digit": lambda t, s: f"00-{t}-{s}-1",
    "flags_not_hex": lambda t, s: f"00-{t}-{s}-.1",
    "version_00_with_more": lambda t, s: f"00-{t}-{s}-01-what-the-future",
    "future_version_without_dash": lambda t, s: f"cc-{t}-{s}-01.what-the-future",
    "other_separator": lambda t, s: f"00_{t}_{s}_01",
}

TELLING = (
    "empty",
    "no_traceparent_at_all",
    "version_ff",
    "trace_id_zero",
    "trace_id_short",
    "trace_id_upper_case",
    "span_id_zero",
    "flags_missing",
    "flags_not_hex",
    "version_00_with_more",
)
"""One of each sort: these are sent to every service, all of them to the gateway."""
