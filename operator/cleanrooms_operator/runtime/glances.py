"""What is looked at beside an object that is there: for people to read, and for no decision."""

from dataclasses import replace

from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.kind import Listing
from cleanrooms_operator.core.resource import Document
from cleanrooms_operator.core.situation import Glances, Situation
from cleanrooms_operator.core.step import Present
from cleanrooms_operator.runtime.ports import PacedError
from cleanrooms_operator.runtime.view import View


async def with_glances(view: View, situation: Situation, present: Present) -> Situation:
    """Return the situation with what the kind's glances show, each asked by those before it."""
    for glance in view.kind.glances:
        asked = glance.asked(situation, present)
        if asked is not None:
            shown = await _shown(view, glance.listing, asked)
            situation = replace(situation, glances={**situation.glances, **shown})
    return situation


async def _shown(view: View, listing: Listing, asked: Document) -> Glances:
    """Return what a List shows; no answer is none, for the next interval brings another."""
    age = 0.0 if view.requested is not None else view.ports.policy.pace.list_interval
    since, service = view.elapsed - age, view.ports.service
    try:
        sighting = await service.sighting(view.identity, listing, asked, since)
    except PacedError:
        return {}
    except ServiceError as error:
        is_closed = error.failure in {Failure.DENIED, Failure.NOT_FOUND}
        return {listing.operation: None} if is_closed else {}
    return {listing.operation: sighting.items}
