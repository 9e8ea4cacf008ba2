"""Databases for this folder."""

from tests.databases import database, database_url, postgres_server, postgres_url, sqlite

__all__ = ["database", "database_url", "postgres_server", "postgres_url", "sqlite"]
