"""Buckets for this folder."""

from tests.buckets import bucket, proxy, s3, s3_server

__all__ = ["bucket", "proxy", "s3", "s3_server"]
