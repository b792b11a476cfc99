"""What a change request holds: made of what is declared, and judged against what is there.

A member is written here as ListMembers shows it, a change as a change request carries it.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cleanrooms_operator.core import payments
from cleanrooms_operator.core.resource import Document
from cleanrooms_operator.core.situation import Situation

PRESENT = frozenset({"INVITED", "ACTIVE"})
"""What the status of somebody says who is a member, or may become one."""

OPEN = frozenset({"PENDING", "APPROVED"})
"""What the status of a change request says that can still come to something."""

FIXED = frozenset({"CAN_QUERY", "CAN_RUN_JOB"})
"""Abilities that belong for ever to whom they were given at creation."""

MOST = 10
"""How many changes one request carries. SOURCE: the model of CreateCollaborationChangeRequest."""

ADD_MEMBER, EDIT_AUTO = "ADD_MEMBER", "EDIT_AUTO_APPROVED_CHANGE_TYPES"
ADD_PAYER, REMOVE_PAYER = "ADD_PAYER_CANDIDATE", "REMOVE_PAYER_CANDIDATE"

ABILITY_TYPES: Mapping[str, str] = {
    "CAN_RECEIVE_RESULTS": "RECEIVE_RESULTS_ABILITY",
    "CAN_EXPORT_QUERY_ANALYSIS_LOG": "EXPORT_QUERY_ANALYSIS_LOG_ABILITY",
    "CAN_RECEIVE_MODEL_OUTPUT": "CAN_RECEIVE_MODEL_OUTPUT",
    "CAN_RECEIVE_INFERENCE_OUTPUT": "CAN_RECEIVE_INFERENCE_OUTPUT",
}
"""Ability -> what AWS calls its granting and revoking, after `GRANT_` or `REVOKE_`."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What has to happen so that a collaboration is as its creator declares it."""

    changes: tuple[Document, ...] = ()
    """For one change request."""
    obstacles: tuple[str, ...] = ()
    """What AWS lets nobody change: the field, and why."""
    removals: tuple[str, ...] = ()
    """The accounts that are to be members no more."""


def declared(situation: Situation) -> Iterator[dict[str, Any]]:
    """Yield the declared members in the words of ListMembers, the creator first."""
    parameters = situation.parameters
    creator = {
        "accountId": situation.account,
        "memberAbilities": parameters["creatorMemberAbilities"],
        "mlMemberAbilities": parameters.get("creatorMLMemberAbilities"),
        "paymentConfiguration": parameters.get("creatorPaymentConfiguration"),
    }
    for member in (creator, *parameters["members"]):
        words = {
            "accountId": member["accountId"],
            "displayName": member.get("displayName"),
            "abilities": member["memberAbilities"],
            "mlAbilities": member.get("mlMemberAbilities"),
            "paymentConfiguration": member.get("paymentConfiguration"),
        }
        yield {name: value for name, value in words.items() if value is not None}


def wish(situation: Situation, shown: Sequence[Document], auto_approved: object) -> Wish:
    """Return what differs from the spec in members, and in what is approved beforehand."""
    found = {member["accountId"]: member for member in shown}
    wanted = {member["accountId"]: member for member in declared(situation)}
    changes: list[Document] = []
    obstacles: list[str] = []
    for account, member in wanted.items():
        change, told = _towards(member, found.get(account))
        changes.extend(change)
        obstacles.extend(f"members[{account}]{what}" for what in told)
    types = situation.parameters.get("autoApprovedChangeRequestTypes")
    if types is not None and set(types) != set(_texts(auto_approved)):
        changes.append(_collaboration(types))
    removals = (a for a, m in found.items() if m["status"] in PRESENT and a not in wanted)
    return Wish(tuple(changes), tuple(obstacles), tuple(sorted(removals)))


def _texts(value: object) -> list[str]:
    return value if isinstance(value, list) else []


