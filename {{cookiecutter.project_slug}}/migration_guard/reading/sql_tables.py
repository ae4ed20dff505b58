"""CREATE TABLE, CREATE INDEX and ALTER TABLE."""

from collections.abc import Iterator
from typing import Any

from .migration import HOLE, UNKNOWN, Column, Constraint, Operation, Unknown, words
from .sql_definitions import Definitions
from .sql_tokens import known

INDEXES = ("INDEX", "KEY", "FULLTEXT", "SPATIAL")

TABLE_PARTS = words("CONSTRAINT PRIMARY UNIQUE CHECK FOREIGN EXCLUDE LIKE PERIOD") | set(INDEXES)


NOT_NULL = ["NOT", "NULL"]


LOCKING = {
    "ALGORITHM": words("DEFAULT INSTANT NOCOPY INPLACE COPY"),
    "LOCK": words("DEFAULT NONE SHARED EXCLUSIVE"),
}


class Tables(Definitions):
    """Reads statements that define tables and their indexes."""

    def create_table(self) -> Iterator[Operation]:
        operation = Operation("create_table", kwargs=self.options(), **self.name())
        if self.take("PARTITION", "OF"):
            operation.kwargs["partition_of"] = self.plain_name()
            self.skip("PARTITION")
        self.target = {name: getattr(operation, name) for name in ("table", "schema", "certain")}
        if self.words[1:3] == ["OR", "REPLACE"]:
            yield self.op("drop_table", kwargs={"if_exists": True})
        columns: list[Column] = []
        constraints: list[Constraint] = []
        indexes: list[Operation] = []
        while self.take_any("(", ","):
            if self.word() in INDEXES:
                indexes.append(self.add_constraint())
            elif self.word() in TABLE_PARTS:
                constraint, _ = self.constraint()
                constraints += [constraint] if constraint else []
            else:
                columns.append(self.column(constraints))
            self.skip(",")
        self.take(")")
        self.skip("PARTITION")
        if self.take("PARTITION", "BY"):
            operation.kwargs[self.own("partition_by")] = self.skip()
        operation.definitions = tuple(columns)
        operation.columns = tuple(column.name for column in columns if isinstance(column.name, str))
        operation.constraints = tuple(constraints)
        yield operation
        yield from indexes

    def create_index(self) -> Operation:
        kwargs = self.options()
        if "UNIQUE" in self.before:
            kwargs["unique"] = True
        if kinds := [word for word in self.before if word in ("FULLTEXT", "SPATIAL")]:
            kwargs["mysql_prefix"] = kinds[0]
        name = self.plain_name() if self.word() != "ON" else None
        self.skip("ON")
        self.take("ON")
        if self.take("ONLY"):
            kwargs["only"] = True
        target = self.name()
        if self.take("USING"):
            kwargs["postgresql_using"] = self.identifier()
        columns = self.items()
        self.skip("WHERE")
        if self.take("WHERE"):
            kwargs["postgresql_where"] = self.skip()
        return Operation("create_index", name=name, columns=columns, kwargs=kwargs, **target)

    def own(self, name: str) -> str:
        """Return the name of SQLAlchemy's own option for the database of this statement."""
        mysql = {"mysql", "mariadb"}.issuperset(self.dialects)
        return f"{'mysql' if mysql else 'postgresql'}_{name}"

    def how_it_locks(self) -> dict[str, Any]:
        """Read MySQL's ALGORITHM and LOCK, which may be anywhere in the statement."""
        found = {}
        for at, word in enumerate(self.words[:-1]):
            value = self.words[at + 1 : at + 3]
            chosen = value[-1] if value[0] == "=" else value[0]
            if word in LOCKING and chosen in LOCKING[word] and self.words[at - 1] != "COLUMN":
                found[f"mysql_{word.lower()}"] = chosen
        return found

    def op(self, operation: str, **fields: Any) -> Operation:
        return Operation(operation, **{**self.target, **fields})

    def column_op(self, operation: str, name: str | Unknown | None, **fields: Any) -> Operation:
        altered = self.op(operation, columns=(name,) if name else (), **fields)
        altered.certain &= bool(name)
        return altered

    def action(self) -> Iterator[Operation]:
        """Read one action of ALTER TABLE."""
        if self.take_any("ALGORITHM", "LOCK"):  # of the whole statement: see how_it_locks()
            return
        word = self.take_any("ADD", "DROP", "ALTER", "RENAME", "MODIFY", "CHANGE", "VALIDATE")
        following = self.words[self.at + 1] if self.at + 1 < len(self.words) else ","
        added = word == "ADD" and following in ("(", "IF", "PARTITIONS")
        dropped = word == "DROP" and following != ","
        if following == "VERSIONING" or (self.word() == "PARTITION" and (added or dropped)):
            yield from self.partition(word)
        elif self.take_any("TRUNCATE", "EXCHANGE", "DETACH", "ATTACH"):
            yield from self.partition(self.words[self.at - 1])
        elif self.take("PARTITION", "BY"):
            yield self.op("alter_table", kwargs={"mysql_partition_by": self.skip()})
        elif self.take("REMOVE", "PARTITIONING"):
            yield self.op("alter_table", kwargs={"mysql_partition_by": None})
        elif self.take("SET", "SCHEMA"):
            yield self.op("alter_table", kwargs={"new_schema": self.identifier()})
        elif word == "ADD" and (
            self.word() in TABLE_PARTS or self.words[self.at :][:2] == NOT_NULL
        ):
            yield self.add_constraint()
        elif word == "ADD":
            self.take("COLUMN")
            kwargs = self.options()
            group = self.take("(")
            while True:
                checks: list[Constraint] = []
                column = self.column(checks)
                parts = {"definitions": (column,), "constraints": tuple(checks)}
                yield self.column_op("add_column", column.name, kwargs=dict(kwargs), **parts)
                self.skip(",")
                if not group or not self.take(","):
                    return
        elif word == "DROP":
            yield self.drop()
        elif word == "ALTER":
            yield self.alter_column()
        elif word == "RENAME":
            yield self.rename()
        elif word in ("MODIFY", "CHANGE"):
            self.take("COLUMN")
            kwargs = self.options()
            old = known(self.identifier()) if word == "CHANGE" else None
            column = self.column([])
            kwargs |= {"type_": column.type, "nullable": column.nullable is not False}
            if old and column.name != old:
                kwargs["new_column_name"] = column.name
            yield self.column_op("alter_column", old or column.name, kwargs=kwargs)
        elif word == "VALIDATE":
            self.take("CONSTRAINT")
            yield self.op("validate_constraint", name=known(self.identifier()))
        else:
            yield self.op("alter_table", certain=self.target["certain"] and HOLE not in self.word())

    def partition(self, word: str) -> Iterator[Operation]:
        """Read an action on partitions or on the versions of rows."""
        if not self.take("PARTITION") or word in ("", "ADD"):
            yield self.op("alter_table")
            return
        if word in ("ATTACH", "DETACH"):
            part = {f"{word.lower()}_partition": self.plain_name()}
            yield self.op("alter_table", kwargs=part | self.options())
            return
        kwargs = self.options()
        for _ in self.listed():
            name = known(self.identifier())
            if word in ("DROP", "TRUNCATE"):
                yield self.op(f"{word.lower()}_partition", name=name, kwargs=dict(kwargs))
        if word == "EXCHANGE":
            yield self.op("alter_table", kwargs=self.options())
            if self.take("WITH", "TABLE"):
                yield Operation("alter_table", **self.name())

    def add_constraint(self) -> Operation:
        if kind := self.take_any(*INDEXES):
            self.take_any("INDEX", "KEY")
            kwargs = self.options()
            if kind in ("FULLTEXT", "SPATIAL"):
                kwargs["mysql_prefix"] = kind
            name = self.identifier() if self.word() not in ("(", "USING") else None
            self.skip("(")
            return self.op("create_index", name=name, columns=self.items(), kwargs=kwargs)
        constraint, kwargs = self.constraint()
        if constraint is None:
            return self.op("alter_table")
        name = constraint.name if isinstance(constraint.name, str) else None
        if constraint.kind == "not_null":
            kwargs |= {"nullable": False, "constraint_name": name}
            return self.column_op("alter_column", constraint.columns[0], kwargs=kwargs)
        kind = constraint.kind
        if kind not in ("primary_key", "foreign_key"):
            kind += "_constraint"
        parts = {"columns": constraint.columns, "constraints": (constraint,)}
        return self.op(f"create_{kind}", name=name, kwargs=kwargs, **parts)

    def drop(self) -> Operation:
        kind = self.take_any("COLUMN", "CONSTRAINT", "FOREIGN", "PRIMARY", "INDEX", "KEY", "CHECK")
        kwargs: dict[str, Any] = {}
        if kind in ("FOREIGN", "PRIMARY"):
            self.take("KEY")
            kwargs["type_"] = {"FOREIGN": "foreignkey", "PRIMARY": "primary"}[kind]
        kwargs |= self.options()
        name = known(self.identifier()) if kind != "PRIMARY" else None
        if kind in ("", "COLUMN"):
            return self.column_op("drop_column", name, kwargs=kwargs)
        if self.take("CASCADE"):
            kwargs["cascade"] = True
        operation = "drop_index" if kind in ("INDEX", "KEY") else "drop_constraint"
        return self.op(operation, name=name, kwargs=kwargs)

    def rename(self) -> Operation:
        kind = self.take_any("TO", "AS", "COLUMN", "CONSTRAINT", "INDEX", "KEY")
        alone = not kind and self.words[self.at + 1 : self.at + 2] != ["TO"]  # MySQL's RENAME name
        if kind in ("TO", "AS") or alone:
            return self.op("rename_table", kwargs={"new_table_name": self.plain_name() or UNKNOWN})
        old = known(self.identifier())
        self.take("TO")
        new = known(self.identifier()) or UNKNOWN
        if kind in ("CONSTRAINT", "INDEX", "KEY"):
            return self.op(f"rename_{'constraint' if kind == 'CONSTRAINT' else 'index'}", name=old)
        return self.column_op("alter_column", old, kwargs={"new_column_name": new})

    def alter_column(self) -> Operation:
        if self.take_any("INDEX", "CONSTRAINT", "CHECK"):
            return self.op("alter_table")
        self.take("COLUMN")
        name = known(self.identifier())
        kwargs: dict[str, Any] = {}
        if self.take("SET", "NOT", "NULL") or self.take("DROP", "NOT", "NULL"):
            kwargs["nullable"] = self.words[self.at - 3] == "DROP"
        elif self.take("SET", "DEFAULT"):
            kwargs["server_default"] = self.skip(",").replace(HOLE, "?")
        elif self.take("DROP", "DEFAULT"):
            kwargs["server_default"] = None
        elif self.take("SET", "EXPRESSION", "AS"):
            kwargs["expression"] = self.skip(",")
        elif self.take("DROP", "EXPRESSION"):
            kwargs["expression"] = None
        elif self.take("ADD", "GENERATED"):
            kwargs["identity"] = True
        elif (
            self.take("SET", "DATA", "TYPE")
            or self.take("TYPE")
            or self.word() not in ("SET", "DROP", "ADD", "RESTART")
        ):
            kwargs["type_"] = self.type() or UNKNOWN
            if self.take("USING"):
                kwargs["postgresql_using"] = self.skip(",")
        return self.column_op("alter_column", name, kwargs=kwargs)
