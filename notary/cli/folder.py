"""Which service a command is for, and what it prints."""

from pathlib import Path
from typing import Annotated

import typer

from notary.embedded.own_settings import stored_settings
from notary.settings import Settings
from notary.settings.loading import load_settings

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DataDir = Annotated[Path | None, typer.Option(help="Folder of the service; else NOTARY_DATA_DIR.")]


def settings_of(data_dir: Path | None) -> Settings:
    """Of the embedded service that lies in `data_dir`, if one does, else from the environment."""
    embedded = stored_settings(data_dir.resolve()) if data_dir is not None else None
    return embedded or load_settings(**({} if data_dir is None else {"data_dir": data_dir}))
