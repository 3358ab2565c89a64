"""Periods of OFAC's advanced layout as the CSV's remarks write dates: `15 Jan 1955`, `Aug 1960`, `1946`, `1951 to 1953`, `circa 1951`."""

from calendar import monthrange
from datetime import date

from services.intelligence.lists import xml

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_Window = tuple[date, date, str]  # first and last day, and as it is written


def period(told: xml.Element) -> str:
    """A `DatePeriod`: a start and an end, each a window of days; nothing where it holds no date."""
    windows = [window for name in ("Start", "End") for one in told.all(name) if (window := _window(one))]
    if not windows:
        return ""
    approximate = any(one.attribute("Approximate").lower() == "true" for one in told.all("Start"))
    start, end = windows[0], windows[-1]
    whole = _written(start[0], end[1])
    text = whole or (start[2] if start[2] == end[2] else f"{start[2]} to {end[2]}")
    return f"circa {text}" if approximate else text


def day_of(told: xml.Element) -> date | None:
    """Year, month and day of an element."""
    given = _day(told)
    return given[0] if given else None


def _window(told: xml.Element) -> _Window | None:
    points = [point for name in ("From", "To") for one in told.all(name) if (point := _day(one))]
    if not points:
        return None
    first, last = points[0][0], points[-1][1]
    return first, last, _written(first, last) or f"{_long(first)} to {_long(last)}"


def _day(told: xml.Element) -> tuple[date, date] | None:
    """The first and the last day that it can be: only a year or a month may be told."""
    numbers = []
    for name in ("Year", "Month", "Day"):
        text = told.value(name)
        if not (text.isascii() and text.isdigit() and 0 < int(text) <= 9999):
            break
        numbers.append(int(text))
    try:
        match numbers:
            case [year]:
                return date(year, 1, 1), date(year, 12, 31)
            case [year, month]:
                return date(year, month, 1), date(year, month, monthrange(year, month)[1])
            case [year, month, day]:
                return date(year, month, day), date(year, month, day)
    except ValueError:  # 31 April, or a month 13
        pass
    return None


def _written(first: date, last: date) -> str:
    """A day, a whole month or a whole year; nothing for all else."""
    if first == last:
        return _long(first)
    if (first.year, first.day) == (last.year, 1) and last.day == monthrange(last.year, last.month)[1]:
        if first.month == last.month:
            return f"{_MONTHS[first.month - 1]} {first.year:04d}"
        if (first.month, last.month) == (1, 12):
            return f"{first.year:04d}"
    return ""


def _long(day: date) -> str:
    return f"{day.day:02d} {_MONTHS[day.month - 1]} {day.year:04d}"
