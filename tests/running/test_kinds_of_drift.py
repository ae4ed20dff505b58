"""Each kind of drift is named, and two notations of one schema are none."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lib import faults
from lib.checks import check
from lib.faults import History, Revision
from lib.projects import Project
from lib.servers import require
from migration_guard.running.models import Models
from migration_guard.running.schema.objects import Column, Difference

KEY = 'sa.Column("id", sa.Integer(), primary_key=True)'
LONG = "amount_is_positive_before_it_can_be_charged_to_the_card"
NAMED = f'sa.CheckConstraint("x > 0", name=op.f("ck_subscription_invoices_{LONG}"))'
OWNED = (
    "CREATE EXTENSION hstore; CREATE TABLE spatial_ref (id integer);"
    " ALTER EXTENSION hstore ADD TABLE spatial_ref"
)
Drift = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def drift(
    bake: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[dict[str, Any]]]:
    """Check a history of one revision against models."""
    project = bake(starter="blank")
    monkeypatch.chdir(project.path)

    def run(database: str, upgrade: str, models: str) -> list[dict[str, Any]]:
        require(database)
        history = History((Revision(upgrade),), models)
        env = project.path / "alembic" / "env.py"
        faults.write(history, project.versions, project.models, env)
        return check(project.path, database)

    return run


def table(name: str, *parts: str) -> tuple[str, str]:
    """The statement of a migration that creates a table, and the model of it."""
    listed = ", ".join([KEY, *parts])
    model = f'sa.Table("{name}", metadata, {listed})'
    return f'op.create_table("{name}", {listed})', model


def column(type_: str, default: str) -> str:
    return f'sa.Column("v", {type_}, server_default={default})'


DIFFERENT: dict[str, tuple[str, list[str], list[str], list[str]]] = {
    # database, parts in the migration, parts in the models, what is named
    "default of JSON": (
        "postgresql",
        [column("sa.JSON()", "sa.text(\"'[]'\")")],
        [column("sa.JSON()", "sa.text(\"'{}'\")")],
        ["column t.v"],
    ),
    "default with a quote": (
        "postgresql",
        [column("sa.String(20)", '"its"')],
        [column("sa.String(20)", '"it\'s"')],
        ["column t.v"],
    ),
    "default with a quote, on MariaDB": (
        "mariadb",
        [column("sa.String(20)", '"its"')],
        [column("sa.String(20)", '"it\'s"')],
        ["column t.v"],
    ),
    "options of an identity": (
        "postgresql",
        ['sa.Column("n", sa.Integer(), sa.Identity())'],
        ['sa.Column("n", sa.Integer(), sa.Identity(start=100, increment=5))'],
        ["column t.n"],
    ),
    "partitioning": (
        "postgresql",
        [],
        ['postgresql_partition_by="RANGE (id)"'],
        ["table t"],
    ),
    "character set of a table": ("mariadb", [], ['mariadb_charset="latin1"'], ["table t"]),
    "comment of a table": ("postgresql", ['comment="a"'], ['comment="b"'], ["table t"]),
}


@pytest.mark.parametrize("kind", DIFFERENT)
def test_a_difference_is_named(drift: Drift, kind: str) -> None:
    database, old, new, named = DIFFERENT[kind]
    upgrade, _ = table("t", *old)
    _, models = table("t", *new)
    assert sorted(found["operation"] for found in drift(database, upgrade, models)) == named


@pytest.mark.parametrize("kind", DIFFERENT)
def test_the_same_on_both_sides_is_no_difference(drift: Drift, kind: str) -> None:
    database, _, new, _ = DIFFERENT[kind]
    upgrade, models = table("t", *new)
    assert drift(database, upgrade, models) == []


@pytest.mark.parametrize(
    ("old", "new", "same", "other"),
    [
        ("sa.JSON()", "postgresql.JSONB()", '{"a":  1}', "[]"),
        ("sa.Integer()", "sa.BigInteger()", "-1", "1"),
        ("sa.Text()", "sa.String(20)", "it's 5%", "it"),
        ("sa.DateTime()", "sa.DateTime(timezone=True)", "2020-01-01", "2020-01-02"),
    ],
)
def test_a_constant_that_has_the_old_type_is_no_difference(
    drift: Drift, old: str, new: str, same: str, other: str
) -> None:
    """Where the type was changed and the default was not set again."""
    upgrade, _ = table("t", column(old, repr(same)))
    using = f'postgresql_using="v::" + str(({new}).compile(dialect=postgresql.dialect()))'
    upgrade += f'\nop.alter_column("t", "v", type_={new}, existing_type={old}, {using})'
    imports = "from sqlalchemy.dialects import postgresql"
    for value, expected in ((same, []), (other, ["column t.v"])):
        _, models = table("t", column(new, repr(value)))
        found = drift("postgresql", f"{imports}\n{upgrade}", f"{imports}\n{models}")
        assert [each["operation"] for each in found] == expected


def test_what_the_server_can_not_compare_hides_no_other_difference(drift: Drift) -> None:
    json = column("sa.JSON()", "sa.text(\"'{}'\")")
    quote = 'sa.Column("q", sa.String(20), server_default="it\'s")'
    upgrade, _ = table("t", json, quote)
    _, models = table("t", json, quote, 'sa.Column("n", sa.Integer())')
    _, more = table("more")
    found = drift("postgresql", upgrade, f"{models}\n{more}")
    assert sorted(each["operation"] for each in found) == ["column t.n", "table more"]


@pytest.mark.parametrize("database", ["sqlite", "mariadb"])
def test_a_quote_in_a_default_is_no_difference(drift: Drift, database: str) -> None:
    upgrade, models = table("t", column("sa.String(20)", '"it\'s"'))
    assert drift(database, upgrade, models) == []


def test_what_an_extension_owns_is_no_drift(drift: Drift) -> None:
    upgrade, models = table("t")
    owned = faults.sql(OWNED)
    assert drift("postgresql", f"{upgrade}\n{owned}", models) == []
    not_owned = faults.sql("CREATE TABLE spatial_ref (id integer)")
    (found,) = drift("postgresql", f"{upgrade}\n{not_owned}", models)
    assert found["operation"] == "table spatial_ref"


def test_a_name_that_the_server_cuts_is_no_drift(drift: Drift) -> None:
    name = "subscription_invoices"
    x = 'sa.Column("x", sa.Integer())'
    conventions = '{"ck": "ck_%(table_name)s_%(constraint_name)s"}'
    check_ = f'sa.CheckConstraint("x > 0", name="{LONG}")'
    upgrade, _ = table(name, x, NAMED)
    models = f"metadata.naming_convention = {conventions}\n{table(name, x, check_)[1]}"
    assert drift("postgresql", upgrade, models) == []
    other = models.replace("x > 0", "x > 1")
    (found,) = drift("postgresql", upgrade, other)
    assert found["operation"].startswith("constraint subscription_invoices.ck_subscription")


def test_a_boolean_with_its_own_check_is_no_drift(drift: Drift) -> None:
    flag = 'sa.Column("f", sa.Boolean(create_constraint=True, name="flag"))'
    for database in ("sqlite", "mariadb"):
        upgrade, models = table("t", flag)
        assert drift(database, upgrade, models) == []


def test_the_default_schema_may_be_named(drift: Drift) -> None:
    upgrade, models = table("t", 'sa.Column("n", sa.Integer())')
    named = models[:-1] + ', schema="public")'
    assert drift("postgresql", upgrade, named) == []
    (found,) = drift("postgresql", table("t")[0], named)
    assert found["operation"] == "column t.n"


LATE = """
from sqlalchemy import event
from sqlalchemy.orm import Mapper, DeclarativeBase, mapped_column, Mapped


