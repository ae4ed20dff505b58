"""How large the tables are, from the server's estimates: no rows are counted."""

from typing import NamedTuple

import sqlalchemy as sa

WHOLE_DATABASE = "the database"


class Size(NamedTuple):
    rows: int
    megabytes: float


QUERIES = {
    # A partitioned table is as large as its partitions.
    "postgresql": """
WITH RECURSIVE part AS (
  SELECT relnamespace::regnamespace || '.' || relname AS name, oid FROM pg_class
  WHERE relkind IN ('r', 'p', 'm') AND oid >= 16384
  UNION ALL SELECT name, inhrelid FROM part JOIN pg_inherits ON inhparent = oid)
SELECT name, sum(CASE WHEN relpages > 0 THEN reltuples ELSE pg_stat_get_live_tuples(c.oid) END),
  sum(pg_total_relation_size(c.oid)) FROM part JOIN pg_class c USING (oid) GROUP BY name""",
    "mysql": """
SELECT table_name, coalesce(table_rows, 0), coalesce(data_length + index_length, 0)
FROM information_schema.tables WHERE table_schema = database() AND table_type = 'BASE TABLE'""",
}


def sizes_of(connection: sa.Connection) -> dict[str, Size]:
    """Return the size of each table, by its name in lower case and without ``public``.

    On SQLite each lock is on the whole database, and so is the size. Raises DBAPIError.
    """
    if connection.dialect.name == "sqlite":
        return {WHOLE_DATABASE: sqlite_size(connection)}
    query = QUERIES.get(connection.dialect.name, QUERIES["mysql"])
    return {
        str(name).casefold().removeprefix("public."): Size(int(rows), round(float(size) / 2**20, 1))
        for name, rows, size in connection.exec_driver_sql(query)
    }


def sqlite_size(connection: sa.Connection) -> Size:
    """Return the size, from the highest rowid of each table: count(*) would read all rows."""
    listing = "SELECT name FROM pragma_table_list WHERE type = 'table' AND NOT wr"
    rows = 0
    for name in connection.exec_driver_sql(listing).scalars().all():
        quoted = connection.dialect.identifier_preparer.quote_identifier(name)
        rows += connection.exec_driver_sql(f"SELECT max(rowid) FROM {quoted}").scalar() or 0
    size = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    return Size(rows, round((connection.exec_driver_sql(size).scalar() or 0) / 2**20, 1))
