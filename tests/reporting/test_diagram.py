"""The diagram of the tables in docs/SCHEMA.md."""

from __future__ import annotations

import sqlalchemy as sa
from migration_guard.reporting.pictures.draw_tables import draw, marks_of


def test_the_marks_of_a_column() -> None:
    table = sa.Table(
        "t",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("email", sa.Text, nullable=False, unique=True),
        sa.Column("age", sa.Integer, index=True),
        sa.Column("kind", sa.Enum("new", "old"), nullable=False),
        sa.Column("a", sa.Integer, nullable=False),
        sa.Index("two", "a", "kind"),
    )
    assert {column.name: ", ".join(marks_of(column)) for column in table.columns} == {
        "id": "primary key",
        "email": "unique",
        "age": "nullable, indexed",
        "kind": "one of new, old",
        "a": "",
    }


def test_the_diagram_has_columns_in_order_defaults_and_indexes() -> None:
    metadata = sa.MetaData()
    sa.Table("b", metadata, sa.Column("id", sa.Integer, primary_key=True))
    sa.Table(
        "two words",
        metadata,
        sa.Column("zip", sa.Numeric(10, 2), server_default="0"),
        sa.Column("at", sa.DateTime(), server_default=sa.func.now(), comment='when "it" was'),
        sa.Column("b_id", sa.ForeignKey("b.id"), primary_key=True),
        sa.Column("email", sa.String(50), nullable=False, unique=True),
        sa.Index("ix_at", "at", "zip"),
        sa.Index("ix_alone", "email"),
        sa.UniqueConstraint("zip", "at", name="uq_zip"),
        sa.Index("ix_some", "zip", unique=True, postgresql_where=sa.text("zip > 0")),
    )
    assert draw(metadata.sorted_tables).splitlines() == [
        "```mermaid",
        "erDiagram",
        "  b {",
        "    INTEGER id PK",
        "  }",
        '  "two words" {',
        "    NUMERIC(10-2) zip \"nullable, indexed, default '0'\"",
        "    DATETIME at \"nullable, default now(), when 'it' was\"",
        "    INTEGER b_id PK,FK",
        "    VARCHAR(50) email UK",
        "  }",
        '  b ||--o| "two words" : b_id',
        "```",
        "",
        "Keys and indexes of several columns, or with a condition:",
        "",
        "- two words: `index ix_at (at, zip)`",
        "- two words: `unique index ix_some (zip) where zip > 0`",
        "- two words: `unique uq_zip (zip, at)`",
    ]
