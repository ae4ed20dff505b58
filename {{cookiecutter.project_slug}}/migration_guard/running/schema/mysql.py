"""The schema of a MySQL or MariaDB database."""

import re
from collections.abc import Sequence
from typing import Any

from .objects import Column, Properties, SchemaObject, is_named, words
from .snapshot import Snapshot, Steps

MYSQL_COLUMN = re.compile(
    r"(?P<type>\w+(?:\((?:'(?:[^']|'')*'|[^')])*\))?(?: unsigned)?(?: zerofill)?)"
    r"(?P<rest>(?: CHARACTER SET \w+)?(?: COLLATE \w+)?)"
    r"(?P<generated> GENERATED ALWAYS AS \(.*\) \w+)?(?P<null> NOT NULL| NULL)?"
    r"(?P<default> DEFAULT (?:'(?:[^'\\]|''|\\.)*'|[^' ]+(?: ON UPDATE [^ ]+)?|\(.*\)))?"
    r"(?P<more>.*)"
)


FOREIGN = re.compile(r"CONSTRAINT `?(\w+)`? FOREIGN KEY|DROP FOREIGN KEY `?(\w+)", re.IGNORECASE)


MYSQL_COMMENT = re.compile(r" COMMENT=('(?:[^'\\]|''|\\.)*')")


UNNAMED = re.compile(r"CONSTRAINT_\d+|.*_ibfk_\d+")  # names that the server generates


class MySQL(Snapshot):
    def note(self, statements: Sequence[str], atomic: bool) -> None:
        super().note(statements, atomic)
        pairs = [pair for statement in statements for pair in FOREIGN.findall(statement)]
        self.foreign |= {name for pair in pairs for name in pair if name}

    def read(self, steps: Steps | None) -> tuple[dict[Any, SchemaObject], set[Any] | None]:
        # SHOW FULL TABLES, which has the kind of each, takes longer than many steps.
        listed = self.connection.exec_driver_sql("SHOW TABLES").scalars()
        names = {name for name in listed if f"table {name}" not in self.hidden}
        scope: set[Any] | None = None
        routines = triggers = steps is None
        if steps is not None:
            named = words(steps.statements)
            triggers = bool(self.triggered or named & {"trigger", "call", "execute"})
            routines = bool(named & {"function", "procedure", "event", "package", "call"})
            if "call" not in named:  # the tables of a procedure are not visible here
                scope = {name for name in names | self.objects.keys() if is_named(str(name), named)}
                scope |= {name for name in self.objects.keys() - names if " " not in name}
                scope |= names - self.objects.keys()
                if "trigger" in named:  # DROP TRIGGER names no table
                    scope |= self.triggered
                scope = self.children(scope)
        found = {name: self.relation(name) for name in (names if scope is None else scope & names)}
        for row in self.connection.exec_driver_sql("SHOW TRIGGERS") if triggers else ():
            if row.Table in found:
                found[row.Table].properties[f"trigger {row.Trigger}"] = (
                    f"{row.Timing} {row.Event} {row.Statement}"
                )
        if routines:
            rows = self.connection.exec_driver_sql(
                "SELECT lower(routine_type), routine_name,"
                " concat_ws(' ', dtd_identifier, sql_data_access, routine_definition)"
                " FROM information_schema.routines WHERE routine_schema = database() UNION ALL"
                " SELECT 'event', event_name,"
                " concat_ws(' ', event_definition, execute_at, interval_value, status)"
                " FROM information_schema.events WHERE event_schema = database()"
            )
            for kind, name, text in rows:
                found[f"{kind} {name}"] = SchemaObject(f"{kind} {name}", {"": text})
            if scope is not None:
                scope |= {key for key in self.objects if " " in key}
        return found, scope

    def relation(self, name: str) -> SchemaObject:
        quoted = "`" + name.replace("`", "``").replace("%", "%%") + "`"
        text = self.connection.exec_driver_sql(f"SHOW CREATE TABLE {quoted}").one()[1]
        if text.startswith("CREATE ALGORITHM"):
            return SchemaObject(f"view {name}", {"": re.sub(r"^CREATE .*? VIEW ", "", text)})
        body, _, options = text.rpartition("\n)")
        if re.match(r" ENGINE=\w+ SEQUENCE=1\b", options):
            return SchemaObject(f"sequence {name}", {"": text.partition("` ")[2]})
        options, _, partitions = options.partition("\n")
        comment = MYSQL_COMMENT.search(options)
        options = MYSQL_COMMENT.sub("", re.sub(r" AUTO_INCREMENT=\d+", "", options)).strip()
        properties: Properties = {"": options}
        if comment:
            properties["comment"] = comment[1]
        if partitions:
            properties["partitions"] = partitions.replace("`", "").strip()
        for line in body.split("\n")[1:]:
            line = line.strip().rstrip(",")
            if line.startswith("`"):
                column, _, definition = line[1:].partition("` ")
                properties[f"column {column}"] = mysql_column(definition)
            elif match := re.match(
                r"(?:CONSTRAINT `(?P<name>[^`]+)` )?(?P<text>(?:FOREIGN KEY|CHECK|PRIMARY KEY).*)",
                line,
            ):
                label = match["name"] or match["text"]
                label = match["text"] if UNNAMED.fullmatch(label) else label
                properties[f"constraint {label}"] = match["text"].replace("`", "")
            elif match := re.match(r"(UNIQUE|FULLTEXT|SPATIAL)? ?KEY `([^`]+)` (.*)", line):
                text = f"{match[1] or ''} {match[3]}".strip().replace("`", "")
                properties[f"index {match[2]}"] = text
        # The index that the server creates for a foreign key stays when the key is dropped.
        for key in self.foreign | {prop.removeprefix("constraint ") for prop in properties}:
            properties.pop(f"index {key}", None)
        return SchemaObject(f"table {name}", properties)


def mysql_column(definition: str) -> Column:
    match = MYSQL_COLUMN.fullmatch(definition)
    if match is None:
        return Column(definition)
    generated = (match["generated"] or "").strip()
    more = match["more"]
    if " AUTO_INCREMENT" in more:
        generated, more = "AUTO_INCREMENT", more.replace(" AUTO_INCREMENT", "")
    default = (match["default"] or "").removeprefix(" DEFAULT ")
    # MySQL keeps the word now.
    default = re.sub(r"^\(now(\(\d+\)|)(?:\(\))?\)", r"CURRENT_TIMESTAMP\1", default)
    default = "" if default == "NULL" else default
    rest = (match["rest"] + more).strip()
    return Column(match["type"], match["null"] == " NOT NULL", default, generated, rest)
