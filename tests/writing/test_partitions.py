"""A partitioned table with rows: each step of the road, up, down and up again."""

import pytest
import sqlalchemy as sa
from lib.projects import bake_into
from lib.road import HEADER, Road
from lib.servers import fresh_database

pytestmark = pytest.mark.slow
TABLE = """
things = Table("things", Base.metadata, Column("id", Integer, primary_key=True),
    {columns}, postgresql_partition_by="RANGE (id)")
"""
CREATED = [
    "CREATE TABLE things_0 PARTITION OF things FOR VALUES FROM (0) TO (10)",
    "CREATE TABLE things_10 PARTITION OF things FOR VALUES FROM (10) TO (20)"
    " PARTITION BY LIST (id)",
    "CREATE TABLE things_11 PARTITION OF things_10 DEFAULT",
    "INSERT INTO things (id, code) VALUES (1, 'a%:x'), (2, NULL), (11, 'c'), (12, NULL)",
]
CODE = 'Column("code", String(20){options})'
BEFORE = {"index dropped": CODE.format(options=", index=True")}
CHANGES = {
    "index": (CODE.format(options=", index=True"), set()),
    "index dropped": (CODE.format(options=""), {"blocking-index"}),
    "partial index": (
        CODE.format(options="")
        + """, Index("ix_x", "code", postgresql_where=text("code <> '%:x'"))""",
        set(),
    ),
    "not null": (CODE.format(options=', nullable=False, server_default="b"'), set()),
    "check": (CODE.format(options="") + """, CheckConstraint("code <> 'x'", name="code")""", set()),
    "foreign key": (
        CODE.format(options="") + ', Column("parent", ForeignKey("parents.id"), index=True)',
        {"constraint-scan"},
    ),
    "unique": (
        CODE.format(options="") + ', UniqueConstraint("id", "code", name="uq_x")',
        {"blocking-unique"},
    ),
}


@pytest.fixture(scope="module")
def road(tmp_path_factory):
    folder = tmp_path_factory.mktemp("partitions")
    for url in fresh_database("postgresql", folder):
        path = bake_into(folder, database="postgresql", starter="blank", project_slug="shop")
        yield Road(path, "shop", url)


@pytest.mark.parametrize("name", CHANGES)
def test_arrives(road: Road, name: str) -> None:
    columns, decisions = CHANGES[name]
    with road.at_home():
        road.start()
        before = BEFORE.get(name, CODE.format(options=""))
        road.write(HEADER + TABLE.format(columns=before))
        road.alembic("revision", message="Before", autogenerate=True)
        (file,) = road.versions.glob("*.py")
        text = file.read_text(encoding="utf-8")
        calls = "".join(f"    op.execute({each!r})\n" for each in CREATED[:3])
        end = "    # ### end Alembic commands ###\n"
        file.write_text(text.replace(end, calls + end, 1), encoding="utf-8")
        road.alembic("upgrade", "head")
        last = road.head()
        engine = sa.create_engine(road.url)
        with engine.begin() as connection:
            connection.execute(sa.text(CREATED[3].replace(":", "\\:")))
        engine.dispose()
        road.write(HEADER + TABLE.format(columns=columns))
        road.alembic("revision", message="After", autogenerate=True)
        found = [*road.errors(), *road.errors("--roundtrip")]
        assert {each["rule"] for each in found} == decisions, found
        road.alembic("upgrade", "head")
        road.alembic("check")
        road.alembic("downgrade", last, answers=["yes"])
        road.alembic("upgrade", "head")
        with engine.connect() as connection:
            invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
            assert connection.exec_driver_sql(invalid).scalar() == 0
            assert connection.exec_driver_sql("SELECT count(*) FROM things").scalar() == 4
        engine.dispose()
