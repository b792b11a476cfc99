"""What a test or a person sets and sees: faults, the clock, the rules, and the request log."""

import hmac
import ipaddress
import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Literal

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

from cleanrooms_emulator.emulator import Emulator
from cleanrooms_emulator.faults import ArmedFault, Fault
from cleanrooms_emulator.http.clock import ScaledClock
from cleanrooms_emulator.rules import Rules, switches
from cleanrooms_emulator.store import Failure

_READINGS = TypeAdapter(dict[str, str | int])

CONTROL_PREFIX = "/_emulator"
TOKEN_HEADER = "x-emulator-token"  # noqa: S105 - the header's name


class ClockChange(BaseModel):
    """What to do to the clock: go on from a moment, step ahead, run at a speed; 0 stops it."""

    model_config = ConfigDict(extra="forbid")

    now: datetime | None = None
    step_seconds: float = Field(default=0.0, alias="stepSeconds")
    speed: float | None = Field(default=None, ge=0)


class FailureOrder(BaseModel):
    """Which run is to fail next, at what, and what its status then says."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    kind: Literal[
        "MLInputChannel", "TrainedModel", "TrainedModelInferenceJob", "TrainedModelExportJob"
    ]
    status_code: str
    message: str
    name: str | None = None
    action: Literal["create", "delete", "cancel"] = "create"


class Control:
    """The endpoints under /_emulator, for this machine, or for who has the token if one is set."""

    def __init__(self, emulator: Emulator, clock: ScaledClock, token: str | None = None) -> None:
        """Control `emulator`, which runs on `clock`."""
        self._emulator = emulator
        self._clock = clock
        self._token = token

    def application(self) -> web.Application:
        """Return the routes of the control endpoints."""
        application = web.Application(middlewares=[self._guard])
        application.router.add_get("/health", self._show_health)
        application.router.add_get("/clock", self._show_clock)
        application.router.add_post("/clock", self._change_clock)
        application.router.add_get("/faults", self._show_faults)
        application.router.add_post("/faults", self._add_fault)
        application.router.add_delete("/faults", self._clear_faults)
        application.router.add_delete("/faults/{number:[0-9]+}", self._remove_fault)
        application.router.add_post("/failures", self._order_failure)
        application.router.add_get("/rules", self._show_rules)
        application.router.add_put("/rules", self._use_rules)
        application.router.add_get("/log", self._show_log)
        return application

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not self.admits(request.remote, request.headers.get(TOKEN_HEADER, "")):
            return _json({"message": "the control endpoints are for this machine"}, 403)
        try:
            return await handler(request)
        except ValueError as error:
            return _json({"message": str(error)}, 400)

    def admits(self, remote: str | None, token: str) -> bool:
        """Tell whether a request from that address, with that token, may control."""
        if self._token is not None:
            return hmac.compare_digest(token.encode(errors="replace"), self._token.encode())
        return remote is not None and ipaddress.ip_address(remote).is_loopback

    async def _show_health(self, _: web.Request) -> web.Response:
        return _json({"status": "ok", **self._clock_shown()})

    async def _show_clock(self, _: web.Request) -> web.Response:
        return _json(self._clock_shown())

    async def _change_clock(self, http: web.Request) -> web.Response:
        change = ClockChange.model_validate_json(await http.read())
        if change.now is not None:
            self._clock.set(change.now.astimezone(UTC))
        self._clock.step(timedelta(seconds=change.step_seconds))
        if change.speed is not None:
            self._clock.run(change.speed)
        return _json(self._clock_shown())

    def _clock_shown(self) -> Mapping[str, Any]:
        return {"now": self._clock.now().isoformat(), "speed": self._clock.speed}

    async def _show_faults(self, _: web.Request) -> web.Response:
        return _json({"faults": [_fault_shown(armed) for armed in self._emulator.faults.armed()]})

    async def _add_fault(self, http: web.Request) -> web.Response:
        fault = Fault.model_validate_json(await http.read())
        return _json(_fault_shown(self._emulator.faults.add(fault)), 201)

    async def _clear_faults(self, _: web.Request) -> web.Response:
        self._emulator.faults.clear()
        return _json({})

    async def _remove_fault(self, http: web.Request) -> web.Response:
        found = self._emulator.faults.remove(int(http.match_info["number"]))
        return _json({}, 200 if found else 404)

    async def _order_failure(self, http: web.Request) -> web.Response:
        order = FailureOrder.model_validate_json(await http.read())
        self._emulator.store.fail_next(Failure(**order.model_dump()))
        return _json(order.model_dump(by_alias=True), 201)

    async def _show_rules(self, _: web.Request) -> web.Response:
        return _json(_rules_shown(self._emulator.rules))

    async def _use_rules(self, http: web.Request) -> web.Response:
        """Replace the rules by those of a JSON object such as {"ER-9": "accept"}."""
        readings = _READINGS.validate_json(await http.read())
        self._emulator.use_rules(Rules.parse(f"{name}={value}" for name, value in readings.items()))
        return _json(_rules_shown(self._emulator.rules))

    async def _show_log(self, http: web.Request) -> web.Response:
        """Show the records after `?since=`, and the number to ask for the next ones with."""
        since = int(http.query.get("since", "0"))
        records = self._emulator.log.since(since)
        last = records[-1].sequence if records else since
        return _json({"records": [asdict(record) for record in records], "since": last})


def _json(document: Mapping[str, Any], status: int = 200) -> web.Response:
    return web.json_response(document, status=status, dumps=partial(json.dumps, default=_text))


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _fault_shown(armed: ArmedFault) -> Mapping[str, Any]:
    fault = armed.fault.model_dump(mode="json", exclude_defaults=True)
    return {"id": armed.number, **fault, "matched": armed.matched, "struck": armed.struck}


def _rules_shown(rules: Rules) -> Mapping[str, Any]:
    readings = {switch.number: getattr(rules, name) for name, (switch, _) in switches().items()}
    quotas = {f"quota.{one.name}": getattr(rules.quotas, one.name) for one in fields(rules.quotas)}
    return {**readings, **quotas}
