"""What rules need to know of statements for which Alembic has no names."""

from __future__ import annotations

from typing import Any

import pytest
from migration_guard.reading.migration import HOLE, Operation
from migration_guard.reading.sql import read_sql


def read(statement: str, *dialects: str) -> list[Operation]:
    return read_sql(statement, dialects or ("postgresql",))


OPTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    # PostgreSQL 17 and 18
    "ALTER TABLE t ADD CONSTRAINT nn NOT NULL id": (
        "alter_column t",
        {"nullable": False, "constraint_name": "nn"},
    ),
    "ALTER TABLE t ADD NOT NULL id NOT VALID": (
        "alter_column t",
        {"nullable": False, "constraint_name": None, "postgresql_not_valid": True},
    ),
    "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES u NOT ENFORCED": (
        "create_foreign_key t",
        {"not_enforced": True, "postgresql_not_valid": True},
    ),
    "ALTER TABLE t ADD CONSTRAINT ck CHECK (a > 0) ENFORCED": ("create_check_constraint t", {}),
    "ALTER TABLE t ALTER c SET EXPRESSION AS (a + 1)": (
        "alter_column t",
        {"expression": "(a + 1)"},
    ),
    "ALTER TABLE t ALTER c DROP EXPRESSION": ("alter_column t", {"expression": None}),
    "ALTER TABLE t ALTER c ADD GENERATED ALWAYS AS IDENTITY": (
        "alter_column t",
        {"identity": True},
    ),
    "ALTER TABLE t ADD CONSTRAINT pk PRIMARY KEY USING INDEX ix": (
        "create_primary_key t",
        {"using_index": "ix"},
    ),
    # Partitions
    "CREATE TABLE m (a int) PARTITION BY RANGE (a)": (
        "create_table m",
        {"postgresql_partition_by": "RANGE (a)"},
    ),
    "CREATE TABLE p PARTITION OF m FOR VALUES IN (1)": ("create_table p", {"partition_of": "m"}),
    "ALTER TABLE m ATTACH PARTITION s.p FOR VALUES FROM (1) TO (2)": (
        "alter_table m",
        {"attach_partition": "p"},
    ),
    "ALTER TABLE m DETACH PARTITION p": ("alter_table m", {"detach_partition": "p"}),
    "ALTER TABLE m DETACH PARTITION p CONCURRENTLY": (
        "alter_table m",
        {"detach_partition": "p", "postgresql_concurrently": True},
    ),
    # Domains, types, views and the like
    "ALTER DOMAIN d SET NOT NULL": ("alter_domain", {"nullable": False}),
    "ALTER DOMAIN d VALIDATE CONSTRAINT c": ("alter_domain", {"validate_constraint": "c"}),
    "ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID": (
        "alter_domain",
        {"postgresql_not_valid": True},
    ),
    "ALTER TYPE e RENAME VALUE 'A' TO 'B'": ("alter_type", {"rename_value": "A", "new_value": "B"}),
    "ALTER VIEW v RENAME TO w": ("alter_view", {"new_name": "w"}),
    "ALTER FUNCTION f(int, text) RENAME TO g": ("alter_function", {"new_name": "g"}),
    "ALTER SEQUENCE q SET SCHEMA x": ("alter_sequence", {"new_schema": "x"}),
    "ALTER TABLE t SET SCHEMA x": ("alter_table t", {"new_schema": "x"}),
    "REFRESH MATERIALIZED VIEW v": ("refresh_materialized_view", {}),
    "REFRESH MATERIALIZED VIEW CONCURRENTLY v": (
        "refresh_materialized_view",
        {"postgresql_concurrently": True},
    ),
    # Words that are switched off
    "VACUUM (FULL FALSE) t": ("vacuum t", {"full": False}),
    "VACUUM (FULL off, ANALYZE) t": ("vacuum t", {"full": False}),
    "VACUUM (FULL, VERBOSE FALSE) t": ("vacuum t", {"full": True}),
    "VACUUM (FULL 0) t": ("vacuum t", {"full": False}),
    "VACUUM (FULL 'false') t": ("vacuum t", {"full": False}),
    "VACUUM (ANALYZE) t": ("vacuum t", {"full": False}),
    "LOCK TABLE t IN ACCESS EXCLUSIVE MODE NOWAIT": ("lock_table t", {"mode": "ACCESS EXCLUSIVE"}),
    "CREATE INDEX ix ON t USING gin (a)": ("create_index t", {"postgresql_using": "gin"}),
    "CREATE INDEX ix ON t (a)": ("create_index t", {}),
    "CALL p(1)": ("call?", {}),
    "SELECT 1": ("", {}),
    "COMMIT": ("transaction", {}),
}
MYSQL_OPTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "ALTER TABLE t ADD COLUMN x INT, ALGORITHM=COPY": ("add_column t", {"mysql_algorithm": "COPY"}),
    "ALTER TABLE t ADD INDEX i (a), LOCK = NONE, ALGORITHM INPLACE": (
        "create_index t",
        {"mysql_algorithm": "INPLACE", "mysql_lock": "NONE"},
    ),
    "CREATE INDEX i ON t (a) LOCK=SHARED": ("create_index t", {"mysql_lock": "SHARED"}),
    "ALTER TABLE t ADD COLUMN `lock` int": ("add_column t", {}),
    "ALTER TABLE t ADD COLUMN lock int": ("add_column t", {}),
    "ALTER TABLE t ADD FULLTEXT INDEX ft (body)": ("create_index t", {"mysql_prefix": "FULLTEXT"}),
    "CREATE SPATIAL INDEX sp ON t (g)": ("create_index t", {"mysql_prefix": "SPATIAL"}),
    "ALTER TABLE t ADD KEY ft (body)": ("create_index t", {}),
    "ALTER TABLE t PARTITION BY HASH(id) PARTITIONS 4": (
        "alter_table t",
        {"mysql_partition_by": "HASH(id) PARTITIONS 4"},
    ),
    "ALTER TABLE t REMOVE PARTITIONING": ("alter_table t", {"mysql_partition_by": None}),
    "CREATE TABLE t (a int) ENGINE=InnoDB PARTITION BY KEY(a)": (
        "create_table t",
        {"mysql_partition_by": "KEY(a)"},
    ),
    "LOCK TABLES t WRITE": ("lock_table t", {"mode": "WRITE"}),
    "DELETE FROM t USING t JOIN u ON t.a = u.a": ("delete t", {"where": "JOIN"}),
}


