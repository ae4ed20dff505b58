"""What a server says its schema is: every thing in it, each with its facts, read anew only where a step touched it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection


class Column(NamedTuple):
    """A column as its server describes it."""

    type: str
    not_null: bool = False
    default: str = ""
    generated: str = ""  # identity, auto_increment, or the expression of a computed column
    rest: str = ""  # collation, comment

    def __str__(self) -> str:
        default = self.default and f"DEFAULT {self.default}"
        return " ".join(filter(None, (self.type, "NOT NULL" * self.not_null, default, self.generated, self.rest)))


Facts = dict[
    str, Column | str
]  # "column email", "constraint uq_users_email", "index ...", "trigger ...", "" for the rest


class Thing(NamedTuple):
    """A table, view, sequence, type, function ... ``name`` has its kind first: ``table users``."""

    name: str
    facts: Facts

    @property
    def table(self) -> str | None:
        kind, _, name = self.name.partition(" ")
        return name if kind == "table" else None


Changes = dict[Any, tuple[Thing | None, Thing | None]]  # by the server's own identity of a thing: before, after


class Difference(NamedTuple):
    thing: str
    fact: str
    before: Column | str | None
    after: Column | str | None

    @property
    def object(self) -> str:
        """``table users``; ``column users.email``."""
        kind, _, name = self.fact.partition(" ")
        owner = self.thing.partition(" ")[2]
        return f"{kind} {owner}.{name}" if name else self.thing

    @property
    def validated(self) -> bool:
        """A constraint that was NOT VALID is valid, and otherwise the same: PostgreSQL knows no way back."""
        valid = str(self.before).replace(" NOT VALID", "")
        return self.fact.startswith("constraint ") and self.before != self.after == valid


def differences(before: Iterable[Thing | None], after: Iterable[Thing | None]) -> Iterator[Difference]:
    """What differs between two descriptions of the same things; a thing that is there in one alone is one difference."""
    old = {thing.name: thing.facts for thing in before if thing}
    new = {thing.name: thing.facts for thing in after if thing}
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new:
            yield Difference(name, "", *("it is there" if name in side else None for side in (old, new)))
            continue
        for fact in sorted(old[name].keys() | new[name].keys()):
            if uncast(old[name].get(fact)) != uncast(new[name].get(fact)):
                yield Difference(name, fact, old[name].get(fact), new[name].get(fact))


def uncast(fact: Column | str | None) -> Column | str | None:
    """PostgreSQL writes casts into an expression when the type of its column changes, and leaves them there."""
    return CAST.sub(r"\1", fact) if isinstance(fact, str) else fact


CAST = re.compile(r"\(([\w.]+)\)::[a-z]+(?: [a-z]+)*")


@dataclass
class Steps:
    """What ran since the last look."""

    statements: list[str] = field(default_factory=list)
    locked: dict[Any, bool] = field(default_factory=dict)  # tables on which it held a lock: was it altered?
    outside: list[str] = field(default_factory=list)  # statements outside a transaction, which leave no lock


class Snapshot(ABC):
    """The schema of one database, kept up to date by `look`."""

    def __init__(self, connection: Connection, hidden: Iterable[str] = (), exact: bool = False) -> None:
        self.connection = connection
        self.hidden = {f"table {name}" for name in hidden}  # Alembic's own table
        self.exact = exact  # read all at every look
        self.foreign: set[str] = set()  # names of foreign keys that came or went (MySQL's, which leave their indexes)
        self.steps = self.before = Steps()
        self.things: dict[Any, Thing] = {}
        self.tables: dict[str, Facts] = {}
        self.parents: dict[str, set[str]] = {}  # the tables that a table's foreign keys refer to
        self.triggered: set[str] = set()  # the tables that have a trigger, which may write to any other
        self.written: set[str] = set()  # tables whose rows the last steps may have changed

    def note(self, statements: Sequence[str], atomic: bool) -> None:
        """A step ran these; ``atomic``: in the transaction that is still open."""
        self.steps.statements += statements

    def look(self, everything: bool = False) -> Changes:
        """Read what may have changed by the steps since the last look."""
        found, scope = self.read(None if everything or self.exact else self.steps)
        found = {key: thing for key, thing in found.items() if thing.name not in self.hidden}
        changes: Changes = {}
        for key in (self.things.keys() if scope is None else scope) | found.keys():
            before, after = self.things.get(key), found.get(key)
            if before != after:
                changes[key] = before, after
        self.apply(changes)
        self.written = self.rewritten(changes, self.steps.statements if scope is not None else None)
        self.before, self.steps = self.steps, Steps()
        return changes

    def again(self) -> None:
        """The last step was undone: look anew at all that it and those before it touched."""
        self.steps = self.before

    def rewritten(self, changes: Changes, statements: Sequence[str] | None) -> set[str]:
        """Tables whose rows may have changed: altered, named in a statement, or a child of one of them."""
        altered = {table for pair in changes.values() for thing in pair if thing and (table := thing.table)}
        if statements is None or self.triggered:
            return altered | set(self.tables)
        named = words(statements)
        return self.children(altered | {name for name in self.tables if name.lower() in named})

    def apply(self, changes: Changes) -> None:
        for key, (gone, _) in changes.items():
            self.things.pop(key, None)
            if gone and gone.table:
                self.tables.pop(gone.table, None)
                self.triggered.discard(gone.table)
                self.parents.pop(gone.table, None)
        for key, (_, thing) in changes.items():
            if thing:
                self.things[key] = thing
                if thing.table:
                    self.tables[thing.table] = thing.facts
                    self.parents[thing.table] = set(referred(thing.facts))
                    if any(fact.startswith("trigger ") for fact in thing.facts):
                        self.triggered.add(thing.table)

    def children(self, parents: set[str]) -> set[str]:
        """The tables whose rows go or change with those of ``parents``, these included."""
        found = set(parents)
        while more := {
            name for name, others in self.parents.items() if name not in found and not others.isdisjoint(found)
        }:
            found |= more
        return found

    @abstractmethod
    def read(self, steps: Steps | None) -> tuple[dict[Any, Thing], set[Any] | None]:
        """The things that are there now, among those (or all, with None) that are looked at."""


WORD = re.compile(r"[^\W\d][\w$]*")


def words(statements: Iterable[str]) -> set[str]:
    return {word.lower() for statement in statements for word in WORD.findall(statement)}


# --- SQLite: the text of CREATE TABLE, in one form however it was written

TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)|(?P<string>'(?:[^']|'')*')|"(?P<a>(?:[^"]|"")*)"|`(?P<b>(?:[^`]|``)*)`"""
    r"""|\[(?P<c>[^\]]*)\]|(?P<word>[\w$.]+)|(?P<other><=|>=|<>|!=|\|\||==|.)""",
    re.DOTALL,
)
CLAUSES = {"constraint", "primary", "not", "null", "unique", "check", "default", "collate", "references", "foreign"}
CLAUSES |= {"generated", "as"}
ACTION = re.compile(r" on (delete|update) (cascade|restrict|set null|set default|no action)")


