"""Manifests that a cluster accepts, to be bent by tests; and what the definitions say of them."""

import copy
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import ml_manifests
from cleanrooms_operator.kube import manifests

PROJECT = Path(__file__).parents[1]
VERSION = "cleanrooms-operator.dev/v1alpha1"
UUID = "12345678-1234-1234-1234-123456789012"
ROLE = "arn:aws:iam::111111111111:role/results"

Document = dict[str, Any]

VALID: Mapping[str, Document] = {
    "AWSAccount": {"accountID": "111111111111", "region": "us-east-1"},
    "Collaboration": {
        "creatorDisplayName": "A",
        "creatorMemberAbilities": ["CAN_QUERY"],
        "queryLogStatus": "ENABLED",
        "members": [
            {"accountId": "222222222222", "displayName": "B", "memberAbilities": []},
        ],
    },
    "Membership": {
        "invitation": {"creatorAccountId": "111111111111", "name": "churn"},
        "queryLogStatus": "ENABLED",
    },
    **ml_manifests.VALID,
}

S3 = {"bucket": "results", "resultFormat": "CSV"}
RESULTS = {"roleArn": ROLE, "outputConfiguration": {"s3": S3}}


def resource(kind: str, namespace: str, spec: Document, name: str = "one") -> Document:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": VERSION, "kind": kind, "metadata": metadata, "spec": spec}


def merged(document: Document, change: Document) -> Document:
    """Return a document with `change` merged in; None removes (RFC 7386)."""
    made = copy.deepcopy(document)
    for name, value in change.items():
        if value is None:
            made.pop(name, None)
        elif isinstance(value, dict) and isinstance(made.get(name), dict):
            made[name] = merged(made[name], value)
        else:
            made[name] = value
    return made


@functools.cache
def definitions() -> dict[str, Document]:
    return {made["spec"]["names"]["kind"]: made for made in manifests.definitions()}


def root(kind: str) -> Document:
    schema: Document = definitions()[kind]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def rules(schema: Document) -> Iterator[Document]:
    """Yield the validation rules at and below a place."""
    yield from schema.get("x-kubernetes-validations", ())
    for below in schema.get("properties", {}).values():
        yield from rules(below)
    if "items" in schema:
        yield from rules(schema["items"])
