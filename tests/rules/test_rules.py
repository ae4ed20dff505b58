"""What each rule finds and what it accepts, however the migration is written."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from lib.projects import PROJECT_TEMPLATE
from lib.write_rules import RULES_MD
from migration_guard.databases import DATABASES
from migration_guard.finding import Finding
from migration_guard.reading.reader import read_migration
from migration_guard.reporting.handbook import handbook
from migration_guard.reporting.suppression import suppress
from migration_guard.rules import RULES
from migration_guard.rules.judge import judge
from migration_guard.rules.past import Past
from migration_guard.rules.testing import migration_of as module
from migration_guard.settings import Settings

NO_PAST = Past()
EVERYWHERE = ("sqlite", "postgresql", "mariadb")


def sql(*statements: str) -> str:
    """A migration's body that executes each statement."""
    return "\n".join(f"op.execute({statement!r})" for statement in statements)


def judged(
    source: str, databases: tuple[str, ...] = EVERYWHERE, past: Past = NO_PAST
) -> list[Finding]:
    root = PROJECT_TEMPLATE
    dialects = Settings(
        root=root, versions=(), config=root / "alembic.ini", databases=databases
    ).dialects
    migration = read_migration("migration.py", dialects=dialects, source=source)
    return judge(
        migration,
        dict.fromkeys(databases, ""),
        lambda name: name.split(".")[0] == "shop",
        RULES,
        past,
    )


def names(source: str, databases: tuple[str, ...] = EVERYWHERE) -> set[str]:
    return {finding.rule for finding in judged(source, databases)}


NEW_TABLE = (
    'op.create_table("clips", sa.Column("id", sa.Integer(), primary_key=True), '
    'sa.Column("url", sa.String(9)))\n'
)
AUTOCOMMIT = "with op.get_context().autocommit_block():\n"


@dataclass
class Case:
    risky: list[str]
    safe: list[str]
    databases: tuple[str, ...] = EVERYWHERE
    elsewhere: tuple[str, ...] = field(
        default=()
    )  # databases on which even the risky ones are fine


