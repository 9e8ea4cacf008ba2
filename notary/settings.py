"""Settings: one frozen value, from `NOTARY_…` variables and, below them, a TOML file named by NOTARY_CONFIG.

Secrets are paths to files, never values. A name that is not known is refused, wherever it stands.
"""

import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import (
    SettingsError as _SourceError,
)

from notary.errors import SettingsError
from notary.evidence.chain_header import PROFILES
from notary.evidence.statement import ORIGIN

PREFIX = "NOTARY_"
CONFIG = "NOTARY_CONFIG"
# Names that share the prefix and are not settings of the service.
_OTHERS = (
    "NOTARY_CONFIG",
    "NOTARY_URL",
    "NOTARY_API_KEY_FILE",
    "NOTARY_ANVIL",
    "NOTARY_VECTORS",
    "NOTARY_TEST_POSTGRES",
)

_ADDRESS = r"^0x[0-9a-f]{40}$"
# A block's time is its maker's, and a time stamp's its authority's: where the second is behind the first, evidence of
# the same second would contradict itself for ever. A minute is more than a clock that is looked after is ever wrong.
_MARGIN_SECONDS = 60
_NAME = "Name of the anchor, as shown; no other chain or authority has it, and it is never reused."


class Chain(BaseModel):
    """One Ethereum-compatible chain that checkpoints are anchored on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern="^[a-z0-9-]{1,40}$", description=_NAME)
    rpc_urls: tuple[str, ...] = Field(
        min_length=1, max_length=8, description="JSON-RPC endpoints; the first is asked for everything."
    )
    quorum: int = Field(
        1, ge=1, le=8, description="Endpoints that must agree on what is final; an anchor says how many did."
    )
    chain_id: int = Field(ge=1, description="EIP-155 chain id that every endpoint must report.")
    contract: str | None = Field(
        None, pattern=_ADDRESS, description="Address of the anchoring contract; none: not deployed yet."
    )
    profile: str = Field("ethereum", description="How block headers are hashed: `ethereum` in this version.")
    finality: str = Field(
        "finalized",
        pattern=r"^(finalized|depth:[1-9][0-9]{0,4})$",
        description="When an anchor is final: `finalized` tag, or `depth:N` blocks.",
    )
    fees: Literal["eip1559", "legacy", "free"] = Field(
        "eip1559", description="How transactions pay: `eip1559`, `legacy` (one gas price) or `free` (none)."
    )
    max_fee_gwei: int = Field(
        1000,
        ge=1,
        le=10**9,
        description="Most that is paid for a unit of gas; a chain that asks for more waits.",
    )
    max_ether_per_day: Decimal | None = Field(
        None,
        gt=0,
        le=10**9,
        description="Most that one wallet may spend in any 24 hours, at worst; none: no bound.",
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
        if len({url.rstrip("/") for url in self.rpc_urls}) < len(self.rpc_urls):
            raise PydanticCustomError("rpc_urls", "an endpoint is named twice, and would agree with itself")
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


class Tsa(BaseModel):
    """One RFC 3161 time-stamping authority."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern="^[a-z0-9-]{1,40}$", description=_NAME)
    organisation: str = Field(min_length=1, description="Who runs it; sources count as independent by this.")
    url: str = Field(pattern=r"^https?://", description="Where requests are sent.")
    roots: tuple[Path, ...] = Field(min_length=1, description="PEM files of the roots it is trusted under.")
    policies: tuple[str, ...] = Field((), description="Policy identifiers accepted; none: any.")
    accuracy_ms: int | None = Field(
        None, ge=0, description="Accuracy by its published policy, where tokens do not state one."
    )


def _in_keys(name: str) -> Any:
    return lambda data: data["data_dir"] / "keys" / name