def check(operations: list[Operation], expected: str, kwargs: dict[str, Any]) -> None:
    briefs = [
        f"{each.operation} {each.table or ''}".strip() + ("" if each.certain else "?")
        for each in operations
    ]
    assert briefs == ([expected] if expected else [])
    assert all(each.kwargs == kwargs for each in operations)


@pytest.mark.parametrize("statement", OPTIONS)
def test_options_of_postgresql(statement: str) -> None:
    check(read(statement), *OPTIONS[statement])


@pytest.mark.parametrize("statement", MYSQL_OPTIONS)
def test_options_of_mysql(statement: str) -> None:
    check(read(statement, "mysql"), *MYSQL_OPTIONS[statement])


def test_a_domain_keeps_its_new_constraint() -> None:
    (operation,) = read("ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE <> '')")
    (constraint,) = operation.constraints
    assert (operation.name, constraint.name, constraint.expression) == ("d", "c", "VALUE <> ''")


def test_each_database_has_its_own_delete_with_using() -> None:
    statement = "DELETE FROM t USING u WHERE t.a = u.a"
    assert [each.table for each in read(statement)] == ["t"]
    statement = "DELETE FROM x USING t AS x JOIN u ON x.a = u.a WHERE u.b"
    assert [each.table for each in read(statement, "mysql")] == ["t"]


def test_a_collation_belongs_to_the_type() -> None:
    (operation,) = read('ALTER TABLE t ALTER c TYPE varchar(20) COLLATE "C" USING lower(c)')
    assert operation.kwargs["type_"].kwargs == {"collation": "C"}
    assert operation.kwargs["postgresql_using"] == "lower(c)"
    (operation,) = read("ALTER TABLE t ALTER c TYPE varchar(20)")
    assert operation.kwargs["type_"].kwargs == {}
    assert "postgresql_using" not in operation.kwargs


FOLDED = {
    "UPDATE RATES SET r = 1": ("rates", ()),
    'UPDATE "Rates" SET r = 1': ("Rates", ()),
    "ALTER TABLE Public.Rates ADD COLUMN Rate int": ("rates", ("rate",)),
    'ALTER TABLE t DROP COLUMN "Rate"': ("t", ("Rate",)),
    'CREATE INDEX i ON T ("A", "B" DESC, "C" ASC, D, lower("E"), "F" COLLATE "x")': (
        "t",
        ("A", "B", "C", "d", 'lower("E")', '"F" COLLATE "x"'),
    ),
}


