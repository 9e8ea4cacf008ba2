"""JSON-RPC of an Ethereum-compatible node. Whatever it answers is a claim: callers recompute it."""

from dataclasses import dataclass
from typing import Any

from notary.errors import AnchorRejected, AnchorUnavailable
from notary.keys import bound_recursion

TIMEOUT = 20  # seconds an answer may take
MAX_FEE = 1000 * 10**9
_MAX_REASON = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """A result, or the node's reason for none."""

    result: Any
    error: str | None = None
    data: str | None = None  # of a revert


class Node:
    """One endpoint of one chain; every answer is refused until it has named that chain's id.

    Retries are off (a lost answer is looked up, never guessed at), and so is whatever makes web3 talk to
    others: names (ENS) and off-chain look-ups (CCIP-read).
    """

    def __init__(
        self,
        url: str,
        chain_id: int,
        timeout: float = TIMEOUT,
        *,
        fees: str = "eip1559",
        max_fee: int = MAX_FEE,
    ) -> None:
        # Only here: the API talks to no node, and has no memory for what this brings.
        from web3 import HTTPProvider, Web3  # noqa: PLC0415

        bound_recursion()
        # To the address that the operator named and nowhere else: no redirects, no proxies of the environment.
        direct = {"timeout": timeout, "allow_redirects": False, "proxies": {"http": "", "https": ""}}
        provider = HTTPProvider(url, direct, exception_retry_configuration=None)
        provider.global_ccip_read_enabled = False
        self.w3 = Web3(provider)
        self.w3.middleware_onion.remove("ens_name_to_address")
        self.chain_id = chain_id
        self.fees = fees  # how transactions on this chain pay: eip1559, legacy or free
        self.max_fee = max_fee  # wei for a unit of gas, at most

    def require_chain(self) -> None:
        """Assert the chain id.

        Raises:
            AnchorRejected: the node is of another chain.
            AnchorUnavailable: it does not answer.
        """
        found = quantity(self.ask("eth_chainId"))
        if found != self.chain_id:
            raise AnchorRejected(f"the node is of chain {found}, not {self.chain_id}")

    def ask(self, method: str, *params: Any) -> Any:
        """The result of a call.

        Raises:
            AnchorUnavailable: no answer, or an error for an answer.
        """
        answer = self.try_ask(method, *params)
        if answer.error is not None:
            raise AnchorUnavailable(f"{method}: {answer.error}")
        return answer.result

    def try_ask(self, method: str, *params: Any) -> Answer:
        """The result of a call, or the node's error.

        Raises:
            AnchorUnavailable: no answer.
        """
        from web3.exceptions import Web3Exception  # noqa: PLC0415 - as in __init__
        from web3.types import RPCEndpoint  # noqa: PLC0415 - as in __init__

        try:
            reply: Any = self.w3.provider.make_request(RPCEndpoint(method), params)
        except (Web3Exception, OSError, ValueError) as error:
            # The text of the exception may hold the URL and so a key of the provider: only its class is shown.
            raise AnchorUnavailable(f"{method}: no answer from the node ({type(error).__name__})") from error
        if not isinstance(reply, dict) or not ("result" in reply or isinstance(reply.get("error"), dict)):
            raise AnchorUnavailable(f"{method}: the answer of the node is not JSON-RPC")
        if "error" not in reply:
            return Answer(reply["result"])
        data = reply["error"].get("data")
        reason = str(reply["error"].get("message", "an error without a message"))[:_MAX_REASON]
        return Answer(None, reason, data if isinstance(data, str) else None)


def octets(value: Any, length: int | None = None) -> bytes:
    """Bytes from 0x and hexadecimal.

    Raises:
        AnchorRejected: anything else, or not of `length`.
    """
    try:
        if not value.startswith("0x"):
            raise ValueError
        data = bytes.fromhex(value[2:])
    except (AttributeError, ValueError) as error:
        raise AnchorRejected("the node's answer is not hexadecimal where it must be") from error
    if length is not None and len(data) != length:
        raise AnchorRejected(f"the node's answer has {len(data)} bytes where {length} must be")
    return data


def quantity(value: Any) -> int:
    """A whole number from 0x and hexadecimal.

    Raises:
        AnchorRejected: anything else, or more than 256 bits.
    """
    try:
        if not value.startswith("0x") or len(value) > 2 + 64:
            raise ValueError
        return int(value, 0)
    except (AttributeError, ValueError) as error:
        raise AnchorRejected("the node's answer is not a number where it must be") from error


def record(value: Any) -> dict[str, Any]:
    """A JSON object.

    Raises:
        AnchorRejected: anything else.
    """
    if not isinstance(value, dict):
        raise AnchorRejected("the node's answer is not an object where it must be")
    return value