def tokens(sql: str) -> list[str]:
    found = []
    for match in TOKEN.finditer(sql):
        kind, text = match.lastgroup, match.group(match.lastgroup or 0)
        if kind != "space":
            found.append(text if kind == "string" else text.lower())
    return found


def joined(parts: Sequence[str]) -> str:
    return re.sub(r"(?<=\() | (?=[),])", "", " ".join(parts))


def split(parts: Sequence[str]) -> Iterator[list[str]]:
    """Split at the commas that stand in no parentheses."""
    item: list[str] = []
    depth = 0
    for part in parts:
        depth += (part == "(") - (part == ")")
        if part == "," and depth == 0:
            yield item
            item = []
        else:
            item.append(part)
    yield item


def closing(parts: Sequence[str], start: int) -> int:
    """Where the parenthesis that opens at ``start`` closes: the index after it."""
    depth = 0
    for index in range(start, len(parts)):
        depth += (parts[index] == "(") - (parts[index] == ")")
        if depth == 0:
            return index + 1
    return len(parts)


def bare(parts: Sequence[str]) -> list[str]:
    """Without parentheses around all of it."""
    while len(parts) > 1 and parts[0] == "(" and closing(parts, 0) == len(parts):
        parts = parts[1:-1]
    return list(parts)


def sqlite_facts(sql: str) -> Facts:
    parts = tokens(sql)
    if "(" not in parts:  # a virtual table
        return {"": joined(parts)}
    start = parts.index("(")
    end = closing(parts, start)
    facts: Facts = {"": joined([*parts[1 : parts.index("table")], *parts[end:]])}
    for item in split(parts[start + 1 : end - 1]):
        if item[0] in CLAUSES and (item[0] != "check" or item[1] == "("):
            sqlite_clauses(item, None, facts)
            continue
        index = next((i for i, part in enumerate(item) if i and part in CLAUSES), len(item))
        column = sqlite_clauses(item[index:], item[0], facts)
        type_ = joined(["numeric" if part == "decimal" else part for part in item[1:index]]).replace(" (", "(")
        facts[f"column {item[0]}"] = column._replace(type=type_)
    return facts


