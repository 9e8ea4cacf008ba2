"""A disk and a database that fail when told to: before anything is stored, or after everything is."""

from contextlib import contextmanager
from dataclasses import dataclass, field

from notary.errors import Unavailable
from notary.store.engine import Database
from notary.store.files import FileObjects
from notary.store.objects import CHECKPOINT


class DiskError(Unavailable):
    """What a disk says that takes nothing now."""


@dataclass
class Fault:
    """Where and how the next writes fail: `point` is a prefix of an object's name, `swap` or `delete`."""

    point: str | None = None
    stored: bool = False
    hits: int = 0

    def meets(self, point: str) -> bool:
        met = self.point is not None and point.startswith(self.point)
        self.hits += met
        return met


@dataclass(frozen=True)
class FaultyObjects(FileObjects):
    fault: Fault = field(default_factory=Fault)
    shown: list[bytes] = field(default_factory=list)  # every checkpoint that the world could read

    def create_all(self, objects):
        for name, data in objects:
            met = self.fault.meets(name)
            if not met or self.fault.stored:
                super().create_all([(name, data)])
            if met:
                raise DiskError(f"the disk fails at {self.fault.point}")

    def create_named(self, folder, data):
        met = self.fault.meets(folder)
        name = super().create_named(folder, data) if not met or self.fault.stored else ""
        if met:
            raise DiskError(f"the disk fails at {self.fault.point}")
        return name

    def replace(self, name, data):
        assert name == CHECKPOINT
        met = self.fault.meets(name)
        if not met or self.fault.stored:
            super().replace(name, data)
            self.shown.append(data)
        if met:
            raise DiskError(f"the disk fails at {self.fault.point}")

    def delete(self, name):
        met = self.fault.meets("delete")
        if not met or self.fault.stored:
            super().delete(name)
        if met:
            raise DiskError("the disk fails at delete")


@dataclass(frozen=True)
class FaultyDatabase(Database):
    fault: Fault = field(default_factory=Fault)

    @contextmanager
    def writing(self):
        met = self.fault.meets("swap")
        with super().writing() as connection:
            yield connection
            if met and not self.fault.stored:
                raise Unavailable("the database went away before the commit")
        if met:
            raise Unavailable("the database went away, and the answer to the commit with it")


def faulty(database: Database, fault: Fault) -> FaultyDatabase:
    return FaultyDatabase(database.engine, database._lock, fault=fault)
