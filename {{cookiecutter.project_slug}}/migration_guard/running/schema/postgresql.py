"""The schema of a PostgreSQL database."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from .objects import Changes, Column, SchemaObject, words
from .snapshot import Snapshot, Steps

TOUCHED = """
WITH locked AS (
  SELECT relation AS oid, bool_or(mode NOT IN ('RowShareLock', 'RowExclusiveLock')) AS altered
  FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND relation >= 16384 AND
    mode <> 'AccessShareLock' GROUP BY relation
)
SELECT oid, altered FROM locked
UNION ALL SELECT indrelid, true FROM pg_index WHERE indexrelid IN (SELECT oid FROM locked WHERE
  altered)
"""


# What names a table or a column of it: foreign keys, views, sequences, partitions.
NAMING = """
WITH naming AS MATERIALIZED (
  SELECT classid, objid, deptype FROM pg_depend WHERE refclassid = 'pg_class'::regclass AND
    refobjid = ANY(CAST($1 AS oid[]))
)
SELECT conrelid FROM naming JOIN pg_constraint ON oid = objid WHERE classid =
  'pg_constraint'::regclass AND contype = 'f'
UNION SELECT ev_class FROM naming JOIN pg_rewrite ON oid = objid WHERE classid =
  'pg_rewrite'::regclass
UNION SELECT objid FROM naming WHERE classid = 'pg_class'::regclass AND deptype IN ('a', 'i')
"""


ALL = sa.text(
    "SELECT oid FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f')"
)


RELATIONS = """
WITH relation AS MATERIALIZED (
  SELECT c.oid, c.relkind, c.relpartbound, c.relrowsecurity, c.relforcerowsecurity,
    CASE c.relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'view ' WHEN 'S' THEN 'sequence ' ELSE
      'table ' END
      || CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname AS name,
    concat_ws(' ', CASE WHEN c.relkind = ANY('{v,m}') THEN pg_get_viewdef(c.oid) END,
      CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED' END,
      'WITH (' || array_to_string(c.reloptions, ', ') || ')',
      CASE c.relkind WHEN 'p' THEN 'PARTITION BY ' || pg_get_partkeydef(c.oid) END) AS text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.oid = ANY(CAST($1 AS oid[])) AND c.relkind = ANY('{r,p,v,m,S,f}') AND NOT EXISTS (
    SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')
)
SELECT oid, name, '' AS prop, text, false AS not_null, '' AS def, '' AS generated, '' AS rest
  FROM relation
UNION ALL SELECT oid, name, 'comment', quote_literal(obj_description(oid, 'pg_class')), false,
  '', '', '' FROM relation WHERE obj_description(oid, 'pg_class') IS NOT NULL
UNION ALL SELECT oid, name, 'security', concat_ws(' ', CASE WHEN relrowsecurity THEN 'row level'
  || ' security' END, CASE WHEN relforcerowsecurity THEN 'forced' END), false, '', '', ''
  FROM relation WHERE relrowsecurity OR relforcerowsecurity
UNION ALL SELECT oid, name, '', concat_ws(' ', r.text, format_type(seqtypid, NULL), 'start',
    seqstart, 'increment', seqincrement, 'minvalue', seqmin, 'maxvalue', seqmax, 'cache',
    seqcache, CASE WHEN seqcycle THEN 'cycle' END, 'owned by ' || (
      SELECT refobjid::regclass || '.' || attname FROM pg_depend
      JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
      WHERE classid = 'pg_class'::regclass AND objid = r.oid AND deptype IN ('a', 'i')
        AND refclassid = 'pg_class'::regclass)), false, '', '', ''
  FROM relation r JOIN pg_sequence ON seqrelid = r.oid
UNION ALL SELECT r.oid, name, 'column ' || attname, format_type(atttypid, atttypmod), attnotnull,
    CASE attgenerated WHEN '' THEN coalesce(
      regexp_replace(pg_get_expr(adbin, adrelid), '^CURRENT_TIMESTAMP$', 'now()'), '') ELSE '' END,
    CASE attidentity WHEN '' THEN '' ELSE 'GENERATED ' || CASE attidentity WHEN 'a' THEN 'ALWAYS'
      ELSE 'BY DEFAULT' END || ' AS IDENTITY' || (
        SELECT coalesce(' (' || nullif(concat_ws(' ', 'START WITH ' || nullif(seqstart, 1),
          'INCREMENT BY ' || nullif(seqincrement, 1), 'MINVALUE ' || nullif(seqmin, 1),
          CASE WHEN seqmax NOT IN (32767, 2147483647, 9223372036854775807) THEN 'MAXVALUE ' ||
            seqmax END,
          'CACHE ' || nullif(seqcache, 1), CASE WHEN seqcycle THEN 'CYCLE' END), '') || ')', '')
        FROM pg_depend JOIN pg_sequence ON seqrelid = objid WHERE classid = 'pg_class'::regclass
          AND refclassid = 'pg_class'::regclass AND refobjid = r.oid AND refobjsubid = attnum AND
            deptype = 'i') END
      || CASE attgenerated WHEN '' THEN '' ELSE 'GENERATED ALWAYS AS (' || pg_get_expr(adbin,
        adrelid) || ')' END,
    concat_ws(' ', CASE WHEN attcollation NOT IN (0, typcollation) THEN 'COLLATE ' ||
      attcollation::regcollation END, 'comment ' || quote_literal(col_description(r.oid, attnum)))
  FROM relation r JOIN pg_attribute a ON attrelid = r.oid JOIN pg_type t ON t.oid = atttypid
  LEFT JOIN pg_attrdef ON adrelid = r.oid AND adnum = attnum
  WHERE attnum > 0 AND NOT attisdropped AND relkind <> 'S'
UNION ALL SELECT r.oid, name, 'constraint ' || conname, concat_ws(' ', pg_get_constraintdef(c.oid),
    'comment ' || quote_literal(obj_description(c.oid, 'pg_constraint'))), false, '', '', ''
  FROM relation r JOIN pg_constraint c ON conrelid = r.oid WHERE contype = ANY('{p,u,f,c,x}')
UNION ALL SELECT r.oid, name, 'index ' || i.relname, concat_ws(' ',
    replace(pg_get_indexdef(i.oid), ' INDEX ' || quote_ident(i.relname) || ' ', ' INDEX '),
    CASE WHEN NOT indisvalid THEN 'INVALID' END,
    'comment ' || quote_literal(obj_description(i.oid, 'pg_class'))), false, '', '', ''
  FROM relation r JOIN pg_index ON indrelid = r.oid JOIN pg_class i ON i.oid = indexrelid
  WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = r.oid AND conindid = indexrelid
    AND contype = ANY('{p,u,x}'))
