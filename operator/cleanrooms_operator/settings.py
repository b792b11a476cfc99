"""What whoever runs the operator decides: the only reader of the environment.

A value comes from the command line, else from the environment (`CLEANROOMS_` and the name in
capitals), else from the configuration file, else it is the default.
"""

import difflib
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    HttpUrl,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

from cleanrooms_operator.core.ownership import Owner
from cleanrooms_operator.core.pace import Pace
from cleanrooms_operator.core.quotas import Limits
from cleanrooms_operator.runtime.ports import Policy

PREFIX = "CLEANROOMS_"

NOT_OURS = ("_PORT", "_SERVICE_HOST", "_TCP", "_TCP_ADDR", "_TCP_PROTO", "_TCP_PORT")
"""How variables end that Kubernetes makes of Services whose names begin like ours."""


_PACE, _LIMITS = Pace(), Limits()

_SECRET = frozenset({"source_key"})
"""Settings whose values are not told."""


class SettingsError(Exception):
    """The settings cannot be used; its text names each field, its value and the remedy."""


def _split(value: object) -> object:
    """Take a text as a list separated by commas."""
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _parse(value: object) -> object:
    """Take a text as JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        message = f"this is not JSON: {error}"
        raise ValueError(message) from error


NamespacePattern = Annotated[str, StringConstraints(pattern=r"^[a-z0-9*?-]{1,63}$")]
Patterns = Annotated[tuple[NamespacePattern, ...], NoDecode, BeforeValidator(_split)]
OwnerId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,128}$")]
Count = Annotated[int, Field(ge=0, le=100_000)]
QUOTAS: Mapping[str, str] = {
    "trainings": "trainings",
    "trainingsPerMembership": "membership_trainings",
    "trainingInstances": "training_instances",
    "inferenceJobs": "inference_jobs",
    "inferenceJobsPerMembership": "membership_inference_jobs",
    "channelsPerMembership": "membership_channels",
    "syntheticChannels": "synthetic_channels",
}
"""How people name a quota -> the field of `Limits`."""
QuotaName = Literal[
    "trainings",
    "trainingsPerMembership",
    "trainingInstances",
    "inferenceJobs",
    "inferenceJobsPerMembership",
    "channelsPerMembership",
    "syntheticChannels",
]
InstanceType = Annotated[str, StringConstraints(pattern=r"^ml\.")]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
ServiceName = Literal["cleanrooms", "cleanroomsml", "sts"]


class Settings(BaseSettings):
    """The settings of one operator. The description of a field says what to give it."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, populate_by_name=True
    )

    config: Annotated[Path | None, Field(description="a YAML file with these settings")] = None

    # -- whose objects ---------------------------------------------------------------------------
    owner: Annotated[
        OwnerId | None,
        Field(
            description="the id that the tags of this cluster's AWS objects carry, such as its "
            "name; without it, the UID of the namespace kube-system"
        ),
    ] = None
    owner_inherits: Annotated[
        tuple[OwnerId, ...],
        NoDecode,
        BeforeValidator(_split),
        Field(description="ids of former clusters whose objects are taken over"),
    ] = ()
    watch_namespaces: Annotated[
        Patterns, Field(description="the namespaces to serve, with * and ?; without, all")
    ] = ()
    own_identity_namespaces: Annotated[
        Patterns,
        Field(
            description="patterns of the namespaces whose AWSAccounts may use the operator's own "
            "identity"
        ),
    ] = ()
    roles: Annotated[
        dict[NamespacePattern, Annotated[tuple[str, ...], BeforeValidator(_split)]],
        NoDecode,
        BeforeValidator(_parse),
        Field(
            description="JSON: pattern of namespaces -> patterns of the role ARNs that their "
            "AWSAccounts may assume"
        ),
    ] = Field(default_factory=dict)
    endpoint_profiles: Annotated[
        dict[str, dict[ServiceName, HttpUrl]],
        NoDecode,
        BeforeValidator(_parse),
        Field(description="JSON: name -> service (cleanrooms, cleanroomsml, sts) -> URL"),
    ] = Field(default_factory=dict)

    # -- values from elsewhere -------------------------------------------------------------------
    secret_sources: Annotated[
        bool,
        Field(description="true where specs may take values from Secrets, which are then read"),
    ] = False
    source_key: Annotated[
        SecretStr | None,
        Field(
            description="the key of the hashes in status, a long random text; without it, the "
            "owner's id, which keeps nobody from trying out short values"
        ),
    ] = None
    source_key_file: Annotated[
        Path | None, Field(description="a file that holds the source_key, such as a mounted Secret")
    ] = None

    # -- pace ------------------------------------------------------------------------------------
    workers: Annotated[
        int,
        Field(
            ge=1,
            le=256,
            description="how many passes may run at once, 1 to 256; a quarter of them for one "
            "account at the most",
        ),
    ] = 32
    list_interval: Annotated[
        Seconds, Field(description="seconds between two looks at the state of all objects")
    ] = _PACE.list_interval
    detail_interval: Annotated[
        Seconds, Field(description="seconds between two looks at the details of an object")
    ] = _PACE.detail_interval
    settle: Annotated[
        Seconds,
        Field(
            description="seconds for which a lost create may still appear; more than send_window"
        ),
    ] = _PACE.settle
    send_window: Annotated[
        Seconds, Field(description="seconds in which a create must be signed after it was noted")
    ] = _PACE.send_window
    progress_interval: Annotated[
        Seconds, Field(description="seconds between two looks at what is under way")
    ] = _PACE.progress_interval
    denied_grace: Annotated[
        Seconds, Field(description="seconds for which a denial may be IAM that has not spread yet")
    ] = _PACE.denied_grace
    release_limit: Annotated[
        Seconds,
        Field(description="seconds for which a deletion waits under a membership that has ended"),
    ] = _PACE.release_limit
    audit_interval: Annotated[
        Seconds, Field(description="seconds between two complete lists of the resources")
    ] = 300.0
    rates: Annotated[
        dict[str, Annotated[float, Field(gt=0)]],
        NoDecode,
        BeforeValidator(_parse),
        Field(description='JSON: pattern such as "cleanrooms.List*" -> requests a second'),
    ] = Field(default_factory=dict)

    quotas: Annotated[
        dict[QuotaName | InstanceType, Count],
        NoDecode,
        BeforeValidator(_parse),
        Field(
            description="JSON: quota of runs, or instance type for trainings -> what AWS grants "
            f"instead of its default; the quotas are {', '.join(QUOTAS)}"
        ),
    ] = Field(default_factory=dict)

    # -- leader election -------------------------------------------------------------------------
    leader_election: Annotated[
        bool, Field(description="true, or false where there is never a second replica")
    ] = True
    lease_name: Annotated[str, Field(min_length=1, description="name of the Lease")] = (
        "cleanrooms-operator"
    )
    lease_namespace: Annotated[
        str | None,
        Field(
            validation_alias=AliasChoices(f"{PREFIX}LEASE_NAMESPACE", "POD_NAMESPACE"),
            description="namespace of the Lease; without it, the operator's own",
        ),
    ] = None
    lease_duration: Annotated[
        int, Field(ge=1, le=3600, description="seconds until another replica takes over")
    ] = 15
    lease_renew_deadline: Annotated[
        Seconds, Field(description="seconds in which a renewal must succeed; below lease_duration")
    ] = 10.0
    lease_renew_interval: Annotated[
        Seconds, Field(description="seconds between renewals; below lease_renew_deadline")
    ] = 5.0
    lease_retry_interval: Annotated[
        Seconds, Field(description="seconds between two tries to get the Lease")
    ] = 2.0

    # -- the process -----------------------------------------------------------------------------
    kubeconfig: Annotated[
        str | None,
        Field(
            validation_alias=AliasChoices(f"{PREFIX}KUBECONFIG", "KUBECONFIG"),
            description="a kubeconfig; without it, the service account of the pod or the user's",
        ),
    ] = None
    context: Annotated[str | None, Field(description="a context of the kubeconfig")] = None
    metrics_address: Annotated[
        str,
        Field(
            pattern=r"^[^\s]*:[0-9]{1,5}$",
            description="host:port of metrics and probes; port 0 lets the system choose",
        ),
    ] = "0.0.0.0:8080"
    metrics_per_resource: Annotated[
        bool, Field(description="true, or false where there are too many resources")
    ] = True
    drain_seconds: Annotated[
        Seconds, Field(description="seconds that passes under way may take at the end")
    ] = 20.0
    log_format: Annotated[Literal["json", "plain"], Field(description="json or plain")] = "json"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value),
        Field(description="debug, info, warning or error"),
    ] = "info"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the command line, the environment, and the file that either of them names."""
        del dotenv_settings, file_secret_settings
        config = init_settings().get("config") or env_settings().get("config")
        if config is None:
            return init_settings, env_settings
        return init_settings, env_settings, YamlConfigSettingsSource(settings_cls, Path(config))

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.watch_namespaces and self.owner is None:
            message = "owner is required with watch_namespaces: set it to a name of this cluster"
            raise ValueError(message)
        if self.source_key is not None and self.source_key_file is not None:
            message = "source_key and source_key_file are both given: give one of them"
            raise ValueError(message)
        if not self.send_window < self.settle:
            message = f"send_window ({self.send_window:g}) must be below settle ({self.settle:g})"
            raise ValueError(message)
        if not self.lease_renew_interval < self.lease_renew_deadline < self.lease_duration:
            message = (
                f"lease_renew_interval ({self.lease_renew_interval:g}) must be below "
                f"lease_renew_deadline ({self.lease_renew_deadline:g}), and that below "
                f"lease_duration ({self.lease_duration})"
            )
            raise ValueError(message)
        return self

    @property
    def pace(self) -> Pace:
        """The intervals of passes."""
        return Pace(
            list_interval=self.list_interval,
            detail_interval=self.detail_interval,
            settle=self.settle,
            send_window=self.send_window,
            progress_interval=self.progress_interval,
            denied_grace=self.denied_grace,
            release_limit=self.release_limit,
        )

    @property
    def limits(self) -> Limits:
        """How many runs an account may have at once."""
        types = {name: value for name, value in self.quotas.items() if name not in QUOTAS}
        counts = {QUOTAS[name]: value for name, value in self.quotas.items() if name in QUOTAS}
        by_type = {**_LIMITS.training_instances_by_type, **types}
        return replace(_LIMITS, training_instances_by_type=by_type, **counts)

    def policy(self, owner: str) -> Policy:
        """Return what passes need to know; `owner` is the id of this cluster."""
        return Policy(
            owner=Owner(owner, frozenset(self.owner_inherits)),
            pace=self.pace,
            own_identity_namespaces=self.own_identity_namespaces,
            role_patterns=self.roles,
            endpoint_profiles=frozenset(self.endpoint_profiles),
            hash_key=self._hash_key(owner),
            quotas=self.limits,
        )

    def _hash_key(self, owner: str) -> bytes:
        if self.source_key_file is None:
            return (self.source_key.get_secret_value() if self.source_key else owner).encode()
        try:
            return self.source_key_file.read_bytes().strip()
        except OSError as error:
            message = f"source_key_file={self.source_key_file}: {error.strerror}"
            raise SettingsError(message) from error


def load(given: Mapping[str, Any]) -> Settings:
    """Return the settings; `given` are those of the command line. Raises `SettingsError`."""
    named = given.get("config") or os.environ.get(f"{PREFIX}CONFIG")
    if named is not None and not Path(named).is_file():
        message = f"config={named}: there is no such file"
        raise SettingsError(message)
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError("\n".join(map(_told, error.errors()))) from error
    except (yaml.YAMLError, TypeError, ValueError) as error:
        message = f"config={named}: this is not a YAML map of settings: {error}"
        raise SettingsError(message) from error


def unknown_variables() -> tuple[str, ...]:
    """Return what to say about variables that look like settings and are none."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    told = []
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in known and not name.endswith(NOT_OURS):
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
            told.append(f"{name} is no setting" + (f", {near[0]} is" if near else ""))
    return tuple(told)


def _told(error: ErrorDetails) -> str:
    """Return one error as a line: which field, its value, what is wrong, what it takes."""
    problem = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:
        return problem
    first = str(error["loc"][0])
    name = first.removeprefix(PREFIX).lower()
    field = Settings.model_fields.get(name)
    if field is None:
        near = difflib.get_close_matches(name, Settings.model_fields, n=1)
        return f"{name} is no setting" + (f", {near[0]} is" if near else "")
    path = ".".join((name, *map(str, error["loc"][1:])))
    given = "" if name in _SECRET else f"={error['input']!r}"
    return f"{path}{given}: {problem}. Set it to {field.description}"
