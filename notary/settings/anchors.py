"""Settings of what anchors checkpoints: chains, time-stamping authorities, calendars. Each is one table of the file."""

import re
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from notary.evidence.chain_bft import SEALED
from notary.evidence.chain_header import PROFILES
from notary.tsa_profiles import PROFILES as TSA_PROFILES

_ADDRESS = r"^0x[0-9a-f]{40}$"
_NAMED = "^[a-z0-9][a-z0-9-]{0,39}$"  # no option of a command begins so
_NAME = "Name of the anchor, as shown; no other chain or authority has it, and it is never reused."


def _endpoint(url: str) -> tuple[object, ...]:
    """What an address stands for, in whichever of its forms it is written; one that is of no form is by itself."""
    try:
        parts = urlsplit(url)
        port = parts.port or (80 if parts.scheme == "http" else 443)
    except ValueError:  # it is refused where it would be used
        return (url,)
    return parts.scheme, (parts.hostname or "").rstrip("."), port, parts.path.rstrip("/"), parts.query


class Validators(BaseModel):
    """Who seals the blocks of a chain from one on, until a later set begins."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    from_block: int = Field(0, ge=0, description="The first block that names this set.")
    addresses: tuple[Annotated[str, Field(pattern=_ADDRESS)], ...] = Field(
        min_length=1, max_length=100, description="Addresses of the validators."
    )


class Chain(BaseModel):
    """One Ethereum-compatible chain that checkpoints are anchored on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=_NAMED, description=_NAME)
    rpc_urls: tuple[str, ...] = Field(
        min_length=1,
        max_length=8,
        description="JSON-RPC endpoints: transactions go to all, the first that answers is asked.",
    )
    quorum: int = Field(
        1, ge=1, le=8, description="Endpoints that must agree on what is final; an anchor says how many did."
    )
    chain_id: int = Field(ge=1, description="EIP-155 chain id that every endpoint must report.")
    contract: str | None = Field(
        None, pattern=_ADDRESS, description="Address of the anchoring contract; none: not deployed yet."
    )
    profile: str = Field(
        "ethereum", description="What kind of chain: `ethereum`, `op`, `qbft`, `ibft2` or `anvil` (below)."
    )
    finality: str = Field(
        default_factory=lambda data: "seals" if data.get("profile") in SEALED else "finalized",
        pattern=r"^(finalized|depth:[1-9][0-9]{0,4}|seals)$",
        description="When an anchor is final: `finalized` tag, `depth:N` blocks, or once sealed by its validators: "
        "`seals`, the default where the profile has them.",
    )
    validators: tuple[Validators, ...] = Field(
        (),
        description="Who seals blocks (`qbft`, `ibft2`): list of `from_block` (default 0) and `addresses`.",
    )
    head_keys: tuple[Annotated[str, Field(pattern=_ADDRESS)], ...] = Field(
        (),
        description="Head keys after that of entry 0 that no key statement adds, oldest first: "
        "trust files name them too.",
    )
    fees: Literal["eip1559", "legacy", "free"] = Field(
        default_factory=lambda data: "free" if data.get("profile") in SEALED else "eip1559",
        description="How transactions pay: `eip1559`, `legacy` (one gas price) or `free` (none), "
        "the default where validators seal.",
    )
    max_fee_gwei: int = Field(
        300,
        ge=1,
        le=10**9,
        description="Most that is paid for a unit of gas; a chain that asks for more waits.",
    )
    max_tip_gwei: int = Field(
        50,
        ge=1,
        le=10**9,
        description="Of this, most that whoever makes the block gets (`eip1559`), however much endpoints suggest.",
    )
    max_ether_per_day: Decimal | None = Field(
        default_factory=lambda data: None if data.get("profile") == "anvil" else Decimal(2),
        gt=0,
        le=10**9,
        description="Most of the chain's coin that one wallet may spend in any 24 hours, at worst: 2, but of `anvil`; "
        "null: no bound, which the log warns of where gas costs anything.",
    )
    wallets: tuple[Path, ...] = Field(
        (),
        max_length=8,
        description="Files of further wallets, each used where `NOTARY_WALLET_KEY` and those before it cannot pay.",
    )

    @model_validator(mode="after")
    def _has_a_quorum(self) -> Self:
        if self.quorum > len(self.rpc_urls):
            raise PydanticCustomError(
                "quorum", f"{self.quorum} endpoints cannot agree where {len(self.rpc_urls)} are named"
            )
        if len(set(map(_endpoint, self.rpc_urls))) < len(self.rpc_urls):
            raise PydanticCustomError("rpc_urls", "an endpoint is named twice, and would agree with itself")
        return self

    @model_validator(mode="after")
    def _fits_its_profile(self) -> Self:
        sealed = self.profile in SEALED
        if bool(self.validators) != sealed:
            raise PydanticCustomError(
                "validators",
                f"a chain of profile {self.profile} {'needs' if sealed else 'has no'} validators",
            )
        # On a rollup a block is deep within seconds, and may still be taken back with its batch.
        misfits = ("finalized",) if sealed else ("seals",)
        if self.finality in misfits or (self.profile == "op" and self.finality != "finalized"):
            raise PydanticCustomError(
                "finality",
                f"a chain of profile {self.profile} does not tell what is final by {self.finality}",
            )
        sets = [each.from_block for each in self.validators]
        if len(set(sets)) < len(sets) or any(
            len(set(v.addresses)) < len(v.addresses) for v in self.validators
        ):
            raise PydanticCustomError(
                "validators", "two sets of validators begin with one block, or one is named twice in a set"
            )
        return self

    @field_validator("profile")
    @classmethod
    def _is_hashed(cls, profile: str) -> str:
        if profile not in PROFILES:
            known = ", ".join(PROFILES)
            raise PydanticCustomError(
                "profile", f"the headers of no other chains can be hashed than of {known}"
            )
        return profile


