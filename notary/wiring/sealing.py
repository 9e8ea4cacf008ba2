"""The seal of reports, from the settings."""

from collections.abc import Callable

from notary.errors import SettingsError
from notary.settings import Settings


def sealing(settings: Settings) -> Callable[[bytes], bytes]:
    """A function that seals a report, dated by the first authority there is; without a seal it changes nothing.

    Raises:
        SettingsError: only one of certificates and key is named, or they cannot be used.
    """
    certificates, key = settings.seal_certificates, settings.seal_key
    if certificates is None and key is None:
        return bytes
    if certificates is None or key is None:
        raise SettingsError("a seal needs both seal_certificates and seal_key")
    from notary.outbound import Outbound  # noqa: PLC0415 - a service without a seal has no memory for what this brings
    from notary.report.seal import Stamper, load_sealer, seal  # noqa: PLC0415 - as above

    try:
        sealer = load_sealer(certificates.read_bytes(), key.read_bytes())
    except OSError as error:
        raise SettingsError(f"the seal cannot be read: {error.strerror}: {error.filename}") from error
    outbound = Outbound(allow_private=settings.allow_private_addresses)
    stamper = Stamper(settings.tsas[0].url, outbound) if settings.tsas else None
    return lambda pdf: seal(pdf, sealer, stamper)
