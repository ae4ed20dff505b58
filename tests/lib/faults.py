"""The fault set: histories with one fault each, and beside each its nearest harmless twin.

A pair states which rule must name the fault and at which revision; its twin must have no finding at
all. The text of ``upgrade`` and ``downgrade`` is Python as in a migration. ``ALL`` starts with a
revision that creates two tables with what tables have. The fault is in the last revision unless the
pair names another.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SQLITE, POSTGRESQL, MARIADB = "sqlite", "postgresql", "mariadb"
ALL = (SQLITE, POSTGRESQL, MARIADB)
SERVERS = (POSTGRESQL, MARIADB)

USERS = """
    sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("email", sa.String(100), nullable=False),
    sa.Column("name", sa.String(50)),
    sa.Column("age", sa.Integer()),
    sa.Column("bio", sa.Text()),
    sa.Column("status", sa.String(20), server_default="new", nullable=False),
    sa.UniqueConstraint("email", name="uq_users_email"),
    sa.CheckConstraint("age >= 0", name="ck_users_age"),""".replace("\n", "")
ORDERS = """
    sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("user_id", sa.Integer(), nullable=False),
    sa.Column("total", sa.Numeric(10, 2), server_default="0", nullable=False),
    sa.Column("placed", sa.DateTime()),
    sa.Column("note", sa.String(200)),
    sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_orders_user", ondelete="CASCADE"),
