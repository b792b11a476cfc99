"""Times as Kubernetes writes them."""

from datetime import UTC, datetime


def timestamp(time: datetime) -> str:
    """Return a time with a zone as `metav1.Time` is written: in UTC, to the second."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
