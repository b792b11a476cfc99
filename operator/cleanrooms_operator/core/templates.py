"""The analysis templates that ML input channels are filled by, and what those tell (rule R-26)."""

from collections.abc import Iterable

from cleanrooms_operator.core.resource import Document


def query_of(channel: Document) -> Document:
    """Return what a channel is filled by, in its spec or its parameters."""
    source = channel["inputChannel"]["dataSource"]["protectedQueryInputParameters"]
    query: Document = source["sqlParameters"]
    return query


def names_template(channel: Document) -> bool:
    """Tell whether a channel is filled by an analysis template."""
    return not {"analysisTemplateArn", "sharedAnalysisTemplate"}.isdisjoint(query_of(channel))


def is_synthetic(channel: Document, templates: Iterable[Document]) -> bool | None:
    """Tell whether a channel's data are synthetic, by the collaboration's templates.

    None where its template cannot be seen.
    """
    if not names_template(channel):
        return False
    query = query_of(channel)
    arn, shared = query.get("analysisTemplateArn"), query.get("sharedAnalysisTemplate")
    wanted = None if shared is None else (shared["creatorAccountId"], shared["name"])
    seen = [
        bool(each.get("isSyntheticData"))
        for each in templates
        if each["arn"] == arn or (each["creatorAccountId"], each["name"]) == wanted
    ]
    return any(seen) if seen else None