""".replace("\n", "")


@dataclass(frozen=True)
class Revision:
    upgrade: str
    downgrade: str = "pass"
    name: str = ""
    revises: tuple[str, ...] | None = None  # by default the one before it
    module: str = ""  # other lines of the module
    depends_on: tuple[str, ...] = ()


BASE = Revision(
    f"""
    op.create_table("users", {USERS})
    op.create_index("ix_users_name", "users", ["name", "age"])
    op.create_table("orders", {ORDERS})
    op.create_index("ix_orders_user_id", "orders", ["user_id"])
    """,
    "op.drop_table('orders'); op.drop_table('users')",
)


@dataclass(frozen=True)
class History:
    revisions: tuple[Revision, ...]
    models: str = ""
    extra: dict[str, str] = field(
        default_factory=dict
    )  # other files of the package's folder database/
    foreign_keys_on: bool = False  # env.py as many write it: SQLite's foreign keys stay enforced


@dataclass(frozen=True)
class Pair:
    name: str
    rule: str
    fault: History
    twin: History
    databases: tuple[str, ...] = ALL
    at: int | None = -1  # the faulty revision's place in the history; None: no revision is named
    kind: str = "roundtrip"


PAIRS: list[Pair] = []


def step(
    name: str,
    rule: str,
    fault: Revision,
    twin: Revision,
    databases: tuple[str, ...] = ALL,
    *between: Revision,
    after: bool = True,
) -> None:
    """A fault in one revision; another one follows it, which must not be blamed."""
    follow = (
        Revision(
            "op.create_table('later', sa.Column('id', sa.Integer(), primary_key=True))",
            "op.drop_table('later')",
        ),
    ) * after
    made = [History((BASE, *between, revision, *follow)) for revision in (fault, twin)]
    PAIRS.append(Pair(name, rule, *made, databases, at=len(between) + 1))


def batch(table: str, *lines: str) -> str:
    return f"with op.batch_alter_table({table!r}) as batch:\n" + textwrap.indent(
        "\n".join(lines), "    "
    )


def sql(text: str) -> str:
    return f"op.execute({text!r})"


# --- upgrade that fails

step(
    "upgrade of a table that is not there",
    "upgrade-fails",
    Revision(
        batch("user", "batch.add_column(sa.Column('x', sa.Integer()))"),
        batch("user", "batch.drop_column('x')"),
    ),
    Revision(
        batch("users", "batch.add_column(sa.Column('x', sa.Integer()))"),
        batch("users", "batch.drop_column('x')"),
    ),
)
step(
    "upgrade with a mistake in its SQL",
    "upgrade-fails",
    Revision(sql("CREATE TABL t (id integer)"), sql("DROP TABLE t")),
    Revision(sql("CREATE TABLE t (id integer)"), sql("DROP TABLE t")),
)
step(
    "upgrade with a mistake in its Python",
    "upgrade-fails",
    Revision("op.add_colunm('users', sa.Column('x', sa.Integer()))"),
    Revision(
        "op.add_column('users', sa.Column('x', sa.Integer()))",
        batch("users", "batch.drop_column('x')"),
    ),
)
step(
    "column made twice",
    "upgrade-fails",
    Revision("op.add_column('users', sa.Column('bio', sa.Text()))", "pass"),
    Revision(
        "op.add_column('users', sa.Column('bio2', sa.Text()))",
        batch("users", "batch.drop_column('bio2')"),
    ),
)
step(
    "index on a column that is not there",
    "upgrade-fails",
    Revision("op.create_index('ix_x', 'users', ['nam'])", "op.drop_index('ix_x', 'users')"),
    Revision("op.create_index('ix_x', 'users', ['status'])", "op.drop_index('ix_x', 'users')"),
)
step(
    "foreign key to a table that is not there",
    "upgrade-fails",
    Revision(
        "op.create_foreign_key('fk_x', 'orders', 'user', ['user_id'], ['id'])",
        "op.drop_constraint('fk_x', 'orders', type_='foreignkey')",
    ),
    Revision(
        "op.create_foreign_key('fk_x', 'orders', 'users', ['user_id'], ['id'])",
        "op.drop_constraint('fk_x', 'orders', type_='foreignkey')",
    ),
    SERVERS,
)

# --- upgrade that fails because there are rows

step(
    "NOT NULL column without a default",
    "upgrade-fails",
    Revision(
        batch("users", "batch.add_column(sa.Column('score', sa.Integer(), nullable=False))"),
        batch("users", "batch.drop_column('score')"),
    ),
    Revision(
        batch(
            "users",
            (
                "batch.add_column(sa.Column('score', sa.Integer(), nullable=False, "
                "server_default='0'))"
            ),
        ),
        batch("users", "batch.drop_column('score')"),
    ),
    (SQLITE, POSTGRESQL),
)
step(
    "NOT NULL over NULLs",
    "upgrade-fails",
    Revision(
        batch("users", "batch.alter_column('name', existing_type=sa.String(50), nullable=False)"),
        batch("users", "batch.alter_column('name', existing_type=sa.String(50), nullable=True)"),
    ),
    Revision(
        sql("UPDATE users SET name = '' WHERE name IS NULL")
        + "\n"
        + batch("users", "batch.alter_column('name', existing_type=sa.String(50), nullable=False)"),
        batch("users", "batch.alter_column('name', existing_type=sa.String(50), nullable=True)"),
        module="lossy = 'an empty name and none mean the same'",
    ),
)
step(
    "narrowed text",
    "upgrade-fails",
    *(
        Revision(
            batch(
                "users",
                (
                    "batch.alter_column('name', existing_type=sa.String(50), "
                    f"type_=sa.String({length}))"
                ),
            ),
            batch(
                "users",
                (
                    f"batch.alter_column('name', existing_type=sa.String({length}), "
                    "type_=sa.String(50))"
                ),
            ),
        )
        for length in (10, 80)
    ),
    SERVERS,
)
step(
    "narrowed number",
    "upgrade-fails",
    Revision(
        "op.alter_column('users', 'age', existing_type=sa.Integer(), type_=sa.SmallInteger())",
        "op.alter_column('users', 'age', existing_type=sa.SmallInteger(), type_=sa.Integer())",
    ),
    Revision(
        "op.alter_column('users', 'age', existing_type=sa.Integer(), type_=sa.BigInteger())",
        "op.alter_column('users', 'age', existing_type=sa.BigInteger(), type_=sa.Integer())",
    ),
    SERVERS,
)
step(
    "fewer digits",
    "upgrade-fails",
    *(
        Revision(
            (
                "op.alter_column('orders', 'total', existing_type=sa.Numeric(10, 2), "
                f"type_=sa.Numeric({digits}, 2), existing_nullable=False, "
                "existing_server_default='0')"
            ),
            (
                f"op.alter_column('orders', 'total', existing_type=sa.Numeric({digits}, 2), "
                "type_=sa.Numeric(10, 2), existing_nullable=False, "
                "existing_server_default='0')"
            ),
        )
        for digits in (8, 12)
    ),
    SERVERS,
)
step(
    "text made a number",
    "upgrade-fails",
    Revision(
        (
            "op.alter_column('users', 'bio', existing_type=sa.Text(), type_=sa.Integer(), "
            "postgresql_using='bio::integer')"
        ),
        "op.alter_column('users', 'bio', existing_type=sa.Integer(), type_=sa.Text())",
    ),
    Revision(
        "op.alter_column('users', 'age', existing_type=sa.Integer(), type_=sa.Numeric(20, 0))",
        "op.alter_column('users', 'age', existing_type=sa.Numeric(20, 0), type_=sa.Integer())",
    ),
    SERVERS,
)
step(
    "unique over repeated values",
    "upgrade-fails",
    Revision(
        batch("users", "batch.create_unique_constraint('uq_users_name', ['name'])"),
        batch("users", "batch.drop_constraint('uq_users_name', type_='unique')"),
    ),
    Revision(
        batch("users", "batch.create_unique_constraint('uq_users_both', ['name', 'email'])"),
        batch("users", "batch.drop_constraint('uq_users_both', type_='unique')"),
    ),
)
step(
    "unique index over repeated values",
    "upgrade-fails",
    Revision(
        "op.create_index('ix_note', 'orders', ['note'], unique=True)",
        "op.drop_index('ix_note', 'orders')",
    ),
    Revision(
        "op.create_index('ix_note', 'orders', ['note'])", "op.drop_index('ix_note', 'orders')"
    ),
)
step(
    "unique over a default",
    "upgrade-fails",
    Revision(
        "op.add_column('users', sa.Column('code', sa.String(8), server_default='', "
        "nullable=False))\n"
        "op.create_index('ix_code', 'users', ['code'], unique=True)",
        "op.drop_index('ix_code', 'users')\n" + batch("users", "batch.drop_column('code')"),
    ),
    Revision(
        (
            "op.add_column('users', sa.Column('code', sa.String(8)))\n"
            "op.create_index('ix_code', 'users', ['code'], unique=True)"
        ),
        "op.drop_index('ix_code', 'users')\n" + batch("users", "batch.drop_column('code')"),
    ),
)
step(
    "CHECK that rows do not meet",
    "upgrade-fails",
    *(
        Revision(
            batch("users", f"batch.create_check_constraint('ck_users_age2', 'age < {limit}')"),
            batch("users", "batch.drop_constraint('ck_users_age2', type_='check')"),
        )
        for limit in (150, 3_000_000_000)
    ),
)
step(
    "foreign key over orphans",
    "upgrade-fails",
    Revision(
        "op.create_foreign_key('fk_reviewer', 'orders', 'users', ['reviewer'], ['id'])",
        "op.drop_constraint('fk_reviewer', 'orders', type_='foreignkey')",
    ),
    Revision(
        sql("UPDATE orders SET reviewer = NULL")
        + "\nop.create_foreign_key('fk_reviewer', 'orders', 'users', ['reviewer'], ['id'])",
        "op.drop_constraint('fk_reviewer', 'orders', type_='foreignkey')",
        module="lossy = 'reviewers were numbers of nothing'",
    ),
    SERVERS,
    Revision(
        "op.add_column('orders', sa.Column('reviewer', sa.Integer()))",
        "op.drop_column('orders', 'reviewer')",
    ),
)
LENGTHS = """
op.add_column('users', sa.Column('length', sa.Integer()))
users = sa.table('users', sa.column('id'), sa.column('name'), sa.column('length'))
for row in op.get_bind().execute(sa.select(users.c.id, users.c.name)).all():
    op.get_bind().execute(users.update().where(users.c.id == row.id).values(length=len({})))
