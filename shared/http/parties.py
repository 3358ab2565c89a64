"""Parts of a party that several services take at their edge."""

from typing import Literal, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from shared.errors import Invalid
from shared.http.application import Body
from shared.http.identifiers import check_identifier, issued_in
from shared.http.strings import Country


class IdentifierBody(Body):
    """A number of the organisation; vat, register and tax numbers are judged by the rules of `country`."""

    kind: Literal["lei", "vat", "duns", "gln", "register", "tax"]
    value: str
    country: Country | None = None

    @model_validator(mode="after")
    def _checked(self) -> Self:
        try:
            value = check_identifier(self.kind, self.value, self.country)
        except Invalid as error:
            raise PydanticCustomError("duewatch", "{message}", {"message": error.errors[0]["message"]}) from None
        return self.model_copy(update={"value": value, "country": issued_in(self.kind, value, self.country)})
