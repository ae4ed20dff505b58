"""Pairs of migrations for ``benchmarks/rules.py``: one that a rule is about, and its harmless twin.

They are our own, written after the lists of rules of the tools that the first cell names. Each pair
has the tools and rules, the body of upgrade() that must be found, and the one that must not be.
`BEFORE` is the revision before all of them.
"""

from __future__ import annotations

BEFORE = """\
op.execute("CREATE TYPE mood AS ENUM ('sad', 'ok')")
op.create_table(
    "shops",
    sa.Column("id", sa.BigInteger(), primary_key=True),
    sa.Column("name", sa.String(40), nullable=False, server_default=""),
    sa.Column("note", sa.Text()),
    sa.Column("code", sa.String(20)),
    sa.Column("price", sa.Numeric(10, 2)),
    sa.Column("size", sa.Integer()),
    sa.Column("mood", postgresql.ENUM("sad", "ok", name="mood", create_type=False)),
    sa.Column("data", postgresql.JSONB()),
    sa.Column("opened", sa.DateTime(timezone=True)),
    sa.UniqueConstraint("code", name="uq_shops_code"),
)
op.create_table(
    "orders",
    sa.Column("id", sa.BigInteger(), primary_key=True),
    sa.Column("shop_id", sa.BigInteger()),
    sa.Column("total", sa.Numeric(10, 2)),
    sa.Column("state", sa.String(9), nullable=False, server_default="new"),
)
op.create_index("ix_orders_shop_id", "orders", ["shop_id"])
op.create_index("ix_shops_note", "shops", ["note"])
op.create_check_constraint("ck_orders_total", "orders", "total >= 0")
op.create_check_constraint("ck_shops_note", "shops", "note IS NOT NULL", postgresql_not_valid=True)
op.execute("ALTER TABLE shops VALIDATE CONSTRAINT ck_shops_note")
op.create_check_constraint("ck_shops_size", "shops", "size > 0", postgresql_not_valid=True)
op.execute("CREATE TABLE days (day date, n int) PARTITION BY RANGE (day)")
op.execute("CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')")
op.execute("CREATE TABLE days_2 (day date, n int)")
op.execute("CREATE TABLE days_3 (day date NOT NULL, n int, CONSTRAINT b CHECK (day IS NOT NULL AND"
    " day >= '2022-01-01' AND day < '2023-01-01'))")
op.execute("CREATE VIEW cheap AS SELECT id FROM shops WHERE price < 9")
op.execute("CREATE MATERIALIZED VIEW totals AS"
    " SELECT shop_id, sum(total) AS t FROM orders GROUP BY 1")
op.execute("CREATE UNIQUE INDEX ux_totals ON totals (shop_id)")
op.execute("CREATE UNIQUE INDEX ux_orders_id ON orders (id, state)")
op.execute("CREATE UNIQUE INDEX ux_days_2 ON days_2 (day)")
op.execute("CREATE DOMAIN email AS text")
op.execute("CREATE SEQUENCE numbers")
op.execute("CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n * 2'")
"""
AUTO = "with op.get_context().autocommit_block():\n    "
NEW = (
    'op.create_table("tags", sa.Column("id", sa.BigInteger(), primary_key=True),'
    ' sa.Column("name", sa.Text()), sa.Column("shop_id", sa.BigInteger()))\n'
)


def sql(*statements: str) -> str:
    return "\n".join(f"op.execute({statement!r})" for statement in statements)


def add(column: str) -> str:
    return f'op.add_column("shops", sa.Column("x", {column}))'


def alter(column: str, arguments: str, table: str = "shops") -> str:
    return f'op.alter_column("{table}", "{column}", {arguments})'


INDEX = (
    "squawk require-concurrent-index-creation, strong_migrations add_index, eugene E6, Atlas PG101"
)
DROP_INDEX = "squawk require-concurrent-index-deletion, strong_migrations remove_index, eugene E9"
DEFAULT = "squawk adding-field-with-default, strong_migrations add_column_default, eugene E5"
REQUIRED = "squawk adding-required-field, django-migration-linter NOT_NULL, Atlas PG303"
SET_NOT_NULL = "squawk adding-not-nullable-field, strong_migrations change_column_null, eugene E2"
DROP_COLUMN = "squawk ban-drop-column, strong_migrations remove_column, Atlas DS103"
DROP_TABLE = "squawk ban-drop-table, django-migration-linter DROP_TABLE, Atlas DS102"
RENAME_COLUMN = "squawk renaming-column, strong_migrations rename_column, Atlas BC102"
RENAME_TABLE = "squawk renaming-table, strong_migrations rename_table, Atlas BC101"
TYPE = "squawk changing-column-type, strong_migrations change_column, eugene E5, Atlas PG301"
FOREIGN = "squawk adding-foreign-key-constraint, strong_migrations add_foreign_key, eugene E4"
CHECK = "squawk constraint-missing-not-valid, strong_migrations add_check_constraint, eugene E1"
UNIQUE = "squawk disallowed-unique-constraint, strong_migrations add_unique_constraint, eugene E7"
TRANSACTION = "squawk ban-concurrent-index-creation-in-transaction, transaction-nesting"
BACKFILL = "strong_migrations backfill, safe-pg-migrations backfill, eugene E10"
IX = 'op.create_index("ix", {})'
CIX = AUTO + 'op.create_index("ix", {}, postgresql_concurrently=True)'
UIX = AUTO + 'op.drop_index("{}", {}, postgresql_concurrently=True)'

