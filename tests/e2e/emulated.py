"""The emulated AWS as a test sees it: what was asked, what goes wrong, what each account holds."""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from cleanrooms_operator.core.ownership import NAME, NAMESPACE, OWNER
from cleanrooms_operator.core.resource import Key
from cleanrooms_playground.servers import SECRET
from parties import Party
from wire import send

REGION = "us-east-1"
KIND_OF = {"CreateCollaboration": "Collaboration", "CreateMembership": "Membership"}

Record = dict[str, Any]


class AWS:
    """The emulator at a URL: its control endpoints, and the clients of its accounts."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.party = cache(self._party)
        self._records: list[Record] = []

    # -- what goes wrong ---------------------------------------------------------------------

    def fail(self, kind: str, operation: str, **more: Any) -> int:
        """Put a fault in force; return its number. `more` are the fields of a fault."""
        fault = {"kind": kind, "operation": operation, **more}
        answer = send(self.url, "POST", "/_emulator/faults", body=fault)
        assert answer.status == 201, answer
        return int(answer.document["id"])

    def struck(self, number: int) -> bool:
        """Tell whether a fault has struck a request, which may still be under way."""
        shown = send(self.url, "GET", "/_emulator/faults").document["faults"]
        return next(fault["struck"] for fault in shown if fault["id"] == number) > 0

    def mend(self) -> None:
        """Let nothing go wrong any more."""
        send(self.url, "DELETE", "/_emulator/faults")

    # -- what was asked ----------------------------------------------------------------------

    def log(self, since: int = 0) -> list[Record]:
        """Return the requests after the first `since`, oldest first."""
        last = self._records[-1]["sequence"] if self._records else 0
        shown = send(self.url, "GET", f"/_emulator/log?since={last}").document
        self._records += shown["records"]
        return self._records[since:]

    def mark(self) -> int:
        """Return what `since` has to be for the requests from now on."""
        return len(self.log())

    def calls(self, account: str, *operations: str, since: int = 0) -> list[Record]:
        """Return what an account asked for; of these operations, where any are named."""
        return [
            record
            for record in self.log(since)
            if record["account"] == account
            and (not operations or record["operation"] in operations)
        ]

    def changes(self, account: str, since: int = 0) -> list[str]:
        """Return the operations by which an account asked for a change, in their order."""
        reads = ("Get", "List", "AssumeRole")
        asked = (record["operation"] for record in self.calls(account, since=since))
        return [operation for operation in asked if not operation.startswith(reads)]

    def creates(self, since: int = 0) -> list[Record]:
        """Return the creates of the operator, which its tags tell from those of people."""
        return [
            record
            for record in self.log(since)
            if record["operation"] in KIND_OF and OWNER in record["parameters"].get("tags", ())
        ]

    # -- what is there -----------------------------------------------------------------------

    def arns(self, account: str) -> dict[str, list[str]]:
        """Return the ARNs of what an account has made, by kind."""
        cleanrooms = self.party(account).cleanrooms
        collaborations = _all(cleanrooms, "list_collaborations", "collaborationList")
        memberships = _all(cleanrooms, "list_memberships", "membershipSummaries")
        return {
            "Collaboration": [
                each["arn"] for each in collaborations if each["creatorAccountId"] == account
            ],
            "Membership": [each["arn"] for each in memberships],
        }

    def tags(self, arn: str) -> dict[str, str]:
        """Return the tags of an object, as its own account reads them."""
        cleanrooms = self.party(arn.split(":")[4]).cleanrooms
        tags: dict[str, str] = cleanrooms.list_tags_for_resource(resourceArn=arn)["tags"]
        return tags

    def _party(self, account: str) -> Party:
        clients = (
            boto3.client(
                service,
                endpoint_url=self.url,
                region_name=REGION,
                aws_access_key_id=account,
                aws_secret_access_key=SECRET,
                config=Config(proxies={}, retries={"total_max_attempts": 1}),
            )
            for service in ("cleanrooms", "cleanroomsml")
        )
        return Party(account, REGION, *clients)


def check_creates(records: list[Record]) -> None:
    """Assert that nothing was made twice (rule R-37) and no request sent twice (rule R-30)."""
    invocations = Counter(record["invocation_id"] for record in records)
    assert set(invocations.values()) <= {1}, "botocore sent a create again by itself"
    made = Counter(_made(record) for record in records if record["applied"])
    assert set(made.values()) <= {1}, f"made twice: {made}"


def _made(record: Record) -> Key:
    tags = record["parameters"]["tags"]
    return Key(KIND_OF[record["operation"]], tags[NAMESPACE], tags[NAME])


def _all(client: Any, operation: str, key: str) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator(operation).paginate():
        yield from page[key]
