"""Reading the settings: a name that is not known is refused, wherever it stands, and no value is ever shown."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import SettingsError as _SourceError

from notary.errors import SettingsError
from notary.settings import CONFIG, PREFIX, Settings

# Names that share the prefix and are not settings of the service.
_OTHERS = (
    "NOTARY_CONFIG",
    "NOTARY_URL",
    "NOTARY_API_KEY_FILE",
    "NOTARY_ANVIL",
    "NOTARY_VECTORS",
    "NOTARY_TEST_POSTGRES",
)


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
