"""The index of a partitioned table, which PostgreSQL can't build CONCURRENTLY."""

from alembic.operations import ops

from .blocks import Block, Lines, escaped

# For each partition, those above first: what drops an index that a failed build left, what builds
# it, and what attaches it. A partition whose index is attached is left out.
STATEMENTS = """
WITH part AS (
  SELECT t.*, n.nspname, left('{label}', 50) || '_' || relid::oid AS name, CASE level WHEN 1 THEN
    '{name}' ELSE format('%I.%I', above.nspname, left('{label}', 50) || '_' || parentrelid::oid) END
    AS parent, CASE WHEN isleaf THEN 'CONCURRENTLY' END AS how
  FROM pg_partition_tree('{table}') t JOIN pg_class c ON c.oid = relid
  JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_class p ON p.oid = parentrelid
  JOIN pg_namespace above ON above.oid = p.relnamespace
)
SELECT format('DROP INDEX %s IF EXISTS %I.%I', how, nspname, name),
  format('{create}', how, name, CASE WHEN NOT isleaf THEN 'ONLY' END, relid::regclass),
  format('ALTER INDEX %s ATTACH PARTITION %I.%I', parent, nspname, name)
FROM part WHERE NOT EXISTS (SELECT FROM pg_inherits WHERE
  inhrelid = to_regclass(format('%I.%I', nspname, name))) ORDER BY level
"""


def builds(definition: str, table: str, name: str, label: str) -> list[ops.MigrateOperation]:
    """Return what builds and attaches the index of each partition that there is at run time.

    ``definition`` is the server's own, without a name: CREATE INDEX ON ONLY table USING ...
    ``name`` is the quoted name of the parent's index, ``label`` the plain one.
    """
    head, _, rest = definition.partition(" ON ONLY ")
    rest = rest[rest.index(" USING ") :].replace("%", "%%")
    create = f"{head} %s %I ON %s %s{rest}"
    values = {"table": table, "name": name, "label": label, "create": create}
    query = STATEMENTS.format(**{key: text.replace("'", "''") for key, text in values.items()})
    loop = Block("for statement in statements:", [Lines("op.execute(statement)")])
    loops = Block("for statements in op.get_bind().execute(builds).all():", [loop])
    return [
        Lines(
            f'builds = sa.text("""{escaped(query)}""")',
            "# With --sql the partitions are not known.",
        ),
        Block("if not op.get_context().as_sql:", [loops]),
    ]