CASES = {
    "blocking-index": Case(
        risky=[
            'op.create_index("ix", "videos", ["url"])',
            'op.create_index("ix", table_name="videos", columns=["url"], unique=True)',
            'op.drop_index("ix", "videos")',
            'op.drop_index("ix")',
            'with op.batch_alter_table("videos") as batch:\n    batch.create_index("ix", ["url"])',
            'op.add_column("videos", sa.Column("url", sa.String(9), index=True))',
            'for name in ("url", "title"):\n    op.create_index(f"ix_{name}", "videos", [name])',
            sql("CREATE INDEX ix ON videos (url)"),
            sql("CREATE UNIQUE INDEX IF NOT EXISTS ix ON public.videos USING btree (url)"),
            sql("DROP INDEX ix"),
            # made after the index: the table is not new yet
            'op.create_index("ix", "clips", ["url"])\n' + NEW_TABLE,
            # the PostgreSQL side of a branch
            (
                'if op.get_bind().dialect.name == "postgresql":\n'
                '    op.create_index("ix", "videos", ["url"])'
            ),
        ],
        safe=[
            AUTOCOMMIT
            + '    op.create_index("ix", "videos", ["url"], postgresql_concurrently=True)',
            AUTOCOMMIT + '    op.drop_index("ix", "videos", postgresql_concurrently=True)',
            NEW_TABLE + 'op.create_index("ix", "clips", ["url"])',
            NEW_TABLE
            + 'with op.batch_alter_table("clips") as batch:\n    batch.create_index("ix", ["url"])',
            NEW_TABLE + 'op.create_index("ix", "clips", ["url"])\nop.drop_index("ix", "clips")',
            NEW_TABLE
            + 'op.rename_table("clips", "parts")\nop.create_index("ix", "parts", ["url"])',
            sql(
                "CREATE TABLE clips (id int PRIMARY KEY, url text)",
                "CREATE INDEX ix ON clips (url)",
            ),
            sql("CREATE TABLE public.clips (id int PRIMARY KEY)")
            + '\nop.create_index("ix", "clips", ["id"])',
            AUTOCOMMIT + '    op.execute("CREATE INDEX CONCURRENTLY ix ON videos (url)")',
            (
                'if op.get_bind().dialect.name == "sqlite":\n'
                '    op.create_index("ix", "videos", ["url"])'
            ),
            sql("-- CREATE INDEX ix ON videos (url)\nSELECT 'CREATE INDEX ix ON videos (url)'"),
            'op.drop_index("ix", "videos")\nop.drop_table("videos")',
        ],
        elsewhere=("sqlite", "mariadb", "cockroachdb"),
    ),
    "concurrently-in-transaction": Case(
        risky=[
            'op.create_index("ix", "videos", ["url"], postgresql_concurrently=True)',
            'op.drop_index("ix", "videos", postgresql_concurrently=True)',
            sql("CREATE INDEX CONCURRENTLY ix ON videos (url)"),
            sql("DROP INDEX CONCURRENTLY IF EXISTS ix"),
            NEW_TABLE + 'op.create_index("ix", "clips", ["url"], postgresql_concurrently=True)',
        ],
        safe=[
            AUTOCOMMIT
            + '    op.create_index("ix", "videos", ["url"], postgresql_concurrently=True)',
            AUTOCOMMIT + '    op.execute("CREATE INDEX CONCURRENTLY ix ON videos (url)")',
            sql("COMMIT", "CREATE INDEX CONCURRENTLY ix ON videos (url)"),
            'op.create_index("ix", "videos", ["url"])',
            (
                'if op.get_bind().dialect.name == "sqlite":\n'
                '    op.create_index("ix", "videos", ["url"], postgresql_concurrently=True)'
            ),
        ],
        elsewhere=("sqlite", "mariadb"),
    ),
    "concurrent-if-not-exists": Case(
        risky=[
            AUTOCOMMIT
            + (
                '    op.create_index("ix", "videos", ["url"], if_not_exists=True, '
                "postgresql_concurrently=True)"
            ),
            AUTOCOMMIT
            + '    op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS ix ON videos (url)")',
            AUTOCOMMIT
            + '    op.execute("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ix ON videos (url)")',
            # another index is dropped
            AUTOCOMMIT
            + '    op.drop_index("iy", "videos", if_exists=True, postgresql_concurrently=True)\n'
            '    op.create_index("ix", "videos", ["url"], if_not_exists=True, '
            "postgresql_concurrently=True)",
        ],
        safe=[
            AUTOCOMMIT
            + '    op.create_index("ix", "videos", ["url"], postgresql_concurrently=True)',
            AUTOCOMMIT
            + '    op.drop_index("ix", "videos", if_exists=True, postgresql_concurrently=True)\n'
            '    op.create_index("ix", "videos", ["url"], if_not_exists=True, '
            "postgresql_concurrently=True)",
            AUTOCOMMIT + '    op.execute("CREATE INDEX CONCURRENTLY ix ON videos (url)")',
            'op.create_index("ix", "videos", ["url"], if_not_exists=True)',
        ],
        elsewhere=("sqlite", "mariadb"),
    ),
    "autocommit-mixed": Case(
        risky=[
            'op.add_column("videos", sa.Column("url", sa.String(9)))\n'
            + AUTOCOMMIT
            + '    op.create_index("ix", "videos", ["url"], postgresql_concurrently=True)',
            AUTOCOMMIT
            + '    op.create_index("ix", "videos", ["url"], postgresql_concurrently=True)\n'
            + sql("UPDATE videos SET url = 'x' WHERE id = 1"),
            sql("ALTER TABLE videos ADD COLUMN url text")
            + "\n"
            + AUTOCOMMIT
            + "    op.execute('CREATE INDEX CONCURRENTLY ix ON videos (url)')",
        ],
        safe=[
            AUTOCOMMIT
            + '    op.drop_index("ix", "videos", if_exists=True, postgresql_concurrently=True)\n'
            + '    op.create_index("ix", "videos", ["url"], postgresql_concurrently=True)\n'
            + '    op.create_index("iy", "videos", ["title"], postgresql_concurrently=True)',
            sql("SET lock_timeout = '2s'")
            + "\n"
            + AUTOCOMMIT
            + '    op.create_index("ix", "videos", ["url"], postgresql_concurrently=True)',
            (
                'op.add_column("videos", sa.Column("url", sa.String(9)))\n'
                'op.add_column("videos", sa.Column("b", sa.Text()))'
            ),
            (
                'if op.get_bind().dialect.name == "sqlite":\n'
                '    op.add_column("videos", sa.Column("url", sa.Text()))\n'
            )
            + AUTOCOMMIT
            + '    op.create_index("ix", "videos", ["url"], postgresql_concurrently=True)',
        ],
        elsewhere=("sqlite", "mariadb"),
    ),
    "not-null-without-default": Case(
        risky=[
            'op.add_column("videos", sa.Column("views", sa.Integer(), nullable=False))',
            'op.add_column("videos", sa.Column("views", sa.Integer(), nullable=False, default=0))',
            (
                'with op.batch_alter_table("videos") as batch:\n'
                '    batch.add_column(sa.Column("views", sa.Integer(), nullable=False))'
            ),
            (
                'op.add_column("videos", sa.Column("id", sa.Integer(), primary_key=True, '
                "autoincrement=False))"
            ),
            sql("ALTER TABLE videos ADD COLUMN views integer NOT NULL"),
            sql("ALTER TABLE videos ADD views integer NOT NULL"),
            (
                'views = sa.Column("views", sa.Integer(), nullable=False)\n'
                'op.add_column("videos", views)'
            ),
        ],
        safe=[
            'op.add_column("videos", sa.Column("views", sa.Integer()))',
            (
                'op.add_column("videos", sa.Column("views", sa.Integer(), nullable=False, '
                'server_default="0"))'
            ),
            (
                'op.add_column("videos", sa.Column("views", sa.Integer(), nullable=False, '
                'server_default=sa.text("0")))'
            ),
            NEW_TABLE + 'op.add_column("clips", sa.Column("views", sa.Integer(), nullable=False))',
            (
                'with op.batch_alter_table("videos") as batch:\n'
                '    batch.add_column(sa.Column("views", sa.Integer(), nullable=False, '
                'server_default="0"))'
            ),
            sql("ALTER TABLE videos ADD COLUMN views integer NOT NULL DEFAULT 0"),
            sql("DELETE FROM videos")
            + '\nop.add_column("videos", sa.Column("views", sa.Integer(), nullable=False))',
            (
                'op.add_column("videos", sa.Column("twice", sa.Integer(), '
                'sa.Computed("views * 2"), nullable=False))'
            ),
            'op.add_column("videos", sa.Column("n", sa.Integer(), sa.Identity(), nullable=False))',
        ],
    ),
    "set-not-null": Case(
        risky=[
            'op.alter_column("videos", "url", nullable=False)',
            (
                'op.alter_column("videos", "url", existing_type=sa.String(9), nullable=False, '
                'server_default="x")'
            ),
            (
                'with op.batch_alter_table("videos") as batch:\n'
                '    batch.alter_column("url", nullable=False)'
            ),
            sql("ALTER TABLE videos ALTER COLUMN url SET NOT NULL"),
            sql("ALTER TABLE videos ALTER url SET NOT NULL"),
            # the whole table is read for a new column too
            (
                'op.add_column("videos", sa.Column("views", sa.Integer()))\n'
                'op.alter_column("videos", "views", nullable=False)'
            ),
            # a constraint of another table
            sql(
                "ALTER TABLE clips VALIDATE CONSTRAINT c",
                "ALTER TABLE videos ALTER COLUMN url SET NOT NULL",
            ),
        ],
        safe=[
            'op.alter_column("videos", "url", nullable=True)',
            (
                'op.alter_column("videos", "url", nullable=False, existing_nullable=False, '
                'server_default="x")'
            ),
            sql("ALTER TABLE videos VALIDATE CONSTRAINT c")
            + '\nop.alter_column("videos", "url", nullable=False)',
            sql(
                "ALTER TABLE videos VALIDATE CONSTRAINT c",
                "ALTER TABLE videos ALTER COLUMN url SET NOT NULL",
            ),
            (
                'op.create_check_constraint("c", "videos", "url IS NOT NULL")\n'
                'op.alter_column("videos", "url", nullable=False)'
            ),
            NEW_TABLE + 'op.alter_column("clips", "url", nullable=False)',
            sql("ALTER TABLE videos ALTER COLUMN url DROP NOT NULL"),
        ],
    ),
    "not-null-lost": Case(
        risky=[
            'op.alter_column("videos", "url", type_=sa.Text(), existing_type=sa.String(9))',
            (
                'op.alter_column("videos", "url", new_column_name="address", '
                "existing_type=sa.String(9))"
            ),
            'op.alter_column("videos", "url", comment="address", existing_type=sa.String(9))',
            (
                'op.alter_column("videos", "at", server_default=sa.func.now(), '
                "existing_type=sa.DateTime())"
            ),
            (
                'with op.batch_alter_table("videos") as batch:\n'
                '    batch.alter_column("url", existing_type=sa.String(9), type_=sa.String(20))'
            ),
            sql("ALTER TABLE videos MODIFY url varchar(20)"),
            sql("ALTER TABLE videos CHANGE url address varchar(20)"),
        ],
        safe=[
            (
                'op.alter_column("videos", "url", type_=sa.Text(), '
                "existing_type=sa.String(9), existing_nullable=False)"
            ),
            (
                'op.alter_column("videos", "url", type_=sa.Text(), '
                "existing_type=sa.String(9), existing_nullable=True)"
            ),
            (
                'op.alter_column("videos", "url", type_=sa.Text(), '
                "existing_type=sa.String(9), nullable=True)"
            ),
            'op.alter_column("videos", "url", server_default="x", existing_type=sa.String(9))',
            NEW_TABLE
            + 'op.alter_column("clips", "url", type_=sa.Text(), existing_type=sa.String(9))',
            (
                'op.add_column("videos", sa.Column("at", sa.Text()))\n'
                'op.alter_column("videos", "at", type_=sa.String(9), existing_type=sa.Text())'
            ),
            (
                'if op.get_bind().dialect.name == "sqlite":\n'
                '    op.alter_column("videos", "url", type_=sa.Text())'
            ),
            sql("ALTER TABLE videos MODIFY url varchar(20) NOT NULL"),
            sql("ALTER TABLE videos MODIFY url varchar(20) NULL"),
            sql("ALTER TABLE videos MODIFY net numeric(12, 2) GENERATED ALWAYS AS (gross - fee)"),
            sql("ALTER TABLE videos MODIFY net numeric(12, 2) AS (gross - fee) STORED"),
            sql("ALTER TABLE videos RENAME COLUMN url TO address"),
        ],
        elsewhere=("sqlite", "postgresql"),
    ),
    "type-change": Case(
        risky=[
            'op.alter_column("videos", "id", type_=sa.BigInteger(), existing_type=sa.Integer())',
            'op.alter_column("videos", "url", type_=sa.String(9))',
            'op.alter_column("videos", "url", existing_type=sa.String(9), type_=sa.String(5))',
            (
                'op.alter_column("videos", "price", existing_type=sa.Numeric(10, 2), '
                "type_=sa.Numeric(12, 3))"
            ),
            (
                'op.alter_column("videos", "at", existing_type=sa.DateTime(), '
                "type_=sa.DateTime(timezone=True))"
            ),
            (
                'with op.batch_alter_table("videos") as batch:\n'
                '    batch.alter_column("data", existing_type=sa.Text(), type_=sa.JSON())'
            ),
            sql("ALTER TABLE videos ALTER COLUMN id TYPE bigint"),
            sql("ALTER TABLE videos ALTER COLUMN id SET DATA TYPE bigint USING id::bigint"),
            (
                'op.alter_column("videos", "data", existing_type=postgresql.JSON(), '
                "type_=postgresql.JSONB())"
            ),
            'op.alter_column("videos", "url", existing_type=sa.CHAR(9), type_=sa.String(9))',
        ],
        safe=[
            'op.alter_column("videos", "url", existing_type=sa.String(9), type_=sa.String(30))',
            (
                'op.alter_column("videos", "url", existing_type=sa.String(length=9), '
                "type_=sa.String(length=30))"
            ),
            (
                'op.alter_column("videos", "url", existing_type=sa.String(9), '
                'type_=sa.String(9), comment="address")'
            ),
            NEW_TABLE
            + 'op.alter_column("clips", "id", existing_type=sa.Integer(), type_=sa.BigInteger())',
            (
                'with op.batch_alter_table("videos") as batch:\n'
                '    batch.alter_column("url", existing_type=sa.String(9), type_=sa.String(20))'
            ),
            'op.alter_column("videos", "url", existing_type=sa.Integer(), server_default="0")',
            (
                'if op.get_bind().dialect.name == "postgresql":\n'
                '    op.alter_column("videos", "url", existing_type=sa.String(9), type_=sa.Text())'
            ),
            sql("ALTER TABLE videos ALTER COLUMN url SET DEFAULT 'x'"),
            sql(
                "CREATE TABLE clips (id int PRIMARY KEY)",
                "ALTER TABLE clips ALTER COLUMN id TYPE bigint",
            ),
        ],
    ),
    "constraint-scan": Case(
        risky=[
            'op.create_foreign_key("fk", "videos", "channels", ["channel_id"], ["id"])',
            'op.create_check_constraint("ck", "videos", "length > 0")',
            (
                'with op.batch_alter_table("videos") as batch:\n'
                '    batch.create_foreign_key("fk", "channels", ["channel_id"], ["id"])'
            ),
            (
                'op.add_column("videos", sa.Column("channel_id", sa.ForeignKey("channels.id", '
                'name="fk")))'
            ),
            sql(
                "ALTER TABLE videos ADD CONSTRAINT fk FOREIGN KEY (channel_id) REFERENCES "
                "channels (id)"
            ),
            sql("ALTER TABLE videos ADD CONSTRAINT ck CHECK (length > 0)"),
            # the table referred to is new, the one that refers is not
            NEW_TABLE + 'op.create_foreign_key("fk", "videos", "clips", ["clip_id"], ["id"])',
        ],
        safe=[
            (
                'op.create_foreign_key("fk", "videos", "channels", ["channel_id"], ["id"], '
                "postgresql_not_valid=True)"
            ),
            'op.create_check_constraint("ck", "videos", "length > 0", postgresql_not_valid=True)',
            NEW_TABLE + 'op.create_foreign_key("fk", "clips", "channels", ["channel_id"], ["id"])',
            (
                'op.create_table("clips", sa.Column("id", sa.Integer(), '
                'sa.ForeignKey("videos.id", name="fk")),'
                ' sa.PrimaryKeyConstraint("id", name="pk"))'
            ),
            sql("ALTER TABLE videos ADD CONSTRAINT ck CHECK (length > 0) NOT VALID"),
            sql(
                "ALTER TABLE videos ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES channels "
                "(id) NOT VALID"
            ),
            sql("ALTER TABLE videos VALIDATE CONSTRAINT ck"),
            (
                'if op.get_bind().dialect.name == "sqlite":\n'
                '    op.create_check_constraint("ck", "videos", "length > 0")'
            ),
        ],
        elsewhere=("sqlite",),
    ),
    "blocking-unique": Case(
        risky=[
            'op.create_unique_constraint("uq", "videos", ["url"])',
            'op.create_primary_key("pk", "videos", ["id"])',
            'op.create_exclude_constraint("ex", "videos", ("during", "&&"), using="gist")',
            'op.add_column("videos", sa.Column("url", sa.String(9), unique=True))',
            (
                'with op.batch_alter_table("videos") as batch:\n'
                '    batch.create_unique_constraint("uq", ["url"])'
            ),
            sql("ALTER TABLE videos ADD CONSTRAINT uq UNIQUE (url)"),
            sql("ALTER TABLE videos ADD PRIMARY KEY (id)"),
        ],
        safe=[
            sql("ALTER TABLE videos ADD CONSTRAINT uq UNIQUE USING INDEX ix"),
            sql("ALTER TABLE videos ADD CONSTRAINT pk PRIMARY KEY USING INDEX ix"),
            NEW_TABLE + 'op.create_unique_constraint("uq", "clips", ["url"])',
            (
                'op.create_table("clips", sa.Column("id", sa.Integer(), primary_key=True),'
                ' sa.UniqueConstraint("id", name="uq"))'
            ),
            'op.add_column("videos", sa.Column("url", sa.String(9)))',
        ],
        elsewhere=("sqlite",),
    ),
    "table-rewrite": Case(
        risky=[
            (
                'op.add_column("videos", sa.Column("t", sa.Uuid(), '
                'server_default=sa.text("gen_random_uuid()")))'
            ),
            'op.add_column("videos", sa.Column("t", sa.Float(), server_default=sa.func.random()))',
            (
                'op.add_column("videos", sa.Column("t", sa.Integer(), sa.Computed("a + b", '
                "persisted=True)))"
            ),
            'op.add_column("videos", sa.Column("t", sa.Integer(), sa.Identity()))',
            (
                'with op.batch_alter_table("videos") as batch:\n'
                '    batch.add_column(sa.Column("t", sa.Uuid(), '
                'server_default=sa.text("uuid_generate_v4()")))'
            ),
            sql("ALTER TABLE videos ADD COLUMN t uuid DEFAULT gen_random_uuid()"),
            sql("ALTER TABLE videos ADD COLUMN t bigserial"),
            sql("ALTER TABLE videos SET TABLESPACE fast"),
            sql("ALTER TABLE videos CONVERT TO CHARACTER SET utf8mb4"),
            sql("ALTER TABLE videos ADD COLUMN t int GENERATED ALWAYS AS (a + b) STORED"),
            sql("ALTER TABLE videos ADD COLUMN t timestamptz DEFAULT clock_timestamp()"),
        ],
        safe=[
            'op.add_column("videos", sa.Column("t", sa.Integer(), server_default="0"))',
            'op.add_column("videos", sa.Column("t", sa.DateTime(), server_default=sa.func.now()))',
            'op.add_column("videos", sa.Column("t", sa.Boolean(), server_default=sa.false()))',
            'op.add_column("videos", sa.Column("t", sa.String(20), server_default="random()"))',
            NEW_TABLE
            + (
                'op.add_column("clips", sa.Column("t", sa.Uuid(), '
                'server_default=sa.text("gen_random_uuid()")))'
            ),
            'op.alter_column("videos", "t", server_default=sa.text("gen_random_uuid()"))',
            sql("ALTER TABLE videos ADD COLUMN t timestamptz DEFAULT now()"),
            sql("ALTER TABLE videos SET (fillfactor = 70)"),
            sql("ALTER TABLE videos ADD COLUMN t text DEFAULT 'gen_random_uuid()'"),
            (
                'op.create_table("clips", sa.Column("id", sa.Integer(), sa.Identity(), '
                "primary_key=True))"
            ),
        ],
        elsewhere=("sqlite",),
    ),
    "json-equality": Case(
        risky=[
            'op.add_column("videos", sa.Column("data", sa.JSON()))',
            'op.add_column("videos", sa.Column("data", postgresql.JSON(astext_type=sa.Text())))',
            (
                'op.create_table("clips", sa.Column("id", sa.Integer(), primary_key=True), '
                'sa.Column("data", sa.JSON))'
            ),
            sql("ALTER TABLE videos ADD COLUMN data json"),
            sql("CREATE TABLE clips (id int PRIMARY KEY, data json)"),
            'op.alter_column("videos", "data", existing_type=sa.Text(), type_=sa.JSON())',
        ],
        safe=[
            'op.add_column("videos", sa.Column("data", postgresql.JSONB()))',
            (
                'op.add_column("videos", sa.Column("data", '
                'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")))'
            ),
            sql("ALTER TABLE videos ADD COLUMN data jsonb"),
            'op.drop_column("videos", "data", existing_type=sa.JSON())',
            'op.alter_column("videos", "data", existing_type=sa.JSON(), type_=postgresql.JSONB())',
        ],
        elsewhere=("sqlite", "mariadb"),
    ),
    "drop-table": Case(
        risky=[
            'op.drop_table("videos")',
            'op.drop_table("videos", schema="media", if_exists=True)',
            sql("DROP TABLE IF EXISTS videos CASCADE"),
            sql("DROP TABLE videos, channels"),
            'for name in ("videos", "channels"):\n    op.drop_table(name)',
        ],
        safe=[
            NEW_TABLE + 'op.drop_table("clips")',
            NEW_TABLE + 'op.drop_table("videos")\nop.rename_table("clips", "videos")',
            sql("CREATE TEMPORARY TABLE clips (id int)", "DROP TABLE clips"),
            sql("SELECT 'DROP TABLE videos'"),
            "def upgrade():\n    " + NEW_TABLE + '\ndef downgrade():\n    op.drop_table("clips")',
        ],
    ),
    "drop-column": Case(
        risky=[
            'op.drop_column("videos", "url")',
            'with op.batch_alter_table("videos") as batch:\n    batch.drop_column("url")',
            sql("ALTER TABLE videos DROP COLUMN url"),
            sql("ALTER TABLE videos DROP url"),
            sql("ALTER TABLE videos DROP COLUMN IF EXISTS url CASCADE"),
            'op.add_column("videos", sa.Column("a", sa.Text()))\nop.drop_column("videos", "b")',
        ],
        safe=[
            'op.add_column("videos", sa.Column("a", sa.Text()))\nop.drop_column("videos", "a")',
            NEW_TABLE + 'op.drop_column("clips", "url")',
            (
                'def upgrade():\n    op.add_column("videos", sa.Column("a", sa.Text()))\n'
                'def downgrade():\n    op.drop_column("videos", "a")'
            ),
            sql("ALTER TABLE videos ALTER COLUMN url DROP DEFAULT"),
        ],
    ),
    "drop-constraint": Case(
        risky=[
            'op.drop_constraint("uq", "videos", type_="unique")',
            'op.drop_constraint("fk", "videos", "foreignkey")',
            'with op.batch_alter_table("videos") as batch:\n    batch.drop_constraint("uq")',
            sql("ALTER TABLE videos DROP CONSTRAINT uq"),
            sql("ALTER TABLE videos DROP CONSTRAINT IF EXISTS fk CASCADE"),
        ],
        safe=[
            (
                'op.drop_constraint("ck", "videos")\n'
                'op.create_check_constraint("ck", "videos", "a > 1", postgresql_not_valid=True)'
            ),
            sql("ALTER TABLE videos VALIDATE CONSTRAINT ck")
            + (
                '\nop.alter_column("videos", "url", nullable=False)\n'
                'op.drop_constraint("ck", "videos", type_="check")'
            ),
            (
                'op.create_check_constraint("ck", "videos", "a > 1")\n'
                'op.drop_constraint("ck", "videos")'
            ),
            NEW_TABLE + 'op.drop_constraint("uq", "clips")',
            (
                'op.drop_constraint("fk", "videos", type_="foreignkey")\n'
                'op.create_foreign_key("fk_channel", "videos", "channels", ["a"], ["id"], '
                'ondelete="CASCADE")'
            ),
            (
                'op.drop_constraint("fk", "videos", type_="foreignkey")\n'
                'op.drop_column("videos", "channel_id")'
            ),
            'op.drop_constraint("fk", "videos", type_="foreignkey")\nop.drop_table("videos")',
        ],
    ),
    "rename-table": Case(
        risky=[
            'op.rename_table("videos", "clips")',
            'op.rename_table(old_table_name="videos", new_table_name="clips", schema="media")',
            sql("ALTER TABLE videos RENAME TO clips"),
            sql("ALTER TABLE videos SET SCHEMA media"),
        ],
        safe=[
            NEW_TABLE + 'op.rename_table("clips", "parts")',
            sql("CREATE TABLE clips (id int PRIMARY KEY)", "ALTER TABLE clips RENAME TO parts"),
            sql("ALTER INDEX ix RENAME TO iy"),
            'op.alter_column("videos", "url", comment="the address")',
        ],
    ),
    "rename-column": Case(
        risky=[
            'op.alter_column("videos", "url", new_column_name="address")',
            (
                'with op.batch_alter_table("videos") as batch:\n'
                '    batch.alter_column("url", new_column_name="address")'
            ),
            sql("ALTER TABLE videos RENAME COLUMN url TO address"),
            sql("ALTER TABLE videos RENAME url TO address"),
            (
                "import os\n\ndef upgrade():\n"
                '    op.alter_column("videos", "url", new_column_name=os.environ["NAME"])'
            ),
            (
                "import os\n\ndef upgrade():\n"
                '    op.alter_column("videos", "url", new_column_name=["odd"])'
            ),
        ],
        safe=[
            (
                'op.add_column("videos", sa.Column("a", sa.Text()))\n'
                'op.alter_column("videos", "a", new_column_name="b")'
            ),
            NEW_TABLE + 'op.alter_column("clips", "url", new_column_name="address")',
            'op.alter_column("videos", "url", new_column_name="url", comment="the address")',
            sql("ALTER TABLE videos RENAME CONSTRAINT a TO b"),
        ],
    ),
    "data-loss": Case(
        risky=[
            sql("TRUNCATE videos"),
            sql("TRUNCATE TABLE videos, channels"),
            sql("DELETE FROM videos"),
            sql("DELETE FROM videos WHERE 1 = 1"),
            'op.get_bind().execute(sa.text("DELETE FROM videos"))',
            'videos = sa.table("videos", sa.column("id"))\nop.execute(videos.delete())',
            sql("VACUUM FULL videos"),
            sql("DROP SCHEMA media CASCADE"),
            sql("DROP TYPE status CASCADE"),
        ],
        safe=[
            sql("DELETE FROM videos WHERE id = 7"),
            (
                'videos = sa.table("videos", sa.column("id"))\n'
                "op.execute(sa.delete(videos).where(videos.c.id == 7))"
            ),
            NEW_TABLE + sql("DELETE FROM clips"),
            sql("VACUUM videos"),
            sql("SELECT 'TRUNCATE videos'"),
            sql("DROP TYPE status"),
        ],
    ),
    "unbatched-update": Case(
        risky=[
            sql("UPDATE videos SET views = 0"),
            (
                'videos = sa.table("videos", sa.column("views"))\n'
                "op.execute(videos.update().values(views=0))"
            ),
            (
                'videos = sa.table("videos", sa.column("views"))\n'
                "op.get_bind().execute(sa.update(videos).values(views=0))"
            ),
            sql("UPDATE public.videos SET views = 0 WHERE true"),
            # all of a column that is new is NULL
            'op.add_column("videos", sa.Column("slug", sa.Text()))\n'
            + sql("UPDATE videos SET slug = title WHERE slug IS NULL"),
        ],
        safe=[
            sql("UPDATE videos SET views = 0 WHERE id BETWEEN 1 AND 1000"),
            sql("UPDATE videos SET views = 0 WHERE views IS NULL"),
            (
                'videos = sa.table("videos", sa.column("id"), sa.column("views"))\n'
                "op.execute(sa.update(videos).where(videos.c.id < 9).values(views=0))"
            ),
            NEW_TABLE + sql("UPDATE clips SET url = 'x'"),
            sql("SELECT 'UPDATE videos SET views = 0'"),
        ],
    ),
    "data-with-schema": Case(
        risky=[
            'op.add_column("videos", sa.Column("slug", sa.Text()))\n'
            + sql("UPDATE videos SET slug = title WHERE id < 1000"),
            sql("DELETE FROM videos WHERE url IS NULL")
            + '\nop.alter_column("videos", "url", nullable=False)',
            (
                'with op.batch_alter_table("videos") as batch:\n'
                '    batch.add_column(sa.Column("slug", sa.Text()))\n'
            )
            + sql("UPDATE videos SET slug = title WHERE id < 1000"),
            sql(
                "ALTER TABLE videos ADD COLUMN slug text",
                "UPDATE videos SET slug = title WHERE id < 1000",
            ),
            'op.add_column("videos", sa.Column("slug", sa.Text()))\n'
            + sql("INSERT INTO channels (name) SELECT title FROM videos"),
        ],
        safe=[
            sql("UPDATE videos SET slug = title WHERE id < 1000"),
            'op.add_column("videos", sa.Column("slug", sa.Text()))',
            NEW_TABLE + sql("INSERT INTO clips (id) VALUES (1)"),
            NEW_TABLE + sql("UPDATE videos SET slug = title WHERE id < 1000"),
            'op.add_column("videos", sa.Column("slug", sa.Text()))\n'
            + sql("INSERT INTO channels (name) VALUES ('a')"),
        ],
    ),
    "enum-left-behind": Case(
        risky=[
            RULES["enum-left-behind"].bad,
            """
            def upgrade():
                op.create_table("clips", sa.Column("id", sa.Integer(), primary_key=True),
                    sa.Column("status", sa.Enum("new", "done", name="status")))

            def downgrade():
                op.drop_table("clips")
            """,
            """
            status = postgresql.ENUM("new", "done", name="status")

            def upgrade():
                status.create(op.get_bind(), checkfirst=True)
                op.add_column("videos", sa.Column("status", status))

            def downgrade():
                op.drop_column("videos", "status")
            """,
            """
            def upgrade():
                op.execute("CREATE TYPE a AS ENUM ('x')")
                op.execute("CREATE TYPE b AS ENUM ('x')")

            def downgrade():
                op.execute("DROP TYPE a")
            """,
        ],
        safe=[
            """
            def upgrade():
                op.create_table("clips", sa.Column("id", sa.Integer(), primary_key=True),
                    sa.Column("status", sa.Enum("new", "done", name="status")))

            def downgrade():
                op.drop_table("clips")
                sa.Enum(name="status").drop(op.get_bind(), checkfirst=True)
            """,
            """
            def upgrade():
                op.create_table("clips", sa.Column("id", sa.Integer(), primary_key=True),
                    sa.Column("status", sa.Enum("new", "done", name="status", native_enum=False)))

            def downgrade():
                op.drop_table("clips")
            """,
            """
            def upgrade():
                op.create_table("clips", sa.Column("id", sa.Integer(), primary_key=True),
                    sa.Column("status", postgresql.ENUM(name="status", create_type=False)))

            def downgrade():
                op.drop_table("clips")
            """,
            """
            def upgrade():
                op.execute("ALTER TYPE status RENAME TO old_status")
                op.execute("CREATE TYPE status AS ENUM ('new', 'done', 'late')")
                op.execute("DROP TYPE old_status")

            def downgrade():
                op.execute("ALTER TYPE status RENAME TO new_status")
                op.execute("CREATE TYPE status AS ENUM ('new', 'done')")
                op.execute("DROP TYPE new_status")
            """,
            sql("CREATE TYPE status AS ENUM ('new')"),  # its downgrade raises
        ],
        elsewhere=("sqlite", "mariadb"),
    ),
    "enum-value-in-transaction": Case(
        risky=[
            sql(
                "ALTER TYPE status ADD VALUE 'late'",
                "UPDATE videos SET status = 'late' WHERE id = 1",
            ),
            sql("ALTER TYPE status ADD VALUE IF NOT EXISTS 'late' AFTER 'done'")
            + '\nop.alter_column("videos", "status", server_default="late")',
            sql(
                "ALTER TYPE status ADD VALUE 'late'",
                "ALTER TABLE videos ALTER status SET DEFAULT 'late'",
            ),
        ],
        safe=[
            sql("ALTER TYPE status ADD VALUE 'late'"),
            sql(
                "ALTER TYPE status ADD VALUE 'late'",
                "UPDATE videos SET status = 'done' WHERE id = 1",
            ),
            AUTOCOMMIT
            + "    op.execute(\"ALTER TYPE status ADD VALUE 'late'\")\n"
            + sql("UPDATE videos SET status = 'late' WHERE id = 1"),
        ],
        elsewhere=("sqlite", "mariadb"),
    ),
    "application-import": Case(
        risky=[
            "from shop.models import Video\n\ndef upgrade(): pass",
            "import shop.models as models\n\ndef upgrade(): pass",
            "import shop\n\ndef upgrade(): pass",
            "from shop.database import engine",
        ],
        safe=[
            "import os\nimport uuid\n\ndef upgrade(): pass",
            "from sqlalchemy.orm import Session\n\ndef upgrade(): pass",
            "from shopping.models import Video\n\ndef upgrade(): pass",
            "# from shop.models import Video\ndef upgrade(): pass",
        ],
    ),
    "offline-unsafe": Case(
        risky=[
            'rows = op.get_bind().execute(sa.text("SELECT id FROM videos")).fetchall()',
            "inspector = sa.inspect(op.get_bind())",
            (
                "connection = op.get_bind()\n"
                'for row in connection.execute(sa.text("SELECT 1")):\n    print(row)'
            ),
        ],
        safe=[
            'op.execute("SELECT 1")',
            'op.get_bind().execute(sa.text("UPDATE videos SET views = 0 WHERE id = 1"))',
            'if op.get_bind().dialect.name == "postgresql":\n    op.execute("SELECT 1")',
            (
                "if not context.is_offline_mode():\n"
                '    rows = op.get_bind().execute(sa.text("SELECT 1")).fetchall()'
            ),
        ],
    ),
    "unnamed-constraint": Case(
        risky=[
            'op.create_unique_constraint(None, "videos", ["url"])',
            'op.create_foreign_key(None, "videos", "channels", ["channel_id"], ["id"])',
            (
                'with op.batch_alter_table("videos") as batch:\n'
                '    batch.create_unique_constraint(None, ["url"])'
            ),
            (
                'op.create_table("clips", sa.Column("id", sa.Integer(), primary_key=True), '
                'sa.CheckConstraint("id > 0"))'
            ),
            (
                'op.create_table("clips", sa.Column("id", sa.ForeignKey("videos.id"), '
                "primary_key=True))"
            ),
            (
                'op.add_column("videos", sa.Column("channel_id", sa.Integer(), '
                'sa.ForeignKey("channels.id")))'
            ),
            sql("ALTER TABLE videos ADD UNIQUE (url)"),
        ],
        safe=[
            'op.create_unique_constraint("uq", "videos", ["url"])',
            'op.create_unique_constraint(op.f("uq"), "videos", ["url"])',
            NEW_TABLE,
            (
                'op.create_table("clips", sa.Column("id", sa.Integer()), '
                'sa.PrimaryKeyConstraint("id"))'
            ),
            (
                'op.create_table("clips", sa.Column("id", sa.ForeignKey("videos.id", '
                'name="fk"), primary_key=True))'
            ),
            (
                'op.create_table("clips", sa.Column("id", sa.Integer(), primary_key=True),'
                ' sa.CheckConstraint("id > 0", name="ck"))'
            ),
            sql("ALTER TABLE videos ADD CONSTRAINT uq UNIQUE (url)"),
        ],
    ),
    "empty-downgrade": Case(
        risky=[
            RULES["empty-downgrade"].bad,
            'def upgrade():\n    op.drop_table("videos")\n\ndef downgrade():\n    """Nothing."""',
            (
                'def upgrade():\n    op.execute("UPDATE videos SET a = 1")\n\n'
                "def downgrade():\n    ..."
            ),
            (
                'def upgrade():\n    op.drop_table("videos")\n\ndef downgrade() -> None:\n'
                "    return None"
            ),
            (
                'def upgrade():\n    op.execute("ALTER TABLE videos VALIDATE CONSTRAINT ck")\n'
                '    op.alter_column("videos", "url", nullable=False)\n\ndef downgrade():\n    pass'
            ),
            (
                'lossy = "old"\n\ndef upgrade():\n    op.drop_column("videos", "a")\n\n'
                "def downgrade():\n    pass"
            ),
        ],
        safe=[
            RULES["empty-downgrade"].good,
            "def upgrade():\n    pass\n\ndef downgrade():\n    pass",  # a merge
            "def upgrade():\n    op.execute(\"ALTER TYPE status ADD VALUE 'late'\")\n\n"
            "def downgrade():\n    pass",
            (
                "def upgrade():\n"
                '    op.execute("ALTER TABLE videos VALIDATE CONSTRAINT ck")\n\n'
                "def downgrade():\n    pass"
            ),
            (
                'lossy = "filled rows stay"\n\ndef upgrade():\n'
                '    op.execute("UPDATE videos SET a = 1 WHERE a IS NULL")\n\n'
                "def downgrade():\n    pass"
            ),
            (
                'irreversible = "the rows are gone"\n\ndef upgrade():\n'
                '    op.drop_table("videos")\n\n'
                "def downgrade():\n    pass"
            ),
            (
                'def upgrade():\n    op.rename_table("a", "b")\n\ndef downgrade():\n'
                '    op.rename_table("b", "a")'
            ),
        ],
    ),
    "not-resumable": Case(
        risky=[
            (
                'op.add_column("videos", sa.Column("a", sa.Text()))\n'
                'op.add_column("videos", sa.Column("b", sa.Text()))'
            ),
            NEW_TABLE + 'op.create_index("ix", "clips", ["url"])',
            'op.add_column("videos", sa.Column("a", sa.Text()), if_not_exists=True)\n'
            + sql("UPDATE videos SET a = 'x' WHERE id < 9"),
            sql("ALTER TABLE videos ADD COLUMN a text", "ALTER TABLE videos ADD COLUMN b text"),
            'op.add_column("videos", sa.Column("a", sa.Text()))\n'
            + sql("CREATE OR REPLACE VIEW seen AS SELECT a FROM videos"),
        ],
        safe=[
            'op.add_column("videos", sa.Column("a", sa.Text()))',
            sql(
                (
                    "CREATE TRIGGER IF NOT EXISTS t BEFORE INSERT ON videos FOR EACH ROW SET "
                    "NEW.a = 'x'"
                ),
                "CREATE OR REPLACE VIEW seen AS SELECT a FROM videos",
                "ALTER TABLE videos ADD COLUMN b text",  # where it fails, it is not done
            ),
            (
                'op.add_column("videos", sa.Column("a", sa.Text()), if_not_exists=True)\n'
                'op.add_column("videos", sa.Column("b", sa.Text()), if_not_exists=True)'
            ),
            (
                'op.drop_index("ix", "videos", if_exists=True)\n'
                'op.create_index("ix", "videos", ["a"])\n'
                'op.drop_index("iy", "videos", if_exists=True)\n'
                'op.create_index("iy", "videos", ["b"])'
            ),
            (
                'op.alter_column("videos", "a", nullable=True)\n'
                'op.alter_column("videos", "b", nullable=True)'
            ),
            (
                'if op.get_bind().dialect.name == "postgresql":\n'
                '    op.add_column("videos", sa.Column("a", sa.Text()))\n'
                '    op.add_column("videos", sa.Column("b", sa.Text()))'
            ),
        ],
        elsewhere=("sqlite", "postgresql"),
    ),
    "no-primary-key": Case(
        risky=[
            'op.create_table("tags", sa.Column("name", sa.String(50)))',
            (
                'op.create_table("tags", sa.Column("name", sa.String(50)), '
                'sa.UniqueConstraint("name", name="uq"))'
            ),
            sql("CREATE TABLE tags (name text)"),
        ],
        safe=[
            NEW_TABLE,
            (
                'op.create_table("tags", sa.Column("name", sa.String(50)), '
                'sa.PrimaryKeyConstraint("name", name="pk"))'
            ),
            sql("CREATE TABLE tags (name text PRIMARY KEY)"),
            sql("CREATE TABLE tags (name text, other text, PRIMARY KEY (name))"),
        ],
        databases=("galera",),
        elsewhere=EVERYWHERE,
    ),
    "drop-default": Case(
        risky=[
            'op.alter_column("videos", "views", server_default=None, existing_nullable=False)',
            'op.alter_column("videos", "views", server_default=None, existing_type=sa.Integer())',
            sql("ALTER TABLE videos ALTER COLUMN views DROP DEFAULT"),
            sql("ALTER TABLE videos ALTER COLUMN views SET DEFAULT NULL"),
            'op.add_column("videos", sa.Column("s", sa.Text(), server_default="", '
            "nullable=False))\n"
            'op.alter_column("videos", "s", server_default=None)',
            'with op.batch_alter_table("videos") as batch:\n'
            '    batch.alter_column("views", server_default=None, existing_nullable=False)',
        ],
        safe=[
            'op.alter_column("videos", "views", server_default="1", existing_nullable=False)',
            'op.alter_column("videos", "views", server_default=None, existing_nullable=True)',
            'op.alter_column("videos", "views", nullable=False, existing_server_default=None)',
            NEW_TABLE + 'op.alter_column("clips", "url", server_default=None)',
            'op.add_column("videos", sa.Column("s", sa.Text(), server_default=""))\n'
            'op.alter_column("videos", "s", server_default=None)',
        ],
    ),
    "transaction-control": Case(
        risky=[
            sql("COMMIT"),
            sql("ROLLBACK;"),
            sql("BEGIN", "UPDATE videos SET a = 1 WHERE id = 1", "END TRANSACTION"),
            sql("BEGIN; ALTER TABLE videos ADD COLUMN a int; COMMIT;"),
            sql("COMMIT AND CHAIN"),
            'op.get_bind().execute(sa.text("COMMIT"))',
            sql("-- now\nSTART TRANSACTION"),
        ],
        safe=[
            sql("SAVEPOINT a", "ROLLBACK TO SAVEPOINT a", "RELEASE SAVEPOINT a"),
            sql("DO $$ BEGIN PERFORM 1; END $$"),
            sql("CREATE TRIGGER t AFTER INSERT ON videos BEGIN UPDATE channels SET n = 1; END;"),
            sql("COMMENT ON TABLE videos IS 'COMMIT'", "SELECT 'a; COMMIT; b'"),
            AUTOCOMMIT
            + '    op.create_index("ix", "videos", ["url"], postgresql_concurrently=True)',
        ],
        elsewhere=("mariadb",),
    ),
    "drop-object": Case(
        risky=[
            sql("DROP VIEW totals"),
            sql("DROP MATERIALIZED VIEW IF EXISTS totals"),
            sql("DROP FUNCTION f(int)"),
            sql("DROP TYPE status"),
            sql("DROP SEQUENCE s"),
            sql("DROP SCHEMA old"),
            'sa.Enum(name="status").drop(op.get_bind())',
            # another one is created
            sql("DROP VIEW totals", "CREATE VIEW sums AS SELECT 1"),
            # on another database alone
            sql("DROP VIEW totals")
            + '\nif op.get_bind().dialect.name == "sqlite":\n    '
            + sql("CREATE VIEW totals AS SELECT 1"),
        ],
        safe=[
            sql("DROP VIEW totals", "CREATE VIEW totals AS SELECT 1"),
            sql("CREATE VIEW totals AS SELECT 1", "DROP VIEW totals"),
            sql("DROP FUNCTION f(int)", "CREATE OR REPLACE FUNCTION f(a int) RETURNS int AS 'x'"),
            sql(
                "ALTER TYPE status RENAME TO old_status",
                "CREATE TYPE status AS ENUM ('new')",
                "DROP TYPE old_status",
            ),
            'op.drop_table("videos")\nsa.Enum(name="status").drop(op.get_bind())',
            sql("DROP TRIGGER t ON videos"),
        ],
    ),
    "rename-object": Case(
        risky=[
            sql("ALTER TYPE status RENAME VALUE 'a' TO 'b'"),
            sql("ALTER VIEW totals RENAME TO sums"),
            sql("ALTER FUNCTION f(int) RENAME TO g"),
            sql("ALTER SEQUENCE s RENAME TO s2"),
            sql("ALTER SCHEMA old RENAME TO new"),
            sql("ALTER TYPE pair RENAME ATTRIBUTE a TO b"),
            sql("ALTER VIEW totals SET SCHEMA other"),
        ],
        safe=[
            sql("ALTER TYPE status ADD VALUE 'b'"),
            sql("CREATE VIEW v AS SELECT 1", "ALTER VIEW v RENAME TO w"),
            sql("ALTER TYPE status RENAME TO old_status", "CREATE TYPE status AS ENUM ('new')"),
            sql("ALTER INDEX i RENAME TO j"),
            sql("ALTER SEQUENCE s RESTART WITH 7"),
        ],
    ),
    "blocks-readers": Case(
        risky=[
            sql("REFRESH MATERIALIZED VIEW totals"),
            sql("ALTER TABLE m DETACH PARTITION m_2006"),
            sql("LOCK TABLE videos"),
            sql("LOCK TABLE videos IN ACCESS EXCLUSIVE MODE"),
        ],
        safe=[
            sql("REFRESH MATERIALIZED VIEW CONCURRENTLY totals"),
            sql("CREATE MATERIALIZED VIEW v AS SELECT 1", "REFRESH MATERIALIZED VIEW v"),
            AUTOCOMMIT + "    " + sql("ALTER TABLE m DETACH PARTITION m_2006 CONCURRENTLY"),
            sql("LOCK TABLE videos IN SHARE ROW EXCLUSIVE MODE"),
            NEW_TABLE + sql("LOCK TABLE clips"),
        ],
        databases=("postgresql",),
        elsewhere=("sqlite",),
    ),
    "enum-missing": Case(
        risky=[
            'op.add_column("videos", sa.Column("s", sa.Enum("a", "b", name="st")))',
            'op.add_column("videos", sa.Column("s", postgresql.ARRAY(sa.Enum("a", name="st"))))',
            'op.alter_column("videos", "s", existing_type=sa.Text(), type_=sa.Enum("a", name="st"),'
            ' postgresql_using="s::st")',
            (
                'op.create_table("t", sa.Column("s", postgresql.ENUM("a", name="st", '
                "create_type=False)))"
            ),
            sql("CREATE TYPE other AS ENUM ('a')")
            + '\nop.add_column("videos", sa.Column("s", sa.Enum("a", name="st")))',
        ],
        safe=[
            'st = sa.Enum("a", name="st")\nst.create(op.get_bind())\n'
            'op.add_column("videos", sa.Column("s", st))',
            sql("CREATE TYPE st AS ENUM ('a')")
            + '\nop.add_column("videos", sa.Column("s", sa.Enum("a", name="st")))',
            'op.create_table("t", sa.Column("s", sa.Enum("a", name="st")))\n'
            'op.add_column("videos", sa.Column("s", sa.Enum("a", name="st")))',
            'op.add_column("videos", sa.Column("s", sa.Enum("a", name="st", native_enum=False)))',
            'if op.get_bind().dialect.name == "sqlite":\n'
            '    op.add_column("videos", sa.Column("s", sa.Enum("a", name="st")))',
        ],
        elsewhere=("sqlite", "mariadb"),
    ),
    "foreign-key-without-index": Case(
        risky=[
            'op.create_table("t", sa.Column("id", sa.Integer(), primary_key=True),'
            ' sa.Column("o_id", sa.Integer(), sa.ForeignKey("o.id", name="fk")))',
            'op.add_column("videos", sa.Column("o_id", sa.Integer(), sa.ForeignKey("o.id")))',
            'op.create_table("t", sa.Column("a", sa.Integer()), sa.Column("b", sa.Integer()),'
            ' sa.ForeignKeyConstraint(["a", "b"], ["o.a", "o.b"], name="fk"))\n'
            'op.create_index("ix", "t", ["a"])',
            'op.create_table("t", sa.Column("o_id", sa.ForeignKey("o.id", name="fk")))\n'
            'op.create_index("ix", "t", ["x", "o_id"])',
            'op.create_table("t", sa.Column("o_id", sa.ForeignKey("o.id", name="fk")))\n'
            'op.create_index("ix", "t", ["o_id"], postgresql_where=sa.text("o_id > 3"))',
        ],
        safe=[
            'op.create_table("t", sa.Column("o_id", sa.ForeignKey("o.id", name="fk")))\n'
            'op.create_index("ix", "t", ["o_id", "x"])',
            'op.create_table("t", sa.Column("o_id", sa.ForeignKey("o.id", name="fk"), index=True))',
            (
                'op.create_table("t", sa.Column("o_id", sa.ForeignKey("o.id", name="fk"), '
                "primary_key=True))"
            ),
            'op.create_table("t", sa.Column("a", sa.Integer()), sa.Column("b", sa.Integer()),'
            ' sa.ForeignKeyConstraint(["b", "a"], ["o.a", "o.b"], name="fk"),'
            ' sa.UniqueConstraint("a", "b", "c", name="uq"))',
            # a column that no file knows may have an index
            'op.create_foreign_key("fk", "videos", "o", ["o_id"], ["id"])',
        ],
        elsewhere=("sqlite", "mariadb"),
    ),
    "no-operations-read": Case(
        risky=[
            "from lib import apply\n\ndef upgrade():\n    apply(op)",
            "import lib\n\ndef upgrade():\n    for step in lib.steps():\n        step.run()",
            "def upgrade():\n    pass\n\ndef downgrade():\n    from lib import undo\n    undo()",
        ],
        safe=[
            "def upgrade():\n    pass",
            "import logging\n\ndef upgrade():\n    logging.info('nothing to do')",
            "def upgrade(op, **kwargs):\n    op.add_column('videos', sa.Column('a', sa.Text()))",
            'op.get_bind().execute(sa.text("SELECT 1"))',
            "def change():\n    op.drop_table('videos')\n\ndef upgrade():\n    change()",
        ],
    ),
    "unresolved-operation": Case(
        risky=[
            'import os\n\ndef upgrade():\n    op.drop_column(os.environ["TABLE"], "url")',
            'import os\n\ndef upgrade():\n    op.execute(open("x.sql").read())',
            (
                "import os\n\ndef upgrade():\n"
                '    op.execute("UPDATE " + os.environ["TABLE"] + " SET a = 1")'
            ),
        ],
        safe=[
            'table = "vid" + "eos"\nop.add_column(table, sa.Column("a", sa.Text()))',
            'for table in ("a", "b"):\n    op.add_column(table, sa.Column("a", sa.Text()))',
            'op.drop_index("ix")',
            sql("SELECT 1"),
        ],
    ),
    "unreadable-migration": Case(
        risky=[
            'revision, down_revision = "b" + str(id(0)), "a1"\n\ndef upgrade():\n    pass',
            'revision = compute()\ndown_revision = "a1"\n\ndef upgrade():\n    pass',
            'revision = "b1"\ndown_revision = parent()\n\ndef upgrade():\n    pass',
        ],
        safe=[
            'revision: str = "b1"\ndown_revision: str | None = None\n\ndef upgrade():\n    pass',
            'revision = "b1"\ndown_revision = ("a1", "a2")\n\ndef upgrade():\n    pass',
            'revision = "b" "1"\ndown_revision = "a1"\n\nasync def upgrade():\n    pass',
        ],
    ),
}
RUN = {name for name, rule in RULES.items() if rule.check}


