"""The field names that a route's own models have: the only names that an error message may repeat."""

from typing import Any, get_args

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel


def known_names(route: Any) -> frozenset[str]:
    """Names of all parameters and body fields of a route, nested ones, too; none for a route that is not FastAPI's."""
    return frozenset(_of_dependant(route.dependant)) if isinstance(route, APIRoute) else frozenset()


def _of_dependant(dependant: Dependant) -> set[str]:
    names: set[str] = set()
    for kind in ("path_params", "query_params", "header_params", "cookie_params", "body_params"):
        for parameter in getattr(dependant, kind):
            names |= {parameter.name, parameter.alias} | _of_type(parameter.field_info.annotation, set())
    for inner in dependant.dependencies:
        names |= _of_dependant(inner)
    return names


def _of_type(annotation: Any, seen: set[type]) -> set[str]:
    names: set[str] = set()
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation not in seen:
        seen.add(annotation)
        for name, field in annotation.model_fields.items():
            names |= {name, field.alias or name} | _of_type(field.annotation, seen)
    for part in get_args(annotation):
        names |= _of_type(part, seen)
    return names
