"""The statements for downgrade() that undo a difference."""

from collections.abc import Iterator, Sequence

from sqlalchemy.engine import make_url

from .schema.objects import EXISTS, Column, Difference, without_comment


def undo_fix(found: Sequence[Difference], dialect: str, what: str = "Add to downgrade():") -> str:
    """Return a fix, which begins with ``what``, and lines for downgrade(); "": they are unknown."""
    lines = [line for each in reversed(found) for line in undo(each, dialect)]
    return "\n".join([what, *lines]) if lines else ""


def undo(difference: Difference, dialect: str) -> Iterator[str]:
    """Yield the statements that restore ``difference.before``."""
    kind, _, owner = difference.owner.partition(" ")
    if not difference.prop:
        yield from undo_object(kind, owner, difference)
        return
    prop, _, name = difference.prop.partition(" ")
    if prop == "column":
        yield from undo_column(owner, name, difference, dialect)
    elif prop in ("index", "constraint", "trigger") and not name.startswith(("(", "unique (")):
        if difference.after is not None:
            yield from drop(prop, owner, name, str(difference.after), dialect)
        if difference.before is not None:
            yield from create(prop, owner, name, str(difference.before), dialect)


def undo_object(kind: str, name: str, difference: Difference) -> Iterator[str]:
    if difference.before is None and kind == "table":
        yield f"op.drop_table({name!r})"
    elif difference.before is None:
        yield sql(f"DROP {kind.upper()} IF EXISTS {name}")  # a sequence goes with its column
    elif difference.before != EXISTS and kind in ("function", "procedure"):
        yield sql(without_comment(difference.before))


def undo_column(table: str, name: str, difference: Difference, dialect: str) -> Iterator[str]:
    before, after = difference.before, difference.after
    if not isinstance(before, Column):
        if dialect == "sqlite":
            yield f"with op.batch_alter_table({table!r}) as batch:"
            yield f"    batch.drop_column({name!r})"
        else:
            yield f"op.drop_column({table!r}, {name!r})"
        return
    definition, place = without_comment(before), f"ALTER TABLE {quoted(table, dialect)}"
    column = quoted(name, dialect)
    if not isinstance(after, Column):
        yield sql(f"{place} ADD COLUMN {column} {definition}")
    elif dialect in ("mysql", "mariadb"):
        yield sql(f"{place} MODIFY {column} {definition}")
    elif dialect == "postgresql":
        alter = f"{place} ALTER COLUMN {column}"
        types = [without_comment(f"{each.type} {each.rest}").strip() for each in (before, after)]
        if before.generated == after.generated and types[0] != types[1]:
            yield sql(f"{alter} TYPE {types[0]} USING {column}::{before.type}")
        if before.default != after.default:
            default = f"SET DEFAULT {before.default}" if before.default else "DROP DEFAULT"
            yield sql(f"{alter} {default}")
        if before.not_null != after.not_null:
            yield sql(f"{alter} {'SET' if before.not_null else 'DROP'} NOT NULL")
    elif before._replace(not_null=after.not_null) == after:
        yield f"with op.batch_alter_table({table!r}) as batch:"
        yield f"    batch.alter_column({name!r}, nullable={not before.not_null})"


def drop(prop: str, table: str, name: str, text: str, dialect: str) -> Iterator[str]:
    if prop == "index":
        yield f"op.drop_index({name!r}, table_name={table!r}, if_exists=True)"
    elif prop == "trigger":
        place = f" ON {table}" if dialect == "postgresql" else ""
        yield sql(f"DROP TRIGGER {name}{place}")
    else:
        kinds = {"foreign": "foreignkey", "primary": "primary", "unique": "unique"}
        type_ = kinds.get(text.partition(" ")[0].lower(), "check")
        call = f"drop_constraint(op.f({name!r}), {{}}type_={type_!r})"
        if dialect == "sqlite":
            yield f"with op.batch_alter_table({table!r}) as batch:"
            yield f"    batch.{call.format('')}"
        else:
            yield f"op.{call.format(f'{table!r}, ')}"


def create(prop: str, table: str, name: str, text: str, dialect: str) -> Iterator[str]:
    text, name, table = without_comment(text), quoted(name, dialect), quoted(table, dialect)
    if prop == "index":
        yield sql(create_index(text, name, table, dialect))
    elif prop == "constraint" and dialect != "sqlite":
        yield sql(f"ALTER TABLE {table} ADD CONSTRAINT {name} {text}")
    elif prop == "trigger" and dialect == "postgresql":
        yield sql(text)


def create_index(text: str, name: str, table: str, dialect: str) -> str:
    """Return the statement that creates an index which the server describes with this text."""
    if dialect == "postgresql":  # the whole statement, without a name
        return text.replace(" INDEX ", f" INDEX {name} ", 1)
    if dialect == "sqlite":  # "unique on things (code)"
        before, _, after = text.partition("on ")
        return f"CREATE {before}INDEX {name} ON {after}"
    before, _, after = text.partition("(")  # "UNIQUE (code)"
    return f"CREATE {before}INDEX {name} ON {table} ({after}"


def quoted(name: str, dialect: str) -> str:
    """Return a name, perhaps with its schema, as SQL has it."""
    quote = make_url(f"{dialect}://").get_dialect()().identifier_preparer.quote
    return ".".join(map(quote, name.split(".")))


def sql(statement: str) -> str:
    return f"op.execute({statement!r})"
