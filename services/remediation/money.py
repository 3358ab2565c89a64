"""Sums of money as they come in: exact, in a currency that people are paid in, with no more decimals than it has. Pure."""

import re
from decimal import Decimal
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

_AMOUNT = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,4})?", re.ASCII)
# ISO 4217, list one (SIX Financial Information, maintenance agency): decimals of the minor unit where these are not two.
_DECIMALS = {
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0, "UYI": 0, "VND": 0, "VUV": 0,
    "XAF": 0, "XOF": 0, "XPF": 0, "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3, "CLF": 4, "UYW": 4,
}  # fmt: skip
# Metals, bonds, units of account, tests.
_NOBODY_IS_PAID_IN = {"XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XDR", "XPD", "XPT", "XSU", "XTS", "XUA", "XXX"}


def refused(message: str) -> PydanticCustomError:
    """What a field is refused with."""
    return PydanticCustomError("duewatch", "{message}", {"message": message})


def checked(amount: Decimal, currency: str) -> Decimal:
    """The sum, or refused where the currency has no such fractions."""
    most = _DECIMALS.get(currency, 2)
    if amount != round(amount, most):
        raise refused(f"At most {most} decimals in this currency" if most else "No decimals in this currency")
    return amount


def _amount(value: Any) -> Decimal:
    """Text or a whole number: a fraction in JSON is binary, and money is not."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _AMOUNT.fullmatch(text):
        raise refused('A sum as text, with a point and at most four decimals, such as "120.50"')
    return Decimal(text)


@cache
def _currencies() -> frozenset[str]:
    import pycountry  # here, for it reads its tables when imported

    return frozenset({currency.alpha_3 for currency in pycountry.currencies} - _NOBODY_IS_PAID_IN)


def _currency(value: str) -> str:
    if value not in _currencies():
        raise refused("A currency's three letters of ISO 4217, such as INR")
    return value


Amount = Annotated[Decimal, BeforeValidator(_amount), Field(examples=["120.50"], json_schema_extra={"type": "string"})]
Currency = Annotated[str, AfterValidator(_currency), Field(examples=["INR"])]
