"""Values at the edge as Pydantic types, by the plain functions of `checks`.

Errors of these types say our own message; those functions' field name gives way to the place in the body.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from shared.errors import Invalid
from shared.http.checks import check_birth_date, check_country, check_hs, check_percent, check_region, clean_name, clean_text

Value = TypeVar("Value")


def _told(check: Callable[[str], Value]) -> Callable[[str], Value]:
    """A check as a validator: Pydantic collects only its own errors, and then goes on to the next field."""

    def validate(value: str) -> Value:
        try:
            return check(value)
        except Invalid as error:
            raise PydanticCustomError("duewatch", "{message}", {"message": error.errors[0]["message"]}) from None

    return validate


def _percent(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise PydanticCustomError("duewatch", "{message}", {"message": "Must be a number"})
    return _told(check_percent)(str(value))


Name = Annotated[str, AfterValidator(_told(clean_name)), Field(examples=["Legal Name Ltd"])]
Text = Annotated[str, AfterValidator(_told(clean_text))]
Country = Annotated[str, AfterValidator(_told(check_country)), Field(examples=["CN"])]
Region = Annotated[str, AfterValidator(_told(check_region)), Field(examples=["CN-XJ"])]
HsCode = Annotated[str, AfterValidator(_told(check_hs)), Field(examples=["5201"])]
BirthDate = Annotated[str, AfterValidator(_told(check_birth_date)), Field(examples=["1970-05-12"])]
# A number, or a text of one, since JSON has no decimals; ours reads it first, so that neither 1e400 nor NaN gets in.
Percent = Annotated[Decimal, BeforeValidator(_percent), Field(examples=["51.0"])]
