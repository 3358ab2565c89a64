"""Errors as values: raised where they are known, turned into HTTP, dead letters or CLI text in one place each.

No message ever repeats what the caller sent: it says what to do instead.
"""


class DuewatchError(Exception):
    """Base of all errors that a caller can act on; `status` is its HTTP status, `code` the last part of its problem type."""

    status = 500
    code = "internal"
    title = "Internal error"

    def __init__(self, detail: str = "", *, errors: list[dict[str, str]] | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = errors or []  # [{"field", "message"}], for input with several faults


class Invalid(DuewatchError):
    """The input breaks a rule; `errors` names the fields."""

    status, code, title = 422, "invalid", "Invalid input"


class Malformed(DuewatchError):
    """The input is not of the format at all."""

    status, code, title = 400, "malformed", "Malformed input"


class Unauthenticated(DuewatchError):
    """No valid token."""

    status, code, title = 401, "unauthenticated", "A valid bearer token is needed"


class Forbidden(DuewatchError):
    """The token's roles do not allow it."""

    status, code, title = 403, "forbidden", "Not allowed with these roles"


class NotFound(DuewatchError):
    """Nothing there for this tenant."""

    status, code, title = 404, "not-found", "Not found"


class Conflict(DuewatchError):
    """It contradicts what stands already."""

    status, code, title = 409, "conflict", "Conflict with what stands already"


class PreconditionFailed(DuewatchError):
    """If-Match names another version."""

    status, code, title = 412, "precondition-failed", "It was changed meanwhile; read it again"


class TooLarge(DuewatchError):
    """More than a limit allows."""

    status, code, title = 413, "too-large", "Larger than the limit"


class Unsupported(DuewatchError):
    """The body's type is none that this route reads; `detail` says which are."""

    status, code, title = 415, "unsupported-media-type", "Unsupported media type"


class TooMany(DuewatchError):
    """Over the rate limit."""

    status, code, title = 429, "too-many", "Too many requests; slow down"


class Unavailable(DuewatchError):
    """For now; worth trying again."""

    status, code, title = 503, "unavailable", "Not available for the moment; try again"


NOT_STORED = "Nothing can be stored: the disk is full, or fails. What was asked was not done; try again later"