def cases(kind: str) -> list[object]:
    return [
        pytest.param(name, case, body, id=f"{name}-{number}")
        for name, case in CASES.items()
        for number, body in enumerate(getattr(case, kind))
    ]


def test_every_rule_has_risky_and_safe_migrations() -> None:
    assert set(CASES) == RUN
    for name, case in CASES.items():
        assert min(len(case.risky), len(case.safe)) >= 3, name


@pytest.mark.parametrize(("name", "case", "body"), cases("risky"))
def test_what_is_risky_is_found(name: str, case: Case, body: str) -> None:
    assert name in names(module(body), case.databases)
    assert not case.elsewhere or name not in names(module(body), case.elsewhere)


@pytest.mark.parametrize(("name", "case", "body"), cases("safe"))
def test_what_is_safe_is_not_reported(name: str, case: Case, body: str) -> None:
    assert name not in names(module(body), case.databases)


@pytest.mark.parametrize("name", sorted(RUN))
def test_a_bad_example_can_be_suppressed(name: str) -> None:
    databases = tuple(sorted(RULES[name].databases))
    source = module(RULES[name].bad)
    lines = source.splitlines()
    for line in sorted({finding.line for finding in judged(source, databases)}, reverse=True):
        indent = re.match(r"\s*", lines[line - 1])
        assert indent
        found = {finding.rule for finding in judged(source, databases) if finding.line == line}
        lines.insert(
            line - 1,
            f"{indent[0]}# migration-guard: ignore[{', '.join(sorted(found))}] seen, and meant",
        )
    quiet = "\n".join(lines) + "\n"
    findings = judged(quiet, databases)
    assert name in {finding.rule for finding in findings}
    assert suppress(findings, "migration.py", quiet, RULES, RULES) == []


