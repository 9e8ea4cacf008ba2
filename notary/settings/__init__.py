"""Settings: one frozen value, from `NOTARY_…` variables and, below them, a TOML file named by NOTARY_CONFIG.

Secrets are paths to files, never values. `notary.settings.loading` reads them.
"""

import os
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from notary.evidence.outcome import source_of
from notary.evidence.statement import ORIGIN
from notary.settings.anchors import Chain, Ots, Tsa

PREFIX = "NOTARY_"
CONFIG = "NOTARY_CONFIG"

# A block's time is its maker's, and a time stamp's its authority's: where the second is behind the first, evidence of
# the same second would contradict itself for ever. A minute is more than a clock that is looked after is ever wrong.
_MARGIN_SECONDS = 60


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
