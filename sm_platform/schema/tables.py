"""Contracts of the lake's tables: every column's name, type, unit, range and meaning, said once.

Storage, checks, the DuckDB views and the column schema in the UI are derived from here. A dated
table is partitioned by region and UTC day, the others by region; those two are the path's, not
the file's.
"""

from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `low` and `high` bound its values, both included, where they are given."""

    name: str
    type: pa.DataType
    unit: str
    """Unit of the value; "1" for numbers without one, "" for texts, times and flags."""
    meaning: str
    is_nullable: bool = False
    low: float | None = None
    high: float | None = None

    @property
    def described(self) -> str:
        """The meaning, with the unit where there is one to tell."""
        return self.meaning if self.unit in ("", "1") else f"{self.meaning} [{self.unit}]"


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its columns in order, the columns that identify a row, how it is partitioned."""

    name: str
    meaning: str
    keys: tuple[str, ...]
    columns: tuple[Column, ...]
    is_dated: bool = True
    """Partitioned by region and day; else by region alone."""

    @property
    def arrow_schema(self) -> pa.Schema:
        """The Arrow schema that the write enforces."""
        return pa.schema([pa.field(c.name, c.type, nullable=c.is_nullable) for c in self.columns])


def number(
    name: str, unit: str, meaning: str, low: float | None = None, high: float | None = None
) -> Column:
    """A float32 column, missing allowed (null when the value is not known)."""
    return Column(name, pa.float32(), unit, meaning, is_nullable=True, low=low, high=high)


def text(name: str, meaning: str, *, is_nullable: bool = False) -> Column:
    """A text column."""
    return Column(name, pa.string(), "", meaning, is_nullable=is_nullable)


def whole(name: str, meaning: str, *, unit: str = "1", is_nullable: bool = False) -> Column:
    """A 32-bit whole number."""
    return Column(name, pa.int32(), unit, meaning, is_nullable=is_nullable)


def flag(name: str, meaning: str) -> Column:
    """A boolean column."""
    return Column(name, pa.bool_(), "", meaning)


def moment(name: str, meaning: str, *, is_nullable: bool = False) -> Column:
    """A UTC time to the microsecond."""
    return Column(name, pa.timestamp("us", tz="UTC"), "", meaning, is_nullable=is_nullable)


def code(name: str, meaning: str, data_type: pa.DataType | None = None) -> Column:
    """A small whole number with a list of meanings."""
    return Column(name, data_type or pa.int8(), "1", meaning)
