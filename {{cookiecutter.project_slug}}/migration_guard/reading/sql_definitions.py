"""Definitions of columns, types and constraints in SQL."""

from typing import Any

from .migration import HOLE, UNKNOWN, Column, Constraint, Type, words
from .sql_cursor import Cursor
from .sql_tokens import known

TYPES = {
    "character varying": "varchar",
    "character": "char",
    "int": "integer",
    "int4": "integer",
    "int8": "bigint",
    "int2": "smallint",
    "bool": "boolean",
    "float4": "real",
    "float8": "double",
    "double precision": "double",
    "decimal": "numeric",
    "timestamptz": "timestamp",
    "timetz": "time",
}

AFTER_TYPE = words(
    ", ) NOT NULL DEFAULT PRIMARY UNIQUE REFERENCES CHECK CONSTRAINT GENERATED COLLATE "
    "AUTO_INCREMENT AUTOINCREMENT COMMENT FIRST AFTER ON AS IDENTITY KEY USING DEFERRABLE "
    "INITIALLY VISIBLE INVISIBLE STORED VIRTUAL"
)

TYPE_WORDS = words("VARYING PRECISION UNSIGNED ZEROFILL SIGNED")


class Definitions(Cursor):
    """Reads what CREATE TABLE and ALTER TABLE define."""

    def column(self, constraints: list[Constraint]) -> Column:
        """Read the definition of a column, and add its CHECKs to the constraints."""
        column = Column(known(self.identifier()) or UNKNOWN, self.type())
        name: str | None = None
        if column.type and column.type.name in ("serial", "bigserial", "smallserial"):
            column.nullable, column.identity = False, True
        while self.word() not in (",", ")", ";"):
            if self.take("NOT", "NULL") or self.take("NULL"):
                column.nullable = self.words[self.at - 2] != "NOT"
            elif self.take("GENERATED", "BY", "DEFAULT", "AS", "IDENTITY"):
                column.identity = True
            elif self.take("DEFAULT"):
                start = self.at
                self.at += self.word() != "("
                self.skip(*AFTER_TYPE)
                default = self.slice(start, self.at).replace(HOLE, "?")
                column.server_default = None if default.upper() == "NULL" else default
            elif self.take("PRIMARY", "KEY"):
                column.primary_key = True
            elif self.take("UNIQUE"):
                column.unique = True
            elif self.take("CONSTRAINT"):
                unnamed = self.word() in ("CHECK", "UNIQUE", "PRIMARY", "REFERENCES")
                name = None if unnamed else self.identifier()
            elif self.take("REFERENCES"):
                column.unnamed = not name
                table = self.name()
                qualified = ".".join(filter(None, (table["schema"], table["table"] or "")))
                column.references = (".".join((qualified, *self.items()[:1])),)
            elif self.take("ON", "DELETE") or self.take("ON", "UPDATE"):
                self.take_any("SET", "NO")
                self.at += 1
            elif self.take("CHECK", "("):
                constraints.append(Constraint("check", name, (), self.skip()))
                self.at += 1
            elif self.take_any("AUTO_INCREMENT", "IDENTITY"):
                column.identity = True
            elif self.take("AS", "("):
                self.skip()
                self.at += 1
                column.computed = "stored" if self.take_any("STORED", "PERSISTED") else "virtual"
            else:
                self.at += 1
        return column

    def type(self) -> Type | None:
        if self.word() in AFTER_TYPE or self.word() == ";":
            return None
        quoted = self.word() == ""
        name = self.identifier() or ""
        while self.take("."):
            name = self.identifier() or ""
        name = name if quoted else name.lower()
        args: tuple[Any, ...] = ()
        while True:
            if self.word() in TYPE_WORDS:
                name += " " + self.word().lower()
                self.at += 1
            elif self.word() == "(":
                args = tuple(int(item) if item.isdecimal() else item for item in self.items())
            else:
                break
        kwargs: dict[str, Any] = {}
        zone = self.take("WITH", "TIME", "ZONE") or name.endswith("tz")
        if zone:
            kwargs["timezone"] = True
        self.take("WITHOUT", "TIME", "ZONE")
        if self.take("COLLATE"):
            kwargs["collation"] = ".".join(filter(None, self.parts()))
        if name == "enum":
            args, kwargs = (), {"values": args}
        type_ = Type(TYPES.get(name, name), args, kwargs)
        while self.take("[") or self.take_any("ARRAY"):
            self.skip("]")
            self.take("]")
            type_ = Type("array", (type_,))
        return None if HOLE in name else type_

    def constraint(self) -> tuple[Constraint | None, dict[str, Any]]:
        """Read a constraint of a table."""
        name, kwargs = None, {}
        kinds = ("PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "EXCLUDE", "NOT")
        if self.take("CONSTRAINT"):
            kwargs = self.options()
            name = known(self.identifier()) if self.word() not in kinds else None
        kind = self.take_any(*kinds).lower()
        columns: tuple[str, ...] = ()
        expression, references = None, None
        self.take_any("KEY", "INDEX")
        kwargs |= self.options()
        if kind == "check":
            self.take("(")
            expression = self.skip()
            self.take(")")
        elif kind in ("primary", "unique", "foreign"):
            if self.word() not in ("(", "USING", "NULLS"):
                name = name or self.identifier()
            if self.take("USING", "INDEX"):
                kwargs["using_index"] = self.identifier()
            if self.take("NULLS"):
                self.take("NOT")
            self.skip("(", ",", "REFERENCES", "NOT")
            columns = self.items()
        if self.take("REFERENCES"):
            references = self.plain_name() or UNKNOWN
        if kind == "not":  # PostgreSQL 18: ADD CONSTRAINT name NOT NULL column
            self.take("NULL")
            columns = (self.identifier() or "",)
        rest = self.skip(",").upper().split()
        if not kind:
            return None, kwargs
        if "ENFORCED" in rest and rest[rest.index("ENFORCED") - 1] == "NOT":
            kwargs["not_enforced"] = True
        not_valid = "VALID" in rest or "not_enforced" in kwargs
        if not_valid:
            kwargs["postgresql_not_valid"] = True
        names = {"primary": "primary_key", "foreign": "foreign_key", "not": "not_null"}
        kind = names.get(kind, kind)
        return Constraint(kind, name, columns, expression, references, not_valid), kwargs
