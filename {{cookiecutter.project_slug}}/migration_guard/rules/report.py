"""Rules of the category report."""

from .rule import declare

unused_ignore = declare(
    "unused-ignore",
    summary="A suppression suppresses nothing, or lacks its rule or its reason.",
    why="It would hide the next finding at that place, which nobody has looked at.",
    fix="""
    Remove it, or write `# migration-guard: ignore[rule] reason` on the statement or the line
    above.
    """,
    bad="""
    # migration-guard: ignore[drop-column] not read since 2.3
    op.add_column("videos", sa.Column("url", sa.String(200)))
    """,
    good="""
    op.drop_column("videos", "url")  # migration-guard: ignore[drop-column] not read since 2.3
    """,
)