@event.listens_for(Mapper, "after_configured", once=True)
def add_versions():
    sa.Table("t_version", metadata, sa.Column("id", sa.Integer(), primary_key=True))
"""


def test_tables_that_extensions_add_to_the_models_are_compared(drift: Drift) -> None:
    upgrade, models = table("t")
    mapped = "\nfrom sqlalchemy.orm import registry\n\nclass T: pass\n"
    mapped += "registry().map_imperatively(T, metadata.tables['t'])\n"
    (found,) = drift("sqlite", upgrade, f"{models}\n{LATE}\n{mapped}")
    assert found["operation"] == "table t_version"


def test_an_enum_value_is_added_in_its_place(drift: Drift) -> None:
    """And what the fix prints is what makes it right."""
    old = table("t", 'sa.Column("s", sa.Enum("NEW", "DONE", name="state"))')
    new = table("t", 'sa.Column("s", sa.Enum("NEW", "OPEN", "DONE", name="state"))')
    (found,) = drift("postgresql", old[0], new[1])
    statements = found["fix"].partition("has:\n")[2]
    assert "BEFORE 'DONE'" in statements
    assert drift("postgresql", f"{old[0]}\n{statements}", new[1]) == []


@pytest.mark.parametrize("database", ["sqlite", "postgresql", "mariadb"])
def test_a_column_that_may_be_renamed_is_asked_for(drift: Drift, database: str) -> None:
    """Beside another new column; and what the fix prints is what renames it, with its NOT NULL."""
    size = 'sa.Column("size", sa.Integer())'
    old = table("t", 'sa.Column("naem", sa.String(20), nullable=False)')
    new = table("t", 'sa.Column("order", sa.String(20), nullable=False)', size)
    found = drift(database, old[0], new[1])
    fixes = [each["fix"] for each in found if "RENAME COLUMN" in each["fix"]]
    assert (len(found), len(fixes)) == (3, 2)
    call = fixes[0].partition("revision with `")[2].partition("`. If not")[0]
    assert drift(database, f'{old[0]}\n{call}\nop.add_column("t", {size})', new[1]) == []


def test_a_column_of_another_type_or_one_of_several_is_not_asked_for(drift: Drift) -> None:
    old = table("t", 'sa.Column("naem", sa.String(20))')
    other = table("t", 'sa.Column("name", sa.Integer())')
    several = table("t", 'sa.Column("a", sa.String(20))', 'sa.Column("b", sa.String(20))')
    for new in (other, several):
        assert all("RENAME" not in each["fix"] for each in drift("sqlite", old[0], new[1]))


def test_what_env_py_leaves_out_is_no_drift(
    bake: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A view that a model maps, as many write it."""
    project = bake(starter="blank")
    monkeypatch.chdir(project.path)
    upgrade, models = table("t")
    view = f'sa.Table("v", metadata, {KEY}, info={{"view": True}})'
    faults.write(
        History((Revision(upgrade),), f"{models}\n{view}"), project.versions, project.models
    )
    assert [found["operation"] for found in check(project.path, "sqlite")] == ["table v"]
    filtering = '"include_object": lambda item, *_: not item.info.get("view"),'
    name = '"include_name": include_name,'
    project.edit(project.path / "alembic" / "env.py", name, f"{name} {filtering}")
    assert check(project.path, "sqlite") == []


MODULE = """
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase):
    pass

class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    # migration-guard: ignore[models-out-of-sync] dropped in 3.0
    old: Mapped[int]
    new: Mapped[int]
"""


def test_autogenerate_can_ask_which_differences_are_suppressed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "suppressing_models.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("suppressing_models")
    models = Models(module.Base.metadata, tmp_path, "env.py")
    for name, suppressed in (("old", True), ("new", False)):
        difference = Difference("table users", f"column {name}", None, Column("integer"))
        assert models.is_suppressed(difference) is suppressed