def test_a_finding_says_where_what_and_what_to_do() -> None:
    (found,) = judged(module('op.drop_column("videos", "url")'))
    assert (found.rule, found.severity, found.function, found.revision) == (
        "drop-column",
        "error",
        "upgrade",
        "b1",
    )
    assert (found.line, found.column, found.end_column) == (7, 5, 36)
    assert "videos.url" in found.message
    assert "later release" in found.fix
    assert found.key == "b1 drop-column drop_column videos.url"


FREE = {
    "postgresql": [
        ("sa.String(20)", "sa.String(40)"),
        ("sa.String(20)", "sa.Text()"),
        ("sa.String()", "sa.Text()"),
        ("sa.Text()", "sa.String()"),
        ("sa.Numeric(10, 2)", "sa.Numeric(12, 2)"),
        ("sa.Numeric(10, 2)", "sa.Numeric()"),
        ("sa.Numeric(precision=10, scale=2)", "sa.Numeric(precision=12, scale=2)"),
        ("postgresql.TIMESTAMP(precision=3)", "postgresql.TIMESTAMP(precision=6)"),
        ("postgresql.TIMESTAMP(precision=3)", "sa.DateTime()"),
        ("postgresql.CIDR()", "postgresql.INET()"),
        ("postgresql.CITEXT()", "sa.Text()"),
    ],
    "mariadb": [
        ("sa.String(20)", "sa.String(60)"),
        ("sa.String(20)", "sa.String(100)"),
        ("sa.String(64)", "sa.String(200)"),
        ('sa.Enum("a", "b", name="e")', 'sa.Enum("a", "b", "c", name="e")'),
    ],
    "mysql": [("sa.String(20)", "sa.String(63)"), ("sa.String(64)", "sa.String(2000)")],
    "sqlite": [
        ("sa.String(20)", "sa.String(5)"),
        ("sa.Integer()", "sa.BigInteger()"),
        ("sa.String(9)", "sa.Text()"),
    ],
}
COSTLY = {
    "postgresql": [
        ("sa.String(20)", "sa.String(10)"),
        ("sa.Text()", "sa.String(20)"),
        ("sa.Numeric(10, 2)", "sa.Numeric(12, 3)"),
        ("sa.Numeric(10, 2)", "sa.Numeric(9, 2)"),
        ("sa.Integer()", "sa.BigInteger()"),
        ("sa.CHAR(10)", "sa.Text()"),
        ("sa.DateTime()", "sa.DateTime(timezone=True)"),
        ("postgresql.TIMESTAMP(precision=6)", "postgresql.TIMESTAMP(precision=3)"),
        ("postgresql.JSON()", "postgresql.JSONB()"),
        ("sa.String(20)", "sa.Integer()"),
    ],
    "mariadb": [
        ("sa.String(50)", "sa.String(100)"),
        ("sa.String(63)", "sa.String(64)"),
        ("sa.String(255)", "sa.Text()"),
        ("sa.String(200)", "sa.String(100)"),
        ('sa.Enum("a", "b", name="e")', 'sa.Enum("c", "a", "b", name="e")'),
        ("sa.Integer()", "sa.BigInteger()"),
        ("sa.Numeric(10, 2)", "sa.Numeric(12, 2)"),
    ],
    "mysql": [("sa.String(20)", "sa.String(100)")],
    "sqlite": [("sa.Text()", "sa.Integer()"), ("sa.Integer()", "sa.String(9)")],
}


