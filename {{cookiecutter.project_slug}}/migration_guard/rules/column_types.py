"""What a change of a column's type costs on each database."""

import re
from typing import Any

from ..databases import DATABASES, MYSQL, POSTGRESQL
from ..reading.migration import UNKNOWN, Type, words

SQL_TYPES = words(
    "bigint smallint tinyint mediumint integer numeric float real double boolean bit varbit money "
    "char varchar nvarchar text citext tinytext mediumtext longtext enum set uuid json jsonb xml "
    "blob tinyblob mediumblob longblob binary varbinary date time timestamp datetime interval year "
    "array inet cidr macaddr hstore tsvector"
)


def sql_name(type_: Type) -> str:
    args, given = type_.args, type_.kwargs
    args = args or tuple(given[key] for key in ("precision", "fsp") if key in given)
    size = f"({', '.join(map(str, args))})" if args and type_.name != "enum" else ""
    name = f"{type_.name}{size}{' with time zone' if given.get('timezone') else ''}"
    return f"{name} COLLATE {given['collation']}" if given.get("collation") else name


def for_database(type_: Type, dialect: str) -> Type:
    """Return the type on this dialect, which ``with_variant`` may set."""
    variant = (type_.kwargs.get("variants") or {}).get(dialect)
    return variant if isinstance(variant, Type) else type_


def name_on(type_: Type, database: str) -> str:
    """Return the type's name as this database has it."""
    for dialect in DATABASES[database]:
        type_ = for_database(type_, dialect)
    return sql_name(type_)


def are_comparable(old: Type, new: Type) -> bool:
    """Return whether the files tell how two types differ: of two enum types, all values."""
    values = [type_.kwargs.get("values") for type_ in (old, new) if type_.name == "enum"]
    return len(values) < 2 or all(
        each and all(isinstance(value, str) for value in each) for each in values
    )


def is_free(database: str, old: Any, new: Type, width: int = 4) -> bool:
    """Return whether the change touches no row. ``width``: the most bytes of a character of MySQL.

    Measured on PostgreSQL 15 and MariaDB 10.11; for MySQL its manual, "Online DDL Operations".
    """
    if not isinstance(old, Type):
        return False
    for dialect in DATABASES[database]:
        old = plainly(for_database(old, dialect), database)
        new = plainly(for_database(new, dialect), database)
    if (old.name, old.args, old.kwargs) == (new.name, new.args, new.kwargs):
        return True
    if database == "sqlite":
        return affinity(old) == affinity(new)  # the values stay; a batch always copies the table
    same, longer = old.name == new.name, size(old) <= size(new)
    if database in MYSQL | {"tidb"}:
        before, after = (tuple(type_.kwargs.get("values") or ()) for type_ in (old, new))
        if same and old.name == "set":  # as many bytes for up to eight values
            octets = [(len(type_.args) + 7) // 8 for type_ in (old, new)]
            return old.args == new.args[: len(old.args)] and octets[0] == octets[1]
        if same and old.name == "enum":  # one byte holds 255 values
            kept = bool(before) and after[: len(before)] == before
            return kept and (len(before) <= 255) == (len(after) <= 255)
        # up to here the length takes one byte, beyond it two
        byte = 255 // (width if old.name == "varchar" else 1)
        instant = byte // 2 if database in ("mariadb", "galera") else 0
        one_class = size(old) <= instant or (size(old) <= byte) == (size(new) <= byte)
        lengthened = same and longer and old.name in ("varchar", "varbinary")
        return lengthened and one_class and old.kwargs.get("charset") == new.kwargs.get("charset")
    if old.kwargs.get("collation") != new.kwargs.get("collation"):
        return False  # every index of the column is built again
    if {old.name, new.name} <= {"varchar", "text", "citext", "mediumtext", "longtext"}:
        return longer
    if same and old.name == "enum":
        return bool(old.kwargs.get("name") == new.kwargs.get("name"))
    if same and old.name == "numeric":
        scale = [next(iter(type_.args[1:2]), type_.kwargs.get("scale", 0)) for type_ in (old, new)]
        return size(new) == UNLIMITED or (longer and scale[0] == scale[1])
    if same and old.name in ("timestamp", "time", "interval", "varbit"):
        # Another time zone converts every value.
        zones = [type_.kwargs.get("timezone", False) for type_ in (old, new)]
        return longer and (UNKNOWN in zones or zones[0] == zones[1])
    return (old.name, new.name) in {("cidr", "inet"), ("xml", "text"), ("xml", "varchar")}


def plainly(type_: Type, database: str) -> Type:
    """Return the type without arguments that don't change how it is stored."""
    if type_.name == "boolean":  # its arguments are about a CHECK
        return Type("boolean")
    if database in MYSQL | {"tidb"}:
        kwargs = {name: value for name, value in type_.kwargs.items() if name != "display_width"}
        boolean = type_.name == "tinyint" and 1 in (*type_.args, type_.kwargs.get("display_width"))
        integer = type_.name.endswith("int") or type_.name == "integer"
        args = type_.args or ((10,) if type_.name == "numeric" and not kwargs else ())
        return Type("boolean" if boolean else type_.name, () if integer else args, kwargs)
    double = type_.name == "double" or (type_.name == "float" and size(type_) > 24)
    return Type("double") if double and database in POSTGRESQL else type_


UNLIMITED = float("inf")


def size(type_: Type) -> float:
    """Return its length or precision."""
    given = [*type_.args, type_.kwargs.get("length"), type_.kwargs.get("precision")]
    return next((number for number in given if isinstance(number, int)), UNLIMITED)


AFFINITIES = (
    ("INT", "int"),
    ("TEXT", "char|clob|text|enum|uuid"),
    ("BLOB", "blob"),
    ("REAL", "real|floa|doub"),
)


def affinity(type_: Type) -> str:
    """Return how SQLite stores values of this type."""
    return next(
        (storage for storage, words in AFFINITIES if re.search(words, type_.name)), "NUMERIC"
    )
