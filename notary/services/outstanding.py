"""What an old key has still to do before it ends, by what the database records.

The settings of one process know some anchors alone: of another's, a worker's, it would give up what is on its way.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from notary.errors import RequestError, SettingsError
from notary.evidence.key_history import HEAD
from notary.store.anchorings import Anchoring, anchor_names, anchorings, move, newest_anchoring
from notary.store.engine import Connection, Database

_UNDER_WAY = ("due", "signed", "sent", "mined")
_GIVEN_UP = "given up: the key that signed this head has ended before this anchor said anything final of it"
_CHAIN = "evm"


@dataclass(frozen=True, slots=True)
class Outstanding:
    """What is waited for at the anchors of a log.

    Attributes:
        database: says at which anchors heads were ever due, and what became of each.
        named: the anchors in the settings of this process; None: all that there are.
        chained: whether these settings name the chain of entry 0, by whatever name.
        gone: those that are known not to be asked any more; nothing is waited for at them.
        given_up: those at which nothing is to be waited for, by the word of whoever runs this.
    """

    database: Database
    named: Collection[str] | None = None
    chained: bool = True
    gone: Collection[str] = ()
    given_up: Collection[str] = ()

    def check(self, role: str, *, waits: bool) -> None:
        """Refuse what cannot be meant, before anything is done.

        Args:
            role: of the key.
            waits: whether its end waits for anchors, as that of a log key in a rotation; else one is given up only for
                a head key, where it is a chain that these settings do not name.

        Raises:
            RequestError: an anchor is given up that no head was ever due at, or where nothing is waited for.
            SettingsError: a head key, and these settings do not name the chain that it works on.
        """
        with self.database.reading() as connection:
            known = {name: _kind(connection, name) for name in anchor_names(connection)}
        unknown = sorted(set(self.given_up) - known.keys())
        if unknown:
            raise RequestError(
                f"no head was ever due at {_list(unknown)}, so there is nothing to give up; "
                f"the anchors of this log are {_list(sorted(known)) or 'none'}"
            )
        if waits:
            return
        left_out = role == HEAD and not self.chained
        chains = {name for name, kind in known.items() if kind == _CHAIN and left_out}
        wrong = sorted(set(self.given_up) - chains)
        if wrong:
            raise RequestError(
                f"nothing of a {role} key is waited for at {_list(wrong)} here: leave --give-up away"
            )
        left = sorted(chains - set(self.given_up))
        if left:
            raise SettingsError(
                f"this log is anchored on {_list(left)}, which these settings do not name: the contract would keep "
                "the old head key. Run it with the settings of the worker; or, where no worker will ever anchor "
                f"there again, with {_options(left)}"
            )

    def heads(self, last: int) -> str:
        """At which anchors heads up to size `last` are on their way: "" for none, else a sentence on what to do."""
        with self.database.reading() as connection:
            names = [name for name in self._waited_for(connection) if _under_way(connection, name, last)]
        if not names:
            return ""
        said = (
            f"heads up to size {last}, signed by the old key, are still on their way to {_list(names)}: the new key "
            "signs already; run this again later to retire the old one"
        )
        unnamed = [] if self.named is None else [name for name in names if name not in self.named]
        if unnamed:
            said += (
                f". These settings do not name {_list(unnamed)}: where no worker will ask there again, run it with "
                f"{_options(unnamed)}"
            )
        return said

    def give_up(self, last: int, now: datetime) -> None:
        """End what is on its way where nothing is waited for: it must not come in after the key has ended.

        A head that is attested too late fails in every package that holds it. The newest head covers the same entries,
        and is due at that anchor if it is ever asked again.

        Raises:
            NotReady: a worker has moved one of them at this moment.
        """
        with self.database.writing() as connection:
            # Durable after the commit: that nobody waits for these. What was sent may still be answered, to nobody.
            for name in sorted(set(anchor_names(connection)) - set(self._waited_for(connection))):
                for item in _under_way(connection, name, last):
                    move(connection, item.id, item.state, "rejected", now, detail=_GIVEN_UP)

    def _waited_for(self, connection: Connection) -> list[str]:
        without = {*self.gone, *self.given_up}
        return [name for name in anchor_names(connection) if name not in without]


def _under_way(connection: Connection, name: str, last: int) -> list[Anchoring]:
    return [item for item in anchorings(connection, anchor=name, states=_UNDER_WAY) if item.size <= last]


def _kind(connection: Connection, name: str) -> str:
    newest = newest_anchoring(connection, name)
    return "" if newest is None else newest.kind


def _list(names: Collection[str]) -> str:
    return ", ".join(names)


def _options(names: Collection[str]) -> str:
    return " ".join(f"--give-up {name}" for name in names)
