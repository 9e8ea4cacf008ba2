"""The members of a package that are the same in each: guides for people and tools, read by no check."""

from importlib.resources import files

_MEMBERS = {
    "README.en.txt": "README.en.txt",
    "README.zh.txt": "README.zh.txt",
    "check.sh": "tools/check.sh",
    "check.ps1": "tools/check.ps1",
    "verify.html": "tools/verify.html",
}


def static_members() -> dict[str, bytes]:
    """Guides and tools by their names in a package; those that this build holds."""
    folder = files(__name__)
    return {
        member: place.read_bytes() for name, member in _MEMBERS.items() if (place := folder / name).is_file()
    }