@pytest.mark.parametrize("statement", FOLDED)
def test_names_fold_as_the_database_folds_them(statement: str) -> None:
    (operation,) = read(statement)
    assert (operation.table, operation.columns) == FOLDED[statement]


def test_mysql_keeps_the_case_of_names() -> None:
    (operation,) = read("UPDATE RATES SET r = 1", "mysql", "mariadb")
    assert operation.table == "RATES"


INSERTS = {
    "INSERT INTO t VALUES (1, 'a''b;', NULL), (-2, '--', now()); DROP TABLE u": [
        "bulk_insert t",
        "drop_table u",
    ],
    "INSERT INTO t VALUES (1, 'a'), (2, 'b'); INSERT INTO s.u (a) VALUES (1); DROP TABLE v": [
        "bulk_insert t",
        "bulk_insert s.u",
        "drop_table v",
    ],
    "INSERT INTO t VALUES (1) RETURNING id; DROP TABLE u": ["bulk_insert t", "drop_table u"],
    "INSERT INTO t VALUES (1) -- ); DROP TABLE u": ["bulk_insert t"],
    "INSERT INTO t VALUES ('\\'); DROP TABLE u": ["bulk_insert t", "drop_table u"],
    "INSERT INTO t (a) SELECT 1": ["bulk_insert t"],
}


@pytest.mark.parametrize("text", INSERTS)
def test_statements_after_an_insert_are_read(text: str) -> None:
    operations = read(text)
    assert [f"{each.operation} {each.qualified_table}" for each in operations] == INSERTS[text]
    assert all(each.sql and each.sql in text and each.via == "execute" for each in operations)


def test_many_rows_are_read_at_once() -> None:
    rows = ",\n".join(f"({number}, 'name {number}', NULL)" for number in range(60_000))
    inserted, dropped = read(f"INSERT INTO t (a, b, c) VALUES\n{rows};\nDROP TABLE u")
    assert (inserted.table, inserted.certain, dropped.table) == ("t", True, "u")
    many = ";\n".join(f"INSERT INTO t VALUES ({number})" for number in range(60_000))
    assert len(read(many)) == 60_000


TIME_ZONES = {
    "timestamptz": ("timestamp", {"timezone": True}),
    "timetz": ("time", {"timezone": True}),
    "timestamp with time zone": ("timestamp", {"timezone": True}),
    "timestamp without time zone": ("timestamp", {}),
    "timestamp": ("timestamp", {}),
}


@pytest.mark.parametrize("type_", TIME_ZONES)
def test_a_type_has_a_time_zone_in_each_spelling(type_: str) -> None:
    (operation,) = read(f"ALTER TABLE t ALTER c TYPE {type_}")
    found = operation.kwargs["type_"]
    assert (found.name, found.kwargs) == TIME_ZONES[type_]


@pytest.mark.parametrize("options", ["FREEZE", "VERBOSE", "ANALYZE", "FREEZE VERBOSE ANALYZE", ""])
def test_vacuum_names_its_table_after_its_options(options: str) -> None:
    (operation,) = read(f"VACUUM {options} t")
    assert (operation.table, operation.kwargs) == ("t", {"full": False})


@pytest.mark.parametrize("wait", ["WAIT 5", "NOWAIT", ""])
def test_mariadb_may_wait_for_the_lock_of_an_alter_table(wait: str) -> None:
    (operation,) = read(f"ALTER TABLE t {wait} DROP COLUMN a", "mariadb")
    assert (operation.operation, operation.table, operation.columns) == ("drop_column", "t", ("a",))


def test_tables_of_a_tablespace_are_not_known() -> None:
    (operation,) = read("ALTER TABLE ALL IN TABLESPACE old SET TABLESPACE new")
    assert (operation.operation, operation.table, operation.certain) == ("alter_table", None, False)


def test_an_operation_keeps_its_own_text() -> None:
    first, second = read("DROP TABLE a; DROP TABLE b")
    assert (first.sql, second.sql) == ("DROP TABLE a", "DROP TABLE b")
    (unknown,) = read(f"DROP TABLE {HOLE}")
    assert unknown.sql == "DROP TABLE ?"
    first, second = read("DO $$ BEGIN DROP TABLE a; EXECUTE 'DROP TABLE b'; END $$")
    assert (first.sql, second.sql) == ("DROP TABLE a", "DROP TABLE b")