@pytest.mark.parametrize("free", [True, False], ids=["free", "costly"])
@pytest.mark.parametrize("database", ["sqlite", "postgresql", "mariadb", "mysql"])
def test_a_type_change_is_judged_by_what_it_costs_on_the_database(
    database: str, free: bool
) -> None:
    for old, new in (FREE if free else COSTLY)[database]:
        found = names(
            module(f'op.alter_column("videos", "a", existing_type={old}, type_={new})'), (database,)
        )
        assert ("type-change" not in found) is free, f"{old} to {new} on {database}"


@pytest.mark.parametrize("example", ["bad", "good"])
def test_not_null_is_lost_in_what_alembic_writes_for_mysql(example: str) -> None:
    written = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="mysql", opts={"as_sql": True, "output_buffer": written}
    )
    exec(getattr(RULES["not-null-lost"], example), {"op": Operations(context), "sa": sa})
    assert ("NOT NULL" not in written.getvalue()) is (example == "bad")


def test_the_loop_of_batches_fills_every_row(database_url: str) -> None:
    engine, written = sa.create_engine(database_url, poolclass=sa.pool.NullPool), io.StringIO()
    videos = sa.Table(
        "videos",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("views", sa.Integer),
    )
    loop, offline = RULES["unbatched-update"].good, {"as_sql": True, "output_buffer": written}
    exec(
        loop,
        {"op": Operations(MigrationContext.configure(url=database_url, opts=offline)), "sa": sa},
    )
    with engine.connect() as connection:
        videos.create(connection)
        connection.execute(
            videos.insert(), [{"id": 7 * number, "views": number} for number in range(2500)]
        )
        connection.commit()
        updates: list[int] = []
        sa.event.listen(
            engine, "after_cursor_execute", lambda *args: updates.append(args[1].rowcount)
        )
        context = MigrationContext.configure(connection, opts={"transaction_per_migration": True})
        with context.begin_transaction(_per_migration=True):
            exec(loop, {"op": Operations(context), "sa": sa})
        assert [count for count in updates if count >= 0] == [1000, 1000, 499, 0]
        assert connection.scalar(sa.select(sa.func.max(videos.c.views))) == 0
    assert written.getvalue() == ""


