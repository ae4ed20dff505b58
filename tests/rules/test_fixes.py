"""The fix of every rule, followed to the letter on the rule's own bad example, ends green.

What a user pastes or runs is between backticks in a fix. Each of these texts is used here as it
is printed, but for its ``<placeholders>``. Green: a check of the files and a roundtrip with rows
find no more than other rules found before. A suppression, ``lossy`` and ``irreversible`` are the
decisions of a person, which the fix has to name.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from lib import faults
from lib.checks import RAN, check, codes_of
from lib.faults import History, Revision
from lib.projects import Project
from lib.servers import require
from migration_guard.rules import RULES
from rules.fixes_elsewhere import ELSEWHERE

Ways = Iterator[tuple[str, tuple[Revision, ...]]]  # a database, and what follows the first revision
TESTS = Path(__file__).parents[1]
IMPORTS = "from sqlalchemy.dialects import postgresql\nimport os\nimport uuid"


class Fix:
    """A fix as it is printed. ``fix("text")`` is the code between backticks that has this text."""

    def __init__(self, text: str) -> None:
        self.text, self.left = text, codes_of(text)
        if undo := re.search(r"(?s)downgrade\(\):\n(.*?)(?=\n(?:If|Undo)\b|$)", text):
            self.left.append(undo[1])
        self.codes = tuple(self.left)

    def __call__(self, part: str, **placeholders: str) -> str:
        code = next((each for each in self.codes if part in each), None)
        assert code, f"the fix prints nothing with {part!r}: {self.text}"
        self.left = [each for each in self.left if each != code]
        for name, value in placeholders.items():
            assert f"<{name}>" in code
            code = code.replace(f"<{name}>", value)
        return code


Follow = Callable[[Revision, Fix], Ways]


@dataclass(frozen=True)
class Case:
    rule: str
    follow: Follow
    before: str
    bad: Revision
    database: str


CASES: list[Case] = []
COLUMNS = {
    "url": "sa.String(200)",
    "title": "sa.String(200)",
    "views": "sa.Integer()",
    "length": "sa.Integer()",
}


def videos(names: str, more: str = "") -> str:
    """Return the operation that creates the table of the examples, with some of its columns."""
    columns = "".join(f', sa.Column("{name}", {COLUMNS[name]})' for name in names.split())
    return (
        f'op.create_table("videos", sa.Column("id", sa.Integer(), primary_key=True){columns}{more})'
    )


def parts_of(example: str) -> Revision:
    """Return an example of a rule as a revision: a whole module, or the body of its upgrade()."""
    if "def upgrade" not in example:
        return Revision(example)
    bodies, rest = {}, []
    for node in ast.parse(example).body:
        text = str(ast.get_source_segment(example, node))
        if isinstance(node, ast.FunctionDef):
            bodies[node.name] = textwrap.dedent(text.partition("):")[2].strip(" \n"))
        else:
            rest.append(text)
    return Revision(bodies["upgrade"], bodies.get("downgrade", "pass"), module="\n".join(rest))


def case(
    rule: str, before: str, back: str = "pass", database: str = "postgresql", bad: str = ""
) -> Callable[[Follow], Follow]:
    """Register how the fix of a rule is followed; ``back`` is the downgrade of the bad example."""

    def register(follow: Follow) -> Follow:
        example = parts_of(bad or RULES[rule].bad)
        if example.downgrade == "pass" and rule != "empty-downgrade":
            example = replace(example, downgrade=back)
        CASES.append(Case(rule, follow, before, example, database))
        return follow

    return register


def marked(bad: Revision, comment: str, **changes: str) -> Revision:
    return replace(bad, upgrade=f"{comment}\n{bad.upgrade}", **changes)


def inside(block: str, body: str) -> str:
    return f"{block}\n{textwrap.indent(body, '    ')}"


def with_argument(call: str, argument: str) -> str:
    return f"{call.rstrip()[:-1]}, {argument})"


# --- locks


INDEX_BACK = 'op.drop_index("ix_videos_url", "videos")'


@case("blocking-index", videos("url"), INDEX_BACK)
def _(bad: Revision, fix: Fix) -> Ways:
    call = with_argument(bad.upgrade, fix("postgresql_concurrently"))
    yield "postgresql", (replace(bad, upgrade=inside(fix("autocommit_block"), call)),)


PARTITIONED = """\
op.execute("CREATE TABLE videos (id integer, day date) PARTITION BY RANGE (day)")
op.execute("CREATE TABLE videos_1 PARTITION OF videos DEFAULT")"""


@case(
    "blocking-index",
    PARTITIONED,
    'op.drop_index("ix_videos_day", "videos")',
    bad='op.create_index("ix_videos_day", "videos", ["day"])',
)
def _(bad: Revision, fix: Fix) -> Ways:
    one = {"partition": "videos_1"}
    dropped = 'op.drop_index("ix_videos_day_videos_1", "videos_1")'
    yield (
        "postgresql",
        (
            replace(bad, upgrade=fix("ON ONLY")),
            Revision(fix("CONCURRENTLY", **one), dropped),
            Revision(
                fix("ATTACH", **one),
                module="irreversible = 'an attached index can not be detached'",
            ),
        ),
    )
    yield "postgresql", (marked(bad, fix("ignore[")),)


@case(
    "blocking-index",
    PARTITIONED
    + """
