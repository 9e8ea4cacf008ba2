"""JSON-RPC of an Ethereum-compatible node. Whatever it answers is a claim: callers recompute it."""

import math
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import structlog

from notary.anchoring.fields import quantity, words
from notary.errors import AnchorRejected, NoAnswer, OutOfTime, Unavailable
from notary.evidence.chain_seals import ValidatorSet
from notary.keys import bound_recursion
from notary.outbound import Outbound, check_url

_log = structlog.get_logger()
MAX_ANSWER = 64 * 2**20  # bytes
MAX_FEE = 1000 * 10**9
MAX_TIP = 50 * 10**9
AWAY_SECONDS = 90.0  # longer than seven of eight endpoints take that are waited for, one after another
HANGS_SECONDS = 1.0  # a question that fails sooner holds nothing up
SLOW_SECONDS = 3.0  # a step puts some twenty questions, and may be silent for little more than a minute
_DATA = re.compile("0x[0-9a-fA-F]*")
_REVERTED = 3  # the code of an error, as geth and others give it
# Of the step of this thread, by the clock of the nodes that it asks.
_end: ContextVar[float] = ContextVar("end", default=math.inf)


@contextmanager
def within(seconds: float, clock: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """In here no node is asked anything by this thread once so many seconds are over: OutOfTime ends what asks.

    It is no silence of an endpoint: where several are asked, who is accused, and what is final, must never hang on
    which of them there was time for.
    """
    token = _end.set(clock() + seconds)
    try:
        yield
    finally:
        _end.reset(token)


@dataclass(frozen=True, slots=True)
class Answer:
    """A result, or the node's reason for none."""

    result: Any
    error: str | None = None
    data: str | None = None  # of a revert
    reverted: bool = False  # it was carried out and failed, as far as the node says


class Node:
    """One endpoint of one chain; every answer is refused until it has named that chain's id.

    Of web3 this uses how questions and answers are written. They go by `Outbound`: to the address that the operator
    named and nowhere else, without redirects, proxies of the environment, names (ENS) or off-chain look-ups
    (CCIP-read), and once: a lost answer is looked up, never asked for again by itself.
    """

    def __init__(
        self,
        url: str,
        chain_id: int,
        *,
        fees: str = "eip1559",
        max_fee: int = MAX_FEE,
        max_tip: int = MAX_TIP,
        validators: tuple[ValidatorSet, ...] = (),
        allow_private: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask nothing yet.

        Args:
            url: of the endpoint.
            chain_id: that it must name.
            fees: how transactions on this chain pay: eip1559, legacy or free.
            max_fee: wei for a unit of gas, at most.
            max_tip: of these, for whoever makes the block, as far as endpoints ask for it.
            validators: who must have sealed what it shows, on a chain whose blocks are sealed.
            allow_private: whether it may be on this machine or in a private network. What the settings name goes
                by `allow_private_addresses`.
            clock: monotonic, in seconds.

        Raises:
            SettingsError: the URL could never be used.
        """
        from web3.providers.base import JSONBaseProvider  # noqa: PLC0415 - the API talks to no node, and has no memory for it

        bound_recursion()
        check_url(url)
        self._url = url
        self._outbound = Outbound(allow_private=allow_private)
        self._codec = JSONBaseProvider()
        self.chain_id = chain_id
        self.fees = fees
        self.max_fee = max_fee
        self.max_tip = max_tip
        self.validators = validators
        self._clock = clock
        # Replaced whole, so that any thread may: steps share an endpoint, and what one waited for the others need not.
        self._away_until = self._hung_until = clock()
        # Time of the newest block that it showed last, in seconds since 1970.
        self.newest: int | None = None
        # Of the block with this hash, as far as they were asked for.
        self.receipts: tuple[str, tuple[Any, ...]] = ("", ())

    @property
    def away(self) -> bool:
        """Whether a question of the last 90 seconds hung, or its answer was waited for: three seconds or longer.

        Who asks several endpoints asks such ones last, or leaves them alone; here nothing is refused by it.
        """
        return self._clock() < self._away_until

    @property
    def hung(self) -> bool:
        """Whether one of them got no answer, and was waited for."""
        return self._clock() < self._hung_until

    def require_chain(self) -> None:
        """Assert the chain id.

        Raises:
            AnchorRejected: the node is of another chain.
            NoAnswer: it does not answer.
        """
        found = quantity(self.ask("eth_chainId"))
        if found != self.chain_id:
            raise AnchorRejected(f"the node is of chain {found}, not {self.chain_id}")

    def ask(self, method: str, *params: Any) -> Any:
        """The result of a call.

        Raises:
            NoAnswer: no answer, or an error for an answer.
        """
        answer = self.try_ask(method, *params)
        if answer.error is not None:
            raise NoAnswer(f"{method}: {answer.error}")
        return answer.result

    def try_ask(self, method: str, *params: Any) -> Answer:
        """The result of a call, or the node's error.

        Raises:
            NoAnswer: none.
            OutOfTime: the step that asks has had its time, and nothing was asked.
        """
        from web3.types import RPCEndpoint  # noqa: PLC0415 - as in __init__

        question = self._codec.encode_rpc_request(RPCEndpoint(method), params)
        if (began := self._clock()) >= _end.get():
            raise OutOfTime(
                f"{method} is left to the next turn: the endpoints of the chain take too long to answer"
            )
        try:
            body = self._outbound.post(self._url, question, "application/json", MAX_ANSWER)
            reply: Any = self._codec.decode_rpc_response(body)
        except (Unavailable, ValueError) as error:
            now = self._clock()
            if now - began >= HANGS_SECONDS:
                self._away_until = self._hung_until = now + AWAY_SECONDS
            # What becomes the detail of an anchoring is public, and a provider's host may tell who pays it: only
            # the kind of the failure is shown, and the rest is for the log.
            _log.warning("a node does not answer", method=method, detail=str(error))
            cause = type(error.__cause__ or error).__name__
            raise NoAnswer(f"{method}: no answer from the node ({cause})") from error
        if (now := self._clock()) - began >= SLOW_SECONDS:
            self._away_until = now + AWAY_SECONDS
        failure = reply.get("error") if isinstance(reply, dict) else ""
        if failure is None and "result" in reply:  # some say null beside a result
            return Answer(reply["result"])
        if not isinstance(failure, dict):
            raise NoAnswer(f"{method}: the answer of the node is not JSON-RPC")
        data = _revert_data(failure.get("data"))
        reason = words(failure.get("message", "an error without a message"))
        reverted = data is not None or failure.get("code") == _REVERTED or "revert" in reason.lower()
        return Answer(None, reason, data, reverted)


def _revert_data(value: Any) -> str | None:
    """What a call failed with, as hexadecimal; "" where the node says so in words alone, None where not at all.

    Some nodes give it after a word of their own ("Reverted 0x…"), some within an object.
    """
    if isinstance(value, dict):
        value = value.get("data")
    if not isinstance(value, str):
        return None
    found = _DATA.search(value)
    return found.group() if found else ""
