"""The analysis templates of a collaboration, one List for all channels (rule R-26)."""

from cleanrooms_operator.core import shared, templates
from cleanrooms_operator.core.references import MEMBERSHIP_IDENTIFIER
from cleanrooms_operator.core.resource import Document
from cleanrooms_operator.core.shared import COLLABORATION
from cleanrooms_operator.runtime.resolve import collaboration_of
from cleanrooms_operator.runtime.view import View

LISTING = shared.template().listing


async def templates_of(view: View) -> tuple[Document, ...]:
    """Return the templates of a channel's collaboration; none where the channel names none."""
    if not templates.names_template(view.parameters):
        return ()
    membership = view.parameters[MEMBERSHIP_IDENTIFIER]
    where = await collaboration_of(membership, view.identity, view.ports, view.recall)
    since = view.elapsed - view.ports.policy.pace.list_interval
    scope = {COLLABORATION: where}
    return (await view.ports.service.sighting(view.identity, LISTING, scope, since)).items
