"""Changes of models, each of which autogenerate must bring to the database."""

from __future__ import annotations

from lib.road import Change

PG = ("postgresql",)


def change(
    name: str,
    before: str | None,
    after: str | None,
    *databases: str,
    decide: str = "",
    more: str = "",
) -> Change:
    decisions = frozenset(decide.split())
    return Change(
        name, before, after, databases or ("sqlite", "postgresql", "mariadb"), decisions, more
    )


CODE = 'Column("code", String(20))'
PARENT = 'Column("p", ForeignKey("parents.id"))'

DOMAIN = (
    'mail = postgresql.DOMAIN("mail", postgresql.CITEXT, check=text("VALUE ~ \'@\'"),'
    ' constraint_name="mail_at", default="nobody@localhost", metadata=Base.metadata)\n'
)

CHANGES = [
    change("column added", CODE, f'{CODE}, Column("size", Integer)'),
    change("table added", None, CODE),
    change("index added", CODE, 'Column("code", String(20), index=True)'),
    change("index dropped", 'Column("code", String(20), index=True)', CODE),
    change(
        "index changed",
        f'{CODE}, Column("b", Integer), Index("ix_x", "code")',
        f'{CODE}, Column("b", Integer), Index("ix_x", "b")',
    ),
    change(
        "index and its column dropped",
        f'{CODE}, Column("b", Integer, index=True)',
        CODE,
        decide="drop-column data-not-restored",
    ),
    change(
        "unique added",
        CODE,
        'Column("code", String(20), unique=True)',
        decide="upgrade-fails blocking-unique",
    ),
    change(
        "unique column added",
        CODE,
        f'{CODE}, Column("b", String(20), unique=True)',
    ),
    change(
        "unique, deferrable",
        f'{CODE}, Column("b", Integer)',
        (
            f'{CODE}, Column("b", Integer), Column("c", Integer), UniqueConstraint("c", "b", '
            'name="uq_cb", deferrable=True, initially="DEFERRED")'
        ),
        *PG,
    ),
    change(
        "unique, include",
        f'{CODE}, Column("b", Integer)',
        (
            f'{CODE}, Column("b", Integer), Column("c", Integer), UniqueConstraint("c", '
            'name="uq_c", postgresql_include=["b"], postgresql_nulls_not_distinct=False)'
        ),
        *PG,
    ),
    change(
        "foreign key column added",
        CODE,
        f'{CODE}, Column("parent", ForeignKey("parents.id"), index=True)',
        decide="mariadb:constraint-scan",
    ),
    change(
        "two foreign keys added",
        CODE,
        f'{CODE}, {PARENT}, Column("q", ForeignKey("parents.id")), Index("ix_qp", "q", "p")',
        decide="mariadb:constraint-scan",
    ),
    change(
        "index of a foreign key",
        f"{CODE}, {PARENT}",
        f'{CODE}, {PARENT}, Index("ix_p", "p", "code")',
    ),
    change(
        "index of a foreign key dropped",
        f'{CODE}, Column("p", ForeignKey("parents.id"), index=True)',
        f"{CODE}, {PARENT}",
    ),
    change(
        "foreign key, options",
        CODE,
        (
            f'{CODE}, Column("parent", ForeignKey("parents.id", ondelete="CASCADE", '
            'onupdate="SET NULL", deferrable=True, initially="DEFERRED"), index=True)'
        ),
        *PG,
    ),
    change(
        "check added",
        f'{CODE}, Column("b", Integer)',
        f'{CODE}, Column("b", Integer), CheckConstraint("b <> 123456", name="b")',
        decide="mariadb:constraint-scan",
    ),
    change(
        "check of a list changed",  # PostgreSQL describes it differently when it reads it again
        f"""{CODE}, CheckConstraint("code IN ('a', 'it''s')", name="b")""",
        f"""{CODE}, CheckConstraint("code IN ('a', 'it''s', 'c]')", name="b")""",
        *PG,
    ),
    change(
        "index on the rows of a list",
        f"""{CODE}, Index("ix_x", "id", postgresql_where=text("code NOT IN ('a', 'b')"))""",
        f"""{CODE}, Index("ix_x", "id", postgresql_where=text("code NOT IN ('a', 'c')"))""",
        *PG,
    ),
    change(
        "check with % and colon",
        CODE,
        f"""{CODE}, CheckConstraint("code <> '%d:x'", name="b")""",
        *PG,
    ),
    change(
        "computed with %",
        None,
        'Column("b", Integer), Column("c", Integer, Computed("b % 10", persisted=True))',
    ),
    change("enum table", None, 'Column("mood", Enum("happy", "sad", name="mood"))'),
    change("enum column", CODE, f'{CODE}, Column("mood", Enum("happy", "sad", name="mood"))'),
    change(
        "enum in two",
        None,
        (
            'Column("mood", Enum("happy", "sad", name="mood")), Column("m2", Enum("happy", '
            '"sad", name="mood"))'
        ),
    ),
    change(
        "enum value added",
        'Column("mood", Enum("happy", "sad", name="mood"))',
        'Column("mood", Enum("joyful", "happy", "so so", "sad", name="mood"))',
        *PG,
    ),
    change(
        "enum array",
        CODE,
        f'{CODE}, Column("moods", postgresql.ARRAY(Enum("happy", "sad", name="mood")))',
        *PG,
    ),
    change(
        "not null with default",
        'Column("b", Integer)',
        'Column("b", Integer, nullable=False, default=7, server_default="7")',
        decide="set-not-null",
    ),
    change(
        "not null with scalar",
        'Column("b", Integer)',
        'Column("b", Integer, nullable=False, default=7)',
        decide="set-not-null",
    ),
    change(
        "not null column, server default",
        CODE,
        f'{CODE}, Column("b", Integer, nullable=False, server_default="7")',
    ),
    change(
        "not null column",
        CODE,
        f'{CODE}, Column("b", Integer, nullable=False)',
        decide="not-null-without-default upgrade-fails",
    ),
    change(
        "column dropped",
        f'{CODE}, Column("b", Integer)',
        CODE,
        decide="drop-column data-not-restored",
    ),
    change(
        "column renamed",
        f'{CODE}, Column("b", Integer)',
        f'{CODE}, Column("c", Integer)',
        decide="drop-column data-not-restored",
    ),
    change("table dropped", CODE, None, decide="drop-table data-not-restored"),
    change(
        "default changed",
        'Column("b", Integer, server_default="1")',
        'Column("b", Integer, server_default="2")',
    ),
    change("default with quote", None, """Column("b", String(20), server_default="it's")"""),
    change("longer string", 'Column("b", String(20))', 'Column("b", String(40))'),
    change(
        "comment",
        'Column("b", String(20))',
        'Column("b", String(20), comment="the b")',
        "postgresql",
        "mariadb",
    ),
    change(
        "long check name",
        CODE,
        (
            f"{CODE}, CheckConstraint(\"code <> 'x'\", "
            'name="is_positive_before_it_can_be_charged_to_the_card_of_the_customer")'
        ),
        *PG,
    ),
    change(
        "boolean check",
        CODE,
        f'{CODE}, Column("flag", Boolean(create_constraint=True, name="flag"))',
        "sqlite",
        "mariadb",
        decide="mariadb:constraint-scan",
    ),
    change("schema public", None, f'{CODE}, schema="public"', *PG),
    change(
        "json default", None, """Column("b", postgresql.JSONB, server_default=text("'{}'"))""", *PG
    ),
    change(
        "collation",
        'Column("b", String(20))',
        'Column("b", String(20, collation="C"))',
        *PG,
        decide="type-change",
    ),
    change(
        "timestamp precision", CODE, f'{CODE}, Column("t", postgresql.TIMESTAMP(precision=3))', *PG
    ),
    change(
        "exclude",
        'Column("r", postgresql.INT4RANGE)',
        'Column("r", postgresql.INT4RANGE), postgresql.ExcludeConstraint(("r", "&&"), name="ex_r")',
        *PG,
        decide="blocking-unique upgrade-fails",
    ),
    change(
        "index include",
        'Column("a", Integer), Column("b", Integer), Index("ix_a", "a")',
        'Column("a", Integer), Column("b", Integer), Index("ix_a", "a", postgresql_include=["b"])',
        *PG,
    ),
    change(
        "operator class",
        'Column("a", String(20)), Index("ix_a", "a")',
        'Column("a", String(20)), Index("ix_a", "a", postgresql_ops={"a": "varchar_pattern_ops"})',
        *PG,
    ),
    change("identity", None, 'Column("n", Integer, Identity(start=100, increment=5))', *PG),
    change(
        "guid",
        None,
        'Column("b", GUID())',
        more="""
class GUID(TypeDecorator):
    impl = CHAR
    cache_ok = True

    def load_dialect_impl(self, dialect):
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.UUID())
        return dialect.type_descriptor(CHAR(32))
""",
    ),
    change(
        "partial index",
        'Column("a", Integer), Index("ix_a", "a")',
        (
            'Column("a", Integer), Index("ix_a", "a", postgresql_where=text("a > 5"), '
            'sqlite_where=text("a > 5"))'
        ),
        "postgresql",
        "sqlite",
    ),
    change(
        "expression index",
        CODE,
        f'{CODE}, Index("ix_a", text("lower(code)"))',
        "postgresql",
        "sqlite",
    ),
    change(
        "sequence",
        CODE,
        f'{CODE}, Column("n", Integer, sq, server_default=sq.next_value())',
        *PG,
        more='sq = Sequence("numbers", metadata=Base.metadata)\n',
        decide="table-rewrite",
    ),
    change("type of an extension", CODE, f'{CODE}, Column("value", postgresql.CITEXT)', *PG),
    change(
        "operator class of an extension",
        CODE,
        f'{CODE}, Index("ix_code", "code", postgresql_using="gin",'
        ' postgresql_ops={"code": "gin_trgm_ops"})',
        *PG,
    ),
    change(
        "function of an extension",
        CODE,
        f'{CODE}, Column("key", Uuid, server_default=text("uuid_generate_v4()"))',
        *PG,
        decide="table-rewrite",
    ),
    change(
        "domain table",
        None,
        'Column("mail", mail), Column("other", mail)',
        *PG,
        more=DOMAIN,
    ),
    change("domain column", CODE, f'{CODE}, Column("mail", mail)', *PG, more=DOMAIN),
    change(
        "index with fillfactor",
        f'{CODE}, Index("ix_code", "code")',
        f'{CODE}, Index("ix_code", "code", postgresql_with={{"fillfactor": 50}})',
        *PG,
    ),
    change("hash index", CODE, f'{CODE}, Index("ix_code", "code", postgresql_using="hash")', *PG),
    change(
        "unique index, nulls not distinct",
        CODE,
        f'{CODE}, Column("b", Integer), Index("ix_b", "b", unique=True,'
        " postgresql_nulls_not_distinct=True)",
        *PG,
        decide="upgrade-fails",
    ),
    change("descending index", CODE, f'{CODE}, Index("ix_code", text("code DESC"))'),
    change(
        "prefix index",
        CODE,
        f'{CODE}, Index("ix_code", "code", mysql_length=5, mariadb_length=5)',
        "mariadb",
    ),
    change(
        "fulltext index",
        CODE,
        f'{CODE}, Index("ix_code", "code", mysql_prefix="FULLTEXT", mariadb_prefix="FULLTEXT")',
        "mariadb",
        decide="table-rewrite",
    ),
    change(
        "engine and charset",
        None,
        f'{CODE}, mariadb_engine="InnoDB", mariadb_charset="utf8mb4",'
        ' mariadb_collate="utf8mb4_bin", comment="things"',
        "mariadb",
    ),
    change("table comment", CODE, f'{CODE}, comment="its things"', "postgresql", "mariadb"),
    change("unlogged table", None, f'{CODE}, prefixes=["UNLOGGED"]', *PG),
    change("table options", None, f"{CODE}, postgresql_with={{'fillfactor': 70}}", *PG),
    change("without rowid", None, f"{CODE}, sqlite_with_rowid=False", "sqlite"),
    change("strict table", None, 'Column("code", Text), sqlite_strict=True', "sqlite"),
    change("autoincrement", None, f"{CODE}, sqlite_autoincrement=True", "sqlite"),
    change(
        "identity, always",
        None,
        'Column("n", BigInteger, Identity(always=True, start=5, minvalue=5, cache=3, cycle=True))',
        *PG,
    ),
    change(
        "composite foreign key",
        None,
        'Column("a", Integer), Column("b", Integer),'
        ' ForeignKeyConstraint(["a", "b"], ["pairs.a", "pairs.b"]), Index("ix_ab", "a", "b")',
        more='pairs = Table("pairs", Base.metadata, Column("a", Integer, primary_key=True),'
        ' Column("b", Integer, primary_key=True))\n',
    ),
    change(
        "table in a schema",
        None,
        f'{CODE}, Column("mood", Enum("a", "b", name="mood", schema="other")), schema="other"',
        *PG,
    ),
    change("nullable", 'Column("b", Integer, nullable=False)', 'Column("b", Integer)'),
    change(
        "default dropped",
        'Column("b", Integer, server_default="1")',
        'Column("b", Integer)',
    ),
    change(
        "shorter string",
        'Column("b", String(40))',
        'Column("b", String(20))',
        decide="type-change upgrade-fails",
    ),
    change(
        "integer to bigint",
        'Column("b", Integer)',
        'Column("b", BigInteger)',
        decide="type-change table-rewrite",
    ),
    change(
        "circle with use_alter",
        None,
        'Column("o", ForeignKey("others.id", use_alter=True))',
        more=(
            'others = Table("others", Base.metadata, Column("id", Integer, primary_key=True), '
            'Column("thing", ForeignKey("parents.id")))\n'
        ),
    ),
]
