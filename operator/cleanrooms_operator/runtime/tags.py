"""Reading the tags of an AWS object."""

from collections.abc import Mapping

from cleanrooms_operator.core.resource import Document
from cleanrooms_operator.runtime.ports import Identity, Service
from cleanrooms_operator.runtime.view import View


async def read_tags(service: Service, identity: Identity, name: str, arn: str) -> Mapping[str, str]:
    """Return the tags of an object of the service `name`."""
    answer = await service.call(identity, name, "ListTagsForResource", {"resourceArn": arn})
    tags: Mapping[str, str] = answer["tags"]
    return tags


async def tags_of(view: View, fields: Document) -> Mapping[str, str]:
    """Return the tags of an object whose fields were read."""
    kind = view.kind
    own: Mapping[str, str] | None = fields.get("tags")
    if own is not None and kind.handle.of(fields).version is None:
        return own
    of_arn = await read_tags(
        view.ports.service, view.identity, kind.service, fields[kind.handle.arn]
    )
    return of_arn if own is None else view.signature.joined(of_arn, own)
