"""Values for the columns of test rows, which have the column's type and its full length."""

import re
from collections.abc import Mapping
from datetime import date, timedelta

from .schema.objects import Column, SchemaObject, labels_of

# Large enough to fail in a smaller type, and small enough to be multiplied by 100.
INTEGERS = {"smallint": 300, "int2": 300, "mediumint": 80_000, "bigint": 10**12, "int8": 10**12}


SHAPES = {  # PostgreSQL's geometric types
    "point": "(1,1)",
    "box": "((0,0),(1,1))",
    "line": "{1,1,1}",
    "lseg": "[(0,0),(1,1)]",
    "path": "((0,0),(1,1))",
    "polygon": "((0,0),(1,1),(1,0))",
    "circle": "<(1,1),1>",
}


BASE_TYPE = re.compile(r"(.+?)(?: COLLATE \S+)?( NOT NULL)?(?: DEFAULT .*| CONSTRAINT .*)?$")


COORDINATES = {  # of PostGIS's, MySQL's and MariaDB's shapes; # stands for a point
    "point": "(#)",
    "linestring": "(#,#)",
    "polygon": "((#,#,#,#))",
    "multipoint": "(#)",
    "multilinestring": "((#,#))",
    "multipolygon": "(((#,#,#,#)))",
    "geometrycollection": "(POINT(#))",
}


def value_of(column: Column, serial: int, dialect: str, objects: Mapping[str, SchemaObject]) -> str:
    """Return a literal of the column's type, a different one for each ``serial``.

    ``objects`` are the objects of the schema by their names, with the enum types.
    """
    full = column.type.lower()
    base = re.split(r"[(\[]", full)[0].strip()
    arguments = full.partition("(")[2].partition(")")[0]
    size = [int(digits) for digits in re.findall(r"\d+", arguments)]
    if full.endswith("[]"):
        return "'{}'"
    if found := labels(column, objects):
        return found[serial % len(found)]
    return (
        special(base, arguments, size, serial, dialect)
        or number(column, base, full, size, serial)
        or moment(base, serial)
        or text(base, size, serial)
    )


def domain_of(column: Column, objects: Mapping[str, SchemaObject]) -> str:
    """Return the definition of the domain that is the column's type; "" if it is no domain."""
    domain = objects.get("domain " + column.type.replace('"', ""))
    return str(domain.properties[""]) if domain else ""


def without_domain(column: Column, objects: Mapping[str, SchemaObject]) -> Column:
    """Return the same column with the base type of its domain."""
    match = BASE_TYPE.match(domain_of(column, objects))
    if match is None:
        return column
    not_null = column.not_null or match[2] is not None
    return column._replace(type=match[1], not_null=not_null)


def labels(column: Column, objects: Mapping[str, SchemaObject]) -> list[str]:
    """Return the values of an enum type or a set."""
    if column.type.lower().startswith(("enum(", "set(")):
        return re.findall(r"'(?:[^']|'')*'", column.type)
    enum = objects.get("type " + column.type.replace('"', ""))
    return labels_of(enum.properties.get("")) if enum else []


