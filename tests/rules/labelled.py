"""Labelled migrations: what each must be found for, and what it must not be found for.

Each case has its kind, the database, the rules that must be found, those that must not be, the body
of upgrade(), what stands at the top of the module, and the body of the revision before.
"""

from __future__ import annotations

Case = tuple[str, str, list[str], list[str], str, str, str]

CASES: list[Case] = [
    (
        "what another path creates counts as new",
        "postgresql",
        ["drop-column", "set-not-null"],
        [],
        (
            "if op.get_bind().dialect.name == 'sqlite':\n"
            "    op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True))\n"
            "else:\n    op.alter_column('t','c', nullable=False, existing_type=sa.Integer())\n"
            "    op.drop_column('t','d')"
        ),
        "",
        "",
    ),
    (
        "what another path creates counts as new",
        "postgresql",
        ["drop-constraint"],
        [],
        (
            "op.drop_constraint('u','t',type_='unique')\n"
            "if op.get_bind().dialect.name == 'sqlite':\n"
            "    op.create_unique_constraint('u','t',['a'])"
        ),
        "",
        "",
    ),
    (
        "what another path creates counts as new",
        "postgresql",
        ["drop-column", "blocking-index", "not-null-without-default", "unbatched-update"],
        [],
        (
            "if not sa.inspect(op.get_bind()).has_table('t'):\n"
            "    op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True))\n"
            "    return\nop.drop_column('t','c')\nop.execute('UPDATE t SET a = 1')\n"
            "op.create_index('i','t',['c'])\n"
            "op.add_column('t', sa.Column('x', sa.Integer(), nullable=False))"
        ),
        "",
        "",
    ),
    (
        "what another path creates counts as new",
        "postgresql",
        ["blocking-index"],
        [],
        (
            "if not sa.inspect(op.get_bind()).has_table('t'):\n"
            "    op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True))\n"
            "else:\n    op.create_index('i','t',['c'])"
        ),
        "",
        "",
    ),
    (
        "what another path creates counts as new",
        "postgresql",
        ["drop-table"],
        [],
        (
            "if os.environ.get('M') == 'a':\n"
            "    op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True))\n"
            "else:\n    op.drop_table('t')"
        ),
        "import os",
        "",
    ),
    (
        "what another path creates counts as new",
        "postgresql",
        ["drop-column"],
        [],
        (
            "try:\n    op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True))\n"
            "except Exception:\n    op.drop_column('t','c')"
        ),
        "",
        "",
    ),
    (
        "what another path creates counts as new",
        "postgresql",
        [],
        ["blocking-index", "not-null-without-default"],
        (
            "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('c', sa.Text()))\nif op.get_bind().dialect.name == 'postgresql':\n"
            "    op.create_index('i','t',['c'])\n"
            "    op.add_column('t', sa.Column('x', sa.Integer(), nullable=False))"
        ),
        "",
        "",
    ),
    (
        "what another path creates counts as new",
        "postgresql",
        [],
        ["blocking-index"],
        (
            "if op.get_bind().dialect.name == 'postgresql':\n"
            "    op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('c', sa.Text()))\n    op.create_index('i','t',['c'])"
        ),
        "",
        "",
    ),
    (
        "what another path creates counts as new",
        "mariadb",
        ["blocking-unique"],
        [],
        (
            "if op.get_bind().dialect.name == 'postgresql':\n"
            "    op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('c', sa.Text()))\nop.create_unique_constraint('u','t',['c'])"
        ),
        "",
        "",
    ),
    (
        "what another path creates counts as new",
        "postgresql",
        ["drop-column"],
        [],
        (
            "match os.environ.get('M'):\n    case 'a':\n"
            "        op.add_column('t', sa.Column('x', sa.Text()))\n    case _:\n"
            "        op.drop_column('t','x')"
        ),
        "import os",
        "",
    ),
    (
        "what another path creates counts as new",
        "postgresql",
        ["blocking-index"],
        [],
        "create()\nop.create_index('i','t',['c'])",
        (
            "import os\ndef create():\n    if os.environ.get('M'):\n        return\n"
            "    op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('c', sa.Text()))"
        ),
        "",
    ),
    (
        "what another path creates counts as new",
        "postgresql",
        [],
        ["blocking-index"],
        "create()\nop.create_index('i','t',['c'])",
        (
            "def create():\n"
            "    op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('c', sa.Text()))"
        ),
        "",
    ),
    (
        "what may have existed before counts as new",
        "postgresql",
        ["blocking-index"],
        [],
        (
            "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "if_not_exists=True)\nop.create_index('i','t',['c'])"
        ),
        "",
        "",
    ),
    (
        "what may have existed before counts as new",
        "postgresql",
        ["not-null-without-default"],
        [],
        (
            "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "if_not_exists=True)\n"
            "op.add_column('t', sa.Column('x', sa.Integer(), nullable=False))"
        ),
        "",
        "",
    ),
    (
        "what may have existed before counts as new",
        "postgresql",
        [],
        ["blocking-index"],
        (
            "op.drop_table('t', if_exists=True)\n"
            "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "if_not_exists=True)\nop.create_index('i','t',['id'])"
        ),
        "",
        "",
    ),
    (
        "paths that exclude each other are judged together",
        "postgresql",
        [],
        ["autocommit-mixed"],
        (
            "if is_pg(op.get_bind()):\n    with op.get_context().autocommit_block():\n"
            "        op.execute(\"ALTER TYPE e ADD VALUE 'X'\")\nelse:\n"
            "    op.alter_column('f','c', nullable=True, existing_type=sa.Integer())"
        ),
        "from utils.database import is_pg",
        "",
    ),
    (
        "paths that exclude each other are judged together",
        "postgresql",
        ["autocommit-mixed"],
        [],
        (
            "if os.environ.get('A'):\n    op.add_column('t', sa.Column('x', sa.Text()))\n"
            "if os.environ.get('B'):\n    with op.get_context().autocommit_block():\n"
            "        op.create_index('i','t',['c'], postgresql_concurrently=True)"
        ),
        "import os",
        "",
    ),
    (
        "paths that exclude each other are judged together",
        "mariadb",
        [],
        ["data-with-schema", "not-resumable"],
        (
            "if os.environ.get('A'):\n    op.add_column('t', sa.Column('x', sa.Text()))\n"
            "else:\n    op.execute('UPDATE t SET c = 1 WHERE id < 9')"
        ),
        "import os",
        "",
    ),
    (
        "paths that exclude each other are judged together",
        "mariadb",
        ["data-with-schema", "not-resumable"],
        [],
        (
            "op.add_column('t', sa.Column('x', sa.Text()))\nif os.environ.get('A'):\n"
            "    op.execute('UPDATE t SET c = 1 WHERE id < 9')"
        ),
        "import os",
        "",
    ),
    (
        "a method called delete() is mistaken for a DELETE of all rows",
        "postgresql",
        [],
        ["data-loss"],
        "s = Session(bind=op.get_bind())\nfor b in s.query(B).filter(B.x == 1):\n    s.delete(b)",
        (
            "from sqlalchemy.orm import Session, declarative_base\nBase = declarative_base()\n"
            "class B(Base):\n    __tablename__ = 'b'\n"
            "    id = sa.Column(sa.Integer, primary_key=True)\n    x = sa.Column(sa.Integer)"
        ),
        "",
    ),
    (
        "a method called delete() is mistaken for a DELETE of all rows",
        "postgresql",
        [],
        ["data-loss", "unresolved-operation"],
        "requests.delete('http://x')",
        "import requests",
        "",
    ),
    (
        "NOT VALID and VALIDATE in one transaction",
        "postgresql",
        ["constraint-scan"],
        [],
        (
            "op.create_foreign_key('fk','u','o',['oid'],['id'], postgresql_not_valid=True)\n"
            'op.execute("""ALTER TABLE u VALIDATE CONSTRAINT fk""")'
        ),
        "",
        "",
    ),
    (
        "NOT VALID and VALIDATE in one transaction",
        "postgresql",
        ["constraint-scan"],
        [],
        (
            'op.execute("""ALTER TABLE u ADD CONSTRAINT c CHECK (a > 0) NOT VALID; ALTER '
            'TABLE u VALIDATE CONSTRAINT c""")'
        ),
        "",
        "",
    ),
    (
        "NOT VALID and VALIDATE in one transaction",
        "postgresql",
        ["constraint-scan"],
        [],
        (
            "op.create_check_constraint('ck_u_a', 'u', 'a > 0', postgresql_not_valid=True)\n"
            "op.execute('ALTER TABLE u VALIDATE CONSTRAINT ck_u_a')"
        ),
        "",
        "",
    ),
    (
        "NOT VALID and VALIDATE in one transaction",
        "postgresql",
        [],
        ["constraint-scan"],
        (
            "op.create_check_constraint('c','u','a > 0', postgresql_not_valid=True)\n"
            "op.execute('ALTER TABLE u VALIDATE CONSTRAINT d')"
        ),
        "",
        "",
    ),
    (
        "NOT VALID and VALIDATE in one transaction",
        "postgresql",
        [],
        ["constraint-scan"],
        "op.execute('ALTER TABLE u VALIDATE CONSTRAINT c')",
        "",
        "op.create_check_constraint('c','u','a > 0', postgresql_not_valid=True)",
    ),
    (
        "NOT VALID and VALIDATE in one transaction",
        "postgresql",
        [],
        ["constraint-scan"],
        (
            "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('c', sa.Text()))\n"
            "op.create_check_constraint('c','t','id > 0', postgresql_not_valid=True)\n"
            "op.execute('ALTER TABLE t VALIDATE CONSTRAINT c')"
        ),
        "",
        "",
    ),
    (
        "a NOT NULL column loses its default while code that relies on it runs",
        "postgresql",
        ["drop-default"],
        [],
        (
            "op.add_column('p', sa.Column('s', sa.String(100), server_default='', "
            "nullable=False))\nop.alter_column('p','s', server_default=None)"
        ),
        "",
        "",
    ),
    (
        "a NOT NULL column loses its default while code that relies on it runs",
        "postgresql",
        ["drop-default"],
        [],
        (
            'op.execute("""ALTER TABLE p ADD COLUMN s varchar(100) DEFAULT \'\' NOT NULL""")\n'
            'op.execute("""ALTER TABLE p ALTER COLUMN s DROP DEFAULT""")'
        ),
        "",
        "",
    ),
    (
        "a NOT NULL column loses its default while code that relies on it runs",
        "postgresql",
        [],
        ["drop-default"],
        "op.alter_column('t','c', server_default=None)",
        "",
        (
            "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('c', sa.Text()))"
        ),
    ),
    (
        "a NOT NULL column loses its default while code that relies on it runs",
        "postgresql",
        ["drop-default"],
        [],
        "op.alter_column('t','c', server_default=None)",
        "",
        (
            "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('c', sa.Text(), nullable=False, server_default=''))"
        ),
    ),
    (
        "USING changes the values, so the table is rewritten",
        "postgresql",
        ["type-change"],
        [],
        (
            "op.alter_column('t','c', existing_type=sa.String(20), type_=sa.String(30), "
            "postgresql_using='lower(c)')"
        ),
        "",
        "",
    ),
    (
        "USING changes the values, so the table is rewritten",
        "postgresql",
        [],
        ["type-change"],
        (
            "op.alter_column('t','c', existing_type=sa.String(20), type_=sa.String(30), "
            "postgresql_using='c::varchar(30)')"
        ),
        "",
        "",
    ),
    (
        "USING changes the values, so the table is rewritten",
        "postgresql",
        [],
        ["type-change"],
        (
            "op.alter_column('t','c', existing_type=sa.String(20), type_=sa.Text(), "
            "postgresql_using='CAST(c AS text)')"
        ),
        "",
        "",
    ),
    (
        "USING changes the values, so the table is rewritten",
        "postgresql",
        ["type-change"],
        [],
        (
            "op.alter_column('t','c', existing_type=sa.String(20), type_=sa.String(30), "
            "postgresql_using='d::varchar(30)')"
        ),
        "",
        "",
    ),
    (
        "a changed collation rebuilds every index",
        "postgresql",
        ["type-change"],
        [],
        "op.alter_column('t','c', existing_type=sa.String(20), type_=sa.String(20, collation='C'))",
        "",
        "",
    ),
    (
        "a changed collation rebuilds every index",
        "postgresql",
        ["type-change"],
        [],
        "op.execute('ALTER TABLE t ALTER COLUMN c TYPE varchar(30) COLLATE \"C\"')",
        "",
        "",
    ),
    (
        "a list that grows under a condition loses what was known",
        "postgresql",
        ["data-loss"],
        [],
        (
            "s = ['DELETE FROM a']\nif op.get_bind().execute(sa.text('SELECT 1')).scalar():\n"
            "    s += ['DELETE FROM b WHERE id=1']\nfor q in s:\n    op.execute(q)"
        ),
        "",
        "",
    ),
    (
        "a backfill written as an expression",
        "postgresql",
        ["unbatched-update"],
        [],
        (
            "op.add_column('t', sa.Column('c', sa.Integer()))\n"
            "op.execute(t.update().where(t.c.c.is_(None)).values(c=1))"
        ),
        't = sa.table("t", sa.column("id"), sa.column("c"))',
        "",
    ),
    (
        "a backfill written as an expression",
        "postgresql",
        ["unbatched-update"],
        [],
        (
            "op.add_column('t', sa.Column('c', sa.Integer()))\n"
            "op.execute(sa.update(t).where(t.c.c == None).values(c=1))"
        ),
        't = sa.table("t", sa.column("id"), sa.column("c"))',
        "",
    ),
    (
        "a backfill written as an expression",
        "postgresql",
        [],
        ["unbatched-update"],
        "op.execute(t.update().where(t.c.c.is_(None)).values(c=1))",
        't = sa.table("t", sa.column("id"), sa.column("c"))',
        "",
    ),
    (
        "a backfill written as an expression",
        "postgresql",
        [],
        ["unbatched-update"],
        (
            "op.add_column('t', sa.Column('c', sa.Integer()))\n"
            "op.execute(t.update().where(t.c.id.is_(None)).values(c=1))"
        ),
        't = sa.table("t", sa.column("id"), sa.column("c"))',
        "",
    ),
    (
        "DETACH PARTITION without CONCURRENTLY locks parent and part",
        "postgresql",
        ["blocks-readers"],
        [],
        'op.execute("""ALTER TABLE m DETACH PARTITION m_2006""")',
        "",
        "",
    ),
    (
        "a drop excused by a rename",
        "postgresql",
        ["drop-table"],
        [],
        "op.rename_table('t','t_old')\nop.drop_table('t_old')",
        "",
        "",
    ),
    (
        "a drop excused by a rename",
        "postgresql",
        [],
        ["drop-table"],
        (
            "op.create_table('t_new', sa.Column('id', sa.Integer(), primary_key=True))\n"
            "op.execute('INSERT INTO t_new SELECT id FROM t')\nop.drop_table('t')\n"
            "op.rename_table('t_new','t')"
        ),
        "",
        "",
    ),
    (
        "NOT NULL in other spellings",
        "postgresql",
        ["not-null-without-default"],
        [],
        "op.add_column('p', sa.Column('s', sa.Text(), server_default=sa.null(), nullable=False))",
        "",
        "",
    ),
    (
        "NOT NULL in other spellings",
        "postgresql",
        ["set-not-null"],
        [],
        'op.execute("""ALTER TABLE t ADD CONSTRAINT nn NOT NULL id""")',
        "",
        "",
    ),
    (
        "an enum type that nothing creates",
        "postgresql",
        ["enum-missing"],
        [],
        "op.add_column('t', sa.Column('s', sa.Enum('a','b', name='st')))",
        "",
        "",
    ),
    (
        "an enum type that nothing creates",
        "postgresql",
        [],
        ["enum-missing"],
        "op.add_column('t', sa.Column('s', sa.Enum('a', name='st')))",
        "",
        (
            "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('r', sa.Enum('a', name='st')))"
        ),
    ),
    (
        "an enum type that nothing creates",
        "postgresql",
        ["enum-missing"],
        [],
        "op.add_column('t', sa.Column('s', sa.Enum('a', name='st')))",
        "",
        (
            "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('c', sa.Text()))"
        ),
    ),
    (
        "an enum type that nothing creates",
        "postgresql",
        [],
        ["enum-missing"],
        "op.add_column('elsewhere', sa.Column('s', sa.Enum('a', name='st')))",
        "",
        (
            "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('c', sa.Text()))"
        ),
    ),
    (
        "scans of other statements",
        "postgresql",
        ["constraint-scan"],
        [],
        'op.execute("""ALTER DOMAIN email ADD CONSTRAINT c CHECK (VALUE <> \'\')""")',
        "",
        "",
    ),
    (
        "scans of other statements",
        "postgresql",
        [],
        ["constraint-scan"],
        "op.execute(\"ALTER DOMAIN email ADD CONSTRAINT c CHECK (VALUE <> '') NOT VALID\")",
        "",
        "",
    ),
    (
        "scans of other statements",
        "postgresql",
        [],
        ["constraint-scan"],
        (
            "op.execute('CREATE DOMAIN email AS text')\n"
            "op.execute(\"ALTER DOMAIN email ADD CONSTRAINT c CHECK (VALUE <> '')\")"
        ),
        "",
        "",
    ),
    (
        "scans of other statements",
        "postgresql",
        ["constraint-scan"],
        [],
        "op.execute('ALTER DOMAIN email SET NOT NULL')",
        "",
        "",
    ),
    (
        "what running code uses goes away",
        "postgresql",
        ["drop-object"],
        [],
        'op.execute("""DROP VIEW v""")',
        "",
        "",
    ),
    (
        "what running code uses goes away",
        "postgresql",
        ["rename-object"],
        [],
        'op.execute("""ALTER TYPE status RENAME VALUE \'a\' TO \'b\'""")',
        "",
        "",
    ),
    (
        "a statement that locks readers out for as long as it runs",
        "postgresql",
        ["blocks-readers"],
        [],
        'op.execute("""REFRESH MATERIALIZED VIEW v""")',
        "",
        "",
    ),
    (
        "a statement that locks readers out for as long as it runs",
        "postgresql",
        [],
        ["blocks-readers"],
        (
            "op.execute('CREATE MATERIALIZED VIEW v AS SELECT 1 WITH NO DATA')\n"
            "op.execute('REFRESH MATERIALIZED VIEW v')"
        ),
        "",
        "",
    ),
    (
        "MySQL copies the table",
        "mysql",
        ["table-rewrite"],
        [],
        'op.execute("""ALTER TABLE t PARTITION BY HASH(id) PARTITIONS 4""")',
        "",
        "",
    ),
    (
        "MySQL copies the table",
        "mysql",
        ["table-rewrite"],
        [],
        'op.execute("""ALTER TABLE t ADD INDEX i (a), ALGORITHM=COPY""")',
        "",
        "",
    ),
    (
        "MySQL copies the table",
        "mysql",
        ["table-rewrite"],
        [],
        "op.execute('ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (a)')",
        "",
        "",
    ),
    (
        "MySQL copies the table",
        "mysql",
        ["table-rewrite"],
        [],
        "op.execute('ALTER TABLE t REMOVE PARTITIONING')",
        "",
        "",
    ),
    (
        "K19 no change of the database type",
        "postgresql",
        [],
        ["type-change"],
        (
            "op.alter_column('t','c', existing_type=sa.UUID(as_uuid=False), "
            "type_=sa.UUID(as_uuid=True))"
        ),
        "",
        "",
    ),
    (
        "K20 silent operation",
        "postgresql",
        ["drop-table"],
        [],
        "context.execute('DROP TABLE t')",
        "",
        "",
    ),
    (
        "SET NOT NULL excused by a VALIDATE of something else",
        "postgresql",
        ["set-not-null"],
        [],
        (
            "op.execute('ALTER TABLE authors VALIDATE CONSTRAINT name_nn')\n"
            "op.alter_column('authors', 'email', nullable=False, existing_type=sa.Text())"
        ),
        "",
        (
            "op.execute('ALTER TABLE authors ADD CONSTRAINT name_nn CHECK (name IS NOT NULL) "
            "NOT VALID')"
        ),
    ),
    (
        "SET NOT NULL excused by a VALIDATE of something else",
        "postgresql",
        ["set-not-null"],
        [],
        "op.alter_column('t','c', nullable=False, existing_type=sa.Text())",
        "",
        "op.execute('ALTER TABLE t ADD CONSTRAINT c_nn CHECK (c IS NOT NULL) NOT VALID')",
    ),
    (
        "SET NOT NULL excused by a VALIDATE of something else",
        "postgresql",
        ["set-not-null"],
        [],
        (
            "op.execute('ALTER TABLE t VALIDATE CONSTRAINT c_nn')\n"
            "op.alter_column('t','c', nullable=False, existing_type=sa.Text())"
        ),
        "",
        (
            "op.execute('ALTER TABLE t ADD CONSTRAINT c_nn CHECK (c IS NOT NULL OR d IS NOT "
            "NULL) NOT VALID')"
        ),
    ),
    (
        "SET NOT NULL excused by a VALIDATE of something else",
        "postgresql",
        ["set-not-null"],
        [],
        "op.alter_column('t','c', nullable=False, existing_type=sa.Text())",
        "",
        "op.execute('ALTER TABLE u ADD CONSTRAINT c_nn CHECK (c IS NOT NULL)')",
    ),
    (
        "a CHECK that was validated in the revision before excuses SET NOT NULL",
        "postgresql",
        [],
        ["set-not-null"],
        "op.alter_column('authors', 'name', nullable=False, existing_type=sa.Text())",
        "",
        (
            "op.execute('ALTER TABLE authors ADD CONSTRAINT name_nn CHECK (name IS NOT NULL) "
            "NOT VALID')\nop.execute('ALTER TABLE authors VALIDATE CONSTRAINT name_nn')"
        ),
    ),
    (
        "a CHECK that was validated in the revision before excuses SET NOT NULL",
        "postgresql",
        [],
        ["set-not-null"],
        (
            "op.execute('ALTER TABLE t VALIDATE CONSTRAINT C_NN')\n"
            "op.alter_column('t','c', nullable=False, existing_type=sa.Text())"
        ),
        "",
        (
            "op.create_check_constraint('c_nn','t','c IS NOT NULL AND length(c) < 9', "
            "postgresql_not_valid=True)"
        ),
    ),
    (
        "the migration ends its own transaction",
        "postgresql",
        ["transaction-control"],
        [],
        (
            "op.add_column('t', sa.Column('x', sa.Integer()))\nop.execute('COMMIT')\n"
            "op.create_index('i', 't', ['x'], postgresql_concurrently=True)"
        ),
        "",
        "",
    ),
    (
        "the migration ends its own transaction",
        "postgresql",
        ["transaction-control"],
        [],
        "op.execute('INSERT INTO t (a) VALUES (1)')\nop.execute('ROLLBACK')",
        "",
        "",
    ),
    (
        "PostgreSQL 18: a foreign key that is not enforced scans nothing",
        "postgresql",
        [],
        ["constraint-scan"],
        (
            "op.execute('ALTER TABLE u ADD CONSTRAINT fk FOREIGN KEY (oid) REFERENCES o (id) "
            "NOT ENFORCED')"
        ),
        "",
        "",
    ),
    (
        "PRIMARY KEY USING INDEX on a column that may be NULL scans the table",
        "postgresql",
        ["set-not-null"],
        [],
        "op.execute('ALTER TABLE t ADD CONSTRAINT pk_t PRIMARY KEY USING INDEX ix_t')",
        "",
        "op.execute('CREATE TABLE t (id int)')\nop.execute('CREATE UNIQUE INDEX ix_t ON t (id)')",
    ),
    (
        "PRIMARY KEY USING INDEX on a column that may be NULL scans the table",
        "postgresql",
        [],
        ["set-not-null", "blocking-unique"],
        "op.execute('ALTER TABLE t ADD CONSTRAINT pk_t PRIMARY KEY USING INDEX ix_t')",
        "",
        (
            "op.execute('CREATE TABLE t (id int NOT NULL)')\n"
            "op.execute('CREATE UNIQUE INDEX ix_t ON t (id)')"
        ),
    ),
    (
        "a word that is switched off",
        "postgresql",
        [],
        ["data-loss"],
        "with op.get_context().autocommit_block():\n    op.execute('VACUUM (FULL FALSE) t')",
        "",
        "",
    ),
    (
        "a word that is switched off",
        "postgresql",
        ["data-loss"],
        [],
        "with op.get_context().autocommit_block():\n    op.execute('VACUUM (FULL, ANALYZE) t')",
        "",
        "",
    ),
    (
        "an autocommit block commits what came before it, whatever is in it",
        "postgresql",
        ["autocommit-mixed"],
        [],
        (
            "op.add_column('t', sa.Column('x', sa.Integer()))\n"
            "with op.get_context().autocommit_block():\n    op.execute('SELECT 1')"
        ),
        "",
        "",
    ),
    (
        "a new foreign key without an index that begins with it",
        "postgresql",
        ["foreign-key-without-index"],
        [],
        (
            "op.add_column('u', sa.Column('o_id', sa.Integer()))\n"
            "op.create_foreign_key('fk_u_o', 'u', 'o', ['o_id'], ['id'], "
            "postgresql_not_valid=True)"
        ),
        "",
        "",
    ),
    (
        "a new foreign key without an index that begins with it",
        "postgresql",
        [],
        ["foreign-key-without-index"],
        "op.create_foreign_key('fk','t','o',['c'],['id'], postgresql_not_valid=True)",
        "",
        (
            "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('c', sa.Text()))\nop.create_index('i','t',['c','id'])"
        ),
    ),
    (
        "a new foreign key without an index that begins with it",
        "postgresql",
        ["foreign-key-without-index"],
        [],
        "op.create_foreign_key('fk','t','o',['c'],['id'], postgresql_not_valid=True)",
        "",
        (
            "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('c', sa.Text()))\nop.create_index('i','t',['id','c'])"
        ),
    ),
    (
        "a new foreign key with an index that begins with it",
        "postgresql",
        [],
        ["foreign-key-without-index"],
        (
            "op.create_table('v', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('o_id', sa.Integer(), sa.ForeignKey('o.id', name='fk_v_o'), "
            "nullable=False))\nop.create_index('ix_v_o_id', 'v', ['o_id'])"
        ),
        "",
        "",
    ),
    (
        "what is dropped and created again in the same migration is not lost",
        "postgresql",
        [],
        ["drop-object"],
        "op.execute('DROP VIEW v')\nop.execute('CREATE VIEW v AS SELECT id FROM t')",
        "",
        "",
    ),
    (
        "MySQL: writers wait",
        "mysql",
        ["table-rewrite"],
        [],
        "op.execute('ALTER TABLE t ADD FULLTEXT INDEX ft (body)')",
        "",
        "",
    ),
    (
        "MySQL: writers wait",
        "mysql",
        ["table-rewrite"],
        [],
        "op.execute('ALTER TABLE t ADD COLUMN x INT, ALGORITHM=COPY')",
        "",
        "",
    ),
    (
        "MySQL: writers wait",
        "mariadb",
        ["table-rewrite"],
        [],
        "op.create_index('ft','t',['c'], mysql_prefix='FULLTEXT')",
        "",
        "",
    ),
    (
        "MySQL: writers wait",
        "mysql",
        ["table-rewrite"],
        [],
        "op.execute('CREATE SPATIAL INDEX sp ON t (g)')",
        "",
        "",
    ),
    (
        "MySQL: writers wait",
        "mysql",
        [],
        ["table-rewrite"],
        "op.create_index('i','t',['c'])",
        "",
        "",
    ),
    (
        "MySQL: writers wait",
        "mysql",
        [],
        ["table-rewrite"],
        "op.execute('ALTER TABLE t ADD COLUMN x INT, ALGORITHM=INSTANT')",
        "",
        "",
    ),
    (
        "MySQL: writers wait",
        "mysql",
        [],
        ["table-rewrite"],
        (
            "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('c', sa.Text()))\nop.execute('CREATE FULLTEXT INDEX ft ON t (c)')"
        ),
        "",
        "",
    ),
    (
        (
            "an index on a partitioned table can't be built CONCURRENTLY: the fix says ON "
            "ONLY, then ATTACH"
        ),
        "postgresql",
        ["blocking-index"],
        [],
        "op.create_index('ix_m_a', 'm', ['a'])",
        "",
        "op.execute('CREATE TABLE m (a int, d date) PARTITION BY RANGE (d)')",
    ),
    (
        "the same type in other words",
        "postgresql",
        [],
        ["type-change"],
        (
            "op.alter_column('t', 'c', existing_type=sa.UUID(as_uuid=False), "
            "type_=sa.UUID(as_uuid=True))"
        ),
        "",
        "",
    ),
    (
        "an excuse on another path is none",
        "postgresql",
        ["set-not-null"],
        [],
        (
            "if op.get_bind().dialect.name == 'sqlite':\n"
            "    op.create_check_constraint('ck','t','c IS NOT NULL')\n"
            "op.alter_column('t','c', nullable=False, existing_type=sa.Text())"
        ),
        "",
        "",
    ),
    (
        "an excuse on another path is none",
        "postgresql",
        ["not-null-without-default"],
        [],
        (
            "if os.environ.get('EMPTY'):\n    op.execute('DELETE FROM t')\n"
            "op.add_column('t', sa.Column('x', sa.Integer(), nullable=False))"
        ),
        "import os",
        "",
    ),
    (
        "an excuse on another path is none",
        "postgresql",
        ["concurrent-if-not-exists"],
        [],
        (
            "with op.get_context().autocommit_block():\n    if os.environ.get('X'):\n"
            "        op.drop_index('i','t', if_exists=True, postgresql_concurrently=True)\n"
            "    op.create_index('i','t',['c'], if_not_exists=True, "
            "postgresql_concurrently=True)"
        ),
        "import os",
        "",
    ),
    (
        "an excuse on another path is none",
        "postgresql",
        ["drop-object"],
        [],
        (
            "op.execute('DROP VIEW v')\nif os.environ.get('X'):\n"
            "    op.execute('CREATE VIEW v AS SELECT 1')"
        ),
        "import os",
        "",
    ),
    (
        "a partitioned table",
        "postgresql",
        ["blocking-index"],
        [],
        (
            "with op.get_context().autocommit_block():\n"
            "    op.create_index('i','m',['a'], postgresql_concurrently=True)"
        ),
        "",
        "op.create_table('m', sa.Column('a', sa.Integer()), postgresql_partition_by='RANGE (a)')",
    ),
    (
        "a partitioned table",
        "postgresql",
        [],
        ["blocking-index"],
        "op.execute('CREATE INDEX i ON ONLY m (a)')",
        "",
        "op.create_table('m', sa.Column('a', sa.Integer()), postgresql_partition_by='RANGE (a)')",
    ),
    *(
        (
            "an index of a partitioned table is dropped: PostgreSQL refuses CONCURRENTLY",
            "postgresql",
            ["blocking-index"],
            [],
            code,
            "",
            (
                "op.create_table('m', sa.Column('a', sa.Integer()),"
                " postgresql_partition_by='RANGE (a)')\n"
                "op.create_index('i', 'm', ['a'])"
            ),
        )
        for code in (
            "op.drop_index('i', 'm')",
            "op.execute('DROP INDEX i')",
            "with op.get_context().autocommit_block():\n"
            "    op.drop_index('i', 'm', postgresql_concurrently=True)",
        )
    ),
    (
        "ATTACH PARTITION without a CHECK that proves the bounds",
        "postgresql",
        ["constraint-scan"],
        [],
        'op.execute("ALTER TABLE m ATTACH PARTITION m6 FOR VALUES FROM (1) TO (2)")',
        "",
        (
            "op.execute('CREATE TABLE m (a int, d date) PARTITION BY RANGE (d)')\n"
            "op.execute('CREATE TABLE m6 (a int, d date)')"
        ),
    ),
    (
        "ATTACH PARTITION without a CHECK that proves the bounds",
        "postgresql",
        [],
        ["constraint-scan"],
        'op.execute("ALTER TABLE m ATTACH PARTITION m6 FOR VALUES FROM (1) TO (2)")',
        "",
        (
            "op.execute('CREATE TABLE m (a int, d int) PARTITION BY RANGE (d)')\n"
            "op.execute('CREATE TABLE m6 (a int, d int)')\n"
            "op.execute('ALTER TABLE m6 ADD CONSTRAINT b CHECK (d IS NOT NULL AND d >= 1 AND "
            "d < 2) NOT VALID')\nop.execute('ALTER TABLE m6 VALIDATE CONSTRAINT b')"
        ),
    ),
    (
        "ATTACH PARTITION without a CHECK that proves the bounds",
        "postgresql",
        ["constraint-scan"],
        [],
        'op.execute("ALTER TABLE m ATTACH PARTITION m6 FOR VALUES FROM (1) TO (2)")',
        "",
        (
            "op.execute('CREATE TABLE m (a int, d int) PARTITION BY RANGE (d)')\n"
            "op.execute('CREATE TABLE m6 (a int, d int, CHECK (a > 0))')"
        ),
    ),
    (
        "ATTACH PARTITION without a CHECK that proves the bounds",
        "postgresql",
        [],
        ["constraint-scan"],
        (
            "op.execute('CREATE TABLE m6 (a int, d int)')\n"
            "op.execute('ALTER TABLE m ATTACH PARTITION m6 FOR VALUES FROM (1) TO (2)')"
        ),
        "",
        "op.execute('CREATE TABLE m (a int, d int) PARTITION BY RANGE (d)')",
    ),
    (
        "PostgreSQL 18: a NOT NULL or CHECK that is not enforced or not valid scans nothing",
        "postgresql",
        [],
        ["constraint-scan", "set-not-null"],
        (
            "op.execute('ALTER TABLE t ADD CONSTRAINT nn NOT NULL id NOT VALID')\n"
            "op.execute('ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0) NOT ENFORCED')"
        ),
        "",
        "",
    ),
    (
        "PostgreSQL 17 and 18: generated columns",
        "postgresql",
        ["table-rewrite"],
        [],
        "op.execute('ALTER TABLE t ALTER COLUMN c SET EXPRESSION AS (a * 3)')",
        "",
        "",
    ),
    (
        "PostgreSQL 17 and 18: generated columns",
        "postgresql",
        [],
        ["table-rewrite"],
        "op.execute('ALTER TABLE t ADD COLUMN c int GENERATED ALWAYS AS (a * 3) VIRTUAL')",
        "",
        "",
    ),
    (
        "PostgreSQL 17 and 18: generated columns",
        "postgresql",
        ["table-rewrite"],
        [],
        "op.execute('ALTER TABLE t ADD COLUMN c int GENERATED ALWAYS AS (a * 3) STORED')",
        "",
        "",
    ),
    (
        "a domain with a constraint rewrites the table",
        "postgresql",
        ["table-rewrite"],
        [],
        "op.execute('ALTER TABLE t ADD COLUMN m email')",
        "",
        "op.execute(\"CREATE DOMAIN email AS text CHECK (VALUE <> '')\")",
    ),
    (
        "a domain with a constraint rewrites the table",
        "postgresql",
        [],
        ["table-rewrite"],
        "op.execute('ALTER TABLE t ADD COLUMN m email')",
        "",
        "op.execute('CREATE DOMAIN email AS text')",
    ),
    (
        "a type change under a CHECK",
        "postgresql",
        ["type-change"],
        [],
        "op.alter_column('t','c', existing_type=sa.String(20), type_=sa.String(30))",
        "",
        (
            "op.create_table('t', sa.Column('c', sa.String(20)), "
            "sa.CheckConstraint(\"c <> ''\", name='ck'))"
        ),
    ),
    (
        "a type change under a CHECK",
        "postgresql",
        [],
        ["type-change"],
        "op.alter_column('t','c', existing_type=sa.String(20), type_=sa.String(30))",
        "",
        (
            "op.create_table('t', sa.Column('c', sa.String(20)), "
            "sa.CheckConstraint(\"cc <> ''\", name='ck'))"
        ),
    ),
    (
        "a type change under a CHECK",
        "mariadb",
        [],
        ["type-change"],
        (
            "op.alter_column('t','c', existing_type=sa.String(20), type_=sa.String(30), "
            "existing_nullable=True)"
        ),
        "",
        (
            "op.create_table('t', sa.Column('c', sa.String(20)), "
            "sa.CheckConstraint(\"c <> ''\", name='ck'))"
        ),
    ),
    (
        "the 256th value of an enum",
        "mysql",
        ["type-change"],
        [],
        (
            "op.alter_column('t','e', existing_type=sa.Enum(*[f'v{i}' for i in range(255)], "
            "name='e'), type_=sa.Enum(*[f'v{i}' for i in range(256)], name='e'), "
            "existing_nullable=True)"
        ),
        "",
        "",
    ),
    (
        "the 256th value of an enum",
        "mysql",
        [],
        ["type-change"],
        (
            "op.alter_column('t','e', existing_type=sa.Enum(*[f'v{i}' for i in range(254)], "
            "name='e'), type_=sa.Enum(*[f'v{i}' for i in range(255)], name='e'), "
            "existing_nullable=True)"
        ),
        "",
        "",
    ),
    (
        "MySQL: readers wait",
        "mysql",
        ["blocks-readers"],
        [],
        "op.execute('ALTER TABLE t ADD COLUMN x INT, LOCK=EXCLUSIVE')",
        "",
        "",
    ),
    (
        "MySQL: readers wait",
        "mysql",
        ["blocks-readers"],
        [],
        "op.execute('LOCK TABLES t WRITE')",
        "",
        "",
    ),
    (
        "MySQL: readers wait",
        "mysql",
        [],
        ["blocks-readers"],
        "op.execute('LOCK TABLES t READ')",
        "",
        "",
    ),
    (
        "MySQL: a UNIQUE fails on duplicates",
        "mysql",
        ["blocking-unique"],
        [],
        "op.create_unique_constraint('u','t',['c'])",
        "",
        "",
    ),
    (
        "MySQL: a UNIQUE fails on duplicates",
        "mysql",
        ["blocking-unique"],
        [],
        "op.create_index('u','t',['c'], unique=True)",
        "",
        "",
    ),
    (
        "MySQL: a UNIQUE fails on duplicates",
        "mysql",
        [],
        ["blocking-unique"],
        "op.create_index('u','t',['c'])",
        "",
        "",
    ),
    (
        "MySQL ignores an inline REFERENCES before version 9",
        "mysql",
        ["constraint-scan"],
        [],
        "op.execute('ALTER TABLE t ADD COLUMN c INT REFERENCES u(id)')",
        "",
        "",
    ),
    (
        "MySQL ignores an inline REFERENCES before version 9",
        "mysql",
        [],
        ["constraint-scan"],
        "op.execute('ALTER TABLE t ADD COLUMN c INT')",
        "",
        "",
    ),
    (
        "unquoted names fold",
        "postgresql",
        [],
        ["blocking-index"],
        (
            "op.execute('CREATE TABLE Clips (id int PRIMARY KEY)')\n"
            "op.create_index('i','clips',['id'])"
        ),
        "",
        "",
    ),
    (
        "unquoted names fold",
        "postgresql",
        ["unbatched-update"],
        [],
        (
            "op.execute('ALTER TABLE T ADD COLUMN Slug text')\n"
            "op.execute('UPDATE t SET slug = 1 WHERE SLUG IS NULL')"
        ),
        "",
        "",
    ),
    (
        "an upgrade that only reads needs no downgrade",
        "postgresql",
        [],
        ["empty-downgrade"],
        "op.get_bind().execute(sa.text('SELECT count(*) FROM t'))",
        "#pass",
        "",
    ),
    (
        "an upgrade that only reads needs no downgrade",
        "postgresql",
        ["empty-downgrade"],
        [],
        "op.get_bind().execute(sa.text(\"SELECT setval('s', 9)\"))",
        "#pass",
        "",
    ),
    (
        "an index that goes with its column",
        "postgresql",
        ["drop-column"],
        ["blocking-index"],
        "op.drop_index('ix_t_c', table_name='t')\nop.drop_column('t', 'c')",
        "",
        "",
    ),
    (
        "an index that goes with its column",
        "postgresql",
        ["drop-column"],
        ["blocking-index"],
        "op.drop_column('t', 'd')\nop.drop_index('by_day', table_name='t')",
        "",
        (
            "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('d', sa.Date()))\nop.create_index('by_day', 't', ['d'])"
        ),
    ),
    (
        "an index that goes with its column",
        "postgresql",
        ["blocking-index"],
        [],
        "op.drop_index('ix_t_cd', table_name='t')\nop.drop_column('t', 'c')",
        "",
        "",
    ),
    (
        "an index that goes with its column",
        "postgresql",
        ["blocking-index"],
        [],
        "op.drop_index('ix_t_c', table_name='t')\nop.drop_column('u', 'c')",
        "",
        "",
    ),
    (
        "what a condition of its own guards can run again",
        "mysql",
        [],
        ["not-resumable"],
        (
            "columns = {c['name'] for c in sa.inspect(op.get_bind()).get_columns('t')}\n"
            "if 'a' not in columns:\n    op.add_column('t', sa.Column('a', sa.Text()))\n"
            "if 'b' not in columns:\n    op.add_column('t', sa.Column('b', sa.Text()))"
        ),
        "",
        "",
    ),
    (
        "what a condition of its own guards can run again",
        "mysql",
        [],
        ["not-resumable"],
        (
            "try:\n    op.add_column('t', sa.Column('a', sa.Text()))\n"
            "except Exception as error:\n    if 'duplicate' not in str(error):\n"
            "        raise\nop.create_index('i', 't', ['a'])"
        ),
        "",
        "",
    ),
    (
        "what a condition of its own guards can run again",
        "mysql",
        ["not-resumable"],
        [],
        (
            "if not sa.inspect(op.get_bind()).has_table('t'):\n    return\n"
            "op.add_column('t', sa.Column('a', sa.Text()))\n"
            "op.add_column('t', sa.Column('b', sa.Text()))"
        ),
        "",
        "",
    ),
    (
        "what a condition of its own guards can run again",
        "mysql",
        ["not-resumable"],
        [],
        (
            "try:\n    op.add_column('t', sa.Column('a', sa.Text()))\nexcept Exception:\n"
            "    print('failed')\n    raise\nop.create_index('i', 't', ['a'])"
        ),
        "",
        "",
    ),
    (
        "what a condition of its own guards can run again",
        "mysql",
        ["not-resumable"],
        [],
        (
            "op.add_column('t', sa.Column('a', sa.Text()))\n"
            "if 'i' not in sa.inspect(op.get_bind()).get_indexes('t'):\n"
            "    op.create_index('i', 't', ['a'])"
        ),
        "",
        "",
    ),
    (
        "what a condition of its own guards can run again",
        "mariadb",
        [],
        ["not-resumable"],
        (
            "op.execute(CreateSequence(Sequence('s'), if_not_exists=True))\n"
            "op.create_index('i', 't', ['a'])"
        ),
        "from sqlalchemy.schema import CreateSequence, Sequence",
        "",
    ),
    (
        "a statement that changes nothing needs no way back",
        "mysql",
        [],
        ["empty-downgrade"],
        "op.alter_column('t', 'c', existing_type=sa.String(64))",
        "#pass",
        "",
    ),
    (
        "a statement that changes nothing needs no way back",
        "mysql",
        ["empty-downgrade"],
        [],
        "op.alter_column('t', 'c', existing_type=sa.String(64), nullable=True)",
        "#pass",
        "",
    ),
    (
        "a statement that changes nothing needs no way back",
        "postgresql",
        [],
        ["empty-downgrade"],
        "op.execute(\"ALTER TYPE e ADD VALUE 'a';\")\nop.execute(\"ALTER TYPE e ADD VALUE 'b';\")",
        "#pass",
        "",
    ),
    (
        "a statement that changes nothing needs no way back",
        "postgresql",
        ["empty-downgrade"],
        [],
        "op.execute(\"ALTER TYPE e ADD VALUE 'a'; CREATE VIEW v AS SELECT 1;\")",
        "#pass",
        "",
    ),
    (
        "a constraint that is replaced under another name",
        "postgresql",
        [],
        ["drop-constraint"],
        (
            "op.drop_constraint('pk_a', 'a', type_='primary')\nop.rename_table('a', 'b')\n"
            "op.create_primary_key('pk_b', 'b', ['id'])"
        ),
        "",
        "",
    ),
    (
        "a constraint that is replaced under another name",
        "postgresql",
        ["constraint-scan"],
        ["drop-constraint"],
        (
            "op.execute('ALTER TABLE t DROP CONSTRAINT fk_t_much_too_long_a_name')\n"
            "op.execute('ALTER TABLE t ADD CONSTRAINT fk_t FOREIGN KEY (c) REFERENCES o (id)')"
        ),
        "",
        "",
    ),
    (
        "a constraint that is replaced under another name",
        "postgresql",
        [],
        ["drop-constraint"],
        (
            "op.execute('ALTER TABLE t DROP CONSTRAINT only_once')\n"
            "op.create_unique_constraint('once', 't', ['a', 'b'])"
        ),
        "",
        "op.create_unique_constraint('only_once', 't', ['a'])",
    ),
    (
        "a constraint that is replaced under another name",
        "postgresql",
        ["drop-constraint"],
        [],
        (
            "op.execute('ALTER TABLE t DROP CONSTRAINT uq_t_a')\n"
            "op.execute('ALTER TABLE t ADD CONSTRAINT fk_t FOREIGN KEY (c) REFERENCES o (id)')"
        ),
        "",
        "",
    ),
    (
        "a constraint that is replaced under another name",
        "postgresql",
        ["drop-constraint"],
        [],
        (
            "op.drop_constraint('pk_a', 'a', type_='primary')\n"
            "op.create_primary_key('pk_b', 'b', ['id'])"
        ),
        "",
        "",
    ),
    (
        "a foreign key that is replaced is not new",
        "postgresql",
        ["constraint-scan"],
        ["foreign-key-without-index"],
        (
            "op.drop_constraint('fk', 't', type_='foreignkey')\n"
            "op.create_foreign_key('fk', 't', 'o', ['c'], ['id'], ondelete='CASCADE')"
        ),
        "",
        (
            "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('c', sa.Integer(), sa.ForeignKey('o.id', name='fk')))"
        ),
    ),
    (
        "a foreign key that is replaced is not new",
        "postgresql",
        ["foreign-key-without-index"],
        [],
        "op.create_foreign_key('fk2', 't', 'o', ['d'], ['id'], postgresql_not_valid=True)",
        "",
        (
            "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('d', sa.Integer()), sa.Column('c', sa.Integer(), sa.ForeignKey('o.id', "
            "name='fk')))"
        ),
    ),
    (
        "what a table was called before",
        "postgresql",
        [],
        ["foreign-key-without-index"],
        "op.create_foreign_key('fk', 'new', 'o', ['c'], ['id'], postgresql_not_valid=True)",
        "",
        (
            "op.create_table('old', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('c', sa.Integer(), index=True))\nop.rename_table('old', 'new')"
        ),
    ),
    (
        "what a table was called before",
        "postgresql",
        ["foreign-key-without-index"],
        [],
        "op.create_foreign_key('fk', 'new', 'o', ['c'], ['id'], postgresql_not_valid=True)",
        "",
        (
            "op.create_table('old', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('c', sa.Integer()))\nop.rename_table('old', 'new')"
        ),
    ),
    (
        "what a table was called before",
        "postgresql",
        ["set-not-null"],
        [],
        "op.alter_column('old', 'c', nullable=False)",
        "",
        "op.create_check_constraint('ck', 'new', 'c IS NOT NULL')\nop.rename_table('other', 'new')",
    ),
    (
        "a longer varchar where a character has fewer bytes",
        "mysql",
        [],
        ["type-change"],
        (
            "op.alter_column('t', 'c', existing_type=sa.String(36), type_=sa.String(64), "
            "existing_nullable=True)"
        ),
        "",
        (
            "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('c', sa.String(36)), mysql_charset='utf8')"
        ),
    ),
    (
        "a longer varchar where a character has fewer bytes",
        "mysql",
        ["type-change"],
        [],
        (
            "op.alter_column('t', 'c', existing_type=sa.String(36), type_=sa.String(64), "
            "existing_nullable=True)"
        ),
        "",
        (
            "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('c', sa.String(36)), mysql_charset='utf8mb4')"
        ),
    ),
    (
        "the schema of the search path",
        "postgresql",
        [],
        ["blocking-index", "blocking-unique"],
        (
            "op.execute('''SET search_path = s, public; CREATE TABLE s.t (id int); CREATE "
            "INDEX i ON t (id); ALTER TABLE t ADD PRIMARY KEY (id)''')"
        ),
        "",
        "",
    ),
    (
        "the schema of the search path",
        "postgresql",
        ["blocking-index"],
        [],
        (
            "op.execute('''SET search_path = s, public; CREATE TABLE r.t (id int); CREATE "
            "INDEX i ON t (id)''')"
        ),
        "",
        "",
    ),
    (
        "a query of SQLAlchemy reads",
        "postgresql",
        [],
        ["unresolved-operation"],
        (
            "t = sa.table('t', sa.column('id'))\n"
            "for row in op.get_bind().execute(t.select().where(t.c.id > 1)):\n    print(row)"
        ),
        "",
        "",
    ),
    (
        "parameters that are bound to a text",
        "postgresql",
        ["unbatched-update"],
        ["unresolved-operation"],
        "op.get_bind().execute(sa.text('UPDATE t SET a = :a').params({'a': 1}))",
        "",
        "",
    ),
    (
        "parameters that are bound to a text",
        "postgresql",
        [],
        ["unbatched-update"],
        "op.get_bind().execute(sa.text('UPDATE t SET a = :a WHERE id = 1').params({'a': 1}))",
        "",
        "",
    ),
    (
        "a dialect by its class",
        "postgresql",
        [],
        ["drop-column"],
        "if isinstance(op.get_bind().dialect, MySQLDialect):\n    op.drop_column('t', 'c')",
        "from sqlalchemy.dialects.mysql.base import MySQLDialect",
        "",
    ),
    (
        "a dialect by its class",
        "mariadb",
        ["drop-column"],
        [],
        "if isinstance(op.get_bind().dialect, MySQLDialect):\n    op.drop_column('t', 'c')",
        "from sqlalchemy.dialects.mysql.base import MySQLDialect",
        "",
    ),
    (
        "a dialect by its class",
        "postgresql",
        ["drop-column"],
        [],
        "if isinstance(op.get_bind().dialect, postgresql.dialect):\n    op.drop_column('t', 'c')",
        "from sqlalchemy.dialects import postgresql",
        "",
    ),
    (
        "the application's own JSON",
        "postgresql",
        [],
        ["json-equality"],
        (
            "op.add_column('t', sa.Column('c', shop.types.JSON()))\n"
            "op.add_column('t', sa.Column('d', shop.types.JSON))"
        ),
        "import shop.types",
        "",
    ),
    (
        "the application's own JSON",
        "postgresql",
        ["json-equality"],
        [],
        "op.add_column('t', sa.Column('c', JSON))",
        "from sqlmodel import JSON",
        "",
    ),
    (
        "a type for each dialect",
        "postgresql",
        ["json-equality"],
        [],
        (
            "kind = sa.JSON() if op.get_bind().dialect.name == 'postgresql' else sa.Text()\n"
            "op.add_column('t', sa.Column('c', kind))"
        ),
        "",
        "",
    ),
    (
        "a type for each dialect",
        "postgresql",
        [],
        ["json-equality"],
        (
            "kind = sa.JSON() if op.get_bind().dialect.name == 'sqlite' else "
            "postgresql.JSONB()\nop.add_column('t', sa.Column('c', kind))"
        ),
        "from sqlalchemy.dialects import postgresql",
        "",
    ),
    (
        "an enum type that is created",
        "postgresql",
        [],
        ["enum-missing", "unresolved-operation"],
        (
            "kind = sa.Enum(Kind)\nkind.create(op.get_bind(), checkfirst=True)\n"
            "op.add_column('t', sa.Column('c', kind))"
        ),
        "import enum\nclass Kind(enum.Enum):\n    a = 1",
        "",
    ),
    (
        "an enum type that is created",
        "postgresql",
        [],
        ["enum-missing"],
        (
            "op.execute(\"DO $$ BEGIN CREATE TYPE kind AS ENUM ('a'); EXCEPTION WHEN "
            'duplicate_object THEN NULL; END $$")\n'
            "op.add_column('t', sa.Column('c', sa.Enum('a', name='kind')))"
        ),
        "",
        "",
    ),
    (
        "an enum type that is created",
        "postgresql",
        [],
        ["enum-missing"],
        "op.add_column('t', sa.Column('d', sa.Enum('a', name='kind')))",
        "",
        (
            "if op.get_bind().dialect.name == 'postgresql':\n"
            "    kind = sa.Enum('a', name='kind')\nelse:\n    kind = sa.Text()\n"
            "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('c', kind))"
        ),
    ),
    (
        "an enum type that is created",
        "postgresql",
        ["enum-missing"],
        [],
        (
            "op.execute(\"DO $$ BEGIN CREATE TYPE kinds AS ENUM ('a'); END $$\")\n"
            "op.add_column('t', sa.Column('c', sa.Enum('a', name='kind')))"
        ),
        "",
        "",
    ),
    (
        "a function that only asks for settings",
        "postgresql",
        [],
        ["no-operations-read"],
        "if op.get_context().config.get_main_option('legacy'):\n    return",
        "",
        "",
    ),
    (
        "a new materialized view of a schema",
        "postgresql",
        [],
        ["blocking-index"],
        (
            "op.execute('DROP MATERIALIZED VIEW IF EXISTS s.v; CREATE MATERIALIZED VIEW s.v "
            "AS SELECT 1 AS a; CREATE INDEX i ON s.v (a)')"
        ),
        "",
        "",
    ),
    (
        "a new materialized view of a schema",
        "postgresql",
        ["blocking-index"],
        [],
        "op.execute('CREATE MATERIALIZED VIEW s.w AS SELECT 1 AS a; CREATE INDEX i ON s.v (a)')",
        "",
        "",
    ),
    (
        "NOT NULL that is there already",
        "postgresql",
        ["type-change"],
        ["set-not-null"],
        (
            "op.execute('ALTER TABLE t DROP CONSTRAINT t_pkey CASCADE')\n"
            "op.alter_column('t', 'id', existing_type=sa.Integer(), type_=sa.String(255), "
            "nullable=False)"
        ),
        "",
        (
            "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('c', sa.String(9)))"
        ),
    ),
    (
        "NOT NULL that is there already",
        "postgresql",
        [],
        ["set-not-null"],
        "op.alter_column('t', 'c', nullable=False)",
        "",
        (
            "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('c', sa.String(9), nullable=False))"
        ),
    ),
    (
        "NOT NULL that is there already",
        "postgresql",
        ["set-not-null"],
        [],
        "op.alter_column('t', 'c', nullable=False)",
        "",
        (
            "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('c', sa.String(9), nullable=False))\n"
            "op.alter_column('t', 'c', nullable=True)"
        ),
    ),
    (
        "NOT NULL can't be lost where it never was",
        "mysql",
        ["rename-column"],
        ["not-null-lost"],
        "op.alter_column('t', 'c', new_column_name='d', existing_type=sa.String(9))",
        "",
        (
            "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('c', sa.String(9), nullable=True))"
        ),
    ),
    (
        "NOT NULL can't be lost where it never was",
        "mysql",
        ["not-null-lost"],
        [],
        "op.alter_column('t', 'c', new_column_name='d', existing_type=sa.String(9))",
        "",
        (
            "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('c', sa.String(9), nullable=True, server_default='a'))"
        ),
    ),
    (
        "NOT NULL can't be lost where it never was",
        "mysql",
        ["not-null-lost"],
        [],
        "op.alter_column('t', 'c', new_column_name='d', existing_type=sa.String(9))",
        "",
        (
            "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), "
            "sa.Column('c', sa.String(9), nullable=False))"
        ),
    ),
    (
        "NOT NULL can't be lost where it never was",
        "mysql",
        ["not-null-lost"],
        [],
        "op.alter_column('t', 'c', new_column_name='d', existing_type=sa.String(9))",
        "",
        "",
    ),
    (
        "a database is read on another dialect alone",
        "postgresql",
        [],
        ["offline-unsafe"],
        (
            "if op.get_bind().dialect.name != 'postgresql':\n"
            "    op.get_bind().execute(sa.text('SELECT JSON_VALID(1)')).fetchone()\n"
            "op.add_column('t', sa.Column('c', sa.Text()))"
        ),
        "",
        "",
    ),
    (
        "a database is read on another dialect alone",
        "mariadb",
        ["offline-unsafe"],
        [],
        (
            "if op.get_bind().dialect.name != 'postgresql':\n"
            "    op.get_bind().execute(sa.text('SELECT JSON_VALID(1)')).fetchone()\n"
            "op.add_column('t', sa.Column('c', sa.Text()))"
        ),
        "",
        "",
    ),
    (
        "a constraint that is replaced under another name",
        "postgresql",
        ["blocking-index"],
        ["drop-constraint"],
        (
            "op.drop_constraint('uq_t_a', 't', type_='unique')\n"
            "op.create_index('ux_t_a_b', 't', ['a', 'b'], unique=True)"
        ),
        "",
        "",
    ),
    (
        "a constraint that is replaced under another name",
        "postgresql",
        ["drop-constraint"],
        [],
        (
            "op.drop_constraint('uq_t_a', 't', type_='unique')\n"
            "op.create_index('ix_t_a_b', 't', ['a', 'b'])"
        ),
        "",
        "",
    ),
    (
        "a constraint that is replaced under another name",
        "mysql",
        ["constraint-scan"],
        ["drop-constraint"],
        (
            "keys = sa.inspect(op.get_bind()).get_foreign_keys('t')\nfor key in keys:\n"
            "    op.drop_constraint(key['name'], 't', type_='foreignkey')\nfor key in keys:\n"
            "    op.create_foreign_key(key['name'], 't', key['referred_table'], "
            "key['constrained_columns'], key['referred_columns'], ondelete='CASCADE')"
        ),
        "",
        "",
    ),
    (
        "a constraint that is replaced under another name",
        "mysql",
        ["drop-constraint"],
        [],
        (
            "keys = sa.inspect(op.get_bind()).get_foreign_keys('t')\nfor key in keys:\n"
            "    op.drop_constraint(key['name'], 't', type_='foreignkey')\n"
            "op.create_unique_constraint('u', 't', ['a'])"
        ),
        "",
        "",
    ),
    (
        "a constraint that is replaced under another name",
        "postgresql",
        ["drop-constraint"],
        [],
        (
            "op.create_index('ux_t_token', 't', ['token'], unique=True)\n"
            "op.drop_constraint('uq_t_a', 't', type_='unique')"
        ),
        "",
        "",
    ),
    (
        "a constraint that is replaced under another name",
        "postgresql",
        [],
        ["drop-constraint"],
        (
            "op.create_index('ux_t', 't', ['a', 'b'], unique=True)\n"
            "op.drop_constraint('once', 't', type_='unique')"
        ),
        "",
        "op.create_unique_constraint('once', 't', ['a'])",
    ),
    (
        "a constraint that is replaced under another name",
        "postgresql",
        ["blocking-unique"],
        ["drop-constraint"],
        (
            "op.drop_constraint('t_pkey', 't', type_='primary')\n"
            "op.drop_constraint('t_name_uq', 't', type_='unique')\n"
            "op.create_primary_key('t_pkey', 't', ['name'])"
        ),
        "",
        "",
    ),
    (
        "a constraint that is replaced under another name",
        "postgresql",
        ["drop-constraint"],
        [],
        (
            "op.drop_constraint('t_name_uq', 't', type_='unique')\n"
            "op.create_primary_key('t_pkey', 't', ['id'])"
        ),
        "",
        "",
    ),
    (
        "an option of a table can be set again",
        "mysql",
        ["table-rewrite"],
        ["not-resumable"],
        (
            "for table in ('a', 'b'):\n"
            "    op.execute(f'ALTER TABLE {table} CONVERT TO CHARACTER SET utf8mb4')"
        ),
        "",
        "",
    ),
    (
        "an option of a table can be set again",
        "mysql",
        ["not-resumable"],
        [],
        "for table in ('a', 'b'):\n    op.execute(f'ALTER TABLE {table} ADD COLUMN force int')",
        "",
        "",
    ),
    (
        "a new table takes the name of the old one",
        "postgresql",
        [],
        ["drop-table"],
        (
            "names = sa.inspect(op.get_bind()).get_table_names()\nif 't_new' not in names:\n"
            "    op.create_table('t_new', sa.Column('id', sa.Integer(), primary_key=True))\n"
            "    op.execute('INSERT INTO t_new SELECT id FROM t')\nop.drop_table('t')\n"
            "op.rename_table('t_new', 't')"
        ),
        "",
        "",
    ),
    (
        "a new table takes the name of the old one",
        "postgresql",
        ["drop-table"],
        [],
        "op.drop_table('t')\nop.rename_table('t_new', 't')",
        "",
        "",
    ),
    (
        "a new table takes the name of the old one",
        "postgresql",
        ["drop-table"],
        [],
        (
            "op.drop_table('t_old')\nop.rename_table('t', 't_old')\n"
            "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True))"
        ),
        "",
        "",
    ),
    (
        "a wider key than the one that was there can't meet duplicates",
        "mysql",
        [],
        ["blocking-unique"],
        (
            "op.drop_constraint('u', 't', type_='unique')\n"
            "op.create_unique_constraint('u', 't', ['a', 'b'])"
        ),
        "",
        (
            "op.create_table('t', sa.Column('a', sa.Integer()), sa.Column('b', sa.Integer()), "
            "sa.UniqueConstraint('a', name='u'))"
        ),
    ),
    (
        "a wider key than the one that was there can't meet duplicates",
        "mysql",
        ["blocking-unique"],
        [],
        (
            "op.drop_constraint('u', 't', type_='unique')\n"
            "op.create_unique_constraint('u', 't', ['b'])"
        ),
        "",
        (
            "op.create_table('t', sa.Column('a', sa.Integer()), sa.Column('b', sa.Integer()), "
            "sa.UniqueConstraint('a', name='u'))"
        ),
    ),
    (
        "a wider key than the one that was there can't meet duplicates",
        "mysql",
        ["blocking-unique"],
        [],
        "op.create_unique_constraint('u2', 't', ['a', 'b'])",
        "",
        (
            "op.create_table('t', sa.Column('a', sa.Integer()), sa.Column('b', sa.Integer()), "
            "sa.UniqueConstraint('a', name='u'))\nop.drop_constraint('u', 't', type_='unique')"
        ),
    ),
    (
        "a wider key than the one that was there can't meet duplicates",
        "postgresql",
        ["blocking-unique"],
        [],
        (
            "op.drop_constraint('u', 't', type_='unique')\n"
            "op.create_unique_constraint('u', 't', ['a', 'b'])"
        ),
        "",
        (
            "op.create_table('t', sa.Column('a', sa.Integer()), sa.Column('b', sa.Integer()), "
            "sa.UniqueConstraint('a', name='u'))"
        ),
    ),
    (
        "a wider key than the one that was there can't meet duplicates",
        "mysql",
        ["blocking-unique"],
        [],
        (
            "op.drop_constraint('u', 't', type_='unique')\nop.execute('UPDATE t SET a = 1')\n"
            "op.create_unique_constraint('u', 't', ['a', 'b'])"
        ),
        "",
        (
            "op.create_table('t', sa.Column('a', sa.Integer()), sa.Column('b', sa.Integer()), "
            "sa.UniqueConstraint('a', name='u'))"
        ),
    ),
    (
        "a wider key than the one that was there can't meet duplicates",
        "mysql",
        [],
        ["blocking-unique"],
        (
            "op.drop_constraint('u', 't', type_='unique')\n"
            "op.create_unique_constraint('u', 't', ['a', 'b'])\n"
            "op.execute('UPDATE t SET b = 1')"
        ),
        "",
        (
            "op.create_table('t', sa.Column('a', sa.Integer()), sa.Column('b', sa.Integer()), "
            "sa.UniqueConstraint('a', name='u'))"
        ),
    ),
    (
        "the migration looks whether the index is valid",
        "postgresql",
        [],
        ["concurrent-if-not-exists"],
        'valid = op.get_bind().execute(sa.text("SELECT indisvalid FROM pg_index'
        " WHERE indexrelid = to_regclass('i')\")).scalar()\n"
        "with op.get_context().autocommit_block():\n"
        "    if valid is None:\n"
        "        op.execute('CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)')\n"
        "    elif not valid:\n"
        "        op.execute('REINDEX INDEX CONCURRENTLY i')",
        "",
        "",
    ),
    (
        "an enum type that is created when the module is imported",
        "postgresql",
        [],
        ["enum-missing"],
        "op.add_column('t', sa.Column('x', e))",
        "e = sa.Enum('a', name='e')\n"
        "try:\n"
        "    e.create(op.get_bind(), checkfirst=True)\n"
        "except NameError:\n"
        "    pass",
        "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True))",
    ),
    (
        "an enum type that is created when the module is imported",
        "postgresql",
        ["enum-missing"],
        [],
        "op.add_column('t', sa.Column('x', e))",
        "e = sa.Enum('a', name='e')",
        "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True))",
    ),
    (
        "the old type is in an earlier revision",
        "postgresql",
        [],
        ["type-change"],
        "op.alter_column('t', 'a', type_=sa.String(256))",
        "",
        "op.create_table('t', sa.Column('a', sa.String(128)))",
    ),
    (
        "the old type is in an earlier revision",
        "postgresql",
        ["type-change"],
        [],
        "op.alter_column('t', 'a', type_=sa.BigInteger())",
        "",
        "op.create_table('t', sa.Column('a', sa.Integer()))",
    ),
    (
        "the old type is in an earlier revision",
        "postgresql",
        [],
        ["type-change"],
        "op.alter_column('t', 'a', type_=sa.Integer(), new_column_name='b')",
        "",
        "op.create_table('t', sa.Column('z', sa.String(9)))\n"
        "op.alter_column('t', 'z', type_=sa.Integer(), postgresql_using='z::int')\n"
        "op.alter_column('t', 'z', new_column_name='a')",
    ),
    (
        "the old type is in an earlier revision",
        "postgresql",
        ["type-change"],
        [],
        "op.alter_column('t', 'a', type_=sa.Integer())",
        "",
        "op.create_table('t', sa.Column('a', sa.Integer()))\n"
        "op.alter_column('t', 'a', type_=sa.String(9))",
    ),
    (
        "a table from SQLAlchemy's MetaData",
        "postgresql",
        ["unbatched-update"],
        ["unresolved-operation"],
        "m = sa.MetaData()\n"
        "m.reflect(op.get_bind())\n"
        "t = m.tables['t']\n"
        "op.execute(sa.update(t).values(a=1))",
        "",
        "",
    ),
    (
        "a table from SQLAlchemy's MetaData",
        "postgresql",
        [],
        ["blocking-index", "unresolved-operation"],
        "m = sa.MetaData()\n"
        "sa.Table('t', m, sa.Column('id', sa.Integer, primary_key=True))\n"
        "m.create_all(op.get_bind())\n"
        "op.create_index('i', 't', ['id'])",
        "",
        "",
    ),
    (
        "a table from SQLAlchemy's MetaData",
        "postgresql",
        ["blocking-index"],
        [],
        "m = sa.MetaData()\n"
        "sa.Table('u', m, sa.Column('id', sa.Integer, primary_key=True))\n"
        "m.create_all(op.get_bind())\n"
        "op.create_index('i', 't', ['id'])",
        "",
        "",
    ),
    (
        "a renamed table keeps what is known of it",
        "postgresql",
        [],
        ["set-not-null"],
        "op.execute('ALTER TABLE t VALIDATE CONSTRAINT c')\n"
        "op.rename_table('t', 'u')\n"
        "op.alter_column('u', 'a', nullable=False)",
        "",
        "op.create_table('t', sa.Column('a', sa.Integer()))\n"
        "op.create_check_constraint('c', 't', 'a IS NOT NULL', postgresql_not_valid=True)",
    ),
    (
        "a renamed table keeps what is known of it",
        "postgresql",
        ["set-not-null"],
        [],
        "op.execute('ALTER TABLE t VALIDATE CONSTRAINT c')\n"
        "op.rename_table('t', 'u')\n"
        "op.alter_column('t', 'a', nullable=False)",
        "",
        "op.create_table('t', sa.Column('a', sa.Integer()))\n"
        "op.create_check_constraint('c', 't', 'a IS NOT NULL', postgresql_not_valid=True)",
    ),
    (
        "a renamed table keeps what is known of it",
        "postgresql",
        [],
        ["set-not-null"],
        "op.alter_column('u', 'a', nullable=False)",
        "",
        "op.create_table('t', sa.Column('a', sa.Integer(), nullable=False))\n"
        "op.rename_table('t', 'u')\n"
        "op.create_table('t', sa.Column('a', sa.Integer()))",
    ),
    (
        "a renamed table keeps what is known of it",
        "postgresql",
        ["set-not-null"],
        [],
        "op.alter_column('t', 'a', nullable=False)",
        "",
        "op.create_table('t', sa.Column('a', sa.Integer(), nullable=False))\n"
        "op.rename_table('t', 'u')\n"
        "op.create_table('t', sa.Column('a', sa.Integer()))",
    ),
    (
        "a renamed table keeps what is known of it",
        "postgresql",
        ["set-not-null"],
        [],
        "if op.get_bind().dialect.name == 'sqlite':\n"
        "    op.rename_table('s', 'u')\n"
        "op.alter_column('u', 'a', nullable=False)",
        "",
        "op.create_table('s', sa.Column('a', sa.Integer(), nullable=False))",
    ),
    (
        "a new table takes the name and the rows of the one that is dropped",
        "postgresql",
        [],
        ["drop-table", "rename-table"],
        "op.rename_table('t', 't_old')\n"
        "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True))\n"
        "op.execute('INSERT INTO t SELECT id FROM t_old')\n"
        "op.drop_table('t_old')",
        "",
        "",
    ),
    (
        "a new table takes the name and the rows of the one that is dropped",
        "postgresql",
        ["drop-table", "rename-table"],
        [],
        "op.rename_table('t', 't_old')\n"
        "op.create_table('u', sa.Column('id', sa.Integer(), primary_key=True))\n"
        "op.drop_table('t_old')",
        "",
        "",
    ),
    (
        "a new table takes the name and the rows of the one that is dropped",
        "postgresql",
        ["rename-table"],
        ["drop-table"],
        "op.rename_table('t', 't_version')\n"
        "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True))",
        "",
        "",
    ),
    (
        "the old type is in an earlier revision",
        "postgresql",
        [],
        ["type-change"],
        "op.alter_column('t', 'a', type_=sa.Unicode(64))",
        "",
        "op.create_table('t', sa.Column('a', sa.Unicode(32)))\n"
        "op.alter_column('t', 'a', existing_type=sa.Boolean(), nullable=False)",
    ),
    (
        "the old type is in an earlier revision",
        "postgresql",
        ["type-change"],
        [],
        "op.alter_column('t', 'a', type_=sa.Unicode(64))",
        "from app import Name",
        "from app import Name\nop.create_table('t', sa.Column('a', Name(32)))",
    ),
    (
        "the CHECK of a Boolean is no part of its type",
        "postgresql",
        [],
        ["type-change"],
        "op.alter_column('t', 'a', type_=sa.Boolean(create_constraint=True,"
        " name='ck'), existing_type=sa.Boolean())",
        "",
        "",
    ),
    (
        "the old type is in an earlier revision",
        "mysql",
        [],
        ["type-change"],
        "op.alter_column('t', 'a', type_=sa.Enum('a', 'b'), existing_type=sa.Enum,"
        " existing_nullable=True)",
        "",
        "op.create_table('t', sa.Column('a', sa.Enum('a')))",
    ),
    (
        "the old type is in an earlier revision",
        "mysql",
        ["type-change"],
        [],
        "op.alter_column('t', 'a', type_=sa.Enum('b', 'a'), existing_type=sa.Enum,"
        " existing_nullable=True)",
        "",
        "op.create_table('t', sa.Column('a', sa.Enum('a')))",
    ),
    (
        "a wider key than the one that was there can't meet duplicates",
        "mysql",
        [],
        ["blocking-unique"],
        "op.create_unique_constraint('u', 't', ['a', 'b'])",
        "",
        "op.create_table('t', sa.Column('a', sa.Integer(), primary_key=True),"
        " sa.Column('b', sa.Integer()))",
    ),
    (
        "a wider key than the one that was there can't meet duplicates",
        "mysql",
        ["blocking-unique"],
        [],
        "op.create_unique_constraint('u', 't', ['b'])",
        "",
        "op.create_table('t', sa.Column('a', sa.Integer(), primary_key=True),"
        " sa.Column('b', sa.Integer()))",
    ),
    (
        "a wider key than the one that was there can't meet duplicates",
        "mysql",
        ["blocking-unique"],
        [],
        "op.create_unique_constraint('u', 't', ['a', 'c'])",
        "",
        "op.create_table('t', sa.Column('a', sa.Integer(), primary_key=True),"
        " sa.Column('b', sa.Integer(), primary_key=True), sa.Column('c', sa.Integer()))",
    ),
    (
        "a wider key than the one that was there can't meet duplicates",
        "mysql",
        [],
        ["blocking-unique"],
        "op.create_unique_constraint('u', 't', ['a', 'b', 'c'])",
        "",
        "op.create_table('t', sa.Column('a', sa.Integer(), primary_key=True),"
        " sa.Column('b', sa.Integer(), primary_key=True), sa.Column('c', sa.Integer()))",
    ),
    (
        "a wider key than the one that was there can't meet duplicates",
        "mysql",
        ["blocking-unique"],
        [],
        "op.create_unique_constraint('u', 't', ['a', 'b'])",
        "",
        "op.create_table('t', sa.Column('a', sa.Integer(), primary_key=True),"
        " sa.Column('b', sa.Integer()))\n"
        "op.drop_constraint('t_pkey', 't', type_='primary')",
    ),
    (
        "a wider key than the one that was there can't meet duplicates",
        "mysql",
        [],
        ["blocking-unique"],
        "op.create_unique_constraint('u', 't', ['a', 'b'])",
        "",
        "op.create_table('t', sa.Column('a', sa.Integer(), primary_key=True),"
        " sa.Column('b', sa.Integer()))\n"
        "op.drop_constraint('t_fk', 't', type_='foreignkey')",
    ),
    (
        "a wider key than the one that was there can't meet duplicates",
        "mysql",
        ["blocking-unique"],
        [],
        "op.drop_constraint('u1', 't', type_='unique')\n"
        "op.execute('UPDATE t SET b = 1')\n"
        "op.create_unique_constraint('u', 't', ['b'])",
        "",
        "op.create_table('t', sa.Column('b', sa.Integer()))\n"
        "op.create_unique_constraint('u1', 't', ['b'])",
    ),
    (
        "a wider key than the one that was there can't meet duplicates",
        "mysql",
        ["blocking-unique"],
        [],
        "op.create_unique_constraint('u', 't', ['b', 'a'])",
        "",
        "op.create_table('t', sa.Column('a', sa.Integer()), sa.Column('b', sa.Integer()))\n"
        "op.create_index('i', 't', ['b'])",
    ),
    (
        "a foreign key of a composite primary key has an index only where it leads",
        "postgresql",
        ["foreign-key-without-index"],
        [],
        "op.create_table('t', sa.Column('a', sa.ForeignKey('o.id', name='f1'),"
        " primary_key=True), sa.Column('b', sa.ForeignKey('o.id', name='f2'),"
        " primary_key=True))",
        "",
        "",
    ),
    (
        "a foreign key of a composite primary key has an index only where it leads",
        "postgresql",
        [],
        ["foreign-key-without-index"],
        "op.create_table('t', sa.Column('a', sa.ForeignKey('o.id', name='f1'),"
        " primary_key=True), sa.Column('b', sa.ForeignKey('o.id', name='f2'),"
        " primary_key=True), sa.Index('i', 'b'))",
        "",
        "",
    ),
    (
        "a column that a condition or a try creates may be NULL",
        "mysql",
        [],
        ["not-null-lost"],
        "from sqlalchemy.dialects import mysql\n"
        "op.alter_column('t', 'a', type_=mysql.DATETIME(fsp=6),"
        " existing_type=mysql.DATETIME)",
        "",
        "try:\n"
        "    op.add_column('t', sa.Column('a', sa.DateTime(), nullable=True))\n"
        "except Exception as error:\n"
        "    print(error)",
    ),
    (
        "a column that a condition or a try creates may be NULL",
        "mysql",
        ["not-null-lost"],
        [],
        "from sqlalchemy.dialects import mysql\n"
        "op.alter_column('t', 'a', type_=mysql.DATETIME(fsp=6),"
        " existing_type=mysql.DATETIME)",
        "",
        "try:\n"
        "    op.add_column('t', sa.Column('a', sa.DateTime(), nullable=False))\n"
        "except Exception as error:\n"
        "    print(error)",
    ),
    (
        "a column that a condition or a try creates may be NULL",
        "mysql",
        ["not-null-lost"],
        [],
        "from sqlalchemy.dialects import mysql\n"
        "op.alter_column('t', 'a', type_=mysql.DATETIME(fsp=6),"
        " existing_type=mysql.DATETIME)",
        "",
        "try:\n"
        "    op.add_column('t', sa.Column('a', sa.DateTime(), nullable=True))\n"
        "except Exception as error:\n"
        "    print(error)\n"
        "if op.get_bind().execute(sa.text('SELECT 1')).scalar():\n"
        "    op.alter_column('t', 'a', server_default=sa.text('now()'))",
    ),
    (
        "the rows of a new column with a server default are not empty",
        "postgresql",
        ["data-with-schema"],
        ["unbatched-update"],
        "op.add_column('t', sa.Column('x', sa.Integer(), server_default='0'))\n"
        "op.execute('UPDATE t SET x = 1 WHERE x IS NULL')",
        "",
        "",
    ),
    (
        "the rows of a new column with a server default are not empty",
        "postgresql",
        ["unbatched-update"],
        [],
        "op.add_column('t', sa.Column('x', sa.Integer(), server_default=sa.null()))\n"
        "op.execute('UPDATE t SET x = 1 WHERE x IS NULL')",
        "",
        "",
    ),
    (
        "a wider key than the one that was there can't meet duplicates",
        "mysql",
        [],
        ["blocking-unique"],
        "op.create_unique_constraint('u', 't', ['a', 'b'])",
        "",
        "op.create_table('t', sa.Column('a', sa.Integer(), primary_key=True),"
        " sa.Column('b', sa.Integer()))\n"
        "op.drop_index(sa.inspect(op.get_bind()).get_indexes('t')[0]['name'], 't')",
    ),
    (
        "a wider key than the one that was there can't meet duplicates",
        "mysql",
        ["blocking-unique"],
        [],
        "op.create_unique_constraint('u', 't', ['a', 'b'])",
        "",
        "op.create_table('t', sa.Column('a', sa.Integer(), unique=True),"
        " sa.Column('b', sa.Integer()))\n"
        "op.drop_index(sa.inspect(op.get_bind()).get_indexes('t')[0]['name'], 't')",
    ),
    (
        "a wider key than the one that was there can't meet duplicates",
        "mysql",
        ["blocking-unique"],
        [],
        "op.execute('UPDATE t SET b = 1, a = 2')\n"
        "op.execute('ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (b)')\n"
        "op.create_index('u', 't', ['a'], unique=True)",
        "",
        "op.create_table('t', sa.Column('a', sa.Integer(), primary_key=True),"
        " sa.Column('b', sa.Integer()))",
    ),
    (
        "MySQL has no enum type that could be there already",
        "mysql",
        [],
        ["not-resumable"],
        "e = sa.Enum('a', name='e')\n"
        "e.create(op.get_bind())\n"
        "op.add_column('t', sa.Column('c', e))",
        "",
        "",
    ),
    (
        "MySQL has no enum type that could be there already",
        "mysql",
        ["not-resumable"],
        [],
        "e = sa.Enum('a', name='e')\n"
        "e.create(op.get_bind())\n"
        "op.add_column('t', sa.Column('c', e))\n"
        "op.add_column('t', sa.Column('d', e))",
        "",
        "",
    ),
    (
        "the old type is in an earlier revision",
        "postgresql",
        [],
        ["type-change"],
        "op.alter_column('t', 'a', type_=sa.String(256))",
        "",
        "if not sa.inspect(op.get_bind()).has_table('t'):\n"
        "    op.create_table('t', sa.Column('a', sa.String(64)))",
    ),
    (
        "the old type is in an earlier revision",
        "postgresql",
        ["type-change"],
        [],
        "op.alter_column('t', 'a', type_=sa.String(256))",
        "",
        "if not sa.inspect(op.get_bind()).has_table('t'):\n"
        "    op.create_table('t', sa.Column('a', sa.Integer()))",
    ),
    (
        "the old type is in an earlier revision",
        "postgresql",
        ["type-change"],
        [],
        "op.alter_column('t', 'a', type_=sa.String(256))",
        "",
        "op.create_table('t', sa.Column('a', sa.String(64)))\n"
        "if op.get_bind().execute(sa.text('SELECT 1')).scalar():\n"
        "    op.alter_column('t', 'a', type_=sa.Integer())",
    ),
    (
        "a table that is created where it is missing may have been there with rows",
        "postgresql",
        ["blocking-index"],
        [],
        "if not sa.inspect(op.get_bind()).has_table('t'):\n"
        "    op.create_table('t', sa.Column('a', sa.Integer()))\n"
        "op.create_index('i', 't', ['a'])",
        "",
        "op.create_table('o', sa.Column('a', sa.Integer()))",
    ),
    (
        "a table that is created where it is missing may have been there with rows",
        "postgresql",
        [],
        ["blocking-index"],
        "if not sa.inspect(op.get_bind()).has_table('t'):\n"
        "    op.create_table('t', sa.Column('a', sa.Integer()))\n"
        "    op.create_index('i', 't', ['a'])",
        "",
        "op.create_table('o', sa.Column('a', sa.Integer()))",
    ),
    (
        "an index that is gone with its table",
        "postgresql",
        ["drop-table"],
        ["blocking-index"],
        "op.drop_table('t')\nop.drop_index('i', 't', if_exists=True)",
        "",
        "",
    ),
    (
        "an index that is gone with its table",
        "postgresql",
        ["blocking-index"],
        [],
        "op.drop_table('u')\nop.drop_index('i', 't', if_exists=True)",
        "",
        "",
    ),
    (
        "a scratch table of the migration's own",
        "postgresql",
        [],
        ["drop-table"],
        "op.execute('DROP TABLE IF EXISTS copies')\nop.execute('CREATE TABLE copies AS SELECT 1')",
        "",
        "op.create_table('o', sa.Column('a', sa.Integer()))",
    ),
    (
        "a scratch table of the migration's own",
        "postgresql",
        ["drop-table"],
        [],
        "op.execute('DROP TABLE copies')\nop.execute('CREATE TABLE copies AS SELECT 1')",
        "",
        "",
    ),
    (
        "a scratch table of the migration's own",
        "postgresql",
        ["drop-table"],
        [],
        "op.execute('DROP TABLE IF EXISTS copies')\nop.execute('CREATE TABLE copies AS SELECT 1')",
        "",
        "op.create_table('copies', sa.Column('a', sa.Integer()))",
    ),
    (
        "a scratch table of the migration's own",
        "postgresql",
        ["drop-table"],
        [],
        "op.execute('DROP TABLE IF EXISTS copies')",
        "",
        "",
    ),
    (
        "another kind of time",
        "postgresql",
        ["type-change"],
        [],
        "op.alter_column('t', 'a', type_=sa.Interval(), existing_type=sa.DateTime())",
        "",
        "",
    ),
    (
        "a table that SQLAlchemy drops",
        "postgresql",
        ["drop-table"],
        [],
        "sa.Table('t', sa.MetaData()).drop(op.get_bind())",
        "",
        "",
    ),
    (
        "SQLAlchemy's dialect mariadb refuses a server of MySQL",
        "mysql",
        [],
        ["table-rewrite"],
        "if op.get_bind().dialect.name == 'mysql':\n    op.execute('SELECT 1')\nelse:\n"
        "    op.drop_constraint('pk', 't', type_='primary')",
        "",
        "",
    ),
    (
        "SQLAlchemy's dialect mariadb refuses a server of MySQL",
        "mariadb",
        ["table-rewrite"],
        [],
        "if op.get_bind().dialect.name == 'mysql':\n    op.execute('SELECT 1')\nelse:\n"
        "    op.drop_constraint('pk', 't', type_='primary')",
        "",
        "",
    ),
    (
        "a sequence is renamed with its table",
        "postgresql",
        ["rename-table"],
        ["rename-object"],
        "op.rename_table('aspects', 'areas')\n"
        "op.execute('ALTER SEQUENCE aspects_id_seq RENAME TO areas_id_seq')",
        "",
        "",
    ),
    (
        "a sequence is renamed with its table",
        "postgresql",
        ["rename-object"],
        [],
        "op.rename_table('aspects', 'areas')\n"
        "op.execute('ALTER SEQUENCE orders RENAME TO numbers')",
        "",
        "",
    ),
    (
        "an autocommit block that looks whether it has run",
        "postgresql",
        [],
        ["autocommit-mixed"],
        "if op.get_bind().execute(sa.text('SELECT 1 FROM pg_class')).scalar() is None:\n"
        "    with op.get_context().autocommit_block():\n"
        "        op.create_index('i', 't', ['c'], postgresql_concurrently=True)\n"
        "op.add_column('t', sa.Column('x', sa.Text()))",
        "",
        "",
    ),
    (
        "an autocommit block that looks whether it has run",
        "postgresql",
        ["autocommit-mixed"],
        [],
        "with op.get_context().autocommit_block():\n"
        "    for row in op.get_bind().execute(sa.text('SELECT id FROM t')):\n"
        "        op.execute(sa.text('DELETE FROM t WHERE id = :id'), {'id': row.id})\n"
        "op.drop_table('t')",
        "",
        "",
    ),
    (
        "an autocommit block that looks whether it has run",
        "postgresql",
        ["autocommit-mixed"],
        [],
        "with op.get_context().autocommit_block():\n"
        "    op.create_index('i', 't', ['c'], postgresql_concurrently=True)\n"
        "op.add_column('t', sa.Column('x', sa.Text()))",
        "",
        "",
    ),
    (
        "the application's own type states its time zone itself",
        "postgresql",
        [],
        ["type-change"],
        "op.alter_column('t', 'a', type_=TIMESTAMP)",
        "from app.types import TIMESTAMP",
        "op.create_table('t', sa.Column('a', sa.TIMESTAMP(timezone=True)))",
    ),
    (
        "the application's own type states its time zone itself",
        "postgresql",
        ["type-change"],
        [],
        "op.alter_column('t', 'a', type_=sa.TIMESTAMP)",
        "",
        "op.create_table('t', sa.Column('a', sa.TIMESTAMP(timezone=True)))",
    ),
    (
        "a primary key that SQLAlchemy numbers",
        "postgresql",
        ["table-rewrite"],
        ["not-null-without-default"],
        "op.add_column('t', sa.Column('id', sa.Integer, primary_key=True))",
        "",
        "",
    ),
    (
        "a primary key that SQLAlchemy numbers",
        "postgresql",
        ["not-null-without-default"],
        ["table-rewrite"],
        "op.add_column('t', sa.Column('id', sa.Integer, primary_key=True, autoincrement=False))",
        "",
        "",
    ),
    (
        "a default that Python computes is a constant",
        "postgresql",
        [],
        ["table-rewrite"],
        "op.add_column('t', sa.Column('a', sa.Text(), server_default=node()))",
        "from app import node",
        "",
    ),
    (
        "a default that Python computes is a constant",
        "postgresql",
        ["table-rewrite"],
        [],
        "op.add_column('t', sa.Column('a', sa.Text(), server_default=sa.func.node()))",
        "",
        "",
    ),
    (
        "the end of a session is no operation",
        "postgresql",
        [],
        ["unresolved-operation"],
        "db.session.close()",
        "from app import db",
        "",
    ),
    (
        "the end of a session is no operation",
        "postgresql",
        ["unresolved-operation"],
        [],
        "db.session.purge()",
        "from app import db",
        "",
    ),
    (
        "a table that the migration empties",
        "postgresql",
        [],
        ["blocking-unique", "constraint-scan", "set-not-null", "type-change"],
        "op.execute('DELETE FROM t')\nop.create_unique_constraint('u', 't', ['a'])\n"
        "op.create_foreign_key('f', 't', 'o', ['a'], ['id'])\n"
        "op.alter_column('t', 'b', nullable=False)\nop.alter_column('t', 'c', type_=sa.Text())",
        "",
        "",
    ),
    (
        "a table that the migration empties",
        "postgresql",
        ["blocking-unique", "constraint-scan", "set-not-null", "type-change"],
        [],
        "op.execute('DELETE FROM t WHERE a > 1')\nop.create_unique_constraint('u', 't', ['a'])\n"
        "op.create_foreign_key('f', 't', 'o', ['a'], ['id'])\n"
        "op.alter_column('t', 'b', nullable=False)\nop.alter_column('t', 'c', type_=sa.Text())",
        "",
        "",
    ),
    (
        "a table that the migration empties",
        "postgresql",
        ["drop-column"],
        [],
        "op.execute('DELETE FROM t')\nop.drop_column('t', 'a')",
        "",
        "",
    ),
    (
        "a table that the migration empties",
        "postgresql",
        ["blocking-unique"],
        [],
        "op.execute('DELETE FROM t')\nop.execute('INSERT INTO t SELECT * FROM o')\n"
        "op.create_unique_constraint('u', 't', ['a'])",
        "",
        "",
    ),
    (
        "a table that the migration empties",
        "postgresql",
        [],
        ["blocking-index"],
        "op.execute('TRUNCATE t')\nop.create_index('i', 't', ['a'])",
        "",
        "",
    ),
    (
        "a time zone is added while the session is in UTC",
        "postgresql",
        [],
        ["type-change"],
        "op.execute('SET timezone=UTC')\n"
        "op.alter_column('t', 'a', existing_type=sa.TIMESTAMP(),"
        " type_=sa.TIMESTAMP(timezone=True))",
        "",
        "",
    ),
    (
        "a time zone is added while the session is in UTC",
        "postgresql",
        ["type-change"],
        [],
        "op.execute(\"SET TIME ZONE 'Europe/Paris'\")\n"
        "op.alter_column('t', 'a', existing_type=sa.TIMESTAMP(),"
        " type_=sa.TIMESTAMP(timezone=True))",
        "",
        "",
    ),
    (
        "a time zone is added while the session is in UTC",
        "postgresql",
        ["type-change"],
        [],
        "op.execute(\"SET TIME ZONE 'UTC'\")\n"
        "op.alter_column('t', 'a', existing_type=sa.TIMESTAMP(),"
        " type_=sa.TIMESTAMP(timezone=True))",
        "",
        "op.create_table('t', sa.Column('a', sa.TIMESTAMP(), index=True))",
    ),
    (
        "tables of a base class that are created in one call",
        "postgresql",
        ["blocking-index"],
        [],
        "Base.metadata.create_all(op.get_bind(), tables=[T.__table__])\n"
        "op.create_index('i', 'u', ['id'])",
        "from sqlalchemy.orm import declarative_base\nBase = declarative_base()\nclass T(Base):\n"
        "    __tablename__ = 't'\n    id = sa.Column(sa.Integer, primary_key=True)",
        "",
    ),
    (
        "tables of a base class that are created in one call",
        "postgresql",
        [],
        ["blocking-index", "unresolved-operation"],
        "Base.metadata.create_all(op.get_bind(), tables=[T.__table__])\n"
        "op.create_index('i', 't', ['id'])",
        "from sqlalchemy.orm import declarative_base\nBase = declarative_base()\nclass T(Base):\n"
        "    __tablename__ = 't'\n    id = sa.Column(sa.Integer, primary_key=True)",
        "",
    ),
]