def altered(old: str, new: str) -> str:
    return (
        f'op.alter_column("videos", "a", existing_type={old}, type_={new}, existing_nullable=False)'
    )


def added(column: str) -> str:
    return f'op.add_column("videos", sa.Column("a", {column}))'


ENUM = (
    'def upgrade():\n    op.create_table("t", sa.Column("a", {}))\n\ndef downgrade():\n'
    '    op.drop_table("t")'
)
AWAY = """
from contextlib import ExitStack, contextmanager, nullcontext

@contextmanager
def outside():
    with op.get_context().autocommit_block():
        yield

def upgrade():
    with {}:
        op.create_index("ix", "videos", ["a"], postgresql_concurrently=True)
"""
BODY = """CREATE TRIGGER t BEFORE UPDATE ON videos FOR EACH ROW BEGIN
  SET NEW.a = CASE WHEN NEW.b THEN 1 ELSE 2 END; UPDATE channels SET n = n + 1; END"""
DISPATCHED = """
def plain(): pass
def risky(): op.drop_column("videos", "a")

def upgrade():
    {}
"""
# Neighbours: one word, or the database, makes a migration risky.
# Each has the rule, the database, whether it is found, and the migration.
NEIGHBOURS = [
    (
        "constraint-scan",
        "postgresql",
        True,
        added('sa.Integer(), sa.CheckConstraint("a > 0", name="ck")'),
    ),
    (
        "constraint-scan",
        "postgresql",
        True,
        sql("ALTER TABLE videos ADD COLUMN a int CONSTRAINT ck CHECK (a > 0)"),
    ),
    (
        "constraint-scan",
        "postgresql",
        False,
        sql("ALTER TABLE videos ADD COLUMN a int CONSTRAINT nn NOT NULL"),
    ),
    (
        "constraint-scan",
        "postgresql",
        True,
        added('sa.Enum("x", "y", name="ck", native_enum=False, create_constraint=True)'),
    ),
    (
        "constraint-scan",
        "postgresql",
        False,
        added('sa.Enum("x", "y", name="ck", native_enum=False)'),
    ),
    (
        "constraint-scan",
        "postgresql",
        False,
        added('sa.Integer(), sa.ForeignKey("u.id", name="fk", postgresql_not_valid=True)'),
    ),
    (
        "constraint-scan",
        "postgresql",
        True,
        added('sa.Integer(), sa.ForeignKey("u.id", name="fk")'),
    ),
    (
        "constraint-scan",
        "mariadb",
        True,
        sql("ALTER TABLE videos ADD CONSTRAINT FOREIGN KEY (a) REFERENCES u (id)"),
    ),
    (
        "constraint-scan",
        "mariadb",
        True,
        sql("ALTER TABLE videos ADD CONSTRAINT IF NOT EXISTS ck CHECK (a > 0)"),
    ),
    (
        "constraint-scan",
        "mariadb",
        False,
        sql("ALTER TABLE videos ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES u (id), LOCK=NONE"),
    ),
    ("unnamed-constraint", "mariadb", True, sql("ALTER TABLE videos ADD CONSTRAINT CHECK (a > 0)")),
    ("unnamed-constraint", "mariadb", False, sql("ALTER TABLE videos ADD PRIMARY KEY (id)")),
    (
        "unnamed-constraint",
        "mariadb",
        True,
        sql("ALTER TABLE videos ADD UNIQUE (id), ADD CHECK (a > 0)"),
    ),
    (
        "unnamed-constraint",
        "postgresql",
        False,
        sql("ALTER TABLE videos ADD FOREIGN KEY (a) REFERENCES u NOT VALID"),
    ),
    (
        "data-loss",
        "postgresql",
        True,
        sql("WITH m AS (DELETE FROM videos RETURNING *) INSERT INTO old SELECT * FROM m"),
    ),
    (
        "data-loss",
        "postgresql",
        False,
        sql("WITH m AS (SELECT * FROM videos) INSERT INTO old SELECT * FROM m"),
    ),
    ("data-loss", "mariadb", True, sql("ALTER TABLE videos DROP PARTITION p1, p2")),
    ("data-loss", "mariadb", True, sql("ALTER TABLE videos TRUNCATE PARTITION p1")),
    (
        "data-loss",
        "mariadb",
        False,
        sql("ALTER TABLE videos ADD PARTITION (PARTITION p1 VALUES LESS THAN (1))"),
    ),
    ("data-loss", "mariadb", False, sql("DELETE FROM videos ORDER BY id LIMIT 1000")),
    ("data-loss", "mariadb", False, sql("DELETE v FROM videos v JOIN banned b ON b.id = v.id")),
    ("data-loss", "postgresql", True, sql("DROP FUNCTION f(int) CASCADE")),
    ("data-loss", "postgresql", False, sql("DROP FUNCTION f(int)")),
    ("data-loss", "postgresql", True, sql("ALTER TABLE videos DROP CONSTRAINT pk CASCADE")),
    (
        "data-loss",
        "postgresql",
        False,
        sql(
            "ALTER TABLE t DROP CONSTRAINT fk, ADD CONSTRAINT fk FOREIGN KEY (a) "
            "REFERENCES u (id) ON DELETE CASCADE"
        ),
    ),
    (
        "unbatched-update",
        "postgresql",
        True,
        sql("WITH u AS (UPDATE videos SET a = 0 RETURNING id) SELECT 1 FROM u"),
    ),
    ("unbatched-update", "mariadb", False, sql("UPDATE videos SET a = 0 ORDER BY id LIMIT 1000")),
    (
        "unbatched-update",
        "mariadb",
        True,
        sql("UPDATE LOW_PRIORITY videos SET a = (SELECT 1 LIMIT 1)"),
    ),
    (
        "unbatched-update",
        "mariadb",
        True,
        sql("UPDATE videos v JOIN channels c ON c.id = v.c SET v.a = c.a"),
    ),
    ("unbatched-update", "mariadb", False, sql(BODY)),
    ("unbatched-update", "mariadb", True, sql(BODY + "; UPDATE videos SET a = 0")),
    ("drop-table", "mariadb", True, sql("CREATE OR REPLACE TABLE videos (id INT PRIMARY KEY)")),
    ("drop-table", "mariadb", False, sql("CREATE TABLE videos (id INT PRIMARY KEY)")),
    (
        "drop-column",
        "mariadb",
        True,
        sql("ALTER ONLINE TABLE IF EXISTS videos NOWAIT DROP COLUMN IF EXISTS a"),
    ),
    ("drop-column", "mariadb", True, sql("ALTER TABLE videos WAIT 10 DROP COLUMN a")),
    ("drop-column", "mariadb", True, sql("/*!50000 ALTER TABLE videos DROP COLUMN a */")),
    ("drop-column", "postgresql", False, sql("/*!50000 ALTER TABLE videos DROP COLUMN a */")),
    (
        "drop-column",
        "postgresql",
        True,
        'op.execute(sa.DDL("ALTER TABLE %(t)s DROP COLUMN a", context={"t": "videos"}))',
    ),
    *(
        ("drop-column", "postgresql", True, DISPATCHED.format(call))
        for call in (
            '{"postgresql": risky, "mysql": plain}[op.get_bind().dialect.name]()',
            '{"postgresql": risky}.get(op.get_bind().dialect.name, plain)()',
            'text = {"postgresql": "ALTER TABLE videos DROP '
            'a"}.get(op.get_context().dialect.name)\n'
            "    if text:\n        op.execute(text)",
        )
    ),
    (
        "drop-column",
        "postgresql",
        False,
        DISPATCHED.format('{"mysql": risky}.get(op.get_bind().dialect.name, plain)()'),
    ),
    (
        "drop-constraint",
        "postgresql",
        True,
        'op.drop_constraint("uq", "t", type_="unique")\nop.drop_column("t", "a")',
    ),
    (
        "drop-constraint",
        "postgresql",
        False,
        'op.drop_constraint("uq_a", "t", type_="unique")\nop.drop_column("t", "a")',
    ),
    (
        "drop-constraint",
        "postgresql",
        True,
        'op.alter_column("t", "a", nullable=False)\nop.drop_constraint("uq", "t", type_="unique")',
    ),
    (
        "drop-constraint",
        "postgresql",
        False,
        'op.create_check_constraint("new", "t", "a > 0", postgresql_not_valid=True)\n'
        'op.drop_constraint("old", "t", type_="check")',
    ),
    (
        "set-not-null",
        "postgresql",
        True,
        sql(
            "ALTER TABLE t VALIDATE CONSTRAINT fk_t_u", "ALTER TABLE t ALTER COLUMN a SET NOT NULL"
        ),
    ),
    (
        "set-not-null",
        "postgresql",
        True,
        (
            'op.create_check_constraint("ck", "t", "video_id IS NOT NULL")\n'
            'op.alter_column("t", "id", nullable=False)'
        ),
    ),
    (
        "set-not-null",
        "postgresql",
        False,
        (
            'op.create_check_constraint("ck", "t", \'"id" IS NOT NULL\')\n'
            'op.alter_column("t", "id", nullable=False)'
        ),
    ),
    (
        "set-not-null",
        "mariadb",
        False,
        sql("ALTER TABLE t MODIFY COLUMN IF EXISTS a varchar(9) NOT NULL"),
    ),
    ("not-null-lost", "mariadb", True, sql("ALTER TABLE t MODIFY COLUMN IF EXISTS a varchar(9)")),
    ("rename-table", "mariadb", True, sql("ALTER TABLE videos RENAME clips")),
    ("rename-column", "mariadb", False, sql("ALTER TABLE videos RENAME clips")),
    (
        "table-rewrite",
        "postgresql",
        True,
        added("sa.Text(), server_default=sa.func.md5(sa.cast(sa.func.random(), sa.Text))"),
    ),
    (
        "table-rewrite",
        "postgresql",
        False,
        added("sa.Text(), server_default=sa.cast(sa.func.now(), sa.String(20))"),
    ),
    (
        "table-rewrite",
        "postgresql",
        False,
        added('sa.Text(), server_default=sa.text("tstzrange(now(), NULL)")'),
    ),
    ("table-rewrite", "mariadb", False, added('sa.Text(), server_default=sa.text("(curdate())")')),
    ("table-rewrite", "mariadb", False, added('sa.Text(), sa.Computed("concat(b, c)")')),
    (
        "table-rewrite",
        "mariadb",
        True,
        added('sa.Text(), sa.Computed("concat(b, c)", persisted=True)'),
    ),
    ("table-rewrite", "postgresql", True, added('sa.Text(), sa.Computed("concat(b, c)")')),
    *(
        ("table-rewrite", "mariadb", found, sql(f"ALTER TABLE videos {action}"))
        for action, found in {
            "ENGINE InnoDB": True,
            "ROW_FORMAT COMPRESSED": True,
            "FORCE": True,
            "ADD SYSTEM VERSIONING": True,
            "ADD a int, ROW_FORMAT=DYNAMIC": True,
            "COMMENT = 'ENGINE = x'": False,
            "ADD engine int, ALGORITHM=INPLACE": False,
            "AUTO_INCREMENT = 7": False,
        }.items()
    ),
    (
        "table-rewrite",
        "postgresql",
        True,
        sql("ALTER TABLE IF EXISTS videos SET ACCESS METHOD columnar"),
    ),
    (
        "table-rewrite",
        "postgresql",
        True,
        sql("ALTER TABLE ALL IN TABLESPACE old SET TABLESPACE new"),
    ),
    ("table-rewrite", "postgresql", False, sql("ALTER TABLE videos FORCE ROW LEVEL SECURITY")),
    (
        "enum-left-behind",
        "postgresql",
        True,
        ENUM.format('sa.ARRAY(sa.Enum("a", "b", name="kind"))'),
    ),
    ("enum-left-behind", "postgresql", False, ENUM.format("sa.ARRAY(sa.Text())")),
    (
        "enum-left-behind",
        "postgresql",
        True,
        "class Status: pass\n\n" + ENUM.format("sa.Enum(Status)"),
    ),
    (
        "enum-left-behind",
        "postgresql",
        False,
        "class Status: pass\n\n"
        + ENUM.format("sa.Enum(Status)")
        + "\n    "
        + sql("DROP TYPE kind, status"),
    ),
    (
        "not-null-without-default",
        "postgresql",
        True,
        added('sa.Text(), nullable=False, server_default=sa.text("NULL")'),
    ),
    (
        "not-null-without-default",
        "postgresql",
        True,
        (
            'c = sa.Column("a", sa.Text(), nullable=False)\nfor t in ("u", "v"):\n'
            "    op.add_column(t, c._copy())"
        ),
    ),
    (
        "unresolved-operation",
        "postgresql",
        True,
        'from lib import col\n\ndef upgrade():\n    op.add_column("t", col())',
    ),
    (
        "unreadable-migration",
        "postgresql",
        True,
        "upgrade = lambda: op.drop_table('t')  # no def upgrade",
    ),
    (
        "type-change",
        "mariadb",
        True,
        altered('mysql.VARCHAR(9, charset="latin1")', 'mysql.VARCHAR(19, charset="utf8mb4")'),
    ),
    (
        "type-change",
        "mariadb",
        False,
        altered('mysql.VARCHAR(9, charset="latin1")', 'mysql.VARCHAR(19, charset="latin1")'),
    ),
    ("type-change", "mariadb", False, altered("mysql.TINYINT(display_width=1)", "sa.Boolean()")),
    ("type-change", "mariadb", True, altered("mysql.TINYINT()", "sa.Integer()")),
    ("type-change", "mariadb", False, altered("mysql.INTEGER(display_width=11)", "sa.Integer()")),
    (
        "type-change",
        "mariadb",
        False,
        altered("mysql.DECIMAL(precision=10, scale=2)", "sa.Numeric(10, 2)"),
    ),
    (
        "type-change",
        "mariadb",
        True,
        altered("mysql.DECIMAL(precision=10, scale=2)", "sa.Numeric(10, 3)"),
    ),
    ("type-change", "mariadb", False, altered('mysql.SET("a", "b")', 'mysql.SET("a", "b", "c")')),
    ("type-change", "mariadb", True, altered('mysql.SET("a", "b")', 'mysql.SET("b", "a", "c")')),
    ("type-change", "postgresql", False, altered("sa.Float()", "sa.Double()")),
    ("type-change", "postgresql", True, altered("sa.Float(24)", "sa.Double()")),
    ("type-change", "postgresql", False, altered("postgresql.BYTEA()", "sa.LargeBinary()")),
    (
        "type-change",
        "postgresql",
        False,
        altered("postgresql.BIT(8, varying=True)", "postgresql.BIT(16, varying=True)"),
    ),
    (
        "not-resumable",
        "mariadb",
        False,
        sql("ALTER TABLE videos ADD COLUMN a INT, ADD COLUMN b INT"),
    ),
    (
        "not-resumable",
        "mariadb",
        False,
        sql("ALTER TABLE videos ADD COLUMN a INT, ALGORITHM=INSTANT"),
    ),
    (
        "not-resumable",
        "mariadb",
        True,
        sql("ALTER TABLE videos ADD COLUMN a INT, ADD COLUMN b INT", "DROP TABLE t"),
    ),
    *(
        ("concurrently-in-transaction", "postgresql", found, AWAY.format(manager))
        for manager, found in {
            "outside()": False,
            (
                "op.get_context().autocommit_block() if op.get_bind().dialect.name == "
                "'postgresql' else nullcontext()"
            ): False,
            "op.get_bind().engine.connect().execution_options(isolation_level='AUTOCOMMIT')": False,
            "nullcontext()": True,
        }.items()
    ),
    (
        "concurrently-in-transaction",
        "postgresql",
        False,
        "from contextlib import ExitStack\n\ndef upgrade():\n    with ExitStack() as stack:\n"
        "        stack.enter_context(op.get_context().autocommit_block())\n"
        '        op.create_index("ix", "videos", ["a"], postgresql_concurrently=True)',
    ),
    (
        "concurrently-in-transaction",
        "postgresql",
        True,
        sql("REINDEX (VERBOSE, CONCURRENTLY) INDEX ix"),
    ),
    (
        "concurrently-in-transaction",
        "postgresql",
        True,
        sql("ALTER TABLE t DETACH PARTITION p CONCURRENTLY"),
    ),
    (
        "blocking-index",
        "postgresql",
        False,
        AUTOCOMMIT + "    " + sql("REINDEX (VERBOSE) INDEX CONCURRENTLY ix"),
    ),
    ("blocking-index", "postgresql", True, sql("REINDEX (VERBOSE) INDEX ix")),
    (
        "blocking-index",
        "postgresql",
        False,
        AUTOCOMMIT
        + (
            '    op.create_index("ix", "t", ["a"], '
            'postgresql_concurrently=op.get_bind().dialect.name == "postgresql")'
        ),
    ),
    (
        "blocking-index",
        "postgresql",
        False,
        sql("CREATE MATERIALIZED VIEW v AS SELECT 1 AS id", "CREATE INDEX ix ON v (id)"),
    ),
    (
        "blocking-index",
        "postgresql",
        False,
        sql("SELECT * INTO TEMP TABLE t FROM videos", "CREATE INDEX ix ON t (id)"),
    ),
    (
        "application-import",
        "postgresql",
        True,
        "from src.shop.models import Video\n\ndef upgrade(): pass",
    ),
    (
        "application-import",
        "postgresql",
        True,
        "import importlib\nimportlib.import_module('shop.models')\n\ndef upgrade(): pass",
    ),
    (
        "application-import",
        "postgresql",
        False,
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import shop.models\n\n"
            "def upgrade(): pass"
        ),
    ),
    # A column's own REFERENCES needs no scan where the column holds NULL alone.
    (
        "constraint-scan",
        "postgresql",
        False,
        sql("ALTER TABLE videos ADD COLUMN a int REFERENCES channels"),
    ),
    (
        "constraint-scan",
        "postgresql",
        True,
        sql("ALTER TABLE videos ADD COLUMN a int DEFAULT 1 REFERENCES channels"),
    ),
    ("constraint-scan", "postgresql", True, added('sa.Integer(), sa.ForeignKey("channels.id")')),
    (
        "constraint-scan",
        "postgresql",
        False,
        """def upgrade():
    column = sa.Column("a", sa.Integer(), sa.ForeignKey("channels.id"))
    op.add_column("videos", column, inline_references=True)
""",
    ),
    # An index can be made again after one of its own name was dropped if it existed.
    *(
        (
            "not-resumable",
            "mariadb",
            found,
            f"""def upgrade():
    op.drop_index("{dropped}", "videos", if_exists=True)
    op.create_index("ix", "videos", ["a"])
    op.add_column("videos", sa.Column("b", sa.Integer()))
""",
        )
        for dropped, found in (("ix", False), ("other", True))
    ),
]


