"""Days as publishers write them: one way to try their forms."""

from collections.abc import Iterable
from datetime import date, datetime


def in_forms(word: str, forms: Iterable[str]) -> date | None:
    """The day in the first of strptime's forms that fits; None where none does."""
    for form in forms:
        try:
            return datetime.strptime(word, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return None
