"""Answers that are no JSON: their media types stand in the OpenAPI document, too."""

from fastapi.responses import PlainTextResponse, Response

__all__ = ["Json", "Octets", "Pdf", "PlainTextResponse", "Response", "Statement", "Xml", "Zip"]


class Statement(Response):
    """The canonical bytes of a statement and nothing else."""

    media_type = "application/json"


class Zip(Response):
    """An evidence package."""

    media_type = "application/zip"


class Pdf(Response):
    """A report."""

    media_type = "application/pdf"


class Xml(Response):
    """A validation report."""

    media_type = "application/xml"


class Octets(Response):
    """A tile or an entry bundle."""

    media_type = "application/octet-stream"


class Json(Response):
    """JSON that is encoded already."""

    media_type = "application/json"