def sqlite_clauses(item: list[str], name: str | None, facts: Facts) -> Column:
    """Read the clauses of a column (``name``) or table; constraints become facts of the table."""
    column, label, index = Column(""), "", 0
    while index < len(item):
        clause, start = item[index], index
        index += 1
        if clause == "constraint":
            label, index = item[index], index + 1
            continue
        if clause == "default":
            index = closing(item, index) if item[index] == "(" else index + 1 + (item[index] in "+-")
            column = column._replace(default=joined(bare(item[start + 1 : index])))
            continue
        while index < len(item) and (
            item[index] not in CLAUSES
            or (clause, item[index]) in {("not", "null"), ("generated", "as"), ("foreign", "references")}
            or (item[index] in ("null", "default") and item[index - 1] == "set")
            or (item[index] == "not" and item[index + 1 : index + 2] == ["deferrable"])
        ):
            index = closing(item, index) if item[index] == "(" else index + 1
        text = item[start:index]
        if clause == "not":
            column = column._replace(not_null=True)
        elif clause in ("generated", "as"):
            column = column._replace(generated=joined(text).removeprefix("generated always "))
        elif clause == "collate":
            column = column._replace(rest=joined(text))
        elif clause != "null":
            if "autoincrement" in text:
                text.remove("autoincrement")
                column = column._replace(generated="autoincrement")
            if clause == "check":
                text = ["check", "(", *bare(text[1:]), ")"]
            elif name is not None:
                keys = ["foreign", "key"] if clause == "references" else text[: 2 if clause == "primary" else 1]
                text = [*keys, "(", name, ")", *text[0 if clause == "references" else len(keys) :]]
            definition = joined(text)
            actions = sorted(action for action in ACTION.findall(definition) if action[1] != "no action")
            definition = ACTION.sub("", definition) + "".join(f" on {event} {what}" for event, what in actions)
            facts[f"constraint {label}" if label else f"constraint {definition}"] = definition
        label = ""
    return column


