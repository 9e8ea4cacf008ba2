"""The tree as RFC 9162 §2.1 writes it down: recursive, slow, and sharing no line with what it judges."""

from functools import cache
from hashlib import sha256

import pytest
from hypothesis import settings

# Property tests are not timed: the machine may be busy.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


class NaiveTree:
    def __init__(self, leaf_hashes):
        self.leaf_hashes = list(leaf_hashes)
        self.root = cache(self.root)

    @staticmethod
    def split(n):
        k = 1
        while 2 * k < n:
            k *= 2
        return k

    def root(self, begin, end):
        """MTH(D[begin:end]), §2.1.1."""
        if begin == end:
            return sha256().digest()
        if end - begin == 1:
            return self.leaf_hashes[begin]
        k = self.split(end - begin)
        return sha256(b"\x01" + self.root(begin, begin + k) + self.root(begin + k, end)).digest()

    def path(self, m, begin, end):
        """PATH(m, D[begin:end]), §2.1.3.1."""
        if end - begin == 1:
            return []
        k = self.split(end - begin)
        if m < k:
            return [*self.path(m, begin, begin + k), self.root(begin + k, end)]
        return [*self.path(m - k, begin + k, end), self.root(begin, begin + k)]

    def proof(self, m, begin, end, *, whole=True):
        """SUBPROOF(m, D[begin:end], b), §2.1.4.1."""
        if m == end - begin:
            return [] if whole else [self.root(begin, end)]
        k = self.split(end - begin)
        if m <= k:
            return [*self.proof(m, begin, begin + k, whole=whole), self.root(begin + k, end)]
        return [*self.proof(m - k, begin + k, end, whole=False), self.root(begin, begin + k)]

    def node(self, level, index):
        """A node source that refuses what is not a complete subtree."""
        begin, end = index << level, (index + 1) << level
        assert 0 <= begin < end <= len(self.leaf_hashes), (level, index)
        return self.root(begin, end)


@pytest.fixture(scope="session")
def naive():
    """Make a naive tree of so many leaves, all different."""

    @cache
    def tree(size):
        return NaiveTree(sha256(b"\x00leaf %d" % i).digest() for i in range(size))

    return tree
