"""The message and the fix for each difference between the models and the migrations."""

from collections.abc import Iterable, Iterator, Sequence

from ..rules.drift import models_out_of_sync
from ..rules.rule import filled_in
from .schema.objects import EXISTS, Column, Difference, labels_of
from .undo import quoted, sql


def fix(case: str = "", **names: str) -> str:
    """Return a fix of the rule, with these names for its <words>."""
    return filled_in({"fix": case, **names}, models_out_of_sync, 0)


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


def fix_of(difference: Difference, others: Sequence[Difference], dialect: str) -> str:
    """Return what to do about a difference; ``others`` are all that were found."""
    before, after = difference.before, difference.after
    if call := renaming(difference, others, dialect):
        return fix("renamed", call=call)
    if labels_of(before) and labels_of(after):
        return enum_fix(difference)
    if isinstance(before, Column) and before.default and after == before._replace(default=""):
        return fix("default", default=before.default.replace('"', '\\"'))
    if "PARTITION BY" in str(after) and "PARTITION BY" not in str(before):
        return fix("partition")
    return fix("not in the models") if after is None else manual_fix(difference) or fix()


def renaming(difference: Difference, others: Iterable[Difference], dialect: str) -> str:
    """Return the call that renames, if the table lost one column of a type and got one, or ""."""
    wanted = difference.owner, type_of(difference)
    columns = [each for each in others if (each.owner, type_of(each)) == wanted]
    gone = [each.prop for each in columns if each.after is None]
    new = [each.prop for each in columns if each.before is None]
    if not wanted[1] or len(gone) != 1 or len(new) != 1:
        return ""
    names = (name.partition(" ")[2] for name in (difference.owner, *gone, *new))
    table, old, now = (quoted(name, dialect) for name in names)
    return sql(f"ALTER TABLE {table} RENAME COLUMN {old} TO {now}")


def type_of(difference: Difference) -> str:
    """Return the type of a column that only one side has, or ""."""
    sides = [each for each in (difference.before, difference.after) if each is not None]
    return sides[0].type if len(sides) == 1 and isinstance(sides[0], Column) else ""


def enum_fix(difference: Difference) -> str:
    """Return the statements that add labels, or what to decide if labels were removed or moved."""
    name = difference.owner.partition(" ")[2]
    if not difference.owner.startswith("type "):  # a column of MySQL's
        return fix()
    if not difference.added_labels:
        return fix("labels", type=name)
    added = adding_labels(name, labels_of(difference.before), labels_of(difference.after))
    lines = ["with op.get_context().autocommit_block():"]
    lines += [f'    op.execute("{statement}")' for statement in added]
    return "\n".join(["Write a revision whose upgrade() has:", *lines])


def adding_labels(name: str, before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    """Yield the statements that add each new label to an enum type in its place."""
    for index, label in enumerate(after):
        if label not in before:
            following = next((each for each in after[index:] if each in before), None)
            place = f" BEFORE {following}" if following else ""
            yield f"ALTER TYPE {name} ADD VALUE IF NOT EXISTS {label}{place}"


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
    return f"{fix()}; or write {calls}." if calls else ""
