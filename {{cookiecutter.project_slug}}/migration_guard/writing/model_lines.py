"""A new column as the models could have it, with a value for the rows that are there."""

import ast
from contextlib import suppress

import sqlalchemy as sa
from alembic.operations import ops

from ..running.models import Models as ModelledSchema
from .models import Models
from .tables import Operations


def with_defaults(
    operations: Operations, models: Models, schema: ModelledSchema
) -> dict[str, tuple[str, str]]:
    """Return, by ``table.column``, a server default for each new column and its line with it.

    Left out: what may be NULL, has no plain default, or is not in a class of the models.
    """
    found = {}
    for each in operations:
        value = plain_value(each.column) if isinstance(each, ops.AddColumnOp) else None
        if isinstance(each, ops.AddColumnOp) and value is not None:
            owner, name = models.full_name(each), each.column.name
            path, line = schema.place(f"table {owner}", f"column {name}")
            with suppress(OSError, SyntaxError, ValueError):
                for node in ast.walk(ast.parse((schema.root / path).read_text(encoding="utf-8"))):
                    if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.lineno == line:
                        call = node.value or ast.Call(ast.Name("mapped_column"), [], [])
                        assert isinstance(call, ast.Call)
                        call.keywords.append(ast.keyword("server_default", ast.Constant(value)))
                        node.value = call
                        found[f"{owner}.{name}"] = value, ast.unparse(node)
    return found


def plain_value(column: sa.Column[object]) -> str | None:
    """Return the column's own default as a server default, or else 0 or an empty text; or None."""
    own = getattr(column.default, "arg", None)
    if column.nullable or column.server_default or isinstance(column.type, (sa.Enum, sa.Text)):
        return None
    if isinstance(own, (int, float, str)):
        return str(int(own) if isinstance(own, bool) else own)
    is_number = isinstance(column.type, (sa.Integer, sa.Numeric, sa.Boolean))
    return "0" if is_number else "" if isinstance(column.type, sa.String) else None
