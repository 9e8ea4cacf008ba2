"""Routes past the framework, whose reading of parameters and checking of answers cost more than the answer."""

from starlette.routing import Match, Route
from starlette.types import Scope


class PlainRoute(Route):
    """A route of Starlette's that the metrics know; the framework's own of the same path describes it."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As Starlette's; the scope says which route it was."""
        match, inner = super().matches(scope)
        return match, {**inner, "route": self}