@pytest.mark.parametrize(("name", "database", "found", "body"), NEIGHBOURS)
def test_neighbours_are_distinguished(name: str, database: str, found: bool, body: str) -> None:
    assert (name in names(module(body), (database,))) is found


@pytest.mark.parametrize(
    ("old", "new", "fails"),
    [
        ("String(200)", "String(100)", True),
        ("String(63)", "String(64)", False),
        ("Numeric(12, 2)", "Numeric(10, 2)", True),
        ("Numeric()", "Numeric(8, 2)", True),  # MySQL's NUMERIC is (10, 0)
        ("Numeric()", "Numeric(15, 5)", False),
        ("Numeric()", "Numeric(10, 5)", True),  # five digits before the point
        ("Numeric(10, 2)", "Numeric(10, scale)", False),
        ("Numeric(12)", "Numeric()", True),
    ],
)
def test_a_narrowed_type_is_reported_to_fail_on_longer_values(
    old: str, new: str, fails: bool
) -> None:
    change = f'op.alter_column("videos", "url", existing_type=sa.{old}, type_=sa.{new})'
    messages = [finding.message for finding in judged(module(change), ("mysql",))]
    assert any("fails where a value is longer" in message for message in messages) is fails
    assert any(" rewrites the table on mysql" in message for message in messages)