"""
step(
    "data migration that meets a NULL",
    "upgrade-fails",
    Revision(LENGTHS.format("row.name"), batch("users", "batch.drop_column('length')")),
    Revision(LENGTHS.format("row.name or ''"), batch("users", "batch.drop_column('length')")),
)
step(
    "data migration that meets long text",
    "upgrade-fails",
    *(
        Revision(
            (
                "op.add_column('orders', sa.Column('short', sa.String(100)))\n"
                f'op.execute("UPDATE orders SET short = {value}")'
            ),
            "op.drop_column('orders', 'short')",
        )
        for value in ("note", "substr(note, 1, 100)")
    ),
    SERVERS,
)
step(
    "data migration that casts text",
    "upgrade-fails",
    *(
        Revision(
            (
                "op.add_column('orders', sa.Column('number', sa.Integer()))\n"
                f'op.execute("UPDATE orders SET number = CAST(note AS integer) {where}")'
            ),
            "op.drop_column('orders', 'number')",
        )
        for where in ("", "WHERE note ~ '^[0-9]{1,9}$'")
    ),
    (POSTGRESQL,),
)
step(
    "data migration that divides by a value",
    "upgrade-fails",
    *(
        Revision(
            (
                "op.add_column('orders', sa.Column('share', sa.Numeric(20, 4)))\n"
                f'op.execute("UPDATE orders SET share = 1 / {value}")'
            ),
            "op.drop_column('orders', 'share')",
        )
        for value in (
            "(SELECT count(*) FROM users WHERE name IS NULL AND id < 0)",
            "(SELECT count(*) FROM users)",
        )
    ),
    (POSTGRESQL,),
)
step(
    "primary key over repeated values",
    "upgrade-fails",
    Revision(
        "op.create_primary_key('pk_tags', 'tags', ['label'])",
        "op.drop_constraint('pk_tags', 'tags')",
    ),
    Revision(
        "op.create_primary_key('pk_tags', 'tags', ['code'])",
        "op.drop_constraint('pk_tags', 'tags')",
    ),
    (POSTGRESQL,),
    Revision(
        "op.create_table('tags', sa.Column('label', sa.String(20), nullable=False), "
        "sa.Column('code', sa.String(20), nullable=False),"
        " sa.UniqueConstraint('code', name='uq_tags_code'))",
        "op.drop_table('tags')",
    ),
)

# --- data that is lost

step(
    "dropped column",
    "data-not-restored",
    Revision(
        batch("users", "batch.drop_column('bio')"),
        batch("users", "batch.add_column(sa.Column('bio', sa.Text()))"),
    ),
    Revision(
        batch("users", "batch.drop_column('bio')"),
        batch("users", "batch.add_column(sa.Column('bio', sa.Text()))"),
        module="lossy = 'nobody has read it since 2.3'",
    ),
)
step(
    "dropped table",
    "data-not-restored",
    Revision(
        "op.drop_table('orders')",
        (
            f"op.create_table('orders', {ORDERS})\n"
            "op.create_index('ix_orders_user_id', 'orders', ['user_id'])"
        ),
    ),
    Revision(
        "op.drop_table('orders')",
        "raise NotImplementedError",
        module="irreversible = 'orders moved to another service'",
    ),
)
step(
    "deleted rows",
    "data-not-restored",
    Revision(sql("DELETE FROM orders")),
    Revision(sql("DELETE FROM orders WHERE id < 0")),
)
step(
    "deleted rows that take others with them",
    "data-not-restored",
    Revision(sql("DELETE FROM users WHERE name IS NULL")),
    Revision(sql("DELETE FROM users WHERE name = ''")),
    SERVERS,
)
step(
    "overwritten values",
    "data-not-restored",
    Revision(sql("UPDATE users SET status = 'old'")),
    Revision(
        "op.add_column('users', sa.Column('old_status', sa.String(20)))\n"
        + sql("UPDATE users SET old_status = status, status = 'old'"),
        sql("UPDATE users SET status = old_status")
        + "\n"
        + batch("users", "batch.drop_column('old_status')"),
    ),
)
MOVE = [
    "op.add_column('users', sa.Column('fullname', sa.String(50)))",
    sql("UPDATE users SET fullname = name"),
    "op.drop_index('ix_users_name', 'users')",
    batch("users", "batch.drop_column('name')"),
]
BACK = [
    "op.add_column('users', sa.Column('name', sa.String(50)))",
    sql("UPDATE users SET name = fullname"),
    "op.create_index('ix_users_name', 'users', ['name', 'age'])",
    batch("users", "batch.drop_column('fullname')"),
]
step(
    "moved values that do not come back",
    "data-not-restored",
    Revision("\n".join(MOVE), "\n".join([BACK[0], *BACK[2:]])),
    Revision("\n".join(MOVE), "\n".join(BACK)),
)
step(
    "values cut short",
    "data-not-restored",
    Revision(sql("UPDATE users SET name = substr(name, 1, 10)")),
    Revision(sql("UPDATE users SET name = substr(name, 1, 100)")),
)
step(
    "truncated table",
    "data-not-restored",
    Revision(sql("TRUNCATE TABLE orders")),
    Revision(
        sql("CREATE TABLE bare (id integer)") + "\n" + sql("TRUNCATE TABLE bare"),
        sql("DROP TABLE bare"),
    ),
    SERVERS,
)
REBUILD = Revision(
    batch("users", "batch.alter_column('name', existing_type=sa.String(50), type_=sa.String(60))"),
    batch("users", "batch.alter_column('name', existing_type=sa.String(60), type_=sa.String(50))"),
)
PAIRS.append(
    Pair(
        "batch migration that deletes child rows",
        "data-not-restored",
        History((BASE, REBUILD), foreign_keys_on=True),
        History((BASE, REBUILD)),
        (SQLITE,),
    )
)

# --- downgrade forgotten, wrong or loud

step(
    "downgrade that raises",
    "downgrade-fails",
    Revision(
        "op.add_column('users', sa.Column('x', sa.Integer()))",
        "raise NotImplementedError('no way back')",
    ),
    Revision(
        "op.add_column('users', sa.Column('x', sa.Integer()))",
        "raise NotImplementedError('no way back')",
        module="irreversible = 'the provider is gone'",
    ),
)
step(
    "downgrade of another name",
    "downgrade-fails",
    Revision(
        "op.create_index('ix_note', 'orders', ['note'])", "op.drop_index('ix_notes', 'orders')"
    ),
    Revision(
        "op.create_index('ix_note', 'orders', ['note'])", "op.drop_index('ix_note', 'orders')"
    ),
)
step(
    "downgrade that fails in the middle",
    "downgrade-fails",
    Revision(
        (
            "op.create_index('ix_note', 'orders', ['note'])\n"
            "op.create_table('t', sa.Column('id', sa.Integer()))"
        ),
        "op.drop_table('t')\nop.drop_table('tt')\nop.drop_index('ix_note', 'orders')",
    ),
    Revision(
        (
            "op.create_index('ix_note', 'orders', ['note'])\n"
            "op.create_table('t', sa.Column('id', sa.Integer()))"
        ),
        "op.drop_table('t')\nop.drop_index('ix_note', 'orders')",
    ),
)
step(
    "downgrade in the wrong order",
    "downgrade-fails",
    *(
        Revision(
            "op.create_table('p', sa.Column('id', sa.Integer(), primary_key=True))\n"
            "op.create_table('c', sa.Column('id', sa.Integer(), primary_key=True),"
            " sa.Column('p', sa.Integer(), sa.ForeignKey('p.id', name='fk_c_p')))",
            f"op.drop_table({first!r})\nop.drop_table({second!r})",
        )
        for first, second in (("p", "c"), ("c", "p"))
    ),
    SERVERS,
)
step(
    "downgrade that fails over rows",
    "downgrade-fails",
    *(
        Revision(
            batch("users", "batch.drop_column('status')"),
            batch(
                "users",
                f"batch.add_column(sa.Column('status', sa.String(20), nullable=False{default}))",
            ),
            module="lossy = 'it was always new'",
        )
        for default in ("", ", server_default='new'")
    ),
    (SQLITE, POSTGRESQL),
)
step(
    "downgrade that narrows what upgrade wrote",
    "downgrade-fails",
    *(
        Revision(
            "op.alter_column('users', 'name', existing_type=sa.String(50), type_=sa.String(200))\n"
            + sql(f"UPDATE users SET name = {value}"),
            "op.alter_column('users', 'name', existing_type=sa.String(200), type_=sa.String(50))",
        )
        for value in ("concat(name, ' of ', email)", "concat(name, '') WHERE name IS NOT NULL")
    ),
    SERVERS,
)
step(
    "downgrade forgotten",
    "downgrade-differs",
    Revision("op.create_index('ix_note', 'orders', ['note'])"),
    Revision(
        "op.create_index('ix_note', 'orders', ['note'])", "op.drop_index('ix_note', 'orders')"
    ),
)
TWO = (
    "op.add_column('users', sa.Column('a', sa.Integer()))\n"
    "op.add_column('users', sa.Column('b', sa.Integer()))"
)
step(
    "half of the downgrade forgotten",
    "downgrade-differs",
    Revision(TWO, batch("users", "batch.drop_column('a')")),
    Revision(TWO, batch("users", "batch.drop_column('a')", "batch.drop_column('b')")),
)


def wrong(
    name: str,
    up: str,
    faulty: str,
    right: str,
    databases: tuple[str, ...] = ALL,
    *between: Revision,
) -> None:
    """A downgrade that runs, and makes something else than there was."""
    step(name, "downgrade-differs", Revision(up, faulty), Revision(up, right), databases, *between)


def altered(
    arguments: str, existing: str = "sa.String(20), existing_nullable=False", column: str = "status"
) -> str:
    return batch("users", f"batch.alter_column({column!r}, existing_type={existing}, {arguments})")


wrong(
    "default after downgrade",
    altered("server_default='old'"),
    altered("server_default='news'"),
    altered("server_default='new'"),
)
wrong(
    "default gone after downgrade",
    altered("server_default='old'"),
    altered("server_default=None"),
    altered("server_default='new'"),
)
DEFAULTED = "existing_server_default='new', "
wrong(
    "length after downgrade",
    altered(DEFAULTED + "type_=sa.String(30)"),
    altered(DEFAULTED + "type_=sa.String(25)"),
    altered(DEFAULTED + "type_=sa.String(20)"),
)
wrong(
    "NULL allowed after downgrade",
    altered("server_default='old'"),
    altered("server_default='new', nullable=True"),
    altered("server_default='new', nullable=False"),
)
wrong(
    "type after downgrade",
    batch(
        "orders",
        (
            "batch.alter_column('total', existing_type=sa.Numeric(10, 2), "
            "type_=sa.Numeric(12, 2), existing_nullable=False, existing_server_default='0')"
        ),
    ),
    batch(
        "orders",
        (
            "batch.alter_column('total', existing_type=sa.Numeric(12, 2), "
            "type_=sa.Numeric(12, 4), existing_nullable=False, existing_server_default='0')"
        ),
    ),
    batch(
        "orders",
        (
            "batch.alter_column('total', existing_type=sa.Numeric(12, 2), "
            "type_=sa.Numeric(10, 2), existing_nullable=False, existing_server_default='0')"
        ),
    ),
)


def key(arguments: str, drop: bool = True) -> str:
    return batch(
        "orders",
        *["batch.drop_constraint('fk_orders_user', type_='foreignkey')"] * drop,
        f"batch.create_foreign_key('fk_orders_user', 'users', ['user_id'], ['id']{arguments})",
    )


wrong(
    "ON DELETE after downgrade",
    key(""),
    key(", ondelete='SET NULL'") if False else key(", onupdate='CASCADE'"),
    key(", ondelete='CASCADE'"),
)
wrong(
    "ON UPDATE after downgrade",
    key(", onupdate='CASCADE'"),
    key(", ondelete='CASCADE', onupdate='CASCADE'"),
    key(", ondelete='CASCADE'"),
)


def check(condition: str) -> str:
    return batch(
        "users",
        "batch.drop_constraint('ck_users_age', type_='check')",
        f"batch.create_check_constraint('ck_users_age', {condition!r})",
    )


wrong("CHECK after downgrade", check("age > -5"), check("age > 0"), check("age >= 0"))
wrong(
    "NOT VALID: validated, then another CHECK after downgrade",
    sql("ALTER TABLE users VALIDATE CONSTRAINT ck_old"),
    (
        "op.drop_constraint('ck_old', 'users')\n"
        "op.create_check_constraint('ck_old', 'users', 'age > -9')"
    ),
    "pass",
    (POSTGRESQL,),
    Revision(
        "op.create_check_constraint('ck_old', 'users', 'age > -5', postgresql_not_valid=True)",
        "op.drop_constraint('ck_old', 'users')",
    ),
)
wrong(
    "CHECK gone after downgrade",
    check("age > -5"),
    batch("users", "batch.drop_constraint('ck_users_age', type_='check')"),
    check("age >= 0"),
)


def index(columns: str, more: str = "") -> str:
    return f"op.create_index('ix_users_name', 'users', {columns}{more})"


DROP = "op.drop_index('ix_users_name', 'users')\n"
wrong(
    "column order of an index after downgrade",
    DROP + index("['name']"),
    DROP + index("['age', 'name']"),
    DROP + index("['name', 'age']"),
)
wrong(
    "index unique after downgrade",
    DROP + index("['name']"),
    DROP + index("['name', 'age', 'email']", ", unique=True"),
    DROP + index("['name', 'age']"),
)
wrong(
    "index not brought back",
    DROP,
    "op.create_index('ix_name', 'users', ['name', 'age'])",
    index("['name', 'age']"),
)
PARTIAL = (
    "op.create_index('ix_new', 'users', ['email'], postgresql_where=sa.text('age > {0}'), "
    "sqlite_where=sa.text('age > {0}'))"
)
wrong(
    "predicate of an index after downgrade",
    "op.drop_index('ix_new', 'users')",
    PARTIAL.format(2),
    PARTIAL.format(1),
    (SQLITE, POSTGRESQL),
    Revision(PARTIAL.format(1), "op.drop_index('ix_new', 'users')"),
)
wrong(
    "method of an index after downgrade",
    "op.drop_index('ix_hash', 'users')",
    "op.create_index('ix_hash', 'users', ['status'])",
    "op.create_index('ix_hash', 'users', ['status'], postgresql_using='hash')",
    (POSTGRESQL,),
    Revision(
        "op.create_index('ix_hash', 'users', ['status'], postgresql_using='hash')",
        "op.drop_index('ix_hash', 'users')",
    ),
)
UNIQUE = "batch.drop_constraint('uq_users_email', type_='unique')"
wrong(
    "unique not brought back",
    batch("users", UNIQUE),
    "op.create_index('ix_email', 'users', ['email'])",
    batch("users", "batch.create_unique_constraint('uq_users_email', ['email'])"),
)
wrong(
    "comment after downgrade",
    "op.alter_column('users', 'bio', existing_type=sa.Text(), comment='new')",
    (
        "op.alter_column('users', 'bio', existing_type=sa.Text(), comment='newer', "
        "existing_comment='new')"
    ),
    (
        "op.alter_column('users', 'bio', existing_type=sa.Text(), comment=None, "
        "existing_comment='new')"
    ),
    SERVERS,
)
wrong(
    "table comment after downgrade",
    "op.create_table_comment('users', 'people')",
    "op.create_table_comment('users', 'person')",
    "op.drop_table_comment('users')",
    SERVERS,
)
wrong(
    "renamed column",
    batch(
        "orders",
        "batch.alter_column('note', existing_type=sa.String(200), new_column_name='remark')",
    ),
    batch(
        "orders",
        "batch.alter_column('remark', existing_type=sa.String(200), new_column_name='notes')",
    ),
    batch(
        "orders",
        "batch.alter_column('remark', existing_type=sa.String(200), new_column_name='note')",
    ),
)
wrong(
    "renamed table",
    "op.rename_table('orders', 'purchases')",
    "op.rename_table('purchases', 'order_list')",
    "op.rename_table('purchases', 'orders')",
)
wrong(
    "computed column after downgrade",
    "op.drop_column('orders', 'twice')",
    (
        "op.add_column('orders', sa.Column('twice', sa.Numeric(12, 2), "
        "sa.Computed('total * 3', persisted=True)))"
    ),
    (
        "op.add_column('orders', sa.Column('twice', sa.Numeric(12, 2), "
        "sa.Computed('total * 2', persisted=True)))"
    ),
    SERVERS,
    Revision(
        (
            "op.add_column('orders', sa.Column('twice', sa.Numeric(12, 2), "
            "sa.Computed('total * 2', persisted=True)))"
        ),
        "op.drop_column('orders', 'twice')",
    ),
)
VIEW = "CREATE VIEW grown AS SELECT email FROM users WHERE age > {}"
wrong(
    "view after downgrade",
    sql("DROP VIEW grown"),
    sql(VIEW.format(21)),
    sql(VIEW.format(18)),
    ALL,
    Revision(sql(VIEW.format(18)), sql("DROP VIEW grown")),
)
FUNCTION = {
    POSTGRESQL: sql("CREATE OR REPLACE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT {}'"),
    MARIADB: sql("DROP FUNCTION IF EXISTS one")
    + "\n"
    + sql("CREATE FUNCTION one() RETURNS integer DETERMINISTIC RETURN {}"),
}
for database, text in FUNCTION.items():
    drop = sql("DROP FUNCTION one()" if database == POSTGRESQL else "DROP FUNCTION one")
    wrong(
        f"function after downgrade ({database})",
        text.format(2),
        text.format(3),
        text.format(1),
        (database,),
        Revision(text.format(1), drop),
    )
wrong(
    "row level security after downgrade",
    sql("ALTER TABLE users ENABLE ROW LEVEL SECURITY"),
    sql("ALTER TABLE users FORCE ROW LEVEL SECURITY"),
    sql("ALTER TABLE users DISABLE ROW LEVEL SECURITY"),
    (POSTGRESQL,),
)

# --- left behind quietly


T = "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True))"
SPLIT = sql("ALTER TABLE parts PARTITION BY HASH (id) PARTITIONS 2")


def left(name: str, make: str, drop: str, databases: tuple[str, ...]) -> None:
    step(
        f"{name} left behind",
        "downgrade-differs",
        Revision(f"{make}\n{T}", "op.drop_table('t')"),
        Revision(f"{make}\n{T}", f"op.drop_table('t')\n{drop}"),
        databases,
    )


MOOD = (
    "op.create_table('moods', sa.Column('id', sa.Integer(), primary_key=True), "
    "sa.Column('mood', sa.Enum('sad', 'glad', name='mood')))"
)
step(
    "enum type left behind",
    "downgrade-differs",
    Revision(MOOD, "op.drop_table('moods')"),
    Revision(MOOD, "op.drop_table('moods')\n" + sql("DROP TYPE mood")),
    (POSTGRESQL,),
)
step(
    "enum value renamed",
    "downgrade-differs",
    Revision(sql("ALTER TYPE mood RENAME VALUE 'sad' TO 'cross'")),
    Revision(sql("ALTER TYPE mood ADD VALUE IF NOT EXISTS 'cross'")),
    (POSTGRESQL,),
    Revision(MOOD, "op.drop_table('moods')\n" + sql("DROP TYPE mood")),
)
left("sequence", sql("CREATE SEQUENCE numbers"), sql("DROP SEQUENCE numbers"), SERVERS)
left("view", sql(VIEW.format(18)), sql("DROP VIEW grown"), ALL)
left(
    "materialized view",
    sql("CREATE MATERIALIZED VIEW grown AS SELECT email FROM users"),
    sql("DROP MATERIALIZED VIEW grown"),
    (POSTGRESQL,),
)
for database, text in FUNCTION.items():
    left(
        f"function ({database})",
        text.format(1),
        sql("DROP FUNCTION one()" if database == POSTGRESQL else "DROP FUNCTION one"),
        (database,),
    )
left(
    "domain",
    sql("CREATE DOMAIN positive AS integer CHECK (VALUE > 0)"),
    sql("DROP DOMAIN positive"),
    (POSTGRESQL,),
)
left(
    "composite type",
    sql("CREATE TYPE pair AS (a integer, b text)"),
    sql("DROP TYPE pair"),
    (POSTGRESQL,),
)
left("schema", sql("CREATE SCHEMA audit"), sql("DROP SCHEMA audit"), (POSTGRESQL,))
left("extension", sql("CREATE EXTENSION citext"), sql("DROP EXTENSION citext"), (POSTGRESQL,))
TRIGGER = "CREATE TRIGGER grow AFTER UPDATE ON users FOR EACH ROW "
left(
    "trigger (sqlite)",
    sql(TRIGGER + "BEGIN DELETE FROM orders WHERE id < 0; END"),
    sql("DROP TRIGGER grow"),
    (SQLITE,),
)
left(
    "trigger (mariadb)",
    sql(TRIGGER + "DELETE FROM orders WHERE id < 0"),
    sql("DROP TRIGGER grow"),
    (MARIADB,),
)
left(
    "trigger (postgresql)",
    sql(TRIGGER + "EXECUTE FUNCTION suppress_redundant_updates_trigger()"),
    sql("DROP TRIGGER grow ON users"),
    (POSTGRESQL,),
)
step(
    "partitions left behind",
    "downgrade-differs",
    Revision(f"{SPLIT}\n{T}", "op.drop_table('t')"),
    Revision(
        f"{SPLIT}\n{T}", f"op.drop_table('t')\n{sql('ALTER TABLE parts REMOVE PARTITIONING')}"
    ),
    (MARIADB,),
    Revision(T.replace("'t'", "'parts'"), "op.drop_table('parts')"),
)
left(
    "policy",
    sql("CREATE POLICY own ON users USING (age > 0)"),
    sql("DROP POLICY own ON users"),
    (POSTGRESQL,),
)
left("table", sql("CREATE TABLE extra (id integer)"), sql("DROP TABLE extra"), ALL)
left(
    "procedure",
    sql("CREATE PROCEDURE nothing() LANGUAGE sql AS ''"),
    sql("DROP PROCEDURE nothing"),
    (POSTGRESQL,),
)
CONCURRENTLY = (
    "with op.get_context().autocommit_block():\n"
    "    op.{}('ix_note', {}, postgresql_concurrently=True)"
)
step(
    "index made outside a transaction left behind",
    "downgrade-differs",
    Revision(CONCURRENTLY.format("create_index", "'orders', ['note']")),
    Revision(
        CONCURRENTLY.format("create_index", "'orders', ['note']"),
        CONCURRENTLY.format("drop_index", "'orders'"),
    ),
)
GROW = Revision(sql(TRIGGER + "BEGIN SELECT 1; END"), sql("DROP TRIGGER grow"))
step(
    "trigger lost by a batch migration",
    "downgrade-differs",
    REBUILD,
    Revision(
        REBUILD.upgrade.replace("users", "orders")
        .replace("name", "note")
        .replace("50", "200")
        .replace("60", "210"),
        REBUILD.downgrade.replace("users", "orders")
        .replace("name", "note")
        .replace("50", "200")
        .replace("60", "210"),
    ),
    (SQLITE,),
    GROW,
)
PLAIN = Revision(
    sql("CREATE TABLE plain (id integer PRIMARY KEY, name varchar(50), CHECK (id > 0))"),
    sql("DROP TABLE plain"),
)
step(
    "unnamed CHECK lost by a batch migration",
    "downgrade-differs",
    Revision(
        REBUILD.upgrade.replace("users", "plain"), REBUILD.downgrade.replace("users", "plain")
    ),
    Revision(
        "op.add_column('plain', sa.Column('x', sa.Integer()))",
        sql("ALTER TABLE plain DROP COLUMN x"),
    ),
    (SQLITE,),
    PLAIN,
)
step(
    "second upgrade fails",
    "upgrade-not-repeatable",
    Revision("ran.append(len(ran))\nassert len(ran) < 2, 'it ran before'", module="ran = []"),
    Revision("ran.append(len(ran))\nassert len(ran) < 9, 'it ran before'", module="ran = []"),
)

# --- branches, merges, several bases


def table_of(
    name: str, revises: tuple[str, ...] | None = None, drop: bool = True, **more: object
) -> Revision:
    made = (
        f"op.create_table('t_{name}', sa.Column('id', sa.Integer(), primary_key=True), "
        "sa.Column('v', sa.String(9)))"
    )
    return Revision(made, f"op.drop_table('t_{name}')" if drop else "pass", name, revises, **more)  # type: ignore[arg-type]


ROOT = table_of("root", ())
MERGE = Revision("pass", "pass", "merge", ("left", "right"))
PAIRS += [
    Pair(
        "downgrade forgotten on a branch",
        "downgrade-differs",
        History(
            (
                ROOT,
                table_of("left", ("root",)),
                table_of("right", ("root",), drop=False),
                MERGE,
                table_of("after", ("merge",)),
            )
        ),
        History(
            (
                ROOT,
                table_of("left", ("root",)),
                table_of("right", ("root",)),
                MERGE,
                table_of("after", ("merge",)),
            )
        ),
        at=2,
    ),
    Pair(
        "merge whose downgrade is forgotten",
        "downgrade-differs",
        *(
            History(
                (
                    ROOT,
                    table_of("left", ("root",)),
                    table_of("right", ("root",)),
                    Revision(table_of("merge").upgrade, down, "merge", ("left", "right")),
                )
            )
            for down in ("pass", "op.drop_table('t_merge')")
        ),
        at=3,
    ),
    Pair(
        "depends_on another base",
        "downgrade-differs",
        *(
            History(
                (
                    ROOT,
                    table_of("other", ()),
                    table_of("left", ("root",), depends_on=("other",), drop=drop),
                    Revision("pass", "pass", "merge", ("left", "other")),
                )
            )
            for drop in (False, True)
        ),
        at=2,
    ),
    Pair(
        "two heads",
        "multiple-heads",
        History((ROOT, table_of("left", ("root",)), table_of("right", ("root",)))),
        History((ROOT, table_of("left", ("root",)), table_of("right", ("root",)), MERGE)),
        at=None,
        kind="graph",
    ),
    Pair(
        "parent that is not there",
        "missing-parent",
        History((ROOT, table_of("left", ("rot",)))),
        History((ROOT, table_of("left", ("root",)))),
        at=None,
        kind="graph",
    ),
    Pair(
        "revision that is there twice",
        "duplicate-revision",
        History((ROOT, table_of("left", ("root",)), table_of("left", ("root",)))),
        History((ROOT, table_of("left", ("root",)), table_of("right", ("left",)))),
        at=None,
        kind="graph",
    ),
    Pair(
        "circle",
        "revision-cycle",
        History((table_of("root", ("left",)), table_of("left", ("root",)))),
        History((ROOT, table_of("left", ("root",)))),
        at=None,
        kind="graph",
    ),
]

# --- drift: what migrations made, and two models


def drift(
    name: str,
    made: str,
    fault: str,
    twin: str | None = None,
    databases: tuple[str, ...] = ALL,
    after: str = "",
    before: str = "",
) -> None:
    """Columns and constraints of the table ``t``; ``after`` is run by the migration too."""
    up = (
        f"{before}\n"
        f"op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), {made})\n"
        f"{after}"
    ).strip()
    histories = [
        History(
            (Revision(up, "pass"),),
            models=text
            if "sa.Table(" in text
            else (
                f"sa.Table('t', metadata, sa.Column('id', sa.Integer(), primary_key=True), {text})"
            ),
        )
        for text in (fault, made if twin is None else twin)
    ]
    PAIRS.append(
        Pair(f"drift: {name}", "models-out-of-sync", *histories, databases, at=None, kind="drift")
    )


V = "sa.Column('v', sa.String(20))"
N = "sa.Column('n', sa.Integer())"
TABLE = f"sa.Table('t', metadata, sa.Column('id', sa.Integer(), primary_key=True), {V})"
drift(
    "table that no migration makes",
    V,
    f"{TABLE}; sa.Table('u', metadata, sa.Column('id', sa.Integer(), primary_key=True))",
)
drift(
    "table that is in no model",
    V,
    "sa.Table('u', metadata, sa.Column('id', sa.Integer(), primary_key=True))",
    f"{TABLE}; {TABLE[:-1]}, extend_existing=True)",
)
drift("column that no migration makes", V, f"{V}, {N}")
drift("column that is in no model", f"{V}, {N}", V)
drift("type", V, "sa.Column('v', sa.Integer())")
drift("length", V, "sa.Column('v', sa.String(21))", "sa.Column('v', sa.VARCHAR(20))")
drift(
    "digits",
    "sa.Column('v', sa.Numeric(10, 2))",
    "sa.Column('v', sa.Numeric(10, 3))",
    "sa.Column('v', sa.DECIMAL(10, 2))",
)
drift(
    "time zone",
    "sa.Column('v', sa.DateTime())",
    "sa.Column('v', sa.DateTime(timezone=True))",
    databases=(POSTGRESQL,),
)
drift(
    "nullability",
    V,
    "sa.Column('v', sa.String(20), nullable=False)",
    "sa.Column('v', sa.String(20), nullable=True)",
)
D = "sa.Column('v', sa.String(20), server_default={})"
drift("server default", D.format("'a'"), D.format("'b'"), D.format("sa.text(\"'a'\")"))
drift(
    "server default that no migration makes",
    V,
    D.format("'a'"),
    "sa.Column('v', sa.String(20), default='a')",
)
drift("server default that is in no model", D.format("'a'"), V)
M = "sa.Column('v', sa.DateTime(), server_default={})"
drift(
    "server default that is a function",
    M.format("sa.func.now()"),
    M.format("sa.text(\"'2020-01-01 00:00:00'\")"),
    M.format("sa.text('CURRENT_TIMESTAMP')"),
    (SQLITE, MARIADB),
)
drift("unique", f"{V}, sa.UniqueConstraint('v', name='uq_t_v')", V)
drift("unique that no migration makes", V, f"{V}, sa.UniqueConstraint('v', name='uq_t_v')")
drift(
    "columns of a unique",
    f"{V}, {N}, sa.UniqueConstraint('v', name='uq_t')",
    f"{V}, {N}, sa.UniqueConstraint('v', 'n', name='uq_t')",
)
drift(
    "name of a unique",
    f"{V}, sa.UniqueConstraint('v', name='uq_t_v')",
    f"{V}, sa.UniqueConstraint('v', name='uq_t_w')",
)
C = "sa.Column('n', sa.Integer()), sa.CheckConstraint('n > {}', name='ck_t_n')"
drift("expression of a CHECK", C.format(0), C.format(1), C.format("0 "))
drift("CHECK that no migration makes", N, C.format(0))
drift("CHECK that is in no model", C.format(0), N)
P = "op.create_table('p', sa.Column('id', sa.Integer(), primary_key=True))"
PT = (
    "sa.Table('p', metadata, sa.Column('id', sa.Integer(), primary_key=True)); sa.Table('t', "
    "metadata, sa.Column('id', sa.Integer(), primary_key=True), {})"
)
F = "sa.Column('p', sa.Integer()), sa.ForeignKeyConstraint(['p'], ['p.id'], name='fk_t_p'{})"
drift(
    "ON DELETE",
    F.format(", ondelete='CASCADE'"),
    PT.format(F.format(", ondelete='SET NULL'")),
    PT.format(F.format(", ondelete='CASCADE'")),
    before=P,
)
drift(
    "ON UPDATE",
    F.format(", onupdate='CASCADE'"),
    PT.format(F.format("")),
    PT.format(F.format(", onupdate='CASCADE'")),
    before=P,
)
drift(
    "foreign key that no migration makes",
    "sa.Column('p', sa.Integer())",
    PT.format(F.format("")),
    PT.format("sa.Column('p', sa.Integer())"),
    before=P,
)
drift(
    "foreign key that is in no model",
    F.format(""),
    PT.format("sa.Column('p', sa.Integer())"),
    PT.format(F.format("")),
    before=P,
)
INDEX = "sa.Index('ix_t', {})"
VN = f"{V}, {N}"
drift("index that no migration makes", VN, f"{VN}, {INDEX.format(repr('v'))}")
drift(
    "index that is in no model",
    VN,
    VN,
    f"{VN}, {INDEX.format(repr('v'))}",
    after="op.create_index('ix_t', 't', ['v'])",
)
drift(
    "columns of an index",
    VN,
    f"{VN}, sa.Index('ix_t', 'n')",
    f"{VN}, sa.Index('ix_t', 'v')",
    after="op.create_index('ix_t', 't', ['v'])",
)
drift(
    "order of an index",
    VN,
    f"{VN}, sa.Index('ix_t', 'n', 'v')",
    f"{VN}, sa.Index('ix_t', 'v', 'n')",
    after="op.create_index('ix_t', 't', ['v', 'n'])",
)
drift(
    "index unique",
    VN,
    f"{VN}, sa.Index('ix_t', 'v', unique=True)",
    f"{VN}, sa.Index('ix_t', 'v')",
    after="op.create_index('ix_t', 't', ['v'])",
)
W = "sa.Index('ix_t', 'v', postgresql_where=sa.text('n > {0}'), sqlite_where=sa.text('n > {0}'))"
drift(
    "predicate of an index",
    VN,
    f"{VN}, {W.format(2)}",
    f"{VN}, {W.format(1)}",
    (SQLITE, POSTGRESQL),
    after=(
        "op.create_index('ix_t', 't', ['v'], postgresql_where=sa.text('n > 1'), "
        "sqlite_where=sa.text('n > 1'))"
    ),
)
drift(
    "method of an index",
    VN,
    f"{VN}, sa.Index('ix_t', 'v')",
    f"{VN}, sa.Index('ix_t', 'v', postgresql_using='hash')",
    (POSTGRESQL,),
    after="op.create_index('ix_t', 't', ['v'], postgresql_using='hash')",
)
drift(
    "descending index",
    VN,
    f"{VN}, sa.Index('ix_t', 'v')",
    f"{VN}, sa.Index('ix_t', sa.text('v DESC'))",
    ALL,
    after="op.create_index('ix_t', 't', [sa.text('v DESC')])",
)
drift(
    "comment of a column", V[:-1] + ", comment='a')", V[:-1] + ", comment='b')", databases=SERVERS
)
drift("comment of a table", V, f"{V}, comment='a'", databases=SERVERS)
E = "sa.Column('e', sa.Enum({}, name='kind'))"
drift("values of an enum", E.format("'a', 'b'"), E.format("'a', 'b', 'c'"), databases=SERVERS)
drift("order of an enum's values", E.format("'a', 'b'"), E.format("'b', 'a'"), databases=SERVERS)
drift(
    "sequence that no migration makes",
    V,
    f"{TABLE}; sa.Sequence('numbers', metadata=metadata)",
    TABLE,
    (POSTGRESQL,),
)
drift(
    "identity",
    "sa.Column('n', sa.Integer(), sa.Identity(always=True), nullable=False)",
    "sa.Column('n', sa.Integer(), sa.Identity(), nullable=False)",
    databases=(POSTGRESQL,),
)
drift(
    "identity that no migration makes",
    "sa.Column('n', sa.Integer(), nullable=False)",
    "sa.Column('n', sa.Integer(), sa.Identity(), nullable=False)",
    databases=(POSTGRESQL,),
)
G = (
    "sa.Column('n', sa.Integer()), sa.Column('g', sa.Integer(), sa.Computed('n * {}', "
    "persisted=True))"
)
drift("expression of a computed column", G.format(2), G.format(3), databases=ALL)
drift(
    "computed column that is none",
    G.format(2),
    "sa.Column('n', sa.Integer()), sa.Column('g', sa.Integer())",
)
drift(
    "primary key",
    "sa.Column('n', sa.Integer(), primary_key=True, autoincrement=False)",
    "sa.Column('n', sa.Integer(), nullable=False)",
    databases=ALL,
)
drift(
    "created manually beside the models",
    V,
    N,
    V,
    (POSTGRESQL,),
    after="op.execute('CREATE VIEW seen AS SELECT v FROM t'); op.execute('CREATE SEQUENCE s')",
)
drift("partitions created manually", V, N, V, (MARIADB,), after=SPLIT.replace("parts", "t"))
PAIRS.append(
    Pair(
        "drift: model in a module that nobody imports",
        "models-out-of-sync",
        *(
            History(
                (
                    Revision(
                        "op.create_table('t', sa.Column('id', sa.Integer(), "
                        f"primary_key=True), {V})"
                    ),
                ),
                models=TABLE + imported,
                extra={
                    "tags.py": "import sqlalchemy as sa\nfrom .models import Base\n\n\n"
                    "class Tag(Base):\n"
                    f"    __tablename__ = {name!r}\n"
                    f"    __table_args__ = {{'extend_existing': True}}\n"
                    "    id = sa.Column(sa.Integer(), primary_key=True)\n"
                },
            )
            for name, imported in (("tags", ""), ("t", ""))
        ),
        at=None,
        kind="drift",
    )
)


MODELS = """\
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    pass


