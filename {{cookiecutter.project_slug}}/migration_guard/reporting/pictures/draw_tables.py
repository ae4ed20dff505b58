"""Draw the tables of the models as a diagram for Mermaid; describe each column and each key."""

import re
from typing import Any

import sqlalchemy as sa

# The ends of a line in Mermaid's entity relationship diagrams.
REFERRED, REFERRING = {"one": "||", "maybe": "|o"}, {"maybe": "o|", "many": "o{"}


def marks_of(column: sa.Column[Any]) -> list[str]:
    """Return the properties of a column: key, NULL, uniqueness, index, enum values."""
    table, marks = column.table, []
    if column.primary_key:
        marks.append("primary key")
    if column.nullable:
        marks.append("nullable")
    alone = [index for index in table.indexes if list(index.columns) == [column]]
    if any([*each.columns] == [column] for each in uniques(table)):
        marks.append("unique")
    elif alone:
        marks.append("indexed")
    if isinstance(column.type, sa.Enum):
        marks.append(f"one of {', '.join(map(str, column.type.enums))}")
    return marks


def default_of(column: sa.Column[Any]) -> str:
    """Return the server default, or ""."""
    default = column.server_default
    if isinstance(default, sa.DefaultClause):
        return f"'{default.arg}'" if isinstance(default.arg, str) else str(default.arg)
    return type(default).__name__ if default else ""


def uniques(table: Any) -> list[Any]:
    """Return the constraints and the indexes that hold for all rows."""
    found: list[Any] = [each for each in table.constraints if isinstance(each, sa.UniqueConstraint)]
    for index in table.indexes:
        if index.unique and not any("where" in name for name in index.kwargs):
            found.append(index)
    return found


def rows_at_ends(key: sa.ForeignKeyConstraint) -> tuple[str, str]:
    """Return how many rows a row refers to, and how many rows may refer to the same one."""
    columns, table = set(key.columns), key.table
    alone = any(
        len(each.columns) and set(each.columns) <= columns
        for each in [table.primary_key, *uniques(table)]
    )
    optional = any(column.nullable for column in columns)
    return "maybe" if optional else "one", "maybe" if alone else "many"


def index_text(index: sa.Index) -> str:
    """Return name, columns and predicate of an index."""
    parts = ", ".join(str(getattr(part, "name", None) or part) for part in index.expressions)
    options = index.dialect_kwargs.items()
    where = {f" where {value}" for option, value in options if option.endswith("_where")}
    kind = "unique index" if index.unique else "index"
    return f"{kind} {index.name} ({parts}){''.join(sorted(where))}"


def shared_keys(table: sa.Table) -> list[str]:
    """Return the indexes and the keys that the mark of a single column does not show."""
    texts = [
        index_text(index)
        for index in table.indexes
        if len(index.expressions) > 1 or index.dialect_kwargs
    ]
    for each in table.constraints:
        if isinstance(each, sa.UniqueConstraint) and len(each.columns) > 1:
            texts.append(f"unique {each.name or ''} ({', '.join(each.columns.keys())})")
    return [f"- {table.key}: `{text}`" for text in sorted(texts)]


def word(text: object) -> str:
    """Return the text as one word of Mermaid's: NUMERIC(10, 2) becomes NUMERIC(10-2)."""
    return re.sub(r"[^\w()\[\]-]+", "_", re.sub(r",\s*", "-", str(text)))


def quoted(text: str) -> str:
    return '"' + " ".join(text.replace('"', "'").split()) + '"'


def name_of(text: str) -> str:
    """Return the text as it is if Mermaid reads it as a name, else in quotes."""
    return text if re.fullmatch(r"[A-Za-z_]\w*", text, re.ASCII) else quoted(text)


def row(column: sa.Column[Any]) -> str:
    """Return the line of a column: type, name, keys and a comment."""
    marks = marks_of(column)
    keys = {"PK": "primary key" in marks, "FK": bool(column.foreign_keys), "UK": "unique" in marks}
    about = [mark for mark in marks if mark not in ("primary key", "unique")]
    if default := default_of(column):
        about.append(f"default {default}")
    if column.comment:
        about.append(column.comment)
    parts = [word(column.type), word(column.name), ",".join(key for key in keys if keys[key])]
    if about:
        parts.append(quoted(", ".join(about)))
    return f"    {' '.join(filter(None, parts))}"


def draw(tables: list[sa.Table]) -> str:
    """Return the diagram, columns in the order of the models, and the keys of several columns."""
    lines = ["```mermaid", "erDiagram"]
    for table in tables:
        lines += [f"  {name_of(table.key)} {{", *map(row, table.columns), "  }"]
    for table in tables:
        for key in sorted(table.foreign_key_constraints, key=lambda key: list(key.column_keys)):
            referred, referring = rows_at_ends(key)
            line = f"{REFERRED[referred]}--{REFERRING[referring]}"
            ends = f"{name_of(key.referred_table.key)} {line} {name_of(table.key)}"
            lines.append(f"  {ends} : {name_of(', '.join(key.column_keys))}")
    lines.append("```")
    if keys := [text for table in tables for text in shared_keys(table)]:
        lines += ["", "Keys and indexes of several columns, or with a condition:", "", *keys]
    return "\n".join(lines)
