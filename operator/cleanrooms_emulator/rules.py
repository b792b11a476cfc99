"""The points that AWS does not document, each a switch with its readings.

Every reading is an assumption. The first of a switch's values is the one taken by default:
where sources lean to none, it is the reading that is hardest on a client. A client is right
when it works under every combination.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Literal, NamedTuple, Self, get_args, get_origin, get_type_hints

from cleanrooms_emulator.quotas import Quotas


class Switch(NamedTuple):
    """What a rule decides, under the number that tests and the command line name it by."""

    number: str
    question: str


class UnknownRuleError(ValueError):
    """A switch, a reading or a quota that does not exist was asked for."""


@dataclass(frozen=True, slots=True)
class Rules:
    """One reading of every undocumented point, and the quotas."""

    duplicate_names: Annotated[
        Literal["allowed", "refused-while-live", "refused"],
        Switch(
            "ER-1",
            "A second algorithm, association, channel, model or job of a name is created, is "
            "a Conflict while a holder is neither INACTIVE nor failed, or is one for ever.",
        ),
    ] = "allowed"
    page_size: Annotated[
        Literal["documented", "one", "short"],
        Switch(
            "ER-2",
            "A page that the caller does not size has 10 items (Clean Rooms ML) or 100, has "
            "one, or any page may be short or empty.",
        ),
    ] = "documented"
    unentitled: Annotated[
        Literal["denied", "not-found"],
        Switch(
            "ER-3",
            "A collaboration or membership that is not the caller's answers AccessDenied, or "
            "ResourceNotFound where the operation models it.",
        ),
    ] = "denied"
    version_tags: Annotated[
        Literal["shared", "replaced", "separate"],
        Switch(
            "ER-4",
            "The versions of a model share the tags of their ARN, and those of a new version "
            "are added or take their place; or each has its own.",
        ),
    ] = "shared"
    trainings_of_deleted: Annotated[
        Literal["run", "fail"],
        Switch("ER-5", "Trainings run on when their collaboration is deleted, or fail."),
    ] = "run"
    repeated_removal: Annotated[
        Literal["accept", "not-found"],
        Switch("ER-6", "DeleteMember of a member that is gone does nothing, or finds nothing."),
    ] = "accept"
    membership_blockers: Annotated[
        Literal["all", "associations"],
        Switch(
            "ER-7",
            "Associations, the ML configuration and everything that is alive block "
            "DeleteMembership, or of the ML objects the associations alone.",
        ),
    ] = "all"
    payment_fill: Annotated[
        Literal["resolved", "all"],
        Switch("ER-8", "Payments show the leaves that can matter, or every leaf."),
    ] = "resolved"
    declining: Annotated[
        Literal["refuse", "accept"],
        Switch("ER-9", "UpdateMembership with FALSE by a candidate is invalid, or declines."),
    ] = "refuse"
    last_candidate: Annotated[
        Literal["refuse", "fallback"],
        Switch(
            "ER-10",
            "Removing the last candidate is invalid, or makes the querying member the payer.",
        ),
    ] = "refuse"
    unnamed_payer: Annotated[
        Literal["refuse", "querier"],
        Switch(
            "ER-11",
            "A run that names none of several candidates is invalid, or is paid by the "
            "querying member if that is a candidate.",
        ),
    ] = "refuse"
    wrong_payer: Annotated[
        Literal["invalid", "denied", "fail"],
        Switch(
            "ER-12",
            "A named payer that is no candidate or has not accepted is invalid, is denied, or "
            "fails the run later.",
        ),
    ] = "invalid"
    needless_synthetic_payer: Annotated[
        Literal["refuse", "ignore"],
        Switch("ER-13", "A synthetic data payer without synthetic data is invalid, or ignored."),
    ] = "refuse"
    empty_change: Annotated[
        Literal["refuse", "accept"],
        Switch("ER-14", "A change request that changes nothing is invalid, or is created."),
    ] = "refuse"
    voters: Annotated[
        Literal["active", "all", "creator"],
        Switch(
            "ER-15",
            "On a change request vote: the ACTIVE members but the creator; INVITED ones too; or "
            "the ACTIVE ones with the creator counted as APPROVED.",
        ),
    ] = "active"
    configuration_in_use: Annotated[
        Literal["accept", "refuse"],
        Switch(
            "ER-16",
            "DeleteMLConfiguration while jobs deliver to it works and they fail, or is invalid.",
        ),
    ] = "accept"
    no_container: Annotated[
        Literal["refuse", "accept"],
        Switch("ER-17", "An algorithm without any container is invalid, or is created."),
    ] = "refuse"
    association_blockers: Annotated[
        Literal["unfinished", "any"],
        Switch(
            "ER-18",
            "An association is held by live channels and unfinished models, or by ACTIVE "
            "models too.",
        ),
    ] = "unfinished"
    deleting_failed: Annotated[
        Literal["accept", "refuse"],
        Switch("ER-19", "Deleting a failed channel or model makes it INACTIVE, or is a Conflict."),
    ] = "accept"
    deleting_unfinished_channel: Annotated[
        Literal["refuse", "accept"],
        Switch("ER-20", "Deleting a channel in CREATE_* is a Conflict, or works."),
    ] = "refuse"
    retention_start: Annotated[
        Literal["active", "create"],
        Switch("ER-21", "A channel is retained from when it is ACTIVE, or from its creation."),
    ] = "active"
    exhausted_budget: Annotated[
        Literal["fail", "refuse"],
        Switch("ER-22", "A channel over a spent access budget fails, or is invalid at once."),
    ] = "fail"
    inactive_channel: Annotated[
        Literal["invalid", "conflict", "fail"],
        Switch(
            "ER-23",
            "Training on a channel that is not ACTIVE is invalid, is a Conflict, or fails later.",
        ),
    ] = "invalid"
    version_arn: Annotated[
        Literal["same", "new"],
        Switch("ER-24", "An incremental model is a version of the base's ARN, or of a new ARN."),
    ] = "same"
    unentitled_receiver: Annotated[
        Literal["invalid", "denied", "fail"],
        Switch(
            "ER-25",
            "A receiver of output that lacks the ability is invalid, is denied, or fails later.",
        ),
    ] = "invalid"
    dead_membership: Annotated[
        Literal["reads", "denied"],
        Switch(
            "ER-26",
            "Under a membership that is no longer ACTIVE reads and deletions of ML objects "
            "work, or all is AccessDenied.",
        ),
    ] = "reads"
    unlisted_rates: Annotated[
        Literal["assumed", "none"],
        Switch("ER-27", "Operations that AWS lists no rate of have one like their kin, or none."),
    ] = "assumed"
    iam_delay: Annotated[
        Literal["none", "invalid", "denied"],
        Switch(
            "ER-30",
            "A new role works at once; or its first two uses are invalid; or, in ML calls, denied.",
        ),
    ] = "none"
    cancel_race: Annotated[
        Literal["cancel", "fail", "conflict"],
        Switch(
            "ER-31",
            "A cancel wins; or the job finishes first and the cancel is CANCEL_FAILED; or a "
            "Conflict.",
        ),
    ] = "cancel"
    throttle_status: Annotated[
        Literal["429", "400"],
        Switch("ER-32", "A call over its rate is refused with HTTP status 429, or with 400."),
    ] = "429"
    acceptance_after_removal: Annotated[
        Literal["withdrawn", "kept"],
        Switch("ER-33", "A removed payer candidate's membership shows FALSE, or keeps TRUE."),
    ] = "withdrawn"
    absent_leaf: Annotated[
        Literal["unchanged", "false"],
        Switch(
            "ER-34",
            "A cost type left out of a MEMBER change, UpdateMembership or a create is "
            "unchanged, or FALSE.",
        ),
    ] = "unchanged"
    querier_changes: Annotated[
        Literal["survive", "refuse"],
        Switch(
            "ER-35",
            "CAN_QUERY and CAN_RUN_JOB survive a MEMBER change, or such a change of their "
            "holder is invalid.",
        ),
    ] = "survive"
    readded_member: Annotated[
        Literal["refuse", "invite"],
        Switch("ER-36", "ADD_MEMBER of a REMOVED account is invalid, or invites it again."),
    ] = "refuse"
    touching: Annotated[
        Literal["no", "yes"],
        Switch(
            "ER-37",
            "updateTime of collaboration and membership moves with tags, members and ML "
            "configuration: no, or yes.",
        ),
    ] = "no"
    terminal_tags: Annotated[
        Literal["accept", "refuse"],
        Switch("ER-38", "Records in a terminal state can be tagged, or are not found for it."),
    ] = "accept"
    shown_payer: Annotated[
        Literal["always", "named"],
        Switch("ER-39", "Every view of a run shows who pays, or only whom its submission named."),
    ] = "always"
    quotas: Quotas = field(default_factory=Quotas)

    @classmethod
    def parse(cls, settings: Iterable[str]) -> Self:
        """Return the rules with readings like "ER-9=accept" and quotas like "quota.members=9".

        Raises `UnknownRuleError`, which lists what there is to choose from.
        """
        known = switches()
        names = {switch.number: name for name, (switch, _) in known.items()}
        quotas = {f"quota.{quota.name}": quota.name for quota in fields(Quotas)}
        readings: dict[str, str] = {}
        counts: dict[str, int] = {}
        for setting in settings:
            number, _, value = setting.partition("=")
            if number in quotas:
                counts[quotas[number]] = _count(setting, value)
                continue
            name = names[_one_of(number, [*names, *quotas], setting)]
            readings[name] = _one_of(value, known[name][1], setting)
        return cls(**{**readings, "quotas": Quotas(**counts)})  # type: ignore[arg-type]  # every reading was looked up above


def switches() -> Mapping[str, tuple[Switch, tuple[str, ...]]]:
    """Return every switch by its field: what it decides, and its readings, the default first."""
    hints = get_type_hints(Rules, include_extras=True)
    return {
        name: (hint.__metadata__[0], get_args(get_args(hint)[0]))
        for name, hint in hints.items()
        if get_origin(hint) is Annotated
    }


def _one_of(given: str, known: Collection[str], setting: str) -> str:
    if given in known:
        return given
    message = f"{setting}: {given!r} is none of {', '.join(known)}"
    raise UnknownRuleError(message)


def _count(setting: str, value: str) -> int:
    if value.isdecimal():
        return int(value)
    message = f"{setting}: a quota is a whole number"
    raise UnknownRuleError(message)
