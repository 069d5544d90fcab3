"""Days that failed as people are told of them: each cause once, with its days as ranges.

A wrong key fails every day of a year with one sentence, and a service writes the id of its request
into it. So reasons are one cause that differ only in ids, moments and durations; and those that
differ in the names of files as well, where they are more than a person would look at one by one.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sm_platform.lake.failures import FailedDay

MOST_ALIKE = 5
"""Texts that differ in names alone and are still told one by one: each names a file to look at."""
MOST_RANGES = 5
"""Of the days of a cause, so that its reason has room in an alert's line."""
ONE_DAY = timedelta(days=1)
IDS = re.compile(
    r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"  # of a request
    r"|\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"  # a moment
    r"|\b\d+(?:\.\d+)? (?:s|seconds?|min|minutes?|h|hours?|bytes)\b",
    re.IGNORECASE,
)
WORD = re.compile(r"[^\s,;()'\"]+")
OF_A_NAME = re.compile(r"\d{6}|\d{4}-\d\d")
"""In a word that names a day, a granule, a file or a path to one."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What failed for one reason."""

    reason: str
    """As it was told of the first day."""
    days: tuple[date, ...]
    """In order, each once."""
    is_alike: bool
    """Whether other reasons were taken along that differ in ids, moments or names."""

    @property
    def told(self) -> str:
        """`2025-11-19: reason`, or `13 days (2025-11-19 to 2025-12-01): reason`."""
        if len(self.days) == 1:
            return f"{self.days[0]}: {self.told_reason}"
        return f"{len(self.days)} days ({ranges_told(self.days)}): {self.told_reason}"

    @property
    def told_reason(self) -> str:
        """The reason, with a word on those that are not quite the same."""
        alike = f" (of {self.days[0]}; others differ in names or numbers only)"
        return self.reason + alike * self.is_alike


def causes_of(reasons: Iterable[tuple[date, str]]) -> list[Cause]:
    """Reasons of days grouped to causes, in the order of their first days.

    Args:
        reasons: pairs of day and reason, in any order; a day may have several.
    """
    by_sentence = defaultdict[str, list[tuple[date, str]]](list)
    for day, reason in sorted(reasons):
        by_sentence[_without_ids(reason)].append((day, reason))
    by_form = defaultdict[str, list[str]](list)
    for sentence in by_sentence:
        by_form[_without_names(sentence)].append(sentence)
    found: list[Cause] = []
    for sentences in by_form.values():
        groups = [by_sentence[one] for one in sentences]
        together = len(groups) > MOST_ALIKE
        found += map(_cause, [sorted(sum(groups, []))] if together else groups)
    return sorted(found, key=lambda one: (one.days[0], one.reason))


def failed_told(failed: Iterable[FailedDay]) -> list[str]:
    """A line for each cause of each region: `red-river, 2025-11-19: reason`."""
    by_region = defaultdict[str, list[tuple[date, str]]](list)
    for one in failed:
        by_region[one.region_id].append((one.day, one.reason))
    return [
        f"{region}, {cause.told}"
        for region, reasons in by_region.items()
        for cause in causes_of(reasons)
    ]


def ranges_told(days: Iterable[date]) -> str:
    """`2025-11-19 to 2025-12-01, 2026-02-03`; of many ranges the first, and how many days more."""
    ranges: list[list[date]] = []
    for day in sorted(set(days)):
        if ranges and day - ranges[-1][-1] == ONE_DAY:
            ranges[-1].append(day)
        else:
            ranges.append([day])
    shown = ", ".join(_span(one) for one in ranges[:MOST_RANGES])
    left = sum(map(len, ranges[MOST_RANGES:]))
    return f"{shown} and {left} more to {ranges[-1][-1]}" if left else shown


def sentence_of(reason: str) -> str:
    """A reason without all that tells days of one cause apart."""
    return _without_names(_without_ids(reason))


def _without_ids(reason: str) -> str:
    """The reason as one line, without ids, moments and durations."""
    return IDS.sub("#", " ".join(reason.split()))


def _without_names(sentence: str) -> str:
    return WORD.sub(lambda found: "#" if OF_A_NAME.search(found[0]) else found[0], sentence)


def _cause(reasons: Sequence[tuple[date, str]]) -> Cause:
    days = tuple(dict.fromkeys(day for day, _ in reasons))
    return Cause(reasons[0][1], days, is_alike=len({reason for _, reason in reasons}) > 1)


def _span(days: Sequence[date]) -> str:
    first, last = days[0], days[-1]
    return f"{first}" if first == last else f"{first} to {last}"
