"""A function as a component of emberd's world: strings in and out, what is printed is logged.

`wit_world` is made by componentize-py while it builds.
"""

import json

from componentize_py_types import Err
from wit_world import WitWorld as World
from wit_world.imports.types import Context, Failure


class WitWorld(World):
    """What the world asks for. Every event gets a new one."""

    def handle(self, event: str, context: Context) -> str:
        print("event", context.request_id)
        try:
            order = json.loads(event)
            cents = order["count"] * 250
        except (ValueError, LookupError, TypeError) as error:
            raise Err(Failure(error_type="Shop.NoOrder", error_message=str(error))) from None
        return json.dumps({"item": order["item"], "cents": cents, "orders": 1})
