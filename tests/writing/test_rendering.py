"""Types are written as what the database has, with their imports."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
import sqlalchemy as sa
from alembic.autogenerate.api import AutogenContext
from alembic.migration import MigrationContext
from migration_guard.writing.rendering import TypeWriter
from sqlalchemy.dialects import mysql, postgresql, sqlite

DIALECTS = {"postgresql": postgresql.dialect, "sqlite": sqlite.dialect, "mysql": mysql.dialect}


class Guid(sa.TypeDecorator):
    impl = sa.CHAR
    cache_ok = True

    def load_dialect_impl(self, dialect):
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.UUID())
        return dialect.type_descriptor(sa.CHAR(32))


class Money(sa.types.UserDefinedType):
    cache_ok = True

    def get_col_spec(self, **_):
        return "money"


def written(type_, *dialects: str) -> tuple[str, set[str]]:
    dialect = DIALECTS[dialects[0]]()
    options = {"sqlalchemy_module_prefix": "sa.", "user_module_prefix": None}
    context = MigrationContext.configure(
        dialect=dialect, opts={"target_metadata": sa.MetaData(), **options}
    )
    autogenerate = AutogenContext(context, autogenerate=False)
    autogenerate.opts.update(options)
    return TypeWriter(dialects)("type", type_, autogenerate), autogenerate.imports


@pytest.mark.parametrize(
    ("dialects", "text"),
    [
        (("postgresql",), "sa.UUID()"),
        (("sqlite",), "sa.CHAR(length=32)"),
        (("sqlite", "postgresql"), "sa.CHAR(length=32).with_variant(sa.UUID(), 'postgresql')"),
    ],
)
def test_a_decorator_is_what_it_loads(dialects, text) -> None:
    assert written(Guid(), *dialects)[0] == text


def test_an_interval_is_no_decorator_of_the_application() -> None:
    assert written(sa.Interval(), "postgresql")[0] is False


def test_a_type_of_the_application_is_its_name_in_sql() -> None:
    text, imports = written(Money(), "postgresql")
    built = eval(text, {"sa": sa})
    assert built.compile(dialect=postgresql.dialect()) == "money"
    assert not imports


def test_a_type_of_a_package_is_imported(monkeypatch) -> None:
    module = ModuleType("geometries.types")
    module.__file__ = "/lib/site-packages/geometries/types.py"
    monkeypatch.setitem(sys.modules, "geometries.types", module)
    kind = type("Geometry", (Money,), {"__module__": "geometries.types"})
    assert written(kind(), "postgresql") == (
        "geometries.types.Geometry()",
        {"import geometries.types"},
    )


def test_the_index_of_a_spatial_type_is_an_operation_of_its_own() -> None:
    geometry = type("Geometry", (Money,), {"spatial_index": True, "__module__": "builtins"})
    geometry.__repr__ = lambda self: f"Geometry(spatial_index={self.spatial_index})"
    kind = geometry()
    assert written(kind, "postgresql")[0] == "builtins.Geometry(spatial_index=False)"
    assert kind.spatial_index


@pytest.mark.parametrize(
    ("dialects", "text"),
    [
        (("sqlite",), False),
        (("postgresql",), "postgresql.ENUM('a', 'b', name='mood', create_type=False)"),
    ],
)
def test_a_table_does_not_create_its_enum_type(dialects, text) -> None:
    assert written(sa.Enum("a", "b", name="mood"), *dialects)[0] == text