op.create_index("ix_videos_day", "videos", ["day"])""",
    'op.create_index("ix_videos_day", "videos", ["day"])',
    bad='op.drop_index("ix_videos_day", "videos")',
)
def _(bad: Revision, fix: Fix) -> Ways:
    yield "postgresql", (marked(bad, fix("ignore[")),)


@case("concurrently-in-transaction", videos("url"), INDEX_BACK)
def _(bad: Revision, fix: Fix) -> Ways:
    yield "postgresql", (replace(bad, upgrade=inside(fix("autocommit_block"), bad.upgrade)),)


@case("concurrent-if-not-exists", videos("url"), INDEX_BACK)
def _(bad: Revision, fix: Fix) -> Ways:
    block, _, body = bad.upgrade.partition("\n")
    yield "postgresql", (replace(bad, upgrade=f"{block}\n    {fix('drop_index')}\n{body}"),)


@case("autocommit-mixed", videos(""), 'op.drop_column("videos", "url")')
def _(bad: Revision, fix: Fix) -> Ways:
    first, _, block = bad.upgrade.partition("\n")
    assert block.startswith(fix("autocommit_block"))
    yield "postgresql", (replace(bad, upgrade=first), Revision(block, INDEX_BACK))


@case("transaction-control", videos(""), 'op.drop_column("videos", "url")')
def _(bad: Revision, fix: Fix) -> Ways:
    assert fix.text.startswith("Remove the statement.")
    yield "postgresql", (replace(bad, upgrade=bad.upgrade.replace('op.execute("COMMIT")', "")),)


FILL = Revision(
    "op.execute(\"UPDATE videos SET url = '' WHERE url IS NULL\")", module="lossy = 'x'"
)
NULLABLE = 'op.alter_column("videos", "url", nullable=True, existing_type=sa.String(200))'


@case("set-not-null", videos("url"), NULLABLE)
def _(bad: Revision, fix: Fix) -> Ways:
    add, drop = fix("create_check_constraint"), fix("drop_constraint")
    unchecked = Revision(add, drop)
    last = f"{fix('VALIDATE')}\n{bad.upgrade}\n{drop}"
    yield "postgresql", (unchecked, FILL, Revision(last, f"{NULLABLE}\n{add}"))


@case("set-not-null", videos("url"), NULLABLE, "mariadb")
def _(bad: Revision, fix: Fix) -> Ways:
    yield "mariadb", (FILL, marked(bad, fix("ignore[")))


CHECK_BACK = 'op.drop_constraint(op.f("ck_videos_length"), "videos", type_="check")'
NO_NEGATIVE = Revision(
    'op.execute("UPDATE videos SET length = 1 WHERE length < 1")', module="lossy = 'x'"
)


@case("constraint-scan", videos("length"), CHECK_BACK)
def _(bad: Revision, fix: Fix) -> Ways:
    call = with_argument(bad.upgrade, fix("postgresql_not_valid"))
    yield "postgresql", (NO_NEGATIVE, replace(bad, upgrade=call), Revision(fix("VALIDATE")))


@case("constraint-scan", videos("length"), CHECK_BACK, "mariadb")
def _(bad: Revision, fix: Fix) -> Ways:
    yield "mariadb", (NO_NEGATIVE, marked(bad, fix("ignore[")))


@case(
    "constraint-scan",
    videos(""),
    'op.drop_column("videos", "of")',
    bad='op.add_column("videos", sa.Column("of", sa.Integer(), sa.ForeignKey("videos.id")))',
)
def _(bad: Revision, fix: Fix) -> Ways:
    plain = bad.upgrade.replace(', sa.ForeignKey("videos.id")', "")
    key = f"{plain}\n{fix('create_foreign_key')}"
    yield "postgresql", (replace(bad, upgrade=key), Revision(fix("VALIDATE")))


@case(
    "constraint-scan",
    videos(""),
    'op.drop_column("videos", "n")',
    bad='op.add_column("videos", sa.Column("n", sa.Integer(), sa.CheckConstraint("n > 0")))',
)
def _(bad: Revision, fix: Fix) -> Ways:
    plain = bad.upgrade.replace(', sa.CheckConstraint("n > 0")', "")
    check_ = f"{plain}\n{fix('create_check_constraint').replace('...', 'n > 0')}"
    yield "postgresql", (replace(bad, upgrade=check_), Revision(fix("VALIDATE")))


NOT_VALID = """\
op.create_check_constraint("ck_videos_length", "videos", "length > 0", postgresql_not_valid=True)
op.execute("ALTER TABLE videos VALIDATE CONSTRAINT ck_videos_length")"""


@case("constraint-scan", videos("length"), CHECK_BACK, bad=NOT_VALID)
def _(bad: Revision, fix: Fix) -> Ways:
    add, _, validate = bad.upgrade.partition("\n")
    assert fix.text.startswith("Move this VALIDATE CONSTRAINT into the next revision")
    yield "postgresql", (NO_NEGATIVE, replace(bad, upgrade=add), Revision(validate))


UNATTACHED = """\
op.execute("CREATE TABLE videos (id integer, day date) PARTITION BY RANGE (day)")
op.create_table("old", sa.Column("id", sa.Integer()), sa.Column("day", sa.Date()))"""
ATTACH = "ALTER TABLE videos ATTACH PARTITION old FOR VALUES FROM ('0001-01-01') TO ('9999-12-31')"
IN_BOUNDS = "day IS NOT NULL AND day >= '0001-01-01' AND day < '9999-12-31'"


@case(
    "constraint-scan",
    UNATTACHED,
    'op.execute("ALTER TABLE videos DETACH PARTITION old")',
    bad=f'op.execute("{ATTACH}")',
)
def _(bad: Revision, fix: Fix) -> Ways:
    add = fix("NOT VALID").replace("...", IN_BOUNDS)
    drop = 'op.execute("ALTER TABLE old DROP CONSTRAINT old_bounds")'
    clean = f"op.execute(\"UPDATE old SET day = '2024-01-01' WHERE ({IN_BOUNDS}) IS NOT TRUE\")"
    yield (
        "postgresql",
        (
            Revision(clean, module="lossy = 'x'"),
            Revision(add, drop),
            Revision(fix("VALIDATE")),
            bad,
        ),
    )


@case(
    "constraint-scan",
    'op.execute("CREATE DOMAIN small AS integer")\n' + videos("", ', sa.Column("n", sa.Integer())'),
    'op.execute("ALTER DOMAIN small DROP CONSTRAINT small_check")',
    bad='op.execute("ALTER DOMAIN small ADD CHECK (VALUE < 9)")',
)
def _(bad: Revision, fix: Fix) -> Ways:
    named = bad.upgrade.replace("ADD CHECK", "ADD CONSTRAINT small_check CHECK")
    named = named.replace('9)"', f'9) {fix("NOT VALID")}"')
    yield (
        "postgresql",
        (replace(bad, upgrade=named), Revision(fix("VALIDATE").replace("...", "small_check"))),
    )


DISTINCT = Revision('op.execute("UPDATE videos SET url = id")', module="lossy = 'x'\n")
DISTINCT_PG = replace(DISTINCT, upgrade=DISTINCT.upgrade.replace("= id", "= id::text"))
BATCH = "# migration-guard: ignore[unbatched-update] a few rows\n"


@case(
    "blocking-unique",
    videos("url"),
    'op.drop_constraint("uq_videos_url", "videos", type_="unique")',
)
def _(bad: Revision, fix: Fix) -> Ways:
    index = Revision(
        fix("CREATE UNIQUE INDEX CONCURRENTLY"), 'op.drop_index("uq_videos_url_new", "videos")'
    )
    back = f"{fix('DROP CONSTRAINT')}\n{fix('CREATE UNIQUE INDEX uq')}"
    unique = Revision(fix("USING INDEX"), back)
    yield "postgresql", (marked(DISTINCT_PG, BATCH.strip()), index, unique)


@case(
    "blocking-unique",
    videos("url"),
    'op.drop_constraint("uq_videos_url", "videos", type_="unique")',
    "mariadb",
)
def _(bad: Revision, fix: Fix) -> Ways:
    yield "mariadb", (marked(DISTINCT, BATCH.strip()), marked(bad, fix("ignore[")))


@case(
    "blocking-unique",
    videos("length"),
    'op.drop_constraint("ex_length", "videos")',
    bad='op.create_exclude_constraint("ex_length", "videos", ("length", "="), using="btree")',
)
def _(bad: Revision, fix: Fix) -> Ways:
    distinct = Revision('op.execute("UPDATE videos SET length = id")', module="lossy = 'x'")
    yield "postgresql", (marked(distinct, BATCH.strip()), marked(bad, fix("ignore[")))


@case(
    "blocking-unique",
    'op.create_table("videos", sa.Column("id", sa.Integer(), nullable=False))',
    'op.drop_constraint("pk_videos", "videos", type_="primary")',
    bad='op.create_primary_key("pk_videos", "videos", ["id"])',
)
def _(bad: Revision, fix: Fix) -> Ways:
    index = Revision(
        fix("CREATE UNIQUE INDEX CONCURRENTLY"), 'op.drop_index("pk_videos_new", "videos")'
    )
    key = Revision(fix("USING INDEX"), f"{fix('DROP CONSTRAINT')}\n{fix('CREATE UNIQUE INDEX pk')}")
    assert "PRIMARY KEY USING INDEX" in key.upgrade
    distinct = (
        "UPDATE videos SET id = n FROM"
        " (SELECT ctid AS c, row_number() OVER () AS n FROM videos) AS x WHERE ctid = c"
    )
    yield "postgresql", (Revision(f'op.execute("{distinct}")', module="lossy = 'x'"), index, key)


@case("table-rewrite", videos(""), 'op.drop_column("videos", "token")')
def _(bad: Revision, fix: Fix) -> Ways:
    default = 'sa.text("gen_random_uuid()")'
    plain = bad.upgrade.replace(f", server_default={default}", "")
    assert plain != bad.upgrade
    back = 'op.alter_column("videos", "token", server_default=None, existing_type=sa.Uuid())'
    yield (
        "postgresql",
        (replace(bad, upgrade=plain), Revision(fix("alter_column").replace("...", default), back)),
    )
    yield "postgresql", (marked(bad, fix("ignore[")),)


@case(
    "type-change",
    videos(""),
    'op.alter_column("videos", "id", type_=sa.Integer(), existing_type=sa.BigInteger())',
)
def _(bad: Revision, fix: Fix) -> Ways:
    yield "postgresql", (marked(bad, fix("ignore[")),)


VIEW = f"""{videos("")}
op.execute("CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n FROM videos")
op.execute("CREATE UNIQUE INDEX ON totals (n)")"""


@case("blocks-readers", VIEW)
def _(bad: Revision, fix: Fix) -> Ways:
    call = bad.upgrade.replace("VIEW ", f"VIEW {fix('CONCURRENTLY')} ")
    yield "postgresql", (replace(bad, upgrade=call),)
    yield "postgresql", (marked(bad, fix("ignore[")),)
    assert fix("autocommit_block") == "with op.get_context().autocommit_block():"


# --- running code


@case("not-null-without-default", videos(""), 'op.drop_column("videos", "views")')
def _(bad: Revision, fix: Fix) -> Ways:
    call = f"{bad.upgrade[:-2]}, {fix('server_default')}))"
    for database in ("postgresql", "mariadb", "sqlite"):
        yield database, (replace(bad, upgrade=call),)


@case(
    "not-null-lost",
    videos("", ', sa.Column("url", sa.String(20), nullable=False)'),
    "pass",
    "mariadb",
)
def _(bad: Revision, fix: Fix) -> Ways:
    call = with_argument(bad.upgrade, fix("existing_nullable"))
    back = call.replace("30", "0").replace("20", "30").replace("(0)", "(20)")
    yield "mariadb", (Revision(call, back),)


@case(
    "drop-default",
    videos("", ', sa.Column("views", sa.Integer(), nullable=False, server_default="0")'),
    'op.alter_column("videos", "views", server_default="0", existing_type=sa.Integer())',
)
def _(bad: Revision, fix: Fix) -> Ways:
    yield "postgresql", (marked(bad, fix("ignore[")),)


@case("drop-table", videos("url"), videos("url"))
def _(bad: Revision, fix: Fix) -> Ways:
    for database in ("postgresql", "mariadb", "sqlite"):
        yield database, (marked(bad, fix("ignore[")),)


@case("drop-column", videos("url"), 'op.add_column("videos", sa.Column("url", sa.String(200)))')
def _(bad: Revision, fix: Fix) -> Ways:
    assert "url goes in" in fix("ignore[models-out-of-sync]")  # test_kinds_of_drift.py follows it
    for database in ("postgresql", "mariadb", "sqlite"):
        yield database, (marked(bad, fix("ignore[drop-column]")),)


UNIQUE = ', sa.UniqueConstraint("url", name="uq_videos_url")'


@case(
    "drop-constraint",
    videos("url", UNIQUE),
    'op.create_unique_constraint("uq_videos_url", "videos", ["url"])',
)
def _(bad: Revision, fix: Fix) -> Ways:
    yield "postgresql", (marked(bad, fix("ignore[")),)


TOTALS = 'op.execute("CREATE VIEW totals AS SELECT count(*) AS n FROM videos")'


@case("drop-object", f"{videos('')}\n{TOTALS}", TOTALS)
def _(bad: Revision, fix: Fix) -> Ways:
    yield "postgresql", (marked(bad, fix("ignore[")),)


@case("rename-table", videos("url"), 'op.rename_table("clips", "videos")')
def _(bad: Revision, fix: Fix) -> Ways:
    view, drop, comment = fix("CREATE VIEW"), fix("DROP VIEW"), fix("ignore[")
    both = Revision(f"{bad.upgrade}\n{view}", f"{drop}\n{bad.downgrade}")
    for database in ("postgresql", "sqlite"):
        yield database, (marked(both, comment),)
    yield "mariadb", (marked(bad, comment), Revision(view, drop))
    yield "postgresql", ()  # without the statement


@case("rename-column", videos("url"), 'op.alter_column("videos", "address", new_column_name="url")')
def _(bad: Revision, fix: Fix) -> Ways:
    assert fix("mapped_column") == 'mapped_column("url", ...)'
    yield "postgresql", ()  # without the statement
    yield "postgresql", (marked(bad, fix("ignore[")),)


STATUS = "op.execute(\"CREATE TYPE status AS ENUM ('new', 'done')\")\n"
STATUS += videos("", ', sa.Column("status", postgresql.ENUM(name="status", create_type=False))')


@case("rename-object", STATUS, "op.execute(\"ALTER TYPE status RENAME VALUE 'open' TO 'new'\")")
def _(bad: Revision, fix: Fix) -> Ways:
    yield "postgresql", (marked(bad, fix("ignore[")),)


# --- data


@case("data-loss", videos("url"))
def _(bad: Revision, fix: Fix) -> Ways:
    yield "postgresql", (marked(bad, fix("ignore["), module=fix("lossy")),)


@case("unbatched-update", videos("views"))
def _(bad: Revision, fix: Fix) -> Ways:
    command = fix("--explain").split()
    assert command[:3] == ["python", "-m", "migration_guard"], "test_cli.py runs --explain"
    example = RULES[command[-1]].good
    for database in ("postgresql", "mariadb", "sqlite"):
        yield database, (Revision(example, module=fix("lossy")),)


@case("data-with-schema", videos("title"), 'op.drop_column("videos", "slug")')
def _(bad: Revision, fix: Fix) -> Ways:
    assert fix("alembic revision") == 'alembic revision -m "Fill videos"'
    add, _, update = bad.upgrade.partition("\n")
    yield "postgresql", (replace(bad, upgrade=add), Revision(update, module=fix("lossy")))


# --- enums


@case("enum-left-behind", videos(""))
def _(bad: Revision, fix: Fix) -> Ways:
    yield "postgresql", (replace(bad, downgrade=f"{bad.downgrade}\n{fix('.drop(')}"),)


@case("enum-value-in-transaction", STATUS)
def _(bad: Revision, fix: Fix) -> Ways:
    add, _, update = bad.upgrade.partition("\n")
    block = inside(fix("autocommit_block"), add.replace("ADD VALUE", fix("IF NOT EXISTS")))
    yield "postgresql", (Revision(block), Revision(update, module="lossy = 'a correction'"))


@case("enum-missing", videos(""), 'op.drop_column("videos", "status")')
def _(bad: Revision, fix: Fix) -> Ways:
    up, down = f"{fix('.create(')}\n{bad.upgrade}", f"{bad.downgrade}\n{fix('.drop(')}"
    yield "postgresql", (Revision(up, down),)


# --- design


@case("json-equality", videos(""), 'op.drop_column("videos", "data")')
def _(bad: Revision, fix: Fix) -> Ways:
    call = bad.upgrade.replace("sa.JSON()", fix("sa.JSON()"))
    yield "postgresql", (replace(bad, upgrade=call, module=fix("import")),)


@case(
    "unnamed-constraint",
    videos("url"),
    'op.drop_constraint("uq_videos_url", "videos", type_="unique")',
    "mariadb",
)
def _(bad: Revision, fix: Fix) -> Ways:
    call = bad.upgrade.replace("None", fix("op.f("))
    yield "mariadb", (marked(DISTINCT, BATCH.strip()), replace(bad, upgrade=call))


@case("no-primary-key", videos(""), 'op.drop_table("tags")', "galera")
def _(bad: Revision, fix: Fix) -> Ways:
    yield "galera", (replace(bad, upgrade=with_argument(bad.upgrade, fix("primary_key=True"))),)


# --- reading, revision, report


@case("no-operations-read", videos(""))
def _(bad: Revision, fix: Fix) -> Ways:
    yield "static", (replace(bad, module=f"{bad.module}\n\n\n{fix('ignore[')}"),)


@case("unresolved-operation", videos("url"))
def _(bad: Revision, fix: Fix) -> Ways:
    yield "static", (marked(bad, fix("ignore[")),)


@case("application-import", videos("views"))
def _(bad: Revision, fix: Fix) -> Ways:
    table = f"Video = {fix('sa.table')}\n"
    used = bad.upgrade.replace("Video.id", "Video.c.id")
    yield "postgresql", (Revision(table + used, module="lossy = 'a correction'"),)


@case("offline-unsafe", videos("url"))
def _(bad: Revision, fix: Fix) -> Ways:
    block = inside(fix("is_offline_mode"), bad.upgrade)
    yield "postgresql", (replace(bad, upgrade=block, module=fix("import")),)


@case("empty-downgrade", videos(""))
def _(bad: Revision, fix: Fix) -> Ways:
    yield "postgresql", (replace(bad, module=fix("irreversible")),)


@case(
    "not-resumable",
    videos(""),
    'op.drop_column("videos", "likes")\nop.drop_column("videos", "views")',
    "mariadb",
)
def _(bad: Revision, fix: Fix) -> Ways:
    lines = bad.upgrade.splitlines()
    assert fix("if_exists") == "if_exists=True"
    argument = fix("if_not_exists")
    yield (
        "mariadb",
        (replace(bad, upgrade="\n".join(with_argument(each, argument) for each in lines)),),
    )
    yield (
        "mariadb",
        tuple(
            Revision(each, f'op.drop_column("videos", "{name}")')
            for each, name in zip(lines, ("views", "likes"), strict=True)
        ),
    )


@case("unused-ignore", videos(""), 'op.drop_column("videos", "url")')
def _(bad: Revision, fix: Fix) -> Ways:
    assert fix.text.startswith("Remove it, or")
    assert fix("ignore[rule]")
    yield "postgresql", (replace(bad, upgrade=bad.upgrade.partition("\n")[2]),)


# --- roundtrip


@case(
    "upgrade-fails",
    videos("title"),
    'op.drop_constraint("uq_videos_title", "videos", type_="unique")',
)
def _(bad: Revision, fix: Fix) -> Ways:
    yield "postgresql", (replace(bad, module=f"\n\n{fix('ignore[')}"),)


@case(
    "downgrade-fails",
    videos("title"),
    RULES["downgrade-fails"].bad,
    bad='op.create_index("ix_videos_title", "videos", ["title"])',
)
def _(bad: Revision, fix: Fix) -> Ways:
    yield "postgresql", (replace(bad, downgrade=fix("drop_index")),)
    yield "postgresql", (replace(bad, module=fix("irreversible")),)


@case("upgrade-not-repeatable", STATUS)
def _(bad: Revision, fix: Fix) -> Ways:
    call = bad.upgrade.replace("ADD VALUE", fix("IF NOT EXISTS"))
    yield "postgresql", (replace(bad, upgrade=call),)


LONGER = 'op.alter_column("videos", "url", type_=sa.String(300), existing_type=sa.String(200))'


@case("downgrade-differs", videos("url"), RULES["downgrade-differs"].bad, bad=LONGER)
def _(bad: Revision, fix: Fix) -> Ways:
    yield "postgresql", (replace(bad, downgrade=f"{bad.downgrade}\n{fix('ALTER TABLE')}"),)


@case(
    "data-not-restored",
    videos("url"),
    'op.add_column("videos", sa.Column("url", sa.String(200)))',
    bad=RULES["drop-column"].bad,
)
def _(bad: Revision, fix: Fix) -> Ways:
    yield "postgresql", (replace(bad, module=fix("lossy")),)


FILES = """\
op.create_table("files", sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("body", sa.Text(), nullable=False), sa.Column("checksum", sa.Text(), nullable=False),
    sa.CheckConstraint("checksum = md5(body)", name="ck"))"""


@case(
    "table-without-rows",
    videos(""),
    'op.drop_table("files")',
    bad=FILES,
)
def _(bad: Revision, fix: Fix) -> Ways:
    yield "postgresql", (replace(bad, module=f"\n\n{fix('ignore[')}"),)


# --- the mechanism


@pytest.fixture
def find(bake: Callable[..., Project], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return a function that checks and roundtrips a history, and returns the findings."""
    project = bake(starter="blank")
    monkeypatch.chdir(project.path)
    (project.path / "shop").mkdir()
    (project.path / "shop" / "models.py").touch()

    def run(database: str, *revisions: Revision, slow: bool = True) -> list[dict[str, Any]]:
        with_imports = [replace(each, module=f"{IMPORTS}\n{each.module}") for each in revisions]
        faults.write(History(tuple(with_imports)), project.versions, project.models)
        declared = "postgresql" if database == "static" else database
        found = check(project.path, declared, "--static", select=[*RULES])
        if database != "static" and slow:
            server = {"galera": "mariadb"}.get(database, database)
            require(server)
            found += check(project.path, server, "--roundtrip", select=RAN)
        return found

    return run


def test_every_rule_has_a_test_that_follows_its_fix() -> None:
    assert {each.rule for each in CASES} | ELSEWHERE.keys() == RULES.keys()
    for test in ELSEWHERE.values():
        file, _, name = test.partition("::")
        assert f"\ndef {name}(" in (TESTS / file).read_text(encoding="utf-8"), test


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}: {case.bad.upgrade[:40]}")
def test_a_fix_that_is_followed_ends_green(case: Case, find: Callable[..., Any]) -> None:
    first = Revision(case.before, module="irreversible = 'the first'")
    before = find(case.database, first, case.bad, slow=RULES[case.rule].category == "roundtrip")
    found = [each for each in before if each["rule"] == case.rule]
    assert found, f"{case.rule} does not find its example, but: {before}"
    fix = Fix(found[0]["fix"])
    others = {each["rule"] for each in before} - {case.rule}
    for database, revisions in case.follow(case.bad, fix):
        after = find(database, first, *revisions)
        left = [
            f"{each['rule']}: {each['message']}"
            for each in after
            if each["rule"] not in others and each["revision"] != "r0"
        ]
        assert left == [], f"on {database}, after the fix: {fix.text}"
    assert fix.left == [], "the fix prints this, and no step follows it"
