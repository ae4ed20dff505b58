"""How large the tables are, by the server's own estimates: nothing is counted."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

WHOLE_DATABASE = "the database"


@dataclass(frozen=True, slots=True)
class Size:
    rows: int
    megabytes: float


# A partitioned table is as large as its partitions. relpages needs no lock; pg_total_relation_size
# takes one, and is asked only where the server has no estimate yet.
POSTGRESQL = """
WITH RECURSIVE part AS (
  SELECT c.oid AS root, n.nspname, c.relname, c.oid FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    AND n.nspname !~ '^pg_(toast|temp)'
  UNION ALL SELECT root, nspname, relname, inhrelid FROM part JOIN pg_inherits ON inhparent = oid
)
SELECT nspname || '.' || part.relname,
  sum(CASE WHEN c.relpages > 0 THEN c.reltuples ELSE pg_stat_get_live_tuples(c.oid) END),
  sum(CASE WHEN c.relpages < 1 AND c.relkind <> 'p' THEN pg_total_relation_size(c.oid)
    ELSE current_setting('block_size')::bigint * (greatest(c.relpages, 0) + coalesce(
      (SELECT sum(i.relpages) FROM pg_index JOIN pg_class i ON i.oid = indexrelid
       WHERE indrelid IN (c.oid, c.reltoastrelid)), 0) + coalesce(
      (SELECT t.relpages FROM pg_class t WHERE t.oid = c.reltoastrelid), 0)) END)
FROM part JOIN pg_class c ON c.oid = part.oid GROUP BY root, nspname, part.relname
"""


MYSQL = (
    "SELECT table_name, coalesce(table_rows, 0), coalesce(data_length + index_length, 0)"
    " FROM information_schema.tables"
    " WHERE table_schema = database() AND table_type = 'BASE TABLE'"
)


def sizes_of(connection: sa.Connection) -> dict[str, Size]:
    """The size of each table, by its name in lower case and without ``public``.

    On SQLite each lock is on the whole database, and so is the size. Raises DBAPIError.
    """
    if connection.dialect.name == "sqlite":
        return {WHOLE_DATABASE: sqlite_size(connection)}
    query = POSTGRESQL if connection.dialect.name == "postgresql" else MYSQL
    found = {}
    for name, rows, size in connection.exec_driver_sql(query):
        key = str(name).casefold().removeprefix("public.")
        found[key] = Size(int(rows), round(float(size) / 2**20, 1))
    return found


def sqlite_size(connection: sa.Connection) -> Size:
    """From the highest row number of each table: to count the rows would read them all."""
    listing = (
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND NOT wr"
        " AND name NOT LIKE 'sqlite%'"
    )
    rows = 0
    for name in connection.exec_driver_sql(listing).scalars().all():
        quoted = '"' + name.replace('"', '""') + '"'
        rows += connection.exec_driver_sql(f"SELECT max(rowid) FROM {quoted}").scalar() or 0
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar() or 0
    page = connection.exec_driver_sql("PRAGMA page_size").scalar() or 0
    return Size(rows, round(pages * page / 2**20, 1))