# X.660: the first number is 0, 1 or 2, and the second below 40 under the first two.
_OID = r"^([01]\.[1-3]?[0-9]|2\.(0|[1-9][0-9]*))(\.(0|[1-9][0-9]*))*$"


class Tsa(BaseModel):
    """One RFC 3161 time-stamping authority."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=_NAMED, description=_NAME)
    profile: str | None = Field(
        None, description="A well-known authority, whose address and pins need not be given."
    )
    organisation: str = Field(min_length=1, description="Who runs it; sources count as independent by this.")
    url: str = Field(pattern=r"^https?://", description="Where requests are sent.")
    roots: tuple[Path, ...] = Field(min_length=1, description="PEM files of the roots it is trusted under.")
    root_sha256: tuple[Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")], ...] = Field(
        (), description="SHA-256 (hex) of the certificates that its roots may be; none: any."
    )
    policies: tuple[Annotated[str, StringConstraints(pattern=_OID)], ...] = Field(
        (), description="Policy identifiers accepted, and asked for where it is one; none: any."
    )
    accuracy_ms: int | None = Field(
        None, ge=0, description="Accuracy by its published policy, where tokens do not state one."
    )
    imprint: Literal["sha256", "sm3"] = Field(
        "sha256", description="Digest of a checkpoint that it is asked to stamp: `sha256` or `sm3`."
    )
    interval_seconds: float = Field(
        0, ge=0, description="Least time between two checkpoints it stamps, where it is longer for this one."
    )

    @model_validator(mode="before")
    @classmethod
    def _of_a_profile(cls, given: Any) -> Any:
        """What the profile knows, where the settings do not say otherwise."""
        name = given.get("profile") if isinstance(given, dict) else None
        if name is None:
            return given
        if name not in TSA_PROFILES:
            known = ", ".join(sorted(TSA_PROFILES))
            raise PydanticCustomError("profile", f"no authority is known by this profile, but of {known}")
        return asdict(TSA_PROFILES[name]) | given


class Ots(BaseModel):
    """OpenTimestamps calendars that are asked together: their promises and blocks are in one file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=_NAMED, description=_NAME)
    calendars: tuple[str, ...] = Field(
        min_length=1,
        max_length=8,
        description="Addresses of calendars, each as it names itself in files; all are asked, and one is enough.",
    )
    headers_url: str = Field(
        pattern=r"^https?://",
        description="Where Bitcoin block headers are read, in the form of Esplora: best a node of your own.",
    )
    ask_interval_seconds: float = Field(
        600, gt=0, description="How often a calendar is asked whether a block is there."
    )

    @field_validator("headers_url")
    @classmethod
    def _without_slash(cls, url: str) -> str:
        return url.rstrip("/")

    @field_validator("calendars")
    @classmethod
    def _are_calendars(cls, calendars: tuple[str, ...]) -> tuple[str, ...]:
        found = tuple(url.rstrip("/") for url in calendars)
        if not all(re.fullmatch(r"https?://[A-Za-z0-9._/:-]{1,900}", url) for url in found):
            raise PydanticCustomError(
                "calendars", "the address of a calendar is https://, letters, digits and - . _ / :"
            )
        if len(set(found)) < len(found):
            raise PydanticCustomError("calendars", "a calendar is named twice")
        return found
