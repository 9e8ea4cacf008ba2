"""The time-stamp suite: each thing that a token can be, once, with the verdict that is right.

tests/evidence/test_tsa_cases.py holds our verifier to it, scripts/compare_timestamps.py runs other tools on it.
"""

from tests.evidence.tsa_bad_certificates import GOOD as PATHS
from tests.evidence.tsa_bad_certificates import PATH, PROFILE
from tests.evidence.tsa_bad_tokens import IDENTITY, INFO, RESPONSES, SIGNED
from tests.evidence.tsa_good import GOOD
from tests.evidence.tsa_revocation import BAD as REVOKED
from tests.evidence.tsa_revocation import GOOD as STANDING

CASES = (*GOOD, *PATHS, *STANDING, *RESPONSES, *SIGNED, *IDENTITY, *PROFILE, *PATH, *REVOKED, *INFO)