class SQLite(Snapshot):
    raw: frozenset[tuple[str, str, str, str]] = frozenset()

    def read(self, steps: Steps | None) -> tuple[dict[Any, Thing], set[Any] | None]:
        # By the driver itself: this is read at every step, and grows with the schema.
        cursor = self.connection.connection.cursor()
        cursor.execute("SELECT tbl_name, type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        rows = cursor.fetchall()
        cursor.close()
        raw = frozenset(rows)
        touched = {row[0] for row in raw ^ self.raw}
        self.raw = raw
        mine: dict[Any, list[tuple[str, str, str, str]]] = {}
        for row in rows if touched else ():
            if row[0] in touched and not row[2].startswith("sqlite_"):
                mine.setdefault(row[0], []).append(row)
        return {key: self.thing(mine[key]) for key in mine}, touched

    def thing(self, rows: list[tuple[str, str, str, str]]) -> Thing:
        facts: Facts = {}
        kind = "table"
        for table, type_, name, sql in rows:
            if type_ == "table":
                facts.update(sqlite_facts(sql))
            elif type_ == "view" and name == table:
                kind, facts[""] = "view", joined(tokens(sql)[2:])
            else:
                parts = tokens(sql)
                text = joined(parts[1:])
                if type_ == "index":
                    text = joined([*parts[1 : parts.index(type_)], *parts[parts.index("on") :]])
                    text = re.sub(r"(?<=[\w)]) asc(?=[),])", "", text)  # as it is where nothing is said
                facts[f"{type_} {name}"] = text
        return Thing(f"{kind} {rows[0][0].lower()}", facts)


def referred(facts: Facts) -> Iterator[str]:
    for fact, text in facts.items():
        if fact.startswith("constraint ") and (match := REFERENCES.search(str(text))):
            yield unquoted(match[1])


REFERENCES = re.compile(r"references ([^ (]+)", re.IGNORECASE)


def unquoted(name: str) -> str:
    return re.sub(r'["`]', "", name)


# --- MySQL and MariaDB: SHOW CREATE TABLE, line by line

MYSQL_COLUMN = re.compile(
    r"(?P<type>\w+(?:\((?:'(?:[^']|'')*'|[^')])*\))?(?: unsigned)?(?: zerofill)?)"
    r"(?P<rest>(?: CHARACTER SET \w+)?(?: COLLATE \w+)?)(?P<generated> GENERATED ALWAYS AS \(.*\) \w+)?"
    r"(?P<null> NOT NULL| NULL)?(?P<default> DEFAULT (?:'(?:[^'\\]|''|\\.)*'|[^' ]+(?: ON UPDATE [^ ]+)?|\(.*\)))?"
    r"(?P<more>.*)"
)
FOREIGN = re.compile(r"CONSTRAINT `?(\w+)`? FOREIGN KEY|DROP FOREIGN KEY `?(\w+)", re.IGNORECASE)
UNNAMED = re.compile(r"CONSTRAINT_\d+|.*_ibfk_\d+")  # names that the server made up, by counting


class MySQL(Snapshot):
    def note(self, statements: Sequence[str], atomic: bool) -> None:
        super().note(statements, atomic)
        self.foreign |= {
            name for statement in statements for pair in FOREIGN.findall(statement) for name in pair if name
        }

    def read(self, steps: Steps | None) -> tuple[dict[Any, Thing], set[Any] | None]:
        # Of what kind each of them is, would take longer than many a step.
        listed = self.connection.exec_driver_sql("SHOW TABLES").scalars()
        names = {name for name in listed if f"table {name}" not in self.hidden}
        scope: set[Any] | None = None
        routines = triggers = steps is None
        if steps is not None:
            named = words(steps.statements)
            triggers = bool(self.triggered or named & {"trigger", "call", "execute"})
            routines = bool(named & {"function", "procedure", "event", "package", "call"})
            if "call" not in named:  # a procedure names its tables where we can't see it
                scope = {name for name in names | self.things.keys() if str(name).lower() in named}
                scope |= {name for name in self.things.keys() - names if " " not in name} | names - self.things.keys()
                scope |= self.triggered if "trigger" in named else set()  # DROP TRIGGER names no table
                scope = self.children(scope)
        found = {name: self.relation(name) for name in (names if scope is None else scope & names)}
        for row in self.connection.exec_driver_sql("SHOW TRIGGERS") if triggers else ():
            if row.Table in found:
                found[row.Table].facts[f"trigger {row.Trigger}"] = f"{row.Timing} {row.Event} {row.Statement}"
        if routines:
            rows = self.connection.exec_driver_sql(
                "SELECT lower(routine_type), routine_name, concat_ws(' ', dtd_identifier, sql_data_access, routine_definition)"
                " FROM information_schema.routines WHERE routine_schema = database() UNION ALL"
                " SELECT 'event', event_name, concat_ws(' ', event_definition, execute_at, interval_value, status)"
                " FROM information_schema.events WHERE event_schema = database()"
            )
            found |= {f"{kind} {name}": Thing(f"{kind} {name}", {"": text}) for kind, name, text in rows}
            if scope is not None:
                scope |= {key for key in self.things if " " in key}
        return found, scope

    def relation(self, name: str) -> Thing:
        quoted = "`" + name.replace("`", "``").replace("%", "%%") + "`"
        text = self.connection.exec_driver_sql(f"SHOW CREATE TABLE {quoted}").one()[1]
        if text.startswith("CREATE ALGORITHM"):
            return Thing(f"view {name}", {"": re.sub(r"^CREATE .*? VIEW ", "", text)})
        body, _, options = text.rpartition("\n)")
        if re.match(r" ENGINE=\w+ SEQUENCE=1\b", options):
            return Thing(f"sequence {name}", {"": text.partition("` ")[2]})
        options, _, partitions = options.partition("\n")
        facts: Facts = {"": re.sub(r" AUTO_INCREMENT=\d+", "", options.strip())}
        if partitions:
            facts["partitions"] = partitions.replace("`", "").strip()
        for line in body.split("\n")[1:]:
            line = line.strip().rstrip(",")
            if line.startswith("`"):
                column, _, definition = line[1:].partition("` ")
                facts[f"column {column}"] = mysql_column(definition)
            elif match := re.match(
                r"(?:CONSTRAINT `(?P<name>[^`]+)` )?(?P<text>(?:FOREIGN KEY|CHECK|PRIMARY KEY).*)", line
            ):
                label = match["name"] if match["name"] and not UNNAMED.fullmatch(match["name"]) else match["text"]
                facts[f"constraint {label}"] = match["text"].replace("`", "")
            elif match := re.match(r"(UNIQUE|FULLTEXT|SPATIAL)? ?KEY `([^`]+)` (.*)", line):
                facts[f"index {match[2]}"] = f"{match[1] or ''} {match[3]}".strip().replace("`", "")
        # The index that the server itself makes for a foreign key stays when the key goes.
        for key in self.foreign | {fact.removeprefix("constraint ") for fact in facts}:
            facts.pop(f"index {key}", None)
        return Thing(f"table {name}", facts)


def mysql_column(definition: str) -> Column:
    match = MYSQL_COLUMN.fullmatch(definition)
    if match is None:
        return Column(definition)
    generated = (match["generated"] or "").strip()
    more = match["more"]
    if " AUTO_INCREMENT" in more:
        generated, more = "AUTO_INCREMENT", more.replace(" AUTO_INCREMENT", "")
    default = (match["default"] or "").removeprefix(" DEFAULT ")
    default = re.sub(r"^\(now(\(\d+\)|)(?:\(\))?\)", r"CURRENT_TIMESTAMP\1", default)  # MySQL keeps the word
    rest = (match["rest"] + more).strip()
    return Column(match["type"], match["null"] == " NOT NULL", "" if default == "NULL" else default, generated, rest)


# --- PostgreSQL: its catalogs; which tables a transaction touched is told by the locks that it holds

TOUCHED = """
WITH locked AS (
  SELECT relation AS oid, bool_or(mode NOT IN ('RowShareLock', 'RowExclusiveLock')) AS altered
  FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND relation >= 16384 AND mode <> 'AccessShareLock'
  GROUP BY relation
)
SELECT oid, altered FROM locked
UNION ALL SELECT indrelid, true FROM pg_index WHERE indexrelid IN (SELECT oid FROM locked WHERE altered)
"""
# What names a table or a column of it: foreign keys, views, sequences, partitions.
NAMING = """
WITH naming AS MATERIALIZED (
  SELECT classid, objid, deptype FROM pg_depend WHERE refclassid = 'pg_class'::regclass AND refobjid = ANY(CAST($1 AS oid[]))
)
SELECT conrelid FROM naming JOIN pg_constraint ON oid = objid WHERE classid = 'pg_constraint'::regclass AND contype = 'f'
UNION SELECT ev_class FROM naming JOIN pg_rewrite ON oid = objid WHERE classid = 'pg_rewrite'::regclass
UNION SELECT objid FROM naming WHERE classid = 'pg_class'::regclass AND deptype IN ('a', 'i')
"""
ALL = sa.text("SELECT oid FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f')")
RELATIONS = """
WITH relation AS MATERIALIZED (
  SELECT c.oid, c.relkind, c.reltype, CASE c.relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'view ' WHEN 'S' THEN 'sequence '
    ELSE 'table ' END || CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname AS name,
    concat_ws(' ', CASE WHEN c.relkind = ANY('{v,m}') THEN pg_get_viewdef(c.oid) END, CASE c.relpersistence WHEN 'u' THEN 'unlogged' END,
      array_to_string(c.reloptions, ' '), CASE WHEN c.relrowsecurity THEN 'row level security' END,
      CASE WHEN c.relforcerowsecurity THEN 'forced' END, CASE c.relkind WHEN 'p' THEN pg_get_partkeydef(c.oid) END,
      pg_get_expr(c.relpartbound, c.oid), 'comment ' || quote_literal(obj_description(c.oid, 'pg_class'))) AS text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.oid = ANY(CAST($1 AS oid[])) AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
)
SELECT oid, name, '' AS fact, text, false AS not_null, '' AS def, '' AS generated, '' AS rest FROM relation
UNION ALL SELECT oid, name, '', concat_ws(' ', r.text, format_type(seqtypid, NULL), 'start', seqstart, 'increment', seqincrement, 'minvalue',
    seqmin, 'maxvalue', seqmax, 'cache', seqcache, CASE WHEN seqcycle THEN 'cycle' END, 'owned by ' || (
      SELECT refobjid::regclass || '.' || attname FROM pg_depend JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
      WHERE classid = 'pg_class'::regclass AND objid = r.oid AND deptype IN ('a', 'i') AND refclassid = 'pg_class'::regclass)),
    false, '', '', '' FROM relation r JOIN pg_sequence ON seqrelid = r.oid
UNION ALL SELECT r.oid, name, 'column ' || attname, format_type(atttypid, atttypmod), attnotnull,
    CASE attgenerated WHEN '' THEN coalesce(regexp_replace(pg_get_expr(adbin, adrelid), '^CURRENT_TIMESTAMP$', 'now()'), '') ELSE '' END,
    CASE attidentity WHEN 'a' THEN 'GENERATED ALWAYS AS IDENTITY' WHEN 'd' THEN 'GENERATED BY DEFAULT AS IDENTITY' ELSE '' END
      || CASE attgenerated WHEN '' THEN '' ELSE 'GENERATED ALWAYS AS (' || pg_get_expr(adbin, adrelid) || ')' END,
    concat_ws(' ', CASE WHEN attcollation NOT IN (0, typcollation) THEN 'COLLATE ' || attcollation::regcollation END,
      'comment ' || quote_literal(col_description(r.oid, attnum)))
  FROM relation r JOIN pg_attribute a ON attrelid = r.oid JOIN pg_type t ON t.oid = atttypid
  LEFT JOIN pg_attrdef ON adrelid = r.oid AND adnum = attnum WHERE attnum > 0 AND NOT attisdropped AND relkind <> 'S'
UNION ALL SELECT r.oid, name, 'constraint ' || conname, concat_ws(' ', pg_get_constraintdef(c.oid),
    'comment ' || quote_literal(obj_description(c.oid, 'pg_constraint'))), false, '', '', ''
  FROM relation r JOIN pg_constraint c ON conrelid = r.oid WHERE contype IN ('p', 'u', 'f', 'c', 'x')
UNION ALL SELECT r.oid, name, 'index ' || i.relname, concat_ws(' ', replace(pg_get_indexdef(i.oid), ' INDEX ' || quote_ident(i.relname) || ' ', ' INDEX '),
    CASE WHEN NOT indisvalid THEN 'INVALID' END, 'comment ' || quote_literal(obj_description(i.oid, 'pg_class'))), false, '', '', ''
  FROM relation r JOIN pg_index ON indrelid = r.oid JOIN pg_class i ON i.oid = indexrelid
  WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = r.oid AND conindid = indexrelid AND contype IN ('p', 'u', 'x'))
UNION ALL SELECT r.oid, name, 'trigger ' || tgname, pg_get_triggerdef(t.oid) || CASE tgenabled WHEN 'O' THEN '' ELSE ' ' || tgenabled::text END,
    false, '', '', '' FROM relation r JOIN pg_trigger t ON tgrelid = r.oid WHERE NOT tgisinternal
UNION ALL SELECT r.oid, name, 'policy ' || polname, concat_ws(' ', polcmd, polpermissive, pg_get_expr(polqual, polrelid),
    pg_get_expr(polwithcheck, polrelid)), false, '', '', '' FROM relation r JOIN pg_policy ON polrelid = r.oid
UNION ALL SELECT r.oid, name, 'parent ' || inhparent::regclass, '', false, '', '', '' FROM relation r JOIN pg_inherits ON inhrelid = r.oid
UNION ALL SELECT r.oid, name, 'rule ' || rulename, pg_get_ruledef(w.oid), false, '', '', ''
  FROM relation r JOIN pg_rewrite w ON ev_class = r.oid WHERE rulename <> '_RETURN'
"""
# The words of a statement that makes something else than tables, or whatever it wants.
NO_TABLES = {"type", "domain", "function", "procedure", "aggregate", "extension", "schema", "event"}
NO_TABLES |= {"do", "call", "execute", "select", "comment"}
OTHERS = sa.text("""
WITH extension AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e')
SELECT kind || ' ' || CASE nspname WHEN 'public' THEN '' ELSE nspname || '.' END || name, text FROM (
  SELECT 'type' AS kind, typnamespace AS namespace, typname::text AS name, 'pg_type'::regclass AS class, oid AS object, concat_ws(' ',
    'enum (' || (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid) || ')',
    'comment ' || quote_literal(obj_description(oid, 'pg_type'))) AS text
  FROM pg_type t WHERE oid >= 16384 AND typtype = 'e'
  UNION ALL SELECT 'domain', typnamespace, typname, 'pg_type'::regclass, t.oid, concat_ws(' ', format_type(typbasetype, typtypmod),
    CASE WHEN typnotnull THEN 'NOT NULL' END, 'DEFAULT ' || typdefault,
    (SELECT string_agg(conname || ' ' || pg_get_constraintdef(c.oid), ', ' ORDER BY conname) FROM pg_constraint c WHERE contypid = t.oid))
  FROM pg_type t WHERE oid >= 16384 AND typtype = 'd'
  UNION ALL SELECT 'type', typnamespace, typname, 'pg_type'::regclass, t.oid, (
    SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = typrelid)
  FROM pg_type t JOIN pg_class c ON c.oid = typrelid WHERE t.oid >= 16384 AND typtype = 'c' AND relkind = 'c'
  UNION ALL SELECT CASE prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END, pronamespace,
    proname || '(' || pg_get_function_identity_arguments(oid) || ')', 'pg_proc'::regclass, oid,
    concat_ws(' ', CASE WHEN prokind = 'a' THEN 'aggregate' ELSE pg_get_functiondef(oid) END, 'comment ' || quote_literal(obj_description(oid, 'pg_proc')))
  FROM pg_proc WHERE oid >= 16384
) AS things JOIN pg_namespace n ON n.oid = namespace
WHERE NOT EXISTS (SELECT FROM extension WHERE classid = class AND objid = object)
UNION ALL SELECT 'extension ' || extname, extversion FROM pg_extension WHERE oid >= 16384
UNION ALL SELECT 'schema ' || nspname, '' FROM pg_namespace WHERE oid >= 16384 AND nspname !~ '^pg_(toast_)?temp'
UNION ALL SELECT 'event trigger ' || evtname, evtevent || ' ' || evtfoid::regproc FROM pg_event_trigger
""")


class PostgreSQL(Snapshot):
    def ask(self, name: str, query: str, value: str = "") -> Iterable[Any]:
        """Run a query of the catalogs; to plan it takes as long as to run it, and is done once."""
        connection, name = self.connection, f"migration_guard_{name}"
        if getattr(connection.connection.driver_connection, "prepare_threshold", None) is not None:
            # An engine of env.py's own: psycopg has the server forget all that is prepared, at each DROP and ALTER.
            return connection.exec_driver_sql(query.replace("$1", f"'{value}'"))
        prepared = connection.info.setdefault("migration_guard", set())
        if name not in prepared:
            connection.exec_driver_sql(f"PREPARE {name} AS {query}")
            prepared.add(name)
        return connection.exec_driver_sql(f"EXECUTE {name}" + (f"('{value}')" if value else ""))

    def note(self, statements: Sequence[str], atomic: bool) -> None:
        super().note(statements, atomic)
        if {"deallocate", "discard"} & words(statements):
            self.connection.info.pop("migration_guard", None)
        if not atomic:
            self.steps.outside += statements
            return
        for oid, altered in self.ask("touched", TOUCHED):
            self.steps.locked[oid] = altered or self.steps.locked.get(oid, False)

    def read(self, steps: Steps | None) -> tuple[dict[Any, Thing], set[Any] | None]:
        found: dict[Any, Thing] = {}
        scope: set[Any] = set()
        if steps is None or NO_TABLES & words(steps.statements):
            found = {row[0]: Thing(row[0], {"": row[1] or ""}) for row in self.connection.execute(OTHERS)}
            scope = {key for key in self.things if isinstance(key, str)}
            if scope - found.keys():
                steps = None  # a type that is renamed is named in tables that hold no lock
        altered: set[Any] | None = None
        if steps is not None:
            altered = {oid for oid, ddl in steps.locked.items() if ddl}
            if steps.outside:
                named = self.named(words(steps.outside))
                altered = None if named is None else altered | named
        everything = altered is None
        if altered is None:
            altered = set(self.connection.execute(ALL).scalars())
        found |= self.relations(altered)
        if everything:
            return found, None
        if renamed := [oid for oid in altered if self.names(self.things.get(oid)) - self.names(found.get(oid))]:
            more = {oid for (oid,) in self.ask("naming", NAMING, listed(renamed))} - altered
            found, altered = found | self.relations(more), altered | more
        return found, scope | altered

    def relations(self, oids: set[Any]) -> dict[Any, Thing]:
        found: dict[Any, Thing] = {}
        for oid, name, fact, text, *column in self.ask("relations", RELATIONS, listed(oids)) if oids else ():
            thing = found.setdefault(oid, Thing(name, {}))
            thing.facts[fact] = Column(text, *column) if fact.startswith("column ") else text
        return found

    @staticmethod
    def names(thing: Thing | None) -> set[str]:
        """Of a table and its columns."""
        return {thing.name, *(fact for fact in thing.facts if fact.startswith("column "))} if thing else set()

    def rewritten(self, changes: Changes, statements: Sequence[str] | None) -> set[str]:
        if self.steps.outside or statements is None:
            return super().rewritten(changes, statements)
        things = [thing for pair in changes.values() for thing in pair] + [
            self.things.get(oid) for oid in self.steps.locked
        ]
        return {table for thing in things if thing and (table := thing.table)}

    def named(self, named: set[str]) -> set[Any] | None:
        """The tables that a statement outside a transaction names, that are new or that are gone; None: can't be told."""
        if named & {"cascade", "do", "call"}:
            return None
        known = {oid: thing for oid, thing in self.things.items() if isinstance(oid, int)}
        return set(self.connection.execute(ALL).scalars()) ^ known.keys() | {
            oid
            for oid, thing in known.items()
            if not named.isdisjoint(
                name.lower().rpartition(".")[2] for name in (thing.name.partition(" ")[2], *indexes(thing))
            )
        }


def listed(oids: Iterable[Any]) -> str:
    return "{" + ",".join(map(str, oids)) + "}"


def indexes(thing: Thing) -> list[str]:
    return [name for fact in thing.facts for kind, _, name in [fact.partition(" ")] if kind in ("index", "constraint")]


SNAPSHOTS: dict[str, type[Snapshot]] = {"sqlite": SQLite, "postgresql": PostgreSQL, "mysql": MySQL, "mariadb": MySQL}


def snapshot_of(connection: Connection, hidden: Iterable[str] = (), exact: bool = False) -> Snapshot:
    return SNAPSHOTS[connection.dialect.name](connection, hidden, exact)
