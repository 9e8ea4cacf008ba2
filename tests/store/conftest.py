"""Databases and buckets for this folder."""

from tests.buckets import bucket, proxy, s3, s3_server
from tests.databases import database, database_url, postgres_server, postgres_url, sqlite

__all__ = [
    "bucket",
    "database",
    "database_url",
    "postgres_server",
    "postgres_url",
    "proxy",
    "s3",
    "s3_server",
    "sqlite",
]
