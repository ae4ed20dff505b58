"""Rules of the category history."""

from .rule import declare

multiple_heads = declare(
    "multiple-heads",
    summary="Two revisions have no revision after them.",
    why="""
    `alembic upgrade head` refuses to choose between them, and each was written without knowing
    the other.
    """,
    fix="""
    Merge them: `alembic merge -m "Merge migrations" <head> <head>`. Or, if one of them is not
    deployed, rebase it: `alembic downgrade <the parent of its first file>` where it has run, set
    down_revision in that file to the other, then `alembic upgrade head`.
    """,
    bad="a1 <- b1, a1 <- c1",
    good="a1 <- b1, b1 <- c1",
)

missing_parent = declare(
    "missing-parent",
    summary="A revision follows or depends on one that no file has.",
    why="Alembic can't order the history without it, and every command fails.",
    fix="""
    Restore its file: `git log --all --diff-filter=AM --name-only --format=%h -- "*<parent>*"`
    prints the commits that have it and its name, and `git checkout <commit> -- <file>` brings it
    back. If it is gone for good, set `<what> = "<newest>"`: the revision that was the newest when
    this one was written.
    """,
    bad="a1 <- b1, lost <- c1",
    good="a1 <- b1, b1 <- c1",
)

duplicate_revision = declare(
    "duplicate-revision",
    summary="Two files have the same revision identifier.",
    why="Alembic runs one of them and ignores the other.",
    fix="""
    Delete it if it is a copy. Otherwise set `down_revision = "<newest>"` in the newer file, and
    `revision = "<identifier>"` to what this prints: `python -c "import uuid;
    print(uuid.uuid4().hex[-12:])"`
    """,
    bad="a1 <- b1, a1 <- b1",
    good="a1 <- b1, b1 <- c1",
)

revision_cycle = declare(
    "revision-cycle",
    summary="Revisions follow each other in a circle.",
    why="There is no order in which they can run.",
    fix="""
    Set `down_revision = "<newest>"` in the one that was written first: the revision that was the
    newest then.
    """,
    bad="c1 <- b1, b1 <- c1",
    good="a1 <- b1, b1 <- c1",
)

edited_migration = declare(
    "edited-migration",
    summary="A deployed migration was changed, removed or moved in the history.",
    why="""
    Databases that have run it never run it again, and differ from new ones. Comments, layout, type
    annotations, names of variables and downgrade() may change.
    """,
    fix="""
    Restore it (`git checkout <ref> -- <file>`), and make the change in a new migration. To squash
    old ones, see alembic/README.md.

    squash: Change upgrade() of this file until it creates the same schema: add what is missing, and
    remove what is new.
    """,
    bad="""
    op.add_column("videos", sa.Column("tags", sa.String(500)))  # deployed with sa.String(100)
    """,
    good="""
    # in a new revision
    op.alter_column("videos", "tags", type_=sa.String(500), existing_type=sa.String(100))
    """,
)
