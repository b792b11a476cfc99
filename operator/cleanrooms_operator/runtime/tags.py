"""Reading the tags of an AWS object."""

from collections.abc import Mapping

from cleanrooms_operator.runtime.ports import Identity, Service


async def read_tags(service: Service, identity: Identity, name: str, arn: str) -> Mapping[str, str]:
    """Return the tags of an object of the service `name`."""
    answer = await service.call(identity, name, "ListTagsForResource", {"resourceArn": arn})
    tags: Mapping[str, str] = answer["tags"]
    return tags
