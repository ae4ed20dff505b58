"""Rules of the category roundtrip."""

from .rule import declare

upgrade_fails = declare(
    "upgrade-fails",
    summary="upgrade() raises on a scratch database with rows in its tables.",
    why="It will fail in production.",
    fix="""
    The test rows include NULLs, long values and duplicates. Clean up such rows first: fill,
    shorten, merge or default them. If your application can't produce them, suppress this and say
    why.
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
    Undo in reverse order, with the names that upgrade gave. If there is no way back, set
    irreversible = "reason".
    """,
    bad='op.drop_index("ix_video_title", "videos")  # created as ix_videos_title',
    good='op.drop_index("ix_videos_title", "videos")',
)

upgrade_not_repeatable = declare(
    "upgrade-not-repeatable",
    summary="The second upgrade, after the downgrade, raises.",
    why="The downgrade left something behind, most often an enum type, a sequence or a function.",
    fix="Drop in downgrade everything that upgrade creates.",
    bad='op.drop_table("videos")  # its enum type stays',
    good='op.execute("DROP TYPE status")  # after the table',
)

downgrade_differs = declare(
    "downgrade-differs",
    summary="The schema after the downgrade is not the schema before the upgrade.",
    why="Nobody has tested a database that was rolled back this way.",
    fix="Undo each difference that the message names: length, default, nullability, name.",
    bad='op.alter_column("videos", "url", type_=sa.String(100))  # it was 200',
    good='op.alter_column("videos", "url", type_=sa.String(200))',
)

data_not_restored = declare(
    "data-not-restored",
    summary="Rows are changed or lost after upgrade and downgrade.",
    why="A rollback loses what users have entered, and the migration does not declare it.",
    fix='Keep what is needed to restore the rows, or set lossy = "reason" in the module.',
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
    fix="Check manually what later migrations do to its rows.",
    bad='sa.CheckConstraint("checksum = md5(body)")  # no likely value meets it',
    good='sa.CheckConstraint("length(checksum) = 32")',
    severity="note",
)