metadata = Base.metadata
"""


def names_of(history: History) -> list[str]:
    return [revision.name or f"r{number}" for number, revision in enumerate(history.revisions)]


def write(
    history: History, versions: Path, models: Path | None = None, env: Path | None = None
) -> None:
    """Write the history's files, in place of those that are there."""
    for old in versions.glob("*.py"):
        old.unlink()
    names = names_of(history)
    for number, (name, revision) in enumerate(zip(names, history.revisions, strict=True)):
        revises = (
            revision.revises if revision.revises is not None else tuple(names[number - 1 : number])
        )
        bodies = "\n\n\n".join(
            f"def {function}():\n{textwrap.indent(textwrap.dedent(text).strip(), '    ')}"
            for function, text in (("upgrade", revision.upgrade), ("downgrade", revision.downgrade))
        )
        down = revises[0] if len(revises) == 1 else revises or None
        head = (
            f'"""{name}."""\n\nimport sqlalchemy as sa\nfrom alembic import op\n\n'
            f"revision = {name!r}\ndown_revision = {down!r}\n"
        )
        head += f"depends_on = {revision.depends_on or None!r}\n"
        (versions / f"{number:03d}_{name}.py").write_text(
            f"{head}{revision.module}\n\n\n{bodies}\n", encoding="utf-8"
        )
    if models is not None:
        models.write_text(MODELS + "\n".join(history.models.split("; ")) + "\n", encoding="utf-8")
        for name, text in history.extra.items():
            (models.parent / name).write_text(text, encoding="utf-8")
    if env is not None and history.foreign_keys_on:
        text = env.read_text(encoding="utf-8")
        assert "PRAGMA foreign_keys = OFF" in text
        env.write_text(
            text.replace("PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys = ON"), encoding="utf-8"
        )


def cases(database: str) -> Iterator[Pair]:
    return (pair for pair in PAIRS if database in pair.databases)
