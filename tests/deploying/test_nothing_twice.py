"""Migrations that end their own transaction, then fail or are killed: nothing is applied twice."""

from __future__ import annotations

import signal

import pytest
import sqlalchemy as sa
from lib.migrators import (
    alembic,
    engine,
    fork,
    reset,
    result,
    write_history,
    write_migration,
)
from lib.projects import Project
from lib.servers import database_of

ONE = 'op.execute("UPDATE t SET n = n + 1")'
DRIVER = "raw = op.get_bind().connection\n    cursor = raw.cursor()\n    "
ONE_BY_DRIVER = 'cursor.execute("UPDATE t SET n = n + 1")'
AUTOCOMMIT = "with op.get_context().autocommit_block():\n        "

# Each adds 1 to n; whatever is committed in between, n must be right in the end, or it is reported.
EVERYWHERE = {
    "plain": ONE,
    "commit": f'{ONE}\n    op.execute("COMMIT")',
    "commit, lower case": f'{ONE}\n    op.execute("commit;")',
    "commit, with a comment": f'{ONE}\n    op.execute("/* now */ COMMIT -- done")',
    "commit, then more": f'{ONE}\n    op.execute("COMMIT")\n    op.execute("SELECT 1")',
    "commit first": f'op.execute("COMMIT")\n    {ONE}',
    "commit, begin": f'{ONE}\n    op.execute("COMMIT")\n    op.execute("BEGIN")',
    "rollback, then work": f'op.execute("ROLLBACK")\n    {ONE}\n    op.execute("COMMIT")',
    "rollback, begin, work": 'op.execute("ROLLBACK")\n    op.execute("BEGIN")\n'
    f'    {ONE}\n    op.execute("COMMIT")',
    "SQLAlchemy's commit": f"{ONE}\n    op.get_bind().commit()",
    "SQLAlchemy's rollback": f"op.get_bind().rollback()\n    {ONE}\n    op.get_bind().commit()",
    "the driver's commit": f"{ONE}\n    op.get_bind().connection.commit()",
    "the driver's rollback": f"raw = op.get_bind().connection\n    raw.rollback()\n    {ONE}\n"
    "    raw.commit()",
    "the driver's cursor": f"{DRIVER}{ONE_BY_DRIVER}",
    "the driver's cursor and commit": f"{DRIVER}{ONE_BY_DRIVER}\n    raw.commit()",
    "the driver's cursor and COMMIT": f'{DRIVER}{ONE_BY_DRIVER}\n    cursor.execute("COMMIT")',
    "the driver's ROLLBACK, work, COMMIT": f'{DRIVER}cursor.execute("ROLLBACK")\n'
    f'    {ONE_BY_DRIVER}\n    cursor.execute("COMMIT")',
    "the driver's rollback, work, commit": f"{DRIVER}raw.rollback()\n    {ONE_BY_DRIVER}\n"
    "    raw.commit()",
    "a savepoint that is rolled back": "nested = op.get_bind().begin_nested()\n"
    f'    op.execute("UPDATE t SET n = n + 5")\n    nested.rollback()\n    {ONE}\n'
    '    op.execute("COMMIT")',
    "autocommit block": f"{AUTOCOMMIT}{ONE}",
    "work, then autocommit block": f'{ONE}\n    {AUTOCOMMIT}op.execute("SELECT 1")',
    "a name like the version table's": 'op.execute("CREATE TABLE alembic_version_log (n INT)")\n'
    f'    {ONE}\n    op.execute("COMMIT")',
    "rows in many": 'op.get_bind().execute(sa.text("UPDATE t SET n = n + :by"), [{"by": 1}])\n'
    '    op.execute("COMMIT")',
    "without parameters": "op.get_bind().execution_options(no_parameters=True)"
    '.exec_driver_sql("UPDATE t SET n = n + 1")\n    op.execute("COMMIT")',
}
BUMP = {
    "postgresql": 'op.execute("CREATE FUNCTION bump() RETURNS int LANGUAGE sql AS '
    "'UPDATE t SET n = n + 1 RETURNING n'\")",
    "mariadb": 'op.execute("CREATE FUNCTION bump() RETURNS INT MODIFIES SQL DATA '
    'BEGIN UPDATE t SET n = n + 1; RETURN 1; END")',
}
ONLY = {
    "sqlite": {
        "a script": f'{DRIVER}cursor.executescript("UPDATE t SET n = n + 1; SELECT 1")',
        "end": f'{ONE}\n    op.execute("END TRANSACTION")',
        "commit, then DDL": f'{ONE}\n    op.execute("COMMIT")\n'
        '    op.execute("PRAGMA foreign_keys = OFF")',
        "the connection's execute": "op.get_bind().connection.dbapi_connection"
        '.execute("UPDATE t SET n = n + 1")\n    op.execute("COMMIT")',
    },
    "postgresql": {
        "several in one text": 'op.execute("UPDATE t SET n = n + 1; COMMIT")',
        "rollback and work in one text": 'op.execute("ROLLBACK; UPDATE t SET n = n + 1; COMMIT")',
        "commit and chain": f'{ONE}\n    op.execute("COMMIT AND CHAIN")',
        "end": f'{ONE}\n    op.execute("END")',
        "a function in an autocommit block": f'{AUTOCOMMIT}op.execute("SELECT bump()")',
        "a function by driver": f'{DRIVER}cursor.execute("SELECT bump()")\n    raw.commit()',
        "a procedure that commits": 'op.execute("CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ '
        'BEGIN UPDATE t SET n = n + 1; COMMIT; END $$")\n'
        f'    {AUTOCOMMIT}op.execute("CALL p()")',
        "DO that commits": f'{AUTOCOMMIT}op.execute("DO $$ BEGIN UPDATE t SET n = n + 1; COMMIT; '
        'END $$")',
        "DO that commits and fails": f'{AUTOCOMMIT}op.execute("DO $$ BEGIN UPDATE t SET n = n + 1;'
        " COMMIT; RAISE 'no'; END $$\")",
        "EXPLAIN ANALYZE": f'{AUTOCOMMIT}op.execute("EXPLAIN ANALYZE UPDATE t SET n = n + 1")',
        "WITH that writes": f'{AUTOCOMMIT}op.execute("WITH u AS (UPDATE t SET n = n + 1 RETURNING'
        ' n) SELECT * FROM u")',
        "the driver's autocommit": f"op.execute('COMMIT')\n    {DRIVER}raw.dbapi_connection"
        f".autocommit = True\n    {ONE_BY_DRIVER}",
        "the driver's transaction": f"{DRIVER}raw.rollback()\n    with raw.dbapi_connection"
        f".transaction():\n        {ONE_BY_DRIVER}",
    },
    "mariadb": {
        "DDL after": f'{ONE}\n    op.add_column("t", sa.Column("x", sa.Integer))',
        "DDL before": f'op.add_column("t", sa.Column("x", sa.Integer))\n    {ONE}',
        "compound": 'op.execute("BEGIN NOT ATOMIC UPDATE t SET n = n + 1; COMMIT; END")',
        "compound with DDL": 'op.execute("BEGIN NOT ATOMIC UPDATE t SET n = n + 1; '
        'ALTER TABLE t ADD COLUMN x INT; END")',
        "rows of MyISAM": 'op.execute("UPDATE my SET n = n + 1")',
        "a trigger into MyISAM": 'op.execute("INSERT INTO t (id, n) VALUES (2, 0)")',
        "set autocommit": f'op.execute("SET autocommit = 1")\n    {ONE}',
        "the driver's autocommit": f"{DRIVER}raw.dbapi_connection.autocommit(True)\n"
        f"    {ONE_BY_DRIVER}",
        "the driver's DDL": f"{DRIVER}{ONE_BY_DRIVER}\n"
        '    cursor.execute("ALTER TABLE t ADD COLUMN x INT")',
        "another cursor class": "import pymysql\n    cursor = op.get_bind().connection."
        "dbapi_connection.cursor(pymysql.cursors.DictCursor)\n"
        f'    {ONE_BY_DRIVER}\n    cursor.execute("ALTER TABLE t ADD COLUMN x INT")',
        "a procedure": 'op.execute("CALL p()")',
        "a function": 'op.execute("SELECT bump()")\n    op.execute("COMMIT")',
        "start transaction": f'{ONE}\n    op.execute("START TRANSACTION")',
        "lock tables": f'{ONE}\n    op.execute("LOCK TABLES t WRITE")\n'
        '    op.execute("UNLOCK TABLES")',
    },
}
PREPARE = {
    "sqlite": "pass",
    "postgresql": BUMP["postgresql"],
    "mariadb": f"""{BUMP["mariadb"]}
    op.execute("CREATE PROCEDURE p() BEGIN UPDATE t SET n = n + 1; COMMIT; END")""",
}
MYISAM = """op.execute("CREATE TABLE my (n INT) ENGINE = MyISAM")
    op.execute("INSERT INTO my VALUES (0)")
    op.execute("CREATE TRIGGER into_my AFTER INSERT ON t FOR EACH ROW UPDATE my SET n = n + 1")"""