def special(base: str, arguments: str, size: list[int], serial: int, dialect: str) -> str:
    """Return a literal of a type that is not a number, a time or a text, or ""."""
    if base.endswith("multirange"):
        return f"'{{{span(base, serial)}}}'"
    if base.endswith("range"):
        return f"'{span(base, serial)}'"
    if dialect == "postgresql" and base in SHAPES:
        return f"'{SHAPES[base]}'"
    if base in ("geometry", "geography", *COORDINATES):
        return shape(base, arguments, size, dialect)
    if base in ("bit", "bit varying"):
        bits = size[0] if size else 1
        return f"B'{serial:b}'"[: bits + 2].rstrip("'").ljust(bits + 2, "1") + "'"
    if base == "uuid" or (base == "char" and size == [32]):
        digits = f"{serial:032x}"
        parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
        return f"'{digits}'" if base == "char" else f"'{'-'.join(parts)}'"
    if "blob" in base or "binary" in base or base == "bytea":
        digits = f"{serial:06x}".rjust(2 * (size[0] if size else 4), "f")
        return f"'\\x{digits}'" if base == "bytea" else f"x'{digits}'"
    if base.startswith("interval"):
        return f"'{serial + 1} days'"
    if base in ("vector", "halfvec"):
        return f"'[{','.join(['1'] * (size[0] if size else 3))}]'"
    high, low = serial // 250 % 250, serial % 250
    others = {
        "inet": f"'10.0.{high}.{low}'",
        "inet4": f"'10.0.{high}.{low}'",
        "inet6": f"'2001:db8::{serial % 65536:x}'",
        "cidr": f"'10.{high}.{low}.0/24'",
        "macaddr": f"'08:00:2b:01:{high:02x}:{low:02x}'",
        "macaddr8": f"'08:00:2b:01:02:03:{high:02x}:{low:02x}'",
        "xml": "'<a/>'",
        "money": f"'{serial}'",
        "hstore": "'a=>1'",
        "ltree": f"'a{serial}'",
        "lquery": "'a'",
        "jsonpath": "'$.a'",
        "pg_lsn": f"'0/{serial:X}'",
        "regclass": "'pg_class'",
        "regtype": "'integer'",
        "oid": str(serial),
        "xid": f"'{serial}'",
        "year": str(2000 + serial % 100),
    }
    return others.get(base, "")


def span(base: str, serial: int) -> str:
    """Return a range that overlaps no other one."""
    if base.startswith(("int", "num")):
        return f"[{serial},{serial + 1})"
    day = date(2020, 1, 1) + timedelta(days=serial)
    return f"[{day},{day + timedelta(days=1)})"


def shape(base: str, arguments: str, size: list[int], dialect: str) -> str:
    """Return a shape for a column of PostGIS, MySQL or MariaDB."""
    name, _, _ = arguments.partition(",")
    kind = re.sub(r"z?m?$", "", name) if name in COORDINATES or name[-1:] in "zm" else name
    kind = kind if kind in COORDINATES else base if base in COORDINATES else "point"
    suffix = name.removeprefix(kind) if name.startswith(kind) else ""
    point = " ".join(["1"] * (2 + len(suffix)))
    known = f"{kind.upper()} {suffix.upper()}{COORDINATES[kind].replace('#', point)}"
    if dialect != "postgresql":
        return f"ST_GeomFromText('{known}')"
    return f"'SRID={size[0] if size else 4326 if base == 'geography' else 0};{known}'"


def number(column: Column, base: str, full: str, size: list[int], serial: int) -> str:
    """Return a number, a boolean or a JSON document, or ""."""
    if "json" in base or "json_valid" in column.rest:
        return f"'{{\"a\": {serial}}}'"
    if "bool" in base or full == "tinyint(1)":
        return str(serial % 2 == 0).upper()
    if base.startswith("tinyint"):
        return str(10 + serial % 110)
    if "int" in base:
        return str(INTEGERS.get(base.split()[0], 1_000_000) + serial)
    if base in ("numeric", "decimal"):
        precision, scale = (*size, 10, 0)[:2] if len(size) != 1 else (size[0], 0)
        digits = f"{10**precision - 1 - serial:0{precision}d}"
        return f"{digits[:-scale] or '0'}.{digits[-scale:]}" if scale else digits
    if base.startswith(("float", "double", "real")):
        return f"{1_000_000 + serial}.5"
    return ""


def moment(base: str, serial: int) -> str:
    """Return a date or a time, or ""."""
    day = f"{2037 - serial // 12 % 60}-{12 - serial % 12:02d}-28"
    if base in ("timestamp", "datetime") or base.startswith(("timestamp ", "datetime ")):
        return f"'{day} 23:59:59.000000'"
    if base == "date":
        return f"'{day}'"
    if base.startswith("time"):
        return f"'23:59:{59 - serial % 60:02d}'"
    return ""


def text(base: str, size: list[int], serial: int) -> str:
    """Return a text of the column's length, or of 300 characters."""
    length = size[0] if size else 100 if "tinytext" in base else 300
    start = str(serial) if serial else ""
    return "'" + start[-length:].ljust(length, "x") + "'"
