"""Two versions of a migration are the same if their upgrade() does the same."""

from __future__ import annotations

import pytest
from migration_guard.source import upgrade_meaning

OLD = """
import sqlalchemy as sa
from alembic import op

LABELS = ("a",)


def upgrade():
    for name in LABELS:
        c = sa.Column(name, sa.Text())
        op.add_column("videos", c)


def downgrade():
    op.drop_table("videos")
"""
NEW = '''
"""Add a column."""
from __future__ import annotations
from collections.abc import Sequence
import sqlalchemy as sa
from alembic import op

LABELS: Sequence[str] = ('a',)
lossy = "nobody reads it"


def undo(name: str) -> None:
    op.drop_column("videos", name)


def upgrade() -> None:
    """Add the column."""
    for label in LABELS:  # each
        column: sa.Column = sa.Column(
            label, sa.Text()
        )
        op.add_column("videos", column)


def downgrade() -> None:
    undo("a")
'''


def test_what_does_not_matter_to_a_database_may_change() -> None:
    assert upgrade_meaning(OLD) == upgrade_meaning(NEW)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("sa.Text()", "sa.String(9)"),
        ('("a",)', '("a", "b")'),
        ("sa.Text())", "sa.Text(), nullable=False)"),
        ("for name in LABELS", "for name in reversed(LABELS)"),
        ('"videos", c)', '"videos", c)\n        op.add_column("clips", c)'),
        ("def upgrade", "op.f('x')\n\n\ndef upgrade"),
        ("sa.Column(name", "sa.Column(LABELS[0]"),
        ("from alembic import op", "from shop import op"),
    ],
    ids=["type", "constant", "argument", "call", "statement", "module", "name", "import"],
)
def test_what_matters_is_compared(old: str, new: str) -> None:
    assert old in OLD
    assert upgrade_meaning(OLD) != upgrade_meaning(OLD.replace(old, new))


def test_two_local_names_are_not_exchanged() -> None:
    text = "def upgrade():\n    a = f()\n    b = g()\n    op.h({0}, {1})\n"
    assert upgrade_meaning(text.format("a", "b")) != upgrade_meaning(text.format("b", "a"))
