"""Operations that Alembic does not have: lines of code, and blocks around other operations."""

import re
from collections.abc import Sequence
from typing import Any

from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import render_op, renderers
from alembic.operations import ops


class Lines(ops.MigrateOperation):
    """Lines of Python, as the migration has them."""

    def __init__(self, *lines: str) -> None:
        self.lines = lines

    def to_diff_tuple(self) -> tuple[Any, ...]:
        return ("lines", *self.lines)


class Block(ops.OpContainer):
    """Operations under a line that ends with a colon."""

    def __init__(self, header: str, operations: Sequence[ops.MigrateOperation]) -> None:
        super().__init__(operations)
        self.header = header


def autocommit(operations: Sequence[ops.MigrateOperation]) -> Block:
    """Operations that PostgreSQL runs outside of a transaction."""
    return Block("with op.get_context().autocommit_block():", operations)


def execute(statement: str) -> ops.ExecuteSQLOp:
    return ops.ExecuteSQLOp(escaped(statement))


def escaped(text: str) -> str:
    """SQL in which a colon before a word is no parameter."""
    return re.sub(r"(?<![:\w\\]):(?=\w)", r"\\:", text)


@renderers.dispatch_for(Lines)
def render_lines(context: AutogenContext, operation: Lines) -> list[str]:
    return list(operation.lines)


@renderers.dispatch_for(Block)
def render_block(context: AutogenContext, block: Block) -> list[str]:
    lines = [line for operation in block.ops for line in render_op(context, operation)]
    code = any(not line.startswith("#") for line in lines)
    # Mako's printer indents after a colon; an empty line ends the block.
    return [block.header, *lines, *([] if code else ["pass"]), ""]