ENDS = {
    "failure": "raise RuntimeError('it failed here')",
    "refused": 'op.execute("SELECT lost FROM nowhere")',
    "kill": "import os; os.kill(os.getpid(), 9)",
}


def done(url: str, where: str) -> int:
    """Return how often the revision was applied, as far as its rows tell."""
    with engine(url).connect() as connection:
        table = "my" if "MyISAM" in where else "t"
        return int(connection.scalar(sa.text(f"SELECT n FROM {table}")) or 0)


@pytest.mark.parametrize("end", ENDS)
def test_nothing_is_applied_twice(project: Project, end: str) -> None:
    url = project.environment["DATABASE_URL"]
    database = database_of(url)
    cases = {**EVERYWHERE, **ONLY[database]}
    write_history(project, "data", 1)
    wrong, killed = {}, 0
    for name, upgrade in cases.items():
        (project.versions / "r003.py").unlink(missing_ok=True)
        write_migration(project, 2, MYISAM if "MyISAM" in name else PREPARE[database])
        reset(url)
        assert alembic(project, "upgrade", "head")[0] == 0
        write_migration(project, 3, f"{upgrade}\n    {ENDS[end]}")
        status, first = result(project, fork(project, "upgrade", "head"))
        assert status, (name, first)
        killed += status == -signal.SIGKILL
        write_migration(project, 3, upgrade)
        status, second = alembic(project, "upgrade", "head")
        if status == 0 and done(url, name) != 1:
            wrong[name] = f"applied {done(url, name)} times"
        elif status and "r003 stopped in the middle" not in second:
            wrong[name] = second
        elif status and done(url, name) == 0 and name == "plain":
            wrong[name] = "reported, but nothing was done"
    assert wrong == {}
    # SQLite has no transaction left to commit after a ROLLBACK.
    assert killed >= len(cases) - 4 if end == "kill" else not killed
