"""Rules of the category roundtrip."""

from .rule import declare

upgrade_fails = declare(
    "upgrade-fails",
    summary="upgrade() raises on a scratch database with rows in its tables.",
    why="It will fail in production.",
    fix="""
    The test rows include NULLs, long values and duplicates. Clean up such rows first: fill,
    shorten, merge or default them. If your application can't produce them, write above upgrade():
    `# migration-guard: ignore[upgrade-fails] <why there are no such rows>`

    schema: Correct it: it runs on the schema that the revisions before it create.

    batch: Write it in a block: with op.batch_alter_table(...) as batch.

    endless: Check that each batch makes its WHERE false for the rows that it changes, also where
    the source is NULL. If you loop over ids, start at MIN(id), not from 0.
    """,
    bad="""
    op.create_unique_constraint("uq_videos_title", "videos", ["title"])  # two videos have one title
    """,
    good='op.create_index("ix_videos_title", "videos", ["title"])',
)

downgrade_fails = declare(
    "downgrade-fails",
    summary="downgrade() raises.",
    why="You need the way back when there is no time to fix it.",
    fix="""
    Undo in reverse order, with the names that upgrade gave. If there is no way back, write in the
    module: `irreversible = "<why>"`
    """,
    bad='op.drop_index("ix_video_title", "videos")  # created as ix_videos_title',
    good='op.drop_index("ix_videos_title", "videos")',
)

upgrade_not_repeatable = declare(
    "upgrade-not-repeatable",
    summary="The second upgrade, after the downgrade, raises.",
    why="""
    The downgrade left something behind that can stay, or that the comparison of the schema does not
    see: an enum value, a row, a role.
    """,
    fix="""
    Drop in downgrade() what upgrade() creates. Create what has to stay only where it is missing,
    as with `ADD VALUE IF NOT EXISTS`.
    """,
    bad="op.execute(\"ALTER TYPE status ADD VALUE 'open'\")  # the value stays after the downgrade",
    good="op.execute(\"ALTER TYPE status ADD VALUE IF NOT EXISTS 'open'\")",
)

downgrade_differs = declare(
    "downgrade-differs",
    summary="The schema after the downgrade is not the schema before the upgrade.",
    why="Nobody has tested a database that was rolled back this way.",
    fix="""
    Undo each difference that the message names: length, default, nullability, name.

    no way back: If there is no way back, write in the module: `irreversible = "<why>"`
    """,
    bad='op.alter_column("videos", "url", type_=sa.String(250))  # it was 200',
    good='op.alter_column("videos", "url", type_=sa.String(200))',
)

data_not_restored = declare(
    "data-not-restored",
    summary="Rows are changed or lost after upgrade and downgrade.",
    why="A rollback loses what users have entered, and the migration does not declare it.",
    fix="""
    Keep what is needed to restore the rows. If nobody needs it, write in the module: `lossy =
    "<why>"`
    """,
    bad='op.drop_column("videos", "url")  # and no lossy = "..."',
    good='lossy = "nobody has read url since 2.3"',
)

table_without_rows = declare(
    "table-without-rows",
    summary="No row could be created for a table from the server's description of it.",
    why="""
    The roundtrip does not see what later migrations do to rows in it, or to rows that refer to
    it.
    """,
    fix="""
    Check yourself what later migrations do to its rows, and write above upgrade(): `#
    migration-guard: ignore[table-without-rows] <what you have checked>`
    """,
    bad='sa.CheckConstraint("checksum = md5(body)")  # no likely value meets it',
    good='sa.CheckConstraint("length(checksum) = 32")',
    severity="note",
)
