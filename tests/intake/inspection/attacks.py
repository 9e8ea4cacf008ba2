"""A hundred hostile PDF files: what is done to a sound one, and what a truthful report says of it.

Every attack on a signature starts from a file that passes, by roots that it leads to; so a report that says `passed`
of what comes out is a lie, and no accident.
"""

from functools import cache

from attacks_heavy import heavy
from attacks_signatures import dictionaries, flips
from attacks_structures import bombs, names, pieces, structures
from attacks_updates import updates

LIGHT = (structures, bombs, pieces, names, dictionaries, flips, updates)
HEAVY = dict(heavy())


@cache
def light():
    """The files that a process without a sandbox reads in no time, by name."""
    return {name: data for family in LIGHT for name, data in family()}


def telling(found):
    """Outcome or reason where there is no signature, else what was found of each."""
    if not found["signatures"]:
        gone = f", removed: {', '.join(found['removed_fields'])}" if found["removed_fields"] else ""
        return (found["reason"] or found["outcome"]) + gone
    return [f"{row['integrity']} {row['covers']} {row['changes_after']}" for row in found["signatures"]]