PAIRS: list[tuple[str, str, str]] = [
    (INDEX, IX.format('"shops", ["size"]'), CIX.format('"shops", ["size"]')),
    (
        INDEX,
        IX.format('"shops", ["size"], unique=True'),
        CIX.format('"shops", ["size"], unique=True'),
    ),
    (
        INDEX,
        sql("CREATE INDEX ix ON shops (size)"),
        AUTO + sql("CREATE INDEX CONCURRENTLY ix ON shops (size)"),
    ),
    (
        INDEX,
        IX.format('"orders", [sa.text("lower(state)")]'),
        CIX.format('"orders", [sa.text("lower(state)")]'),
    ),
    (
        INDEX,
        IX.format('"shops", ["data"], postgresql_using="gin"'),
        CIX.format('"shops", ["data"], postgresql_using="gin"'),
    ),
    (
        INDEX,
        'for name in ("size", "price"):\n    op.create_index(f"ix_{name}", "shops", [name])',
        NEW + 'for name in ("name", "shop_id"):\n    op.create_index(f"ix_{name}", "tags", [name])',
    ),
    (
        INDEX,
        'with op.batch_alter_table("shops") as batch:\n    batch.create_index("ix", ["size"])',
        NEW + 'with op.batch_alter_table("tags") as batch:\n    batch.create_index("ix", ["name"])',
    ),
    (INDEX, add("sa.Integer(), index=True"), add("sa.Integer()")),
    (INDEX, IX.format('"shops", ["size"]') + "\n" + NEW, NEW + IX.format('"tags", ["name"]')),
    (
        INDEX,
        'if op.get_bind().dialect.name == "postgresql":\n    ' + IX.format('"shops", ["size"]'),
        'if op.get_bind().dialect.name == "sqlite":\n    ' + IX.format('"shops", ["size"]'),
    ),
    (INDEX, sql("CREATE INDEX ix ON days (n)"), sql("CREATE INDEX ix ON ONLY days (n)")),
    (DROP_INDEX, 'op.drop_index("ix_shops_note", "shops")', UIX.format("ix_shops_note", '"shops"')),
    (
        DROP_INDEX,
        sql("DROP INDEX ix_shops_note"),
        AUTO + sql("DROP INDEX CONCURRENTLY ix_shops_note"),
    ),
    (DROP_INDEX, 'op.drop_index("ix_shops_note")', UIX.format("ix_shops_note", "if_exists=True")),
    (
        DROP_INDEX,
        sql("DROP INDEX IF EXISTS ix_shops_note"),
        NEW + IX.format('"tags", ["name"]') + '\nop.drop_index("ix", "tags")',
    ),
    (
        "squawk require-concurrent-reindex, eugene E6",
        AUTO + sql("REINDEX INDEX ix_shops_note"),
        AUTO + sql("REINDEX INDEX CONCURRENTLY ix_shops_note"),
    ),
    (
        "squawk require-concurrent-reindex",
        AUTO + sql("REINDEX TABLE shops"),
        AUTO + sql("REINDEX TABLE CONCURRENTLY shops"),
    ),
    (
        TRANSACTION,
        'op.create_index("ix", "shops", ["size"], postgresql_concurrently=True)',
        CIX.format('"shops", ["size"]'),
    ),
    (
        TRANSACTION,
        sql("CREATE INDEX CONCURRENTLY ix ON shops (size)"),
        AUTO + sql("CREATE INDEX CONCURRENTLY ix ON shops (size)"),
    ),
    (
        TRANSACTION,
        'op.drop_index("ix_shops_note", "shops", postgresql_concurrently=True)',
        UIX.format("ix_shops_note", '"shops"'),
    ),
    (
        TRANSACTION,
        add("sa.Integer()") + "\n" + CIX.format('"shops", ["size"]'),
        CIX.format('"shops", ["size"]'),
    ),
    (TRANSACTION, sql("BEGIN") + "\n" + add("sa.Integer()"), add("sa.Integer()")),
    (TRANSACTION, add("sa.Integer()") + "\n" + sql("COMMIT"), add("sa.Integer()")),
    (
        "squawk ban-uncommitted-transaction",
        sql("BEGIN; ALTER TABLE shops ADD COLUMN x int"),
        sql("ALTER TABLE shops ADD COLUMN x int"),
    ),
    (
        "squawk transaction-nesting",
        sql("ALTER TABLE shops ADD COLUMN x int", "ROLLBACK"),
        sql("SAVEPOINT a", "ALTER TABLE shops ADD COLUMN x int", "RELEASE SAVEPOINT a"),
    ),
    (
        "Atlas PG103, safe-pg-migrations add_index",
        AUTO
        + (
            'op.create_index("ix", "shops", ["size"], if_not_exists=True, '
            "postgresql_concurrently=True)"
        ),
        AUTO
        + (
            'op.drop_index("ix", "shops", if_exists=True, postgresql_concurrently=True)\n'
            '    op.create_index("ix", "shops", ["size"], postgresql_concurrently=True)'
        ),
    ),
    (DEFAULT, add('sa.Uuid(), server_default=sa.text("gen_random_uuid()")'), add("sa.Uuid()")),
    (
        DEFAULT,
        add('sa.Float(), server_default=sa.text("random()")'),
        add('sa.Float(), server_default="0"'),
    ),
    (
        DEFAULT,
        add('sa.DateTime(), server_default=sa.text("clock_timestamp()")'),
        add('sa.DateTime(), server_default=sa.text("now()")'),
    ),
    (
        DEFAULT,
        add("sa.BigInteger(), server_default=sa.text(\"nextval('numbers')\")"),
        add('sa.BigInteger(), server_default="1"'),
    ),
    (
        DEFAULT,
        sql("ALTER TABLE shops ADD COLUMN x uuid DEFAULT gen_random_uuid()"),
        sql("ALTER TABLE shops ADD COLUMN x int DEFAULT 7"),
    ),
    (
        DEFAULT,
        sql("ALTER TABLE shops ADD COLUMN x timestamptz DEFAULT clock_timestamp()"),
        sql("ALTER TABLE shops ADD COLUMN x timestamptz DEFAULT now()"),
    ),
    (
        DEFAULT,
        add("sa.Text(), server_default=sa.func.md5(sa.func.random())"),
        add("sa.Text(), server_default=sa.func.current_user()"),
    ),
    (
        "squawk adding-field-with-default (generated)",
        sql("ALTER TABLE shops ADD COLUMN x int GENERATED ALWAYS AS (size * 2) STORED"),
        sql("ALTER TABLE shops ADD COLUMN x int"),
    ),
    (
        (
            "squawk adding-field-with-default (generated), strong_migrations "
            "add_column_generated_stored"
        ),
        add('sa.Integer(), sa.Computed("size * 2", persisted=True)'),
        add("sa.Integer()"),
    ),
    (
        "squawk adding-serial-primary-key-field, strong_migrations add_column_auto_incrementing",
        sql("ALTER TABLE days_2 ADD COLUMN id bigserial"),
        sql("ALTER TABLE days_2 ADD COLUMN id bigint"),
    ),
    (
        "squawk adding-serial-primary-key-field",
        add("sa.BigInteger(), sa.Identity()"),
        add("sa.BigInteger()"),
    ),
    (
        "squawk adding-serial-primary-key-field",
        sql("ALTER TABLE days_2 ADD COLUMN id serial PRIMARY KEY"),
        sql("CREATE TABLE u (id bigserial PRIMARY KEY)"),
    ),
    (
        REQUIRED,
        add("sa.Integer(), nullable=False"),
        add('sa.Integer(), nullable=False, server_default="0"'),
    ),
    (
        REQUIRED,
        sql("ALTER TABLE shops ADD COLUMN x int NOT NULL"),
        sql("ALTER TABLE shops ADD COLUMN x int NOT NULL DEFAULT 0"),
    ),
    (REQUIRED, add("sa.Integer(), nullable=False, default=0"), add("sa.Integer(), default=0")),
    (
        REQUIRED,
        add('sa.Text(), nullable=False, server_default=sa.text("NULL")'),
        add('sa.Text(), nullable=False, server_default=""'),
    ),
    (
        REQUIRED,
        (
            'with op.batch_alter_table("shops") as batch:\n'
            '    batch.add_column(sa.Column("x", sa.Text(), nullable=False))'
        ),
        NEW
        + (
            'with op.batch_alter_table("tags") as batch:\n'
            '    batch.add_column(sa.Column("x", sa.Text(), nullable=False))'
        ),
    ),
    (
        REQUIRED,
        (
            'for table in ("shops", "orders"):\n'
            '    op.add_column(table, sa.Column("x", sa.Text(), nullable=False))'
        ),
        'for table in ("shops", "orders"):\n    op.add_column(table, sa.Column("x", sa.Text()))',
    ),
    (SET_NOT_NULL, alter("code", "nullable=False"), alter("code", "nullable=True")),
    (
        SET_NOT_NULL,
        sql("ALTER TABLE shops ALTER COLUMN code SET NOT NULL"),
        sql("ALTER TABLE shops ALTER COLUMN note SET NOT NULL"),
    ),
    (
        SET_NOT_NULL,
        alter("size", "nullable=False, existing_type=sa.Integer()"),
        alter("note", "nullable=False, existing_type=sa.Text()"),
    ),
    (
        SET_NOT_NULL,
        (
            'with op.batch_alter_table("shops") as batch:\n'
            '    batch.alter_column("code", nullable=False)'
        ),
        NEW + 'op.alter_column("tags", "name", nullable=False)',
    ),
    (
        SET_NOT_NULL,
        add("sa.Integer()") + "\n" + alter("x", "nullable=False"),
        add("sa.Integer()") + "\n" + alter("x", "nullable=True"),
    ),
    (
        "squawk adding-not-nullable-field (other column validated)",
        sql(
            "ALTER TABLE shops VALIDATE CONSTRAINT ck_shops_size",
            "ALTER TABLE shops ALTER COLUMN size SET NOT NULL",
        ),
        sql("ALTER TABLE shops VALIDATE CONSTRAINT ck_shops_size"),
    ),
    (
        "PostgreSQL 18",
        sql("ALTER TABLE shops ADD CONSTRAINT nn NOT NULL code"),
        sql("ALTER TABLE shops ADD CONSTRAINT nn NOT NULL code NOT VALID"),
    ),
    (
        "strong_migrations change_column_default, drop default",
        alter("state", "server_default=None", "orders"),
        alter("state", 'server_default="open"', "orders"),
    ),
    (
        "drop default",
        sql("ALTER TABLE orders ALTER COLUMN state DROP DEFAULT"),
        sql("ALTER TABLE orders ALTER COLUMN state SET DEFAULT 'open'"),
    ),
    (
        "drop default",
        sql("ALTER TABLE shops ALTER COLUMN name DROP DEFAULT"),
        sql("ALTER TABLE shops ALTER COLUMN note DROP DEFAULT"),
    ),
    (DROP_COLUMN, 'op.drop_column("shops", "note")', alter("note", "nullable=True")),
    (
        DROP_COLUMN,
        sql("ALTER TABLE shops DROP COLUMN note"),
        sql("ALTER TABLE shops ALTER COLUMN note DROP NOT NULL"),
    ),
    (
        DROP_COLUMN,
        sql("ALTER TABLE shops DROP COLUMN IF EXISTS note CASCADE"),
        sql("COMMENT ON COLUMN shops.note IS 'unused'"),
    ),
    (
        DROP_COLUMN,
        'with op.batch_alter_table("shops") as batch:\n    batch.drop_column("note")',
        NEW + 'with op.batch_alter_table("tags") as batch:\n    batch.drop_column("name")',
    ),
    (
        DROP_COLUMN,
        'for name in ("note", "size"):\n    op.drop_column("shops", name)',
        add("sa.Text()") + '\nop.drop_column("shops", "x")',
    ),
    (
        DROP_COLUMN,
        'TABLE = "shops"\nop.drop_column(TABLE, "note")',
        'TABLE = "shops"\nop.add_column(TABLE, sa.Column("x", sa.Text()))',
    ),
    (DROP_TABLE, 'op.drop_table("orders")', NEW + 'op.drop_table("tags")'),
    (
        DROP_TABLE,
        sql("DROP TABLE orders"),
        sql("CREATE TABLE tmp (id bigint PRIMARY KEY)", "DROP TABLE tmp"),
    ),
    (
        DROP_TABLE,
        sql("DROP TABLE IF EXISTS orders CASCADE"),
        sql("CREATE TEMP TABLE tmp (id bigint)", "DROP TABLE tmp"),
    ),
    (
        DROP_TABLE,
        'op.rename_table("orders", "old")\nop.drop_table("old")',
        NEW + 'op.rename_table("tags", "labels")\nop.drop_table("labels")',
    ),
    (
        "squawk ban-drop-database, Atlas DS101",
        sql("DROP SCHEMA shop_old CASCADE"),
        sql("CREATE SCHEMA shop_new"),
    ),
    ("squawk ban-drop-database", AUTO + sql("DROP DATABASE old"), sql("SELECT 1")),
    (
        "squawk ban-truncate-cascade, django-migration-linter",
        sql("TRUNCATE orders CASCADE"),
        sql("DELETE FROM orders WHERE id = 7"),
    ),
    ("squawk ban-truncate-cascade", sql("TRUNCATE TABLE orders"), NEW + sql("TRUNCATE TABLE tags")),
    ("Atlas DS, data loss", sql("DELETE FROM orders"), sql("DELETE FROM orders WHERE id < 10")),
    (
        "Atlas DS, data loss",
        "op.execute(sa.delete(sa.table('orders')))",
        (
            "t = sa.table('orders', sa.column('id', sa.Integer()))\n"
            "op.execute(sa.delete(t).where(t.c.id == 7))"
        ),
    ),
    (RENAME_COLUMN, alter("note", 'new_column_name="remark"'), add("sa.Text()")),
    (
        RENAME_COLUMN,
        sql("ALTER TABLE shops RENAME COLUMN note TO remark"),
        NEW + sql("ALTER TABLE tags RENAME COLUMN name TO label"),
    ),
    (
        RENAME_COLUMN,
        sql("ALTER TABLE shops RENAME note TO remark"),
        sql("ALTER INDEX ix_shops_note RENAME TO ix_note"),
    ),
    (RENAME_TABLE, 'op.rename_table("orders", "sales")', NEW + 'op.rename_table("tags", "labels")'),
    (
        RENAME_TABLE,
        sql("ALTER TABLE orders RENAME TO sales"),
        sql("CREATE VIEW sales AS SELECT * FROM orders"),
    ),
    (
        RENAME_TABLE,
        sql("ALTER TABLE orders SET SCHEMA archive"),
        NEW + sql("ALTER TABLE tags SET SCHEMA archive"),
    ),
    (
        "strong_migrations rename_schema",
        sql("ALTER SCHEMA shop RENAME TO store"),
        sql("CREATE SCHEMA store"),
    ),
    (
        "enum values, Atlas BC",
        sql("ALTER TYPE mood RENAME VALUE 'sad' TO 'low'"),
        sql("ALTER TYPE mood ADD VALUE 'low'"),
    ),
    (
        "renamed objects",
        sql("ALTER VIEW cheap RENAME TO low"),
        sql("CREATE VIEW low AS SELECT id FROM shops"),
    ),
    (
        "renamed objects",
        sql("ALTER SEQUENCE numbers RENAME TO n"),
        sql("ALTER SEQUENCE numbers RESTART WITH 9"),
    ),
    (
        "renamed objects",
        sql("ALTER FUNCTION twice(int) RENAME TO double"),
        sql("CREATE FUNCTION double(n int) RETURNS int LANGUAGE sql AS 'SELECT n * 2'"),
    ),
    (
        "dropped objects",
        sql("DROP VIEW cheap"),
        sql("DROP VIEW cheap", "CREATE VIEW cheap AS SELECT id FROM shops"),
    ),
    (
        "dropped objects",
        sql("DROP FUNCTION twice(int)"),
        sql("CREATE OR REPLACE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT n + n'"),
    ),
    (
        "dropped objects",
        sql("DROP MATERIALIZED VIEW totals"),
        sql("REFRESH MATERIALIZED VIEW CONCURRENTLY totals"),
    ),
    ("dropped objects", sql("DROP SEQUENCE numbers"), sql("CREATE SEQUENCE more")),
    (
        "dropped objects",
        sql("DROP TYPE mood"),
        sql(
            "ALTER TYPE mood RENAME TO old_mood",
            "CREATE TYPE mood AS ENUM ('sad', 'ok', 'low')",
            "DROP TYPE old_mood",
        ),
    ),
    (
        TYPE,
        alter("size", "type_=sa.BigInteger(), existing_type=sa.Integer()"),
        alter("code", "type_=sa.String(30), existing_type=sa.String(20)"),
    ),
    (
        TYPE,
        sql("ALTER TABLE shops ALTER COLUMN size TYPE bigint"),
        NEW + sql("ALTER TABLE tags ALTER COLUMN name TYPE varchar(9)"),
    ),
    (
        TYPE,
        alter("code", "type_=sa.String(10), existing_type=sa.String(20)"),
        alter("code", "type_=sa.Text(), existing_type=sa.String(20)"),
    ),
    (
        TYPE,
        alter("price", "type_=sa.Numeric(12, 3), existing_type=sa.Numeric(10, 2)"),
        alter("price", "type_=sa.Numeric(12, 2), existing_type=sa.Numeric(10, 2)"),
    ),
    (
        TYPE,
        alter(
            "code",
            "type_=sa.Integer(), existing_type=sa.String(20), postgresql_using='code::integer'",
        ),
        alter("code", "type_=sa.String(40), existing_type=sa.String(20)"),
    ),
    (
        TYPE,
        alter("opened", "type_=sa.DateTime(), existing_type=sa.DateTime(timezone=True)"),
        alter("opened", "comment='since', existing_type=sa.DateTime(timezone=True)"),
    ),
    (
        TYPE,
        alter("note", "type_=sa.String(80), existing_type=sa.Text()"),
        alter("name", "type_=sa.Text(), existing_type=sa.String(40)"),
    ),
    (
        TYPE,
        alter(
            "code",
            "type_=sa.String(30), existing_type=sa.String(20), postgresql_using='upper(code)'",
        ),
        alter(
            "code",
            (
                "type_=sa.String(30), existing_type=sa.String(20), "
                "postgresql_using='code::varchar(30)'"
            ),
        ),
    ),
    (
        TYPE,
        alter("code", "type_=sa.String(20, collation='C'), existing_type=sa.String(20)"),
        alter("code", "type_=sa.String(25), existing_type=sa.String(20)"),
    ),
    (
        "a type change under a CHECK",
        alter("state", "type_=sa.String(19), existing_type=sa.String(9)", "orders").replace(
            "op.alter", "op.create_check_constraint('ck_s', 'orders', \"state <> ''\")\nop.alter"
        ),
        alter("state", "type_=sa.String(19), existing_type=sa.String(9)", "orders"),
    ),
    (
        "squawk prefer-jsonb, Atlas PG, strong_migrations add_column_json",
        add("sa.JSON()"),
        add("postgresql.JSONB()"),
    ),
    (
        "strong_migrations add_column_json",
        (
            'op.create_table("u", sa.Column("id", sa.BigInteger(), primary_key=True), '
            'sa.Column("d", postgresql.JSON()))'
        ),
        (
            'op.create_table("u", sa.Column("id", sa.BigInteger(), primary_key=True), '
            'sa.Column("d", postgresql.JSONB()))'
        ),
    ),
    (
        FOREIGN,
        'op.create_foreign_key("fk", "orders", "shops", ["shop_id"], ["id"])',
        (
            'op.create_foreign_key("fk", "orders", "shops", ["shop_id"], ["id"], '
            "postgresql_not_valid=True)"
        ),
    ),
    (
        FOREIGN,
        sql("ALTER TABLE orders ADD CONSTRAINT fk FOREIGN KEY (shop_id) REFERENCES shops (id)"),
        sql(
            "ALTER TABLE orders ADD CONSTRAINT fk FOREIGN KEY (shop_id) REFERENCES shops "
            "(id) NOT VALID"
        ),
    ),
    (
        FOREIGN,
        (
            'with op.batch_alter_table("orders") as batch:\n'
            '    batch.create_foreign_key("fk", "shops", ["shop_id"], ["id"])'
        ),
        NEW
        + (
            'op.create_foreign_key("fk", "tags", "shops", ["shop_id"], ["id"])\n'
            'op.create_index("ix", "tags", ["shop_id"])'
        ),
    ),
    (
        FOREIGN,
        (
            'op.create_foreign_key("fk", "orders", "shops", ["shop_id"], ["id"], '
            "postgresql_not_valid=True)\n"
        )
        + sql("ALTER TABLE orders VALIDATE CONSTRAINT fk"),
        sql("ALTER TABLE shops VALIDATE CONSTRAINT ck_shops_size"),
    ),
    (
        FOREIGN,
        (
            'op.add_column("orders", sa.Column("x", sa.BigInteger(), '
            'sa.ForeignKey("shops.id", name="fk")))'
        ),
        'op.add_column("orders", sa.Column("x", sa.BigInteger()))',
    ),
    (
        "PostgreSQL 18 NOT ENFORCED",
        sql("ALTER TABLE orders ADD CONSTRAINT fk FOREIGN KEY (shop_id) REFERENCES shops (id)"),
        sql(
            "ALTER TABLE orders ADD CONSTRAINT fk FOREIGN KEY (shop_id) REFERENCES shops "
            "(id) NOT ENFORCED"
        ),
    ),
    (
        "foreign keys without an index (strong_migrations, Atlas)",
        (
            'op.create_table("u", sa.Column("id", sa.BigInteger(), primary_key=True), '
            'sa.Column("s", sa.BigInteger(), sa.ForeignKey("shops.id", name="fk_u")))'
        ),
        (
            'op.create_table("u", sa.Column("id", sa.BigInteger(), primary_key=True), '
            'sa.Column("s", sa.BigInteger(), sa.ForeignKey("shops.id", name="fk_u"), '
            "index=True))"
        ),
    ),
    (
        "foreign keys without an index",
        (
            'op.create_table("u", sa.Column("id", sa.BigInteger(), primary_key=True), '
            'sa.Column("s", sa.BigInteger(), sa.ForeignKey("shops.id", name="fk_u")))\n'
            'op.create_index("ix", "u", ["id", "s"])'
        ),
        (
            'op.create_table("u", sa.Column("id", sa.BigInteger(), primary_key=True), '
            'sa.Column("s", sa.BigInteger(), sa.ForeignKey("shops.id", name="fk_u")))\n'
            'op.create_index("ix", "u", ["s", "id"])'
        ),
    ),
    (
        CHECK,
        'op.create_check_constraint("ck", "shops", "price > 0")',
        'op.create_check_constraint("ck", "shops", "price > 0", postgresql_not_valid=True)',
    ),
    (
        CHECK,
        sql("ALTER TABLE shops ADD CONSTRAINT ck CHECK (price > 0)"),
        sql("ALTER TABLE shops ADD CONSTRAINT ck CHECK (price > 0) NOT VALID"),
    ),
    (
        CHECK,
        sql(
            "ALTER TABLE shops ADD CONSTRAINT ck CHECK (price > 0) NOT VALID; ALTER TABLE "
            "shops VALIDATE CONSTRAINT ck"
        ),
        sql("ALTER TABLE shops VALIDATE CONSTRAINT ck_shops_size"),
    ),
    (
        CHECK,
        'op.create_check_constraint("ck", "shops", "price > 0", postgresql_not_valid=True)\n'
        + sql("ALTER TABLE shops VALIDATE CONSTRAINT ck"),
        NEW + 'op.create_check_constraint("ck", "tags", "id > 0")',
    ),
    (
        CHECK,
        (
            'op.add_column("shops", sa.Column("x", sa.Integer(), sa.CheckConstraint("x > 0", '
            'name="ck")))'
        ),
        'op.add_column("shops", sa.Column("x", sa.Integer()))',
    ),
    (
        "squawk ban-alter-domain-with-add-constraint",
        sql("ALTER DOMAIN email ADD CONSTRAINT c CHECK (VALUE <> '')"),
        sql("ALTER DOMAIN email ADD CONSTRAINT c CHECK (VALUE <> '') NOT VALID"),
    ),
    (
        "squawk ban-alter-domain-with-add-constraint",
        sql("ALTER DOMAIN email SET NOT NULL"),
        sql("ALTER DOMAIN email SET DEFAULT ''"),
    ),
    (
        "squawk ban-create-domain-with-constraint",
        sql("CREATE DOMAIN d AS text CHECK (VALUE <> '')", "ALTER TABLE shops ADD COLUMN x d"),
        sql("CREATE DOMAIN d AS text", "ALTER TABLE shops ADD COLUMN x d"),
    ),
    (
        UNIQUE,
        'op.create_unique_constraint("uq", "shops", ["name"])',
        sql("ALTER TABLE orders ADD CONSTRAINT uq UNIQUE USING INDEX ux_orders_id"),
    ),
    (
        UNIQUE,
        sql("ALTER TABLE shops ADD CONSTRAINT uq UNIQUE (name)"),
        NEW + 'op.create_unique_constraint("uq", "tags", ["name"])',
    ),
    (
        UNIQUE,
        (
            'with op.batch_alter_table("shops") as batch:\n'
            '    batch.create_unique_constraint("uq", ["name"])'
        ),
        CIX.format('"shops", ["name"], unique=True'),
    ),
    (UNIQUE, add("sa.Integer(), unique=True"), add("sa.Integer()")),
    (
        "strong_migrations add_exclusion_constraint, eugene E3",
        sql("ALTER TABLE shops ADD CONSTRAINT ex EXCLUDE USING btree (name WITH =)"),
        NEW + sql("ALTER TABLE tags ADD CONSTRAINT ex EXCLUDE USING btree (name WITH =)"),
    ),
    (
        "squawk adding-primary-key-constraint, strong_migrations",
        'op.create_primary_key("pk", "days_2", ["day"])',
        'op.create_table("u", sa.Column("id", sa.BigInteger(), primary_key=True))',
    ),
    (
        "primary key using an index on a nullable column",
        sql("ALTER TABLE days_2 ADD CONSTRAINT pk PRIMARY KEY USING INDEX ux_days_2"),
        sql("ALTER TABLE orders ADD CONSTRAINT uq UNIQUE USING INDEX ux_orders_id"),
    ),
    (
        "primary keys",
        sql("ALTER TABLE days_2 ADD PRIMARY KEY (day)"),
        sql("COMMENT ON TABLE days_2 IS 'x'"),
    ),
    (
        "op as a parameter, and SQL in a variable",
        (
            'statement = "ALTER TABLE shops DROP COLUMN note"\n'
            "op.get_bind().execute(sa.text(statement))"
        ),
        (
            'statement = "ALTER TABLE shops ADD COLUMN x text"\n'
            "op.get_bind().execute(sa.text(statement))"
        ),
    ),
    (
        "a loop over columns",
        (
            'for column in [sa.Column("x", sa.Integer(), nullable=False), sa.Column("y", '
            'sa.Integer())]:\n    op.add_column("shops", column)'
        ),
        (
            'for column in [sa.Column("x", sa.Integer()), sa.Column("y", sa.Integer())]:\n'
            '    op.add_column("shops", column)'
        ),
    ),
    (
        "Atlas CD101, dropped constraints",
        'op.drop_constraint("uq_shops_code", "shops", type_="unique")',
        NEW
        + (
            'op.create_unique_constraint("uq", "tags", ["name"])\n'
            'op.drop_constraint("uq", "tags", type_="unique")'
        ),
    ),
    (
        "Atlas CD101, dropped constraints",
        sql("ALTER TABLE orders DROP CONSTRAINT ck_orders_total"),
        (
            'op.drop_constraint("ck_orders_total", "orders", type_="check")\n'
            'op.create_check_constraint("ck_orders_total", "orders", "total > 0", '
            "postgresql_not_valid=True)"
        ),
    ),
    (
        "squawk require-concurrent-partition-detach",
        sql("ALTER TABLE days DETACH PARTITION days_1"),
        AUTO + sql("ALTER TABLE days DETACH PARTITION days_1 CONCURRENTLY"),
    ),
    (
        "attached partitions",
        sql(
            "ALTER TABLE days ATTACH PARTITION days_2 FOR VALUES FROM ('2021-01-01') TO "
            "('2022-01-01')"
        ),
        sql(
            "ALTER TABLE days ATTACH PARTITION days_3 FOR VALUES FROM ('2022-01-01') TO "
            "('2023-01-01')"
        ),
    ),
    (
        "readers wait",
        sql("REFRESH MATERIALIZED VIEW totals"),
        sql("REFRESH MATERIALIZED VIEW CONCURRENTLY totals"),
    ),
    ("readers wait", sql("LOCK TABLE shops"), sql("LOCK TABLE shops IN SHARE ROW EXCLUSIVE MODE")),
    (
        "readers wait, eugene E4",
        sql("LOCK TABLE shops IN ACCESS EXCLUSIVE MODE"),
        sql("LOCK TABLE shops IN ROW EXCLUSIVE MODE"),
    ),
    ("squawk prefer-repack", AUTO + sql("VACUUM FULL shops"), AUTO + sql("VACUUM shops")),
    ("squawk prefer-repack", sql("CLUSTER shops USING ix_shops_note"), AUTO + sql("ANALYZE shops")),
    (
        "rewritten tables",
        sql("ALTER TABLE shops SET LOGGED"),
        sql("ALTER TABLE shops SET (fillfactor = 90)"),
    ),
    (
        "rewritten tables",
        sql("ALTER TABLE shops SET TABLESPACE fast"),
        sql("ALTER TABLE shops OWNER TO CURRENT_USER"),
    ),
    (
        "rewritten tables",
        sql("ALTER TABLE shops SET ACCESS METHOD heap2"),
        sql("ALTER TABLE shops REPLICA IDENTITY FULL"),
    ),
    (BACKFILL, sql("UPDATE shops SET size = 0"), sql("UPDATE shops SET size = 0 WHERE id = 7")),
    (
        BACKFILL,
        sql("UPDATE shops SET size = 0 WHERE true"),
        sql("UPDATE shops SET size = 0 WHERE id BETWEEN 1 AND 9"),
    ),
    (
        BACKFILL,
        "op.execute(sa.update(sa.table('shops', sa.column('size', sa.Integer()))).values(size=0))",
        (
            "t = sa.table('shops', sa.column('size', sa.Integer()), sa.column('id', "
            "sa.Integer()))\nop.execute(sa.update(t).where(t.c.id == 7).values(size=0))"
        ),
    ),
    (
        BACKFILL,
        add("sa.Integer()") + "\n" + sql("UPDATE shops SET x = 1 WHERE x IS NULL"),
        add('sa.Integer(), server_default="1"'),
    ),
    (
        BACKFILL,
        add("sa.Integer()") + "\n" + sql("UPDATE shops SET x = size WHERE id < 100"),
        add("sa.Integer()"),
    ),
    (
        BACKFILL,
        sql("WITH u AS (UPDATE shops SET size = 0 RETURNING id) SELECT count(*) FROM u"),
        sql("WITH u AS (SELECT id FROM shops) SELECT count(*) FROM u"),
    ),
    (
        BACKFILL,
        NEW + sql("UPDATE orders SET total = 0"),
        NEW + sql("INSERT INTO tags (id, name) VALUES (1, 'x')"),
    ),
    (
        "enum values in a transaction",
        sql("ALTER TYPE mood ADD VALUE 'low'", "UPDATE shops SET mood = 'low' WHERE id = 1"),
        sql("ALTER TYPE mood ADD VALUE 'low'"),
    ),
    (
        "enum values in a transaction",
        sql(
            "ALTER TYPE mood ADD VALUE 'low'",
            "ALTER TABLE shops ALTER COLUMN mood SET DEFAULT 'low'",
        ),
        sql("ALTER TABLE shops ALTER COLUMN mood SET DEFAULT 'ok'"),
    ),
    (
        "enum types that nothing creates",
        add('sa.Enum("a", "b", name="kind")'),
        'sa.Enum("a", "b", name="kind").create(op.get_bind())\n'
        + add('sa.Enum("a", "b", name="kind")'),
    ),
    (
        "enum types that nothing creates",
        add('postgresql.ENUM("a", name="kind")'),
        add('postgresql.ENUM("sad", "ok", name="mood")'),
    ),
    (
        "constraints without a name",
        'op.create_unique_constraint(None, "tags", ["name"])',
        NEW + 'op.create_unique_constraint("uq", "tags", ["name"])',
    ),
    (
        "a change that another branch excuses",
        (
            'if op.get_bind().dialect.name == "sqlite":\n'
            '    op.create_table("shops2", sa.Column("id", sa.Integer()))\n'
            'op.create_index("ix", "shops", ["size"])'
        ),
        'if op.get_bind().dialect.name == "sqlite":\n    op.drop_table("shops")',
    ),
    (
        "a change that another branch excuses",
        (
            'import os\nif os.environ.get("NEW"):\n'
            '    op.create_table("tags", sa.Column("id", sa.BigInteger(), primary_key=True))\n'
            'else:\n    op.drop_column("shops", "note")'
        ),
        (
            'import os\nif os.environ.get("NEW"):\n'
            '    op.create_table("tags", sa.Column("id", sa.BigInteger(), primary_key=True))\n'
            'else:\n    op.add_column("shops", sa.Column("x", sa.Text()))'
        ),
    ),
    (
        "helpers",
        'def drop(table):\n    op.drop_column(table, "note")\ndrop("shops")',
        'def add(table):\n    op.add_column(table, sa.Column("x", sa.Text()))\nadd("shops")',
    ),
    (
        "helpers",
        'op.execute("; ".join(["ALTER TABLE shops DROP COLUMN note"]))',
        'op.execute("; ".join(["ALTER TABLE shops ADD COLUMN x text"]))',
    ),
]