UNION ALL SELECT r.oid, name, 'trigger ' || tgname, pg_get_triggerdef(t.oid)
    || CASE tgenabled WHEN 'O' THEN '' ELSE ' ' || tgenabled::text END, false, '', '', ''
  FROM relation r JOIN pg_trigger t ON tgrelid = r.oid WHERE NOT tgisinternal
UNION ALL SELECT r.oid, name, 'policy ' || polname, concat_ws(' ', polcmd, polpermissive,
    pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)), false, '', '', ''
  FROM relation r JOIN pg_policy ON polrelid = r.oid
UNION ALL SELECT r.oid, name, 'parent ' || inhparent::regclass, coalesce(pg_get_expr(relpartbound,
  r.oid), ''), false, '', '', '' FROM relation r JOIN pg_inherits ON inhrelid = r.oid
UNION ALL SELECT r.oid, name, 'rule ' || rulename, pg_get_ruledef(w.oid), false, '', '', ''
  FROM relation r JOIN pg_rewrite w ON ev_class = r.oid WHERE rulename <> '_RETURN'
"""


# The words of a statement that may create something else than tables.
NO_TABLES = {"type", "domain", "function", "procedure", "aggregate", "extension", "schema", "event"}
NO_TABLES |= {"do", "call", "execute", "select", "comment"}


OTHERS = sa.text("""
WITH extension AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e')
SELECT kind || ' ' || CASE nspname WHEN 'public' THEN '' ELSE nspname || '.' END || name, text
  FROM (SELECT 'type' AS kind, typnamespace AS namespace, typname::text AS name,
    'pg_type'::regclass AS class, oid AS object, concat_ws(' ', 'enum (' || (
      SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum
      WHERE enumtypid = t.oid) || ')',
    'comment ' || quote_literal(obj_description(oid, 'pg_type'))) AS text
  FROM pg_type t WHERE oid >= 16384 AND typtype = 'e'
  UNION ALL SELECT 'domain', typnamespace, typname, 'pg_type'::regclass, t.oid,
    concat_ws(' ', format_type(typbasetype, typtypmod), CASE WHEN typcollation NOT IN (0,
      (SELECT typcollation FROM pg_type WHERE oid = t.typbasetype)) THEN 'COLLATE ' ||
      typcollation::regcollation END, CASE WHEN typnotnull THEN 'NOT NULL' END,
      'DEFAULT ' || typdefault, (SELECT string_agg('CONSTRAINT ' || quote_ident(conname) || ' ' ||
      pg_get_constraintdef(c.oid), ' ' ORDER BY conname)
      FROM pg_constraint c WHERE contypid = t.oid))
  FROM pg_type t WHERE oid >= 16384 AND typtype = 'd'
  UNION ALL SELECT 'type', typnamespace, typname, 'pg_type'::regclass, t.oid, (
    SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
    FROM pg_attribute WHERE attrelid = typrelid)
  FROM pg_type t JOIN pg_class c ON c.oid = typrelid WHERE t.oid >= 16384 AND relkind = 'c'
  UNION ALL SELECT CASE prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate'
    ELSE 'function' END, pronamespace, proname || '(' || pg_get_function_identity_arguments(oid)
    || ')', 'pg_proc'::regclass, oid, concat_ws(' ',
      CASE WHEN prokind = 'a' THEN 'aggregate' ELSE pg_get_functiondef(oid) END,
      'comment ' || quote_literal(obj_description(oid, 'pg_proc'))) FROM pg_proc WHERE oid >= 16384
) AS objects JOIN pg_namespace n ON n.oid = namespace
WHERE NOT EXISTS (SELECT FROM extension WHERE classid = class AND objid = object)
UNION ALL SELECT 'extension ' || extname, extversion FROM (
  SELECT * FROM pg_extension WHERE oid >= 16384 ORDER BY oid) AS required_first
