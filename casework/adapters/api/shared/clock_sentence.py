"""Why a clock shows its date, in one sentence that a person reads: Korean or English."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from functools import cache, reduce
from typing import Final

from casework.domain.clocks.calendar import ONE_DAY, SEOUL, Target, Unit, day_in_seoul
from casework.domain.clocks.explaining import Explanation
from casework.locale import find_text, plural, text

# The calendar knows the holidays by their Korean names; a name that is new here stays Korean.
HOLIDAYS: Final = (
    "new_year", "seollal", "independence_movement", "labour", "children", "buddhas_birthday",
    "buddhas_birthday_before_2018", "memorial", "constitution", "liberation", "chuseok",
    "national_foundation", "hangeul", "christmas", "armed_forces", "temporary",
    "presidential_election", "general_election", "local_elections",
)  # fmt: skip
AROUND: Final = ("word.holiday_substitute", "word.holiday_before", "word.holiday_after")
WEEKEND: Final = ("saturday", "sunday")
PAUSED: Final = "paused: "
Stretch = tuple[date, date, str]


def sentence(of: Explanation, language: str) -> str:
    """One sentence in ``ko`` or ``en``: the period, what was left out, and the date it gives."""
    target, due = of.target, _moment(of.due_at, of.target)
    if target.unit is Unit.ON_DATE:
        return _fixed_day(of, due, language)
    start = _moment(of.start, target)
    parts = [plural(f"sentence.clock.period.{target.unit}", language, target.amount, start=start)]
    left = [
        text("sentence.clock.days_and_why", language, days=_days(first, last, language), why=why)
        for first, last, why in _stretches(of, lambda reason: _why(reason, language))
    ]
    if left:
        parts.append(text("sentence.clock.left_out", language, days=_listed(left, language)))
    elif target.unit is Unit.HOURS:
        parts.append(text("sentence.clock.all_hours", language))
    parts += [
        text("sentence.clock.extended", language, until=f"{one['until']:%Y-%m-%d}")
        for one in of.extensions[-1:]
    ]
    return text("sentence.clock.whole", language, parts=", ".join(parts), due=due)


def _fixed_day(of: Explanation, due: str, language: str) -> str:
    """A day that was named; where offices are closed on it, that it stays all the same."""
    if of.extensions:
        first = date.fromordinal(of.target.amount).isoformat()
        return text("sentence.clock.fixed_day_extended", language, first=first, due=due)
    if of.closed is None:
        return text("sentence.clock.fixed_day", language, due=due)
    why = _why(of.closed, language)
    return text("sentence.clock.fixed_day_closed", language, due=due, why=why)


def _moment(at: datetime, target: Target) -> str:
    """A day, or for a clock of hours the minute."""
    if target.unit is Unit.HOURS:
        return f"{at.astimezone(SEOUL):%Y-%m-%d %H:%M}"
    return day_in_seoul(at).isoformat()


def _stretches(of: Explanation, say: Callable[[str], str]) -> Iterator[Stretch]:
    """Days left out, joined where they follow each other for the same reason."""
    begun: Stretch | None = None
    for on, reason in of.left_out:
        said = say(reason)
        if begun is not None and begun[2] == said and on == begun[1] + ONE_DAY:
            begun = (begun[0], on, said)
            continue
        if begun is not None:
            yield begun
        begun = (on, on, said)
    if begun is not None:
        yield begun


def _why(reason: str, language: str) -> str:
    if reason.startswith(PAUSED):
        cause = reason.removeprefix(PAUSED)
        why = find_text(f"sentence.clock.pause.{cause}", language) or cause
        return text("sentence.clock.paused", language, why=why)
    if reason in WEEKEND:
        return text("sentence.clock.weekend", language)
    names = dict.fromkeys(holiday_name(one, language) for one in reason.split("; "))
    return reduce(
        lambda first, second: text("sentence.clock.holidays", language, first=first, second=second),
        names,
    )


def holiday_name(name: str, language: str) -> str:
    """A holiday that the calendar names in Korean, in the reader's language where it is known."""
    for key in AROUND:
        ending = text(key, "ko", name="")
        if name.endswith(ending):
            return text(key, language, name=holiday_name(name.removesuffix(ending), language))
    id = _holidays().get(name)
    return name if id is None else text(f"word.holiday.{id}", language)


@cache
def _holidays() -> dict[str, str]:
    return {text(f"word.holiday.{id}", "ko"): id for id in HOLIDAYS}


def _days(first: date, last: date, language: str) -> str:
    month = text(f"word.month.{first.month}", language)
    if first == last:
        return text("word.day", language, day=first.day, month=month)
    if first.month == last.month:
        return text("word.days_of_month", language, first=first.day, last=last.day, month=month)
    ends = (_days(first, first, language), _days(last, last, language))
    return text("word.days", language, first=ends[0], last=ends[1])


def _listed(parts: Iterable[str], language: str) -> str:
    *firsts, last = parts
    if not firsts:
        return last
    return text("sentence.clock.enumeration", language, firsts=", ".join(firsts), last=last)