def test_a_repeated_finding_is_reported_once() -> None:
    source = module(
        """
        import os

        def upgrade():
            for name in ("a", "b"):
                op.drop_column(os.environ[name], "url")
            op.drop_column(os.environ["c"], "url")
            rows = op.get_bind().execute(sa.text("SELECT 1")).fetchall()
            rows = op.get_bind().execute(sa.text("SELECT 2")).fetchall()
        """
    )
    found = [(finding.rule, finding.line) for finding in judged(source)]
    assert [each for each in found if each[0] in ("unresolved-operation", "offline-unsafe")] == [
        ("unresolved-operation", 10),
        ("offline-unsafe", 12),
    ]


def test_a_project_is_judged_only_on_its_databases() -> None:
    source = module('op.create_index("ix", "videos", ["url"])')
    for database in DATABASES:
        assert ("blocking-index" in names(source, (database,))) is (
            database in ("postgresql", "citus")
        )


def test_a_fix_says_where_a_name_comes_from_that_a_new_migration_lacks() -> None:
    for rule in RULES.values():
        for name in set(re.findall(r"(?<![\w.])(\w+)\.\w+\(", rule.fix)) - {"op", "sa"}:
            assert re.search(rf"import {name}\b", rule.fix), rule.name


def test_the_handbook_is_current() -> None:
    assert RULES_MD.read_text(encoding="utf-8") == handbook(RULES.values()), (
        "write it again: python tests/lib/write_rules.py"
    )
