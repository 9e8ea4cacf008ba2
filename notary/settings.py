"""Settings: one frozen value, from `NOTARY_…` variables and, below them, a TOML file named by NOTARY_CONFIG.

Secrets are paths to files, never values. A name that is not known is refused, wherever it stands.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
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
from notary.evidence.chain_bft import SEALED
from notary.evidence.chain_header import PROFILES
from notary.evidence.outcome import source_of
from notary.evidence.statement import ORIGIN
from notary.tsa_profiles import PROFILES as TSA_PROFILES

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
_NAMED = "^[a-z0-9][a-z0-9-]{0,39}$"  # no option of a command begins so
_NAME = "Name of the anchor, as shown; no other chain or authority has it, and it is never reused."


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
        if len({url.rstrip("/") for url in self.rpc_urls}) < len(self.rpc_urls):
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
    database_syncs_elsewhere: bool = Field(
        False,
        description="PostgreSQL shows `fsync = off`, and its storage keeps what it acknowledges by other means.",
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
        "http://127.0.0.1:8000",
        pattern=r"^https?://[^/@?#\s]+(/[^?#\s]*)?$",
        description="Where people reach the service.",
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    metrics_host: str = Field("127.0.0.1", description="Address at which a worker tells its metrics.")
    metrics_port: int | None = Field(
        None, ge=0, le=65535, description="Port of a worker's metrics (Prometheus); none: they are not told."
    )
    embedded: bool = Field(
        False,
        description="Scheduler, local chain and local TSA in this process, on SQLite: anchors that prove nothing.",
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
        60,
        ge=2,
        description="A receipt promises its entries in a checkpoint within this, more than twice the interval.",
    )
    stamp_target_seconds: int = Field(86400, ge=1, description="Objective for the first time stamp.")
    final_target_seconds: int = Field(86400, ge=1, description="Objective for the first final anchor.")
    stamp_interval_seconds: float = Field(60, gt=0, description="How often a new checkpoint is stamped.")
    revocation_interval_seconds: float = Field(
        3600, gt=0, description="How often CAs are asked whether they revoked an authority's certificates."
    )
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
        description="Where documents wait for inspection, and large bodies are on their way; shared by all processes, "
        "same file system.",
    )

    chains: tuple[Chain, ...] = Field((), description="Chains that checkpoints are anchored on.")
    tsas: tuple[Tsa, ...] = Field((), description="Authorities that checkpoints are stamped by.")
    ots: tuple[Ots, ...] = Field((), description="OpenTimestamps calendars that checkpoints are posted to.")
    former_tsas: tuple[Tsa, ...] = Field(
        (),
        description="Authorities that stamped once, are trusted for it, and are not asked any more.",
    )
    stamps_needed: int = Field(
        1,
        ge=1,
        le=16,
        description="Organisations that must have stamped a record before it is called stamped.",
    )
    signer_roots: tuple[Path, ...] = Field(
        (), description="PEM files of roots under which signatures in PDF files are trusted."
    )
    allow_private_addresses: bool = Field(
        False,
        description="Allow chains, authorities and calendars on loopback and private addresses, and S3 without TLS; "
        "for local set-ups and nodes of one's own.",
    )

    @field_validator("close_promise_seconds")
    @classmethod
    def _can_be_kept(cls, promise: int, info: ValidationInfo) -> int:
        # What waits for half of it is behind, and while anything is behind nothing is accepted.
        interval = info.data.get("close_interval_seconds", 0)
        if 2 * interval >= promise:
            raise PydanticCustomError(
                "promise",
                f"a promise of {promise} seconds is refused half of the time where a batch is closed every "
                f"{interval:g}: it must be more than twice as long",
            )
        return promise

    @field_validator("max_spool_bytes")
    @classmethod
    def _holds_a_document(cls, size: int, info: ValidationInfo) -> int:
        if size < info.data.get("max_document_bytes", 0):
            raise PydanticCustomError(
                "spool",
                "a document of max_document_bytes would never be taken in: raise it, or lower the other",
            )
        return size

    @field_validator("embedded")
    @classmethod
    def _is_one_process(cls, embedded: bool, info: ValidationInfo) -> bool:
        # It takes its own lease over again without waiting: two processes would each take it from the other.
        if embedded and not info.data.get("database_url", "sqlite:").startswith("sqlite:"):
            raise PydanticCustomError(
                "embedded",
                "the embedded service is one process with a SQLite file of its own, not PostgreSQL",
            )
        return embedded

    @property
    def trusted_tsas(self) -> tuple[Tsa, ...]:
        """Those whose stamps are believed, asked still or not."""
        return (*self.tsas, *self.former_tsas)

    @field_validator("chains", "tsas", "ots", "former_tsas")
    @classmethod
    def _names_differ(cls, anchors: tuple[Any, ...], info: ValidationInfo) -> tuple[Any, ...]:
        # By its name an anchor's rows are found: two of one name would each go on with what the other began.
        kinds = ("chains", "tsas", "ots", "former_tsas")
        earlier = kinds[: kinds.index(info.field_name or "ots")]
        before = [anchor for kind in earlier for anchor in info.data.get(kind, ())]
        names = [anchor.name for anchor in (*before, *anchors)]
        if len(set(names)) < len(names):
            raise PydanticCustomError(
                "names",
                "two chains, authorities or sets of calendars have one name: give each a name of its own",
            )
        return anchors

    @field_validator("chains")
    @classmethod
    def _chains_differ(cls, chains: tuple[Chain, ...]) -> tuple[Chain, ...]:
        # Each by its name counts the nonces of its wallet: two would give away the same ones.
        if len({chain.chain_id for chain in chains}) < len(chains):
            raise PydanticCustomError(
                "chains",
                "one chain is named twice, and its wallets would fight over nonces: put all into one table",
            )
        return chains

    @field_validator("stamps_needed")
    @classmethod
    def _can_be_had(cls, needed: int, info: ValidationInfo) -> int:
        # By organisation, as a verifier counts: two authorities of one are one.
        sources = {source_of(tsa.organisation) for tsa in info.data.get("tsas", ())}
        if needed > max(1, len(sources)):
            raise PydanticCustomError(
                "stamps",
                f"{needed} organisations cannot stamp where authorities of {len(sources)} are named",
            )
        return needed

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is theirs
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
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


def named() -> set[str]:
    """The settings that a variable or the file gives, by their names in `Settings`; the file is one that was read."""
    found = {name.removeprefix(PREFIX).lower() for name in os.environ if name.startswith(PREFIX)}
    config = os.environ.get(CONFIG)
    return found | (set(tomllib.loads(Path(config).read_text(encoding="utf-8"))) if config else set())


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    for name in sorted(environ):
        known = name in _OTHERS or name.removeprefix(PREFIX).lower() in Settings.model_fields
        if name.upper().startswith(PREFIX) and not known:
            raise SettingsError(f"{name} is not a setting")
