"""The demo's second act: company B becomes a payer, by an edit of YAML on each side.

Its folder holds `company-a.yaml`, a Collaboration that asks for it; `company-b.yaml`, a Membership
that agrees; and `company-b-run.yaml`, which is charged to the new payer.
"""

import time
from pathlib import Path
from typing import Any

from cleanrooms_playground.cluster import Cluster
from cleanrooms_playground.documents import Document, read_documents
from cleanrooms_playground.progress import Progress
from cleanrooms_playground.waiting import wait_for


class PayerChange:
    """The edits of a folder, all of which are to be true until `deadline` (monotonic, seconds)."""

    def __init__(self, cluster: Cluster, folder: Path, deadline: float) -> None:
        self._cluster = cluster
        self._folder = folder
        self._deadline = deadline

    def play(self, progress: Progress) -> list[Document]:
        """Let company A ask and company B agree, then apply the run; return its manifests.

        Raises `NotInTimeError` with what was waited for.
        """
        [collaboration] = read_documents(self._folder / "company-a.yaml")
        [membership] = read_documents(self._folder / "company-b.yaml")
        with progress.task("company A edits its Collaboration, which asks company B to pay"):
            self._cluster.apply(collaboration)
            request = self._request_to(membership)
        progress.say(f"company B reads: {request['cost']}")
        membership["spec"]["changeRequests"]["approve"] = [request["id"]]
        with progress.task("company B edits its Membership, which approves and accepts"):
            self._cluster.apply(membership)
            self._until(collaboration, "ChangesApplied")
            self._until(membership, "PaymentAccepted")
        return self._cluster.apply_files(self._folder / "company-b-run.yaml")

    def _request_to(self, membership: Document) -> dict[str, Any]:
        """Return the change request that a member is to answer."""
        kind, metadata = membership["kind"], membership["metadata"]

        def pending() -> dict[str, Any]:
            found = self._cluster.get(kind, metadata["name"], namespace=metadata["namespace"]) or {}
            listed = found.get("status", {}).get("pendingChangeRequests") or [{}]
            return dict(listed[0])

        return wait_for("company B to be asked", pending, self._seconds_left())

    def _until(self, document: Document, condition: str) -> None:
        self._cluster.wait_for_condition(
            document["kind"],
            document["metadata"]["name"],
            condition,
            namespace=document["metadata"]["namespace"],
            timeout_seconds=self._seconds_left(),
        )

    def _seconds_left(self) -> float:
        return max(self._deadline - time.monotonic(), 0.0)
