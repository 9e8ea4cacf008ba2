"""Who made a signature on secp256k1 (SEC 1 §4.1.6). Only public values go in, so nothing here hides its timing."""

from functools import lru_cache

from notary.errors import ChainError
from notary.evidence.keccak import keccak256

SIGNATURE = 65  # bytes: r, s, and 0 or 1 for an even or odd y of the point that r is of
_P = 2**256 - 2**32 - 977
_N = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
_G = (
    0x79BE667E_F9DCBBAC_55A06295_CE870B07_029BFCDB_2DCE28D9_59F2815B_16F81798,
    0x483ADA77_26A3C465_5DA4FBFC_0E1108A8_FD17B448_A6855419_9C47D08F_FB10D4B8,
)

_Point = tuple[int, int, int]  # Jacobian: x / z², y / z³; z = 0 is the point at infinity
_INFINITY: _Point = (1, 1, 0)


# Each takes milliseconds, and one block may stand in every anchor of a package, eight times in each with its seals.
@lru_cache(maxsize=4096)
def signer(digest: bytes, signature: bytes) -> bytes:
    """The address (20 bytes) of the key that signed `digest` (32 bytes).

    Args:
        digest: what was signed, already hashed.
        signature: r ‖ s ‖ v, 65 bytes; s in the lower half (EIP-2), v 0 or 1.

    Raises:
        ChainError: it is not of this form, or is of no key.
    """
    if len(signature) != SIGNATURE or signature[64] > 1:
        raise ChainError("a signature is not r, s and 0 or 1, in 65 bytes")
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:64])
    if not (0 < r < _N and 0 < s < _N):
        raise ChainError("a signature is out of the range of the curve")
    if s > _N // 2:
        raise ChainError("a signature is the twin of another, with s in the upper half")
    square = (pow(r, 3, _P) + 7) % _P
    y = pow(square, (_P + 1) // 4, _P)
    if y * y % _P != square:
        raise ChainError("a signature is of no key")
    if y & 1 != signature[64]:
        y = _P - y
    inverse = pow(r, -1, _N)
    found = _sum(-int.from_bytes(digest) * inverse % _N, s * inverse % _N, (r, y, 1))
    if found[2] == 0:
        raise ChainError("a signature is of no key")
    scale = pow(found[2], -1, _P)
    x, y = found[0] * scale**2 % _P, found[1] * scale**3 % _P
    return keccak256(x.to_bytes(32) + y.to_bytes(32))[12:]


def _sum(a: int, b: int, point: _Point) -> _Point:
    """The sum of a · G and b · point, bit by bit of both at once."""
    base: _Point = (*_G, 1)
    steps = {(1, 0): base, (0, 1): point, (1, 1): _add(base, point)}
    found = _INFINITY
    for at in range(255, -1, -1):
        found = _double(found)
        bits = (a >> at & 1, b >> at & 1)
        if bits != (0, 0):
            found = _add(found, steps[bits])
    return found


def _double(p: _Point) -> _Point:
    x, y, z = p
    square = y * y % _P
    s = 4 * x * square % _P
    m = 3 * x * x % _P
    left = (m * m - 2 * s) % _P
    return left, (m * (s - left) - 8 * square * square) % _P, 2 * y * z % _P


def _add(p: _Point, q: _Point) -> _Point:
    if p[2] == 0:
        return q
    if q[2] == 0:
        return p
    pz, qz = p[2] * p[2] % _P, q[2] * q[2] % _P
    u, v = p[0] * qz % _P, q[0] * pz % _P
    s, t = p[1] * qz * q[2] % _P, q[1] * pz * p[2] % _P
    if u == v:
        return _double(p) if s == t else _INFINITY
    h, r = v - u, t - s
    cube, uh = h * h * h % _P, u * h * h % _P
    x = (r * r - cube - 2 * uh) % _P
    return x, (r * (uh - x) - s * cube) % _P, h * p[2] * q[2] % _P
