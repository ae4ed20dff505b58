"""The message and the fix for each difference between the models and the migrations."""

from collections.abc import Sequence

from .schema.objects import EXISTS, Column, Difference, labels_of

SYNC = 'alembic revision --autogenerate -m "Sync models"'


FIX = f"Migrations are out of sync with models: {SYNC}"


IN_MODELS = (
    "Add it to the models. If it is not needed: remove it from the migration or, if that is"
    f" deployed, {SYNC}"
)


DEFAULT = (
    'Give the model the same default: server_default=text("{}"). Or, once no running code relies on'
    " it, drop it: {}"
)


PARTITION = (
    "No statement partitions an existing table: create a partitioned table beside it, copy the rows"
    " in batches and rename both; or remove the partitioning from the model."
)


def message_of(difference: Difference) -> str:
    name, before, after = difference.label, difference.before, difference.after
    if before is None:
        return f"Model {name}{definition(after)} has no migration."
    if after is None:
        return f"The migrations create {name}{definition(before)}, but no model defines it."
    sides = [side or "nothing" for side in (after, before)]
    return f"{name}: the models define {sides[0]}, the migrations create {sides[1]}."


def definition(value: Column | str | None) -> str:
    return f" ({value})" if value and value != EXISTS else ""


def fix_of(difference: Difference, others: Sequence[Difference]) -> str:
    """Return what to do about a difference; ``others`` are all that were found."""
    before, after = difference.before, difference.after
    if renamed := renaming(difference, others):
        return renamed
    if labels_of(before) and labels_of(after):
        return enum_fix(difference)
    if isinstance(before, Column) and before.default and after == before._replace(default=""):
        return DEFAULT.format(before.default.replace('"', '\\"'), SYNC)
    if "PARTITION BY" in str(after) and "PARTITION BY" not in str(before):
        return PARTITION
    if after is None:
        return IN_MODELS
    return manual_fix(difference) or FIX


def renaming(difference: Difference, others: Sequence[Difference]) -> str:
    """Return a fix that asks whether a column was renamed, or "".

    It asks if the table lost one column and got one of the same type.
    """
    columns = [
        each
        for each in others
        if each.owner == difference.owner and each.prop.startswith("column ")
    ]
    gone = [each for each in columns if each.after is None]
    new = [each for each in columns if each.before is None]
    if difference not in (*gone, *new) or len(gone) != 1 or len(new) != 1:
        return ""
    old, now = gone[0].before, new[0].after
    if not isinstance(old, Column) or not isinstance(now, Column) or old.type != now.type:
        return ""
    table = repr(difference.owner.partition(" ")[2])
    names = [each.prop.partition(" ")[2] for each in (gone[0], new[0])]
    return (
        f"Was {names[0]} renamed to {names[1]}? Then write a revision with"
        f" op.alter_column({table}, {names[0]!r}, new_column_name={names[1]!r})."
        f" If not: {SYNC}"
    )


def enum_fix(difference: Difference) -> str:
    """Return the statements that add labels, or what to decide if labels were removed or moved."""
    name = difference.owner.partition(" ")[2]
    before, after = labels_of(difference.before), labels_of(difference.after)
    if not difference.owner.startswith("type "):  # a column of MySQL's
        return FIX
    if not difference.added_labels:
        return (
            f"Labels of {name} were removed, renamed or moved. To rename one, write a revision with"
            f' op.execute("ALTER TYPE {name} RENAME VALUE ... TO ..."). To remove one, first change'
            " the rows that have it, then create a new type, ALTER COLUMN ... TYPE ... USING, and"
            " drop the old type."
        )
    lines = ["with op.get_context().autocommit_block():"]
    for index, label in enumerate(after):
        if label not in before:
            following = next((each for each in after[index:] if each in before), None)
            place = f" BEFORE {following}" if following else ""
            statement = f"ALTER TYPE {name} ADD VALUE IF NOT EXISTS {label}{place}"
            lines.append(f'    op.execute("{statement}")')
    return "\n".join(["Write a revision whose upgrade() has:", *lines])


def manual_fix(difference: Difference) -> str:
    """Return what to write for a CHECK or a computed column, or "".

    Alembic's own autogenerate does not compare them.
    """
    kind, _, name = difference.prop.partition(" ")
    before, after = difference.before, difference.after
    table, label = repr(difference.owner.partition(" ")[2]), repr(name)
    calls = ""
    if kind == "constraint" and before and "check" in str(before).lower():
        drop = f'op.drop_constraint(op.f({label}), {table}, type_="check")'
        calls = f"{drop} and op.create_check_constraint(op.f({label}), {table}, ...)"
    if isinstance(before, Column) and isinstance(after, Column):
        formulas = [side.generated.lower() for side in (before, after)]
        if formulas[0] != formulas[1] and any("as (" in text for text in formulas):
            calls = f"op.drop_column({table}, {label}) and op.add_column({table}, ...)"
    return f"{FIX}; or write {calls}." if calls else ""
