"""The reasons of conditions and events: part of the API, each with its cause and its remedy."""

from enum import Enum
from typing import Self


class Reason(Enum):
    """A reason's name, what it means, and what to do about it."""

    cause: str
    remedy: str

    def __new__(cls, name: str, cause: str, remedy: str) -> Self:
        """Make a member whose value is its name alone."""
        member = object.__new__(cls)
        member._value_ = name
        member.cause = cause
        member.remedy = remedy
        return member

    # -- well
    SUCCEEDED = ("Succeeded", "The AWS object is as the spec asks.", "Nothing to do.")
    # -- under way
    PROGRESSING = ("Progressing", "Work is under way.", "Wait.")
    PROGRESSING_WITH_RETRY = (
        "ProgressingWithRetry",
        "AWS was busy, unreachable or throttling, or did not say whether a request succeeded.",
        "Wait: it is tried again by itself. If it lasts, look at AWS's health and at the quotas.",
    )
    DEPENDENCY_NOT_READY = (
        "DependencyNotReady",
        "Something this resource needs does not exist yet or is not ready yet.",
        "Create or mend what the message names; this resource goes on by itself.",
    )
    QUEUED_FOR_QUOTA = (
        "QueuedForQuota",
        "A quota of the account is full, so that AWS would refuse another run just now.",
        "Wait: runs start by themselves, the oldest resource first. Where AWS grants more, by "
        "Service Quotas, tell the operator by its setting `quotas`.",
    )
    CONFIRMING_ABSENCE = (
        "ConfirmingAbsence",
        "A create call got no answer, or the object is not shown any more; lists may lag, so it "
        "takes some minutes to be certain.",
        "Wait: nothing is created until it is certain that nothing exists.",
    )
    DELETING = ("Deleting", "The AWS object is being deleted.", "Wait.")
    DELETION_BLOCKED = (
        "DeletionBlocked",
        "The AWS object cannot be deleted, or not without a word from a person.",
        'Do what the message says, or annotate `abandon: "true"` to leave the object in AWS.',
    )
    CANCELLING = (
        "Cancelling",
        "The run is being cancelled, as an annotation asks.",
        "Wait; where the run ends first, it stays as it ended.",
    )
    SUSPENDED = ("Suspended", "An annotation pauses this resource.", "Remove the annotation.")
    # -- stalled
    ACCESS_DENIED = (
        "AccessDenied",
        "AWS refuses the operator's identity.",
        "Grant the action that the message names to the role of the AWSAccount.",
    )
    NOT_ALLOWED = (
        "NotAllowed",
        "The operator's settings do not allow this identity or endpoint in this namespace.",
        "Ask whoever runs the operator to allow it in its settings, or use another.",
    )
    INVALID_SPEC = (
        "InvalidSpec",
        "AWS refuses the parameters.",
        "Mend the field that the message names.",
    )
    PROGRESS_DEADLINE_EXCEEDED = (
        "ProgressDeadlineExceeded",
        "What this resource waits for did not come in `progressDeadlineSeconds`.",
        "Create or mend what the message names; this resource goes on by itself.",
    )
    ADOPTION_CONFLICT = (
        "AdoptionConflict",
        "An object exists that this resource would manage, but it is not certainly its own.",
        "Annotate `external-id` with the object to adopt, or remove the others.",
    )
    OWNED_ELSEWHERE = (
        "OwnedElsewhere",
        "A resource of this namespace and name in another cluster made the object.",
        "List that cluster's id in the setting `owner.inherits` to take the object over, or "
        "annotate `external-id: none` to create another beside it.",
    )
    ALREADY_RAN = (
        "AlreadyRan",
        "AWS keeps the record of a run that an earlier resource of this name had made, and it "
        "could not be marked as deleted. Nothing is run again by itself.",
        "Annotate `external-id: none` for another run, or `external-id` with the ARN to take the "
        "former one over.",
    )
    AMBIGUOUS = (
        "Ambiguous",
        "Several things match what the spec names.",
        "Name one of them by its identifier.",
    )
    MISSING = (
        "Missing",
        "The AWS object vanished: it was deleted behind the operator's back.",
        "Delete this resource and apply it again, or restore the object.",
    )
    NAME_TAKEN = (
        "NameTaken",
        "Another object has the name in AWS, and AWS refuses a second one.",
        "Set another `spec.name`, which can be edited some minutes after the refusal; or delete "
        "what has it; or annotate `external-id` with it, where it is this resource's. It is tried "
        "again when the name may be free, and seldom besides.",
    )
    AWS_CONFLICT = (
        "AWSConflict",
        "AWS answers that the request conflicts with the state of something else.",
        "See the message. It is tried again, at last once an hour; at once by the annotation "
        "`reconcile-requested-at`.",
    )
    QUOTA_EXCEEDED = (
        "QuotaExceeded",
        "A quota of the account is full.",
        "Free what it counts, or ask for more in Service Quotas.",
    )
    ACCOUNT_CHANGED = (
        "AccountChanged",
        "The AWSAccount is another account or region than the one this object lives in.",
        "Point `accountRef` back; an object cannot move between accounts or regions.",
    )
    COLLABORATION_DELETED = (
        "CollaborationDeleted",
        "The creator deleted the collaboration.",
        "Delete this resource.",
    )
    REMOVED = (
        "Removed",
        "The creator removed this account from the collaboration.",
        "Delete this resource; only the creator can invite again.",
    )
    # -- runs that are over: none is started again by itself
    EXPIRED = (
        "Expired",
        "AWS has removed the data of the channel, as `retentionInDays` says; what was made of it "
        "stays.",
        "Where the data is needed again, apply a channel of another name: that is another query.",
    )
    CANCELLED = (
        "Cancelled",
        "The run was cancelled, or what it had made was deleted.",
        "Where it is wanted after all, apply a resource of another name: that is another run.",
    )
    CANCEL_FAILED = (
        "CancelFailed",
        "AWS could not cancel the run, which may have gone on.",
        "Look at the run in AWS. Where it has ended, delete this resource.",
    )
    DELETE_FAILED = (
        "DeleteFailed",
        "AWS could not delete what the run made.",
        "Mend what the message names; delete this resource to have it tried again.",
    )
    INPUT_CHANNEL_FAILED = (
        "InputChannelFailed",
        "The query of the channel failed.",
        "Mend what the message names, and apply a channel of another name.",
    )
    TRAINING_FAILED = (
        "TrainingFailed",
        "The training failed.",
        "Mend what the message names, and apply a model of another name.",
    )
    INFERENCE_FAILED = (
        "InferenceFailed",
        "The inference job failed.",
        "Mend what the message names, and apply a job of another name.",
    )
    # -- facts
    RESOLVED = ("Resolved", "All references point to what is ready.", "Nothing to do.")
    DRIFTED = (
        "Drifted",
        "AWS differs from the spec; `status.drift` says where.",
        "Wait for the correction; where a field cannot be changed, mend the spec or the object.",
    )
    SOURCE_CHANGED = (
        "SourceChanged",
        "A ConfigMap or Secret that the spec takes values from is not what it was when the AWS "
        "object was made; the object has the former values, and nothing is run again.",
        "Put the former values back, or apply another resource for a run with the new ones.",
    )
    ALL_JOINED = ("AllJoined", "Every invited member has joined.", "Nothing to do.")
    AWAITING_MEMBERS = (
        "AwaitingMembers",
        "Invited members have not joined yet.",
        "Ask them to create their Membership.",
    )
    CHANGES_APPLIED = (
        "Applied",
        "Members, abilities and payers are as declared.",
        "Nothing to do.",
    )
    CHANGES_NOT_APPLIED = (
        "ChangesNotApplied",
        "Members, abilities or payers differ from the spec of a resource that only observes.",
        "Set `managementPolicy: Full`, or put the spec back.",
    )
    PAYER_READY = ("PayerReady", "Who pays is a candidate and has joined.", "Nothing to do.")
    QUEUED_FOR_BUDGET = (
        "QueuedForBudget",
        "The Membership's `spending` lets no more runs be under way, or start today.",
        "Wait: runs start by themselves, the oldest resource first. A day begins at midnight of "
        "UTC, by AWS's clock.",
    )
    NOT_APPROVED = (
        "NotApproved",
        "The Membership's `spending` lets no such run start before it is approved.",
        "Read `status.plan`, then add the run with its hash to `spending.approvals` of the "
        "Membership.",
    )
    APPROVED = ("Approved", "What `spending` asks for is approved.", "Nothing to do.")
    GUARDED_ELSEWHERE = (
        "GuardedElsewhere",
        "The run names its membership by a literal identifier, and a Membership of another "
        "namespace guards what is spent under it.",
        "Apply the run in the namespace of its Membership.",
    )
    PAYER_NOT_READY = (
        "PayerNotReady",
        "A run has no payer, several that it might mean, or one who cannot pay yet.",
        "Do what the condition `PayerReady` says. Nothing is started before.",
    )
    NO_PAYER = (
        "NoPayer",
        "The collaboration has nobody who may pay for this.",
        "Ask its creator to name a candidate.",
    )
    PAYER_NOT_NAMED = (
        "PayerNotNamed",
        "Several members may pay, and the spec names none of them.",
        "Name one of those in the message.",
    )
    PAYER_NOT_CANDIDATE = (
        "PayerNotCandidate",
        "The creator of the collaboration has not named that account as a payer.",
        "Name another, or ask the creator to add it: the run starts by itself then.",
    )
    PAYER_NOT_JOINED = (
        "PayerNotJoined",
        "Who is to pay was invited and has not joined.",
        "Ask that account to create its Membership: the run starts by itself then.",
    )
    PAYER_NOT_ACCEPTED = (
        "PayerNotAccepted",
        "Who is to pay has a Membership here that does not accept this cost.",
        "Accept it there under `paymentConfiguration`: the run starts by itself then.",
    )
    PAYER_NOT_NEEDED = (
        "PayerNotNeeded",
        "A payer of synthetic data is named, and the channel makes none.",
        "Remove it from `payerConfiguration`, or use a template of synthetic data.",
    )
    PAYER_REFUSED = (
        "PayerRefused",
        "AWS would not start the run, and nobody here can see whether the payer has agreed.",
        "Ask the payer. It is tried again when members change, once an hour, or by the annotation "
        "`reconcile-requested-at`.",
    )
    RUN_CHARGED = (
        "RunCharged",
        "Another member has started a run that this account pays for.",
        "Nothing, if it was agreed on. `status.charges` of the Membership counts such runs; the "
        "creator of the collaboration decides who may be named as payer.",
    )
    AWAITING_APPROVAL = (
        "AwaitingApproval",
        "A change request is open; the members that the message names have not answered.",
        "Ask them to approve it: on their Membership under `changeRequests.approve`, or in AWS.",
    )
    CHANGE_DENIED = (
        "ChangeDenied",
        "A member denied the change request.",
        "Agree with them, then change the spec or annotate `reconcile-requested-at`.",
    )
    CHANGE_CANCELLED = (
        "ChangeCancelled",
        "Somebody cancelled the change request, not the operator.",
        "Change the spec, or annotate `reconcile-requested-at` to ask again.",
    )
    CHANGE_REFUSED = (
        "ChangeRefused",
        "AWS does not take the change request.",
        "Mend what the message names, or annotate `reconcile-requested-at` to ask again.",
    )
    UNEXPECTED_CHANGE = (
        "UnexpectedChange",
        "AWS computed types of the change request that its changes do not explain.",
        "Look at the request in AWS before anybody agrees to it.",
    )
    OTHER_REQUEST_OPEN = (
        "OtherRequestOpen",
        "A change request that is not this resource's is open.",
        "Commit it or cancel it in AWS.",
    )
    NOT_CHANGEABLE = (
        "NotChangeable",
        "The spec asks for what AWS lets nobody change on an existing collaboration.",
        "Put back the fields that the message names, or create another collaboration.",
    )
    REMOVAL_BLOCKED = (
        "RemovalBlocked",
        "Members that the spec does not name any more have joined; removing them is for good.",
        "Annotate `remove-active-members` with their accounts, or put them back into the spec.",
    )
    ALL_ANSWERED = (
        "AllAnswered",
        "No change request waits for this account's answer.",
        "Nothing to do.",
    )
    AWAITING_ANSWER = (
        "AwaitingAnswer",
        "A change request waits for this account's answer.",
        "Name it under `changeRequests.approve` or `changeRequests.deny`.",
    )
    PAYMENTS_ACCEPTED = (
        "PaymentsAccepted",
        "The payments that the spec accepts are in force.",
        "Nothing to do.",
    )
    AWAITING_ASSIGNMENT = (
        "AwaitingAssignment",
        "The spec accepts a payment that the collaboration does not assign to this account.",
        "Ask the creator to assign it, or take it out of the spec.",
    )
    PAYMENT_NOT_ACCEPTED = (
        "PaymentNotAccepted",
        "The collaboration assigns a payment that the spec does not accept.",
        "Accept it in `spec.paymentConfiguration`, or ask the creator to name another payer.",
    )
    # -- events
    CREATED = ("Created", "The AWS object was created.", "Nothing to do.")
    ADOPTED = ("Adopted", "An existing AWS object is managed from now on.", "Nothing to do.")
    UPDATED = ("Updated", "The AWS object was changed.", "Nothing to do.")
    DELETED = ("Deleted", "The AWS object was deleted.", "Nothing to do.")
    RETAINED = ("Retained", "The AWS object stays after its resource.", "Nothing to do.")
    ABANDONED = (
        "Abandoned",
        "The resource was let go by annotation; the AWS object may still exist and cost money.",
        "Delete the object that the message names by hand.",
    )
    GIVEN_UP = (
        "GivenUp",
        "An object that is of no use any more could not be deleted; its resource was let go.",
        "Delete the object that the message names by hand, if it is still there.",
    )
    RELEASE_NOT_MARKED = (
        "ReleaseNotMarked",
        "AWS did not let the object be marked as released.",
        "A new resource of this name will ask before it creates anything.",
    )
