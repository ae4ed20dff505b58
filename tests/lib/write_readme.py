"""Writes the README's example from a real run: ``python -m lib.write_readme`` in tests/.

It bakes a project and checks it.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from lib.projects import ROOT, Project, bake_into

COMMAND = "python scripts/check_migrations.py"
DANGEROUS = '''\
"""Give each video a slug."""

import sqlalchemy as sa
from alembic import op

revision = "7d1c0a5e9b42"
down_revision = "b9532a7d8c7a"


def upgrade() -> None:
    op.add_column("videos", sa.Column("slug", sa.String(80), nullable=False))


def downgrade() -> None:
    op.drop_column("videos", "slug")
'''


def example() -> str:
    """Return what a user sees who adds a migration that fails as soon as there is a row."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project(bake_into(Path(folder)), "soundhash")
        (project.versions / "7d1c0a5e9b42_give_each_video_a_slug.py").write_text(DANGEROUS)
        column = "    slug: Mapped[str] = mapped_column(String(80))\n"
        project.edit(
            project.models, "    url: Mapped[str | None]", f"{column}    url: Mapped[str | None]"
        )
        return f"```console\n$ {COMMAND}\n{project.sh(COMMAND, ok=False).stdout}```"


def with_example(readme: str) -> str:
    return re.sub(
        r"```console\n\$ python scripts.*?```",
        lambda _: example(),
        readme,
        count=1,
        flags=re.DOTALL,
    )


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(with_example(path.read_text(encoding="utf-8")), encoding="utf-8")