class Settings(BaseSettings):
    """Everything that an operator can choose."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    data_dir: Path = Field(Path("data"), description="Folder of everything the service keeps in files.")
    database_url: str = Field(
        default_factory=lambda data: f"sqlite:///{data['data_dir'] / 'notary.db'}",
        pattern="^(sqlite:///|postgresql://)",
        description="sqlite:///FILE for one process, postgresql://… for any number.",
    )
    objects_url: str | None = Field(
        None,
        pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[a-zA-Z0-9_-]+)*$",
        description="s3://BUCKET/PREFIX for tiles, checkpoint and reports; none: files in the data folder.",
    )
    s3_endpoint: str | None = Field(
        None,
        pattern=r"^https?://[^/@?#\s]+$",
        description="https://HOST[:PORT] of the S3 server, http:// in local set-ups only; none: AWS.",
    )
    s3_region: str = Field(
        "us-east-1", pattern="^[a-z0-9-]{1,40}$", description="Region that S3 requests are signed for."
    )
    s3_access_key_file: Path | None = Field(None, description="Holds the S3 access key, in its first line.")
    s3_secret_key_file: Path | None = Field(None, description="Holds its secret, in its first line.")
    origin: str = Field(
        pattern=f"^{ORIGIN}$", description="Name of the log, for ever; by custom a host name and a path."
    )
    operator: str = Field("", max_length=200, description="Who runs the service, as printed on reports.")
    public_url: str = Field(
        "http://127.0.0.1:8000", pattern=r"^https?://", description="Where people reach the service."
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    embedded: bool = Field(
        False, description="Scheduler, local chain and local TSA in this process: anchors that prove nothing."
    )

    log_key: Path = Field(default_factory=_in_keys("log.pem"), description="Signs checkpoints (Ed25519).")
    receipt_key: Path = Field(
        default_factory=_in_keys("receipt.pem"), description="Signs receipts (Ed25519)."
    )
    head_key: Path = Field(default_factory=_in_keys("head.key"), description="Signs heads (secp256k1).")
    wallet_key: Path = Field(
        default_factory=_in_keys("wallet.key"), description="Pays for transactions (secp256k1)."
    )

    seal_certificates: Path | None = Field(
        None, description="PEM chain of the seal of reports, its own first; none: reports are not sealed."
    )
    seal_key: Path | None = Field(None, description="Key of the seal (PEM, RSA or ECDSA).")

    close_interval_seconds: float = Field(1, gt=0, description="How often a batch is closed.")
    close_promise_seconds: int = Field(
        60, ge=2, description="A receipt promises that its entries are in a checkpoint within this."
    )
    stamp_target_seconds: int = Field(86400, ge=1, description="Objective for the first time stamp.")
    final_target_seconds: int = Field(86400, ge=1, description="Objective for the first final anchor.")
    stamp_interval_seconds: float = Field(60, gt=0, description="How often a new checkpoint is stamped.")
    anchor_interval_seconds: float = Field(600, gt=0, description="How often a new checkpoint is anchored.")
    fsck_interval_seconds: float = Field(
        86_400, ge=0, description="How often a worker reads the whole log again and compares; 0: never."
    )
    poll_interval_seconds: float = Field(5, gt=0, description="How often pending anchors are looked at.")
    not_before_margin_seconds: int = Field(
        _MARGIN_SECONDS,
        ge=0,
        description="Statements name the newest final block that is at least so old: by so much the clocks of "
        "chain and authorities may differ.",
    )

    max_document_bytes: int = Field(100 * 2**20, ge=1, description="Largest document accepted.")
    max_request_bytes: int = Field(2**20, ge=1024, description="Largest request without a document.")
    max_bulk_bytes: int = Field(2**23, ge=2**20, description="Largest bulk request (application/x-ndjson).")
    max_pending: int = Field(
        1_000_000, ge=1, description="Entries that may wait for a checkpoint before new ones are refused."
    )
    max_spool_bytes: int = Field(
        4 * 2**30,
        ge=1,
        description="Bytes of all documents that may wait for inspection, no less than one document may have.",
    )
    max_inspections: int = Field(
        1000, ge=1, description="Documents of one organisation that may wait for inspection."
    )
    spool_reserve_bytes: int = Field(
        2**28,
        ge=0,
        description="Bytes left free on the disk of the spool: no document is taken in that needs them.",
    )
    temp_dir: Path = Field(
        default_factory=lambda data: data["data_dir"] / "spool",
        description="Where documents wait for inspection; shared by all processes, same file system.",
    )

    chains: tuple[Chain, ...] = Field((), description="Chains that checkpoints are anchored on.")
    tsas: tuple[Tsa, ...] = Field((), description="Authorities that checkpoints are stamped by.")
    signer_roots: tuple[Path, ...] = Field(
        (), description="PEM files of roots under which signatures in PDF files are trusted."
    )
    allow_private_addresses: bool = Field(
        False,
        description="Allow chains and time-stamping authorities on loopback and private addresses, and S3 without TLS; "
        "for local set-ups and nodes of one's own.",
    )

    @field_validator("max_spool_bytes")
    @classmethod
    def _holds_a_document(cls, size: int, info: ValidationInfo) -> int:
        if size < info.data.get("max_document_bytes", 0):
            raise PydanticCustomError(
                "spool",
                "a document of max_document_bytes would never be taken in: raise it, or lower the other",
            )
        return size

    @field_validator("chains", "tsas")
    @classmethod
    def _names_differ(cls, anchors: tuple[Any, ...], info: ValidationInfo) -> tuple[Any, ...]:
        # By its name an anchor's rows are found: two of one name would each go on with what the other began.
        before = () if info.field_name == "chains" else info.data.get("chains", ())
        names = [anchor.name for anchor in (*before, *anchors)]
        if len(set(names)) < len(names):
            raise PydanticCustomError(
                "names", "two chains or authorities have one name: give each a name of its own"
            )
        return anchors

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is theirs
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then variables, then the file."""
        config = os.environ.get(CONFIG)
        sources = (init_settings, env_settings)
        return (*sources, TomlConfigSettingsSource(settings_cls, Path(config))) if config else sources


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; `overrides` win over variables, variables over the file.

    Raises:
        SettingsError: the file is missing or not TOML, or a setting is missing, unknown or not of its form.
            The message names settings and never shows their values.
    """
    config = os.environ.get(CONFIG)
    if config and not Path(config).is_file():
        raise SettingsError(f"{CONFIG} names {config!r}, which is not a file")
    _refuse_unknown(os.environ)
    try:
        return Settings(**overrides)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False, include_context=False)
        # Defaults that are made from a setting that is wrong or missing are not wrong themselves.
        causes = [p for p in problems if p["type"] != "default_factory_not_called"]
        shown = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in causes)
        raise SettingsError(f"settings: {shown}") from None  # the cause holds the values
    except (_SourceError, ValueError) as error:
        raise SettingsError(f"settings cannot be read: {type(error).__name__}") from None


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    for name in sorted(environ):
        known = name in _OTHERS or name.removeprefix(PREFIX).lower() in Settings.model_fields
        if name.upper().startswith(PREFIX) and not known:
            raise SettingsError(f"{name} is not a setting")