def _collaboration(types: Iterable[str]) -> Document:
    specification = {"collaboration": {"autoApprovedChangeTypes": sorted(types)}}
    return {"specificationType": "COLLABORATION", "specification": specification}


def _towards(wanted: Document, shown: Document | None) -> tuple[list[Document], list[str]]:
    """Return (the change that makes a member as wanted, if any; what cannot be changed)."""
    if shown is None or shown["status"] not in PRESENT:
        return _invitation(wanted, shown)
    obstacles = []
    if wanted.get("displayName", shown["displayName"]) != shown["displayName"]:
        obstacles.append(".displayName: AWS lets nobody change it")
    if FIXED.intersection(wanted["abilities"]) != FIXED.intersection(shown["abilities"]):
        obstacles.append(".memberAbilities: CAN_QUERY and CAN_RUN_JOB stay with who has them")
    after = _member_after(wanted, shown)
    is_same = _essence(after) == _essence(_member(shown, payments.leaves(_payments(shown))))
    return [] if is_same else [after], obstacles


def _invitation(wanted: Document, shown: Document | None) -> tuple[list[Document], list[str]]:
    if shown is not None:
        return [], [f": it has {shown['status']}, and who has cannot be a member again"]
    if FIXED.intersection(wanted["abilities"]):
        return [], [".memberAbilities: CAN_QUERY and CAN_RUN_JOB stay with who has them"]
    specification = {"accountId": wanted["accountId"], "displayName": wanted["displayName"]}
    specification |= {"memberAbilities": sorted(wanted["abilities"])}
    if "mlAbilities" in wanted:
        specification["mlMemberAbilities"] = wanted["mlAbilities"]
    if "paymentConfiguration" in wanted:
        specification["paymentConfiguration"] = wanted["paymentConfiguration"]
    return [{"specificationType": "MEMBER", "specification": {"member": specification}}], []


def _member_after(wanted: Document, shown: Document) -> Document:
    """Return the change of a member with all that it is to have: nothing is left to a guess.

    What a change leaves out AWS may take for unchanged or for FALSE (rule R-18, ER-34).
    """
    leaves = {**payments.leaves(_payments(shown)), **payments.leaves(_payments(wanted))}
    merged = {**shown, **wanted}
    return _member(merged, leaves)


def _member(member: Document, leaves: payments.Leaves) -> Document:
    specification: dict[str, Any] = {
        "accountId": member["accountId"],
        "memberAbilities": sorted(set(member["abilities"]) - FIXED),
        "paymentConfiguration": payments.configuration({"queryCompute": False, **leaves}),
    }
    if (learning := member.get("mlAbilities")) is not None:
        specification["mlMemberAbilities"] = learning
    return {"specificationType": "MEMBER", "specification": {"member": specification}}


def _payments(member: Document) -> Document | None:
    configuration: Document | None = member.get("paymentConfiguration")
    return configuration


# -- what a request says ---------------------------------------------------------------------


def member_of(change: Document) -> Document | None:
    """Return what a change makes of a member; None where it is about the collaboration."""
    member: Document | None = change["specification"].get("member")
    return member


def pays(member: Document) -> frozenset[str]:
    """Return the cost types that a member is assigned, in a change or as ListMembers shows it."""
    return frozenset(cost for cost, true in payments.leaves(_payments(member)).items() if true)


def abilities(member: Document) -> frozenset[str]:
    """Return a member's abilities that can be changed, in a change or as ListMembers shows it."""
    given = member.get("memberAbilities", member.get("abilities"))
    learning = member.get("mlMemberAbilities", member.get("mlAbilities")) or {}
    return frozenset([*(given or ()), *learning.get("customMLMemberAbilities", ())]) - FIXED


def _essence(change: Document) -> tuple[str, list[str], list[str]]:
    """Return what a change comes to, however it is written."""
    member = member_of(change)
    if member is None:
        types = change["specification"]["collaboration"].get("autoApprovedChangeTypes")
        return "", sorted(_texts(types)), []
    return member["accountId"], sorted(abilities(member)), sorted(pays(member))


