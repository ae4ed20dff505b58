"""Rules of the category roundtrip."""

from __future__ import annotations

from .rule import declare

upgrade_fails = declare(
    "upgrade-fails",
    summary="upgrade() raises on a scratch database with rows in its tables.",
    why="It will in production.",
    fix="""
    Make it fit the rows that exist, of which some are NULL, long or alike: fill, clean or
    default them first. If the code keeps such rows out, suppress this with how.
    """,
    bad="""
    op.create_unique_constraint("uq_videos_title", "videos", ["title"])  # two videos have one title
    """,
    good='op.create_index("ix_videos_title", "videos", ["title"])',
)

downgrade_fails = declare(
    "downgrade-fails",
    summary="downgrade() raises.",
    why="The way back is needed when there is no time to mend it.",
    fix="""
    Undo in reverse order, under the names that upgrade gave; say irreversible = "reason" if
    there is no way back.
    """,
    bad='op.drop_index("ix_video_title", "videos")  # made as ix_videos_title',
    good='op.drop_index("ix_videos_title", "videos")',
)

upgrade_not_repeatable = declare(
    "upgrade-not-repeatable",
    summary="The second upgrade, after the downgrade, raises.",
    why="The downgrade left something behind, most often an enum type, a sequence or a function.",
    fix="Drop in downgrade everything that upgrade makes.",
    bad='op.drop_table("videos")  # its enum type stays',
    good='op.execute("DROP TYPE status")  # after the table',
)

downgrade_differs = declare(
    "downgrade-differs",
    summary="The schema after downgrade is not the schema before upgrade.",
    why="A database that was rolled back is one that nobody has tested.",
    fix="Undo each difference that is named: its length, default, nullability, name.",
    bad='op.alter_column("videos", "url", type_=sa.String(100))  # it was 200',
    good='op.alter_column("videos", "url", type_=sa.String(200))',
)

data_not_restored = declare(
    "data-not-restored",
    summary="Rows are changed or gone after upgrade and downgrade.",
    why="Rolling back loses what users have entered, and the migration does not say so.",
    fix='Keep what is needed to restore it, or say lossy = "reason" in the module.',
    bad='op.drop_column("videos", "url")  # and nothing says that the values are lost',
    good='lossy = "nobody has read url since 2.3"',
)

table_without_rows = declare(
    "table-without-rows",
    summary="No row could be made for a table, from what its server says of it.",
    why="What later migrations do to rows in it, and to rows that refer to it, is not seen.",
    fix="Check by hand what later migrations do to its rows.",
    bad='sa.CheckConstraint("checksum = md5(body)")  # no likely value meets it',
    good='sa.CheckConstraint("length(checksum) = 32")',
    severity="note",
)