UNION ALL SELECT 'schema ' || nspname, '' FROM pg_namespace
  WHERE oid >= 16384 AND nspname !~ '^pg_(toast_)?temp'
UNION ALL SELECT 'event trigger ' || evtname, evtevent || ' ' || evtfoid::regproc
  FROM pg_event_trigger
""")


class PostgreSQL(Snapshot):
    def ask(self, name: str, query: str, value: str = "") -> Iterable[Any]:
        """Run a query of the catalogs, prepared once, because planning takes as long as running."""
        connection, name = self.connection, f"migration_guard_{name}"
        if getattr(connection.connection.driver_connection, "prepare_threshold", None) is not None:
            # env.py has its own engine, whose psycopg deallocates prepared statements at an ALTER.
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

    def read(self, steps: Steps | None) -> tuple[dict[Any, SchemaObject], set[Any] | None]:
        found: dict[Any, SchemaObject] = {}
        scope: set[Any] = set()
        if steps is None or NO_TABLES & words(steps.statements):
            others = self.connection.execute(OTHERS)
            found = {name: SchemaObject(name, {"": text or ""}) for name, text in others}
            scope = {key for key in self.objects if isinstance(key, str)}
            if scope - found.keys():
                steps = None  # tables without a lock may use a type that was renamed
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
        old, new = self.objects, found
        renamed = [it for it in altered if self.names(old.get(it)) - self.names(new.get(it))]
        if renamed:
            more = {oid for (oid,) in self.ask("naming", NAMING, listed(renamed))} - altered
            found, altered = found | self.relations(more), altered | more
        return found, scope | altered

    def relations(self, oids: set[Any]) -> dict[Any, SchemaObject]:
        found: dict[Any, SchemaObject] = {}
        rows = self.ask("relations", RELATIONS, listed(oids)) if oids else ()
        for oid, name, prop, text, *column in rows:
            item = found.setdefault(oid, SchemaObject(name, {}))
            item.properties[prop] = Column(text, *column) if prop.startswith("column ") else text
        return found

    @staticmethod
    def names(item: SchemaObject | None) -> set[str]:
        """Return the names of a table and its columns."""
        columns = [it for it in item.properties if it.startswith("column ")] if item else []
        return {item.name, *columns} if item else set()

    def quoted(self, table: str) -> str:
        schema, _, name = table.partition(".")
        if f"schema {schema}" in self.objects:
            return f"{self.quote(schema)}.{self.quote(name)}"
        return self.quote(table)

    def rewritten(self, changes: Changes, statements: Sequence[str] | None) -> set[str]:
        if self.steps.outside or statements is None:
            return super().rewritten(changes, statements)
        objects = [item for pair in changes.values() for item in pair]
        objects += [self.objects.get(oid) for oid in self.steps.locked]
        return {table for item in objects if item and (table := item.table)}

    def named(self, named: set[str]) -> set[Any] | None:
        """Return the tables that statements outside a transaction name, and new and dropped ones.

        Returns None if they are unknown.
        """
        if named & {"cascade", "do", "call"}:
            return None
        known = {oid: item for oid, item in self.objects.items() if isinstance(oid, int)}
        found = set(self.connection.execute(ALL).scalars()) ^ known.keys()
        for oid, item in known.items():
            names = (item.name.partition(" ")[2], *indexes(item))
            if named & {name.lower().rpartition(".")[2] for name in names}:
                found.add(oid)
        return found


def listed(oids: Iterable[Any]) -> str:
    return "{" + ",".join(map(str, oids)) + "}"


def indexes(item: SchemaObject) -> list[str]:
    parts = (prop.partition(" ") for prop in item.properties)
    return [name for kind, _, name in parts if kind in ("index", "constraint")]