def fingerprint(changes: Iterable[Document]) -> str:
    """Return what two requests have in common that ask for the same (rule R-6)."""
    canonical = json.dumps(sorted(map(_essence, changes)))
    return hashlib.sha256(canonical.encode()).hexdigest()


def is_shown(changes: Iterable[Document], shown: Sequence[Document], auto: object) -> bool:
    """Whether what a committed request gave can be seen; reads may lag behind a commit."""
    found = {member["accountId"]: member for member in shown}
    for change in changes:
        account, given, paid = _essence(change)
        member = found.get(account)
        if not account:
            if given != sorted(_texts(auto)):
                return False
        elif member is None:
            return False
        elif member["status"] in PRESENT:
            has_all = abilities(member) >= set(given) and pays(member) >= set(paid)
            if not has_all:
                return False
    return True


# -- the types that AWS computes -------------------------------------------------------------


def unexpected_types(request: Document, shown: Sequence[Document]) -> frozenset[str]:
    """Return the types that AWS computed of a request beyond what its changes are (rule R-18).

    Assumption: types follow from the difference between a change and the present member.
    """
    found = {member["accountId"]: member for member in shown}
    return frozenset(
        type_
        for change in request["changes"]
        for type_ in set(change["types"]) - expected_types(change, found)
    )


def expected_types(change: Document, found: Mapping[str, Document]) -> frozenset[str]:
    """Return the types of one change, by the members as they are now."""
    member = member_of(change)
    if member is None:
        return frozenset({EDIT_AUTO})
    before = found.get(member["accountId"])
    if before is None or before["status"] not in PRESENT:
        added = {ADD_MEMBER, *([ADD_PAYER] if pays(member) else [])}
        return frozenset(added) | _ability_types(frozenset(), abilities(member))
    leaves, paid = payments.leaves(_payments(member)), pays(before)
    given = {
        *([ADD_PAYER] if pays(member) - paid else []),
        *([REMOVE_PAYER] if any(cost in paid and not leaves[cost] for cost in leaves) else []),
    }
    return frozenset(given) | _ability_types(abilities(before), _after(member, before))


def _after(member: Document, before: Document) -> frozenset[str]:
    """Return the abilities after a change; ML abilities that it leaves out stay."""
    if "mlMemberAbilities" in member:
        return abilities(member)
    return abilities({**member, "mlMemberAbilities": before.get("mlAbilities") or {}})


def _ability_types(before: frozenset[str], after: frozenset[str]) -> frozenset[str]:
    granted = {f"GRANT_{ABILITY_TYPES.get(a, a)}" for a in after - before}
    revoked = {f"REVOKE_{ABILITY_TYPES.get(a, a)}" for a in before - after}
    return frozenset(granted | revoked)


def types_of(request: Document) -> list[str]:
    """Return the types that AWS computed of all changes of a request."""
    return sorted({type_ for change in request["changes"] for type_ in change["types"]})


def after(changes: Iterable[Document], shown: Sequence[Document]) -> list[Document]:
    """Return the members as they would be after the changes."""
    found = {member["accountId"]: member for member in shown}
    for change in changes:
        member = member_of(change)
        if member is not None:
            found[member["accountId"]] = _changed(member, found.get(member["accountId"]))
    return list(found.values())


def _changed(member: Document, before: Document | None) -> Document:
    known = before if before is not None and before["status"] in PRESENT else {}
    kept = FIXED.intersection(known.get("abilities", ()))
    leaves = {**payments.leaves(_payments(known)), **payments.leaves(_payments(member))}
    return {
        "status": "INVITED",
        **known,
        "accountId": member["accountId"],
        "abilities": sorted({*kept, *member["memberAbilities"]}),
        "mlAbilities": member.get("mlMemberAbilities", known.get("mlAbilities")),
        "paymentConfiguration": payments.configuration(leaves),
    }
