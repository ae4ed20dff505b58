"""Types as migrations write them: what the database has, and never the application's own type."""

import sys
from copy import copy
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import _repr_type as written
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import make_url


def loaded(type_: Any, dialect: sa.Dialect) -> Any:
    """Return the type that a column has on ``dialect``, without variants and decorators."""
    variants = getattr(type_, "_variant_mapping", {})
    if variant := variants.get(dialect.name):
        return loaded(variant, dialect)
    if is_decorator(type_):
        return loaded(type_.load_dialect_impl(dialect), dialect)
    # A dialect's own class may be private to it, as its UUID is.
    package = sys.modules.get(".".join(type(type_).__module__.split(".")[:3]))
    for each in type(type_).__mro__:
        if any(getattr(place, each.__name__, None) is each for place in (package, sa)):
            return type_ if each is type(type_) else type_.adapt(each)
    return type_


def is_decorator(type_: Any) -> bool:
    """Return whether it is a TypeDecorator, but none of SQLAlchemy's own, as Interval is."""
    own = type(type_).__module__.startswith("sqlalchemy.")
    return isinstance(type_, sa.TypeDecorator) and not own


class TypeWriter:
    """The ``render_item`` of env.py, for the dialects that the project declares."""

    def __init__(self, dialects: tuple[str, ...]) -> None:
        self.dialects = {name: make_url(f"{name}://").get_dialect()() for name in dialects}

    def __call__(self, kind: str, item: Any, context: AutogenContext) -> str | Literal[False]:
        """Return the Python text of a type, or False: as Alembic writes it."""
        if kind != "type":
            return False
        variants = getattr(item, "_variant_mapping", {}).values()
        if any(map(is_decorator, (item, *variants))):
            return self.variants(item, context)
        if isinstance(item, sa.Enum):
            return self.enum(item, context)
        schema = f", schema={item.schema!r}" if getattr(item, "schema", None) else ""
        if isinstance(item, postgresql.DOMAIN):
            context.imports.add("from sqlalchemy.dialects import postgresql")
            base = written(item.data_type, context)
            return f"postgresql.DOMAIN({item.name!r}, {base}{schema}, create_type=False)"
        if isinstance(item, postgresql.JSONB):
            # Alembic would write astext_type=Text() and import no Text.
            context.imports.add("from sqlalchemy.dialects import postgresql")
            return "postgresql.JSONB()"
        module = type(item).__module__
        if module.partition(".")[0] in ("sqlalchemy", "alembic"):
            return False
        if is_installed(module):
            if getattr(item, "spatial_index", False):  # an operation of its own creates it
                item = copy(item)
                item.spatial_index = False
            context.imports.add(f"import {module}")
            return f"{module}.{item!r}"
        # A type of the application that is no decorator: its name in SQL.
        sql = item.compile(dialect=context.dialect)
        body = f'{{"cache_ok": True, "get_col_spec": lambda self, **_: {sql!r}}}'
        return f"type({type(item).__name__!r}, (sa.types.UserDefinedType,), {body})()"

    def variants(self, item: Any, context: AutogenContext) -> str:
        """Return the type on this database, with variants for the others that are declared."""
        assert context.dialect is not None
        texts = {context.dialect.name: written(loaded(item, context.dialect), context, True)}
        for name, dialect in self.dialects.items():
            if name not in texts:
                texts[name] = written(loaded(item, dialect), context, True)
        base = next(iter(texts.values()))
        variants = {name: text for name, text in texts.items() if text != base}
        return base + "".join(f".with_variant({text}, {name!r})" for name, text in variants.items())

    def enum(self, item: sa.Enum, context: AutogenContext) -> str | Literal[False]:
        """Return an enum type that a statement of its own creates, and not the table."""
        if not item.native_enum or not item.name or "postgresql" not in self.dialects:
            return False
        context.imports.add("from sqlalchemy.dialects import postgresql")
        values = f"{', '.join(map(repr, item.enums))}, name={item.name!r}"
        schema = f", schema={item.schema!r}" if item.schema else ""
        text = f"postgresql.ENUM({values}{schema}, create_type=False)"
        if self.dialects.keys() == {"postgresql"} or isinstance(item, postgresql.ENUM):
            return text
        return f'sa.Enum({values}).with_variant({text}, "postgresql")'


def is_installed(module: str) -> bool:
    """Return whether a module comes from a package, and not from the project."""
    file = getattr(sys.modules.get(module), "__file__", None)
    return file is None or bool({"site-packages", "dist-packages"} & {*Path(file).parts})
