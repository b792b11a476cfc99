"""What an answer of AWS that is not a success means to a decision."""

from enum import Enum

from cleanrooms_operator.core.resource import Document


class Failure(Enum):
    """What may have happened."""

    NOT_FOUND = "NotFound"
    REFUSED = "Refused"
    THROTTLED = "Throttled"
    DENIED = "Denied"
    CONFLICT = "Conflict"
    QUOTA = "Quota"
    UNAVAILABLE = "Unavailable"
    """The outcome is unknown."""


class ServiceError(Exception):
    """AWS did not do what was asked, or did not say whether it did."""

    def __init__(  # noqa: PLR0913  an error is one flat record of what AWS said
        self,
        failure: Failure,
        code: str,
        message: str,
        *,
        harmless: bool = False,
        request_id: str | None = None,
        members: Document | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.failure = failure
        self.code = code
        self.message = message
        self.harmless = harmless
        """Whether this answer proves that the request changed nothing (rule R-8)."""
        self.request_id = request_id
        self.members = members or {}
        """Modelled members of the error, such as quotaName, quotaValue, reason."""
