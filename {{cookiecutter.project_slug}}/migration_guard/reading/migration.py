"""An operation is one thing that a migration does, however it is written.

The reader creates operations, and the rules check them. They share only this module.

``Operation.kwargs`` has the arguments under Alembic's own names, however they are written:
``ADD CONSTRAINT ... NOT VALID`` gives ``postgresql_not_valid``. Where Alembic has no name:

==================================== ==============================================================
``update``, ``delete``               ``where``: None for every row; "row": one; "JOIN"; its text
``alter_column``                     ``expression`` (of a generated column; None: dropped),
                                     ``identity``, ``constraint_name`` (of ADD CONSTRAINT NOT NULL)
``create_*_constraint``, foreign key ``using_index``, ``not_enforced``
``create_table``                     ``postgresql_partition_by``, ``mysql_partition_by``,
                                     ``partition_of``
``create_index``                     ``mysql_prefix`` ("FULLTEXT", "SPATIAL"), ``only``
statements of MySQL                  ``mysql_algorithm``, ``mysql_lock`` ("COPY", "NONE" ...)
``alter_table``                      ``attach_partition``, ``detach_partition``,
                                     ``mysql_partition_by`` (None: removed), ``new_schema``
``alter_type``                       ``add_value``; ``rename_value`` and ``new_value``
``alter_domain``                     ``nullable``, ``validate_constraint``; a new constraint is in
                                     ``constraints``
``alter_*`` of any other object      ``new_name``, ``new_schema``
``create_type``                      ``values`` of an enum
``lock_table``                       ``mode`` ("ACCESS EXCLUSIVE", "WRITE" ...)
``vacuum``                           ``full``
``reindex``, ``detach_partition``,   ``postgresql_concurrently``
``refresh_materialized_view``
``drop_*``                           ``cascade``
==================================== ==============================================================

``transaction`` is BEGIN, COMMIT, ROLLBACK and the like; ``name`` is the word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .paths import ALWAYS, Path, exclude_each_other, is_implied


class Unknown:
    """A value that can't be known without running the migration."""

    def __repr__(self) -> str:
        return "<unknown>"

    def __bool__(self) -> bool:
        return False


UNKNOWN = Unknown()


# A part of a string that can't be known: a character for private use, which no real text has.
HOLE = "\ue000"


def words(text: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(text.split())


DIALECTS = words("sqlite postgresql mysql mariadb oracle mssql cockroachdb")


class UnreadableMigration(ValueError):
    """A migration file can't be read; the message has the place and the reason."""

    def __init__(self, path: str, line: int, reason: str) -> None:
        super().__init__(f"{path}:{line}: {reason}")
        self.path = path
        self.line = line
        self.reason = reason


@dataclass(slots=True)
class Call:
    """A call that is not run, such as ``sa.ForeignKey("videos.id")``: last name and arguments."""

    name: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Type:
    """A column type by its SQL name in lower case.

    ``sa.String(40)`` and ``VARCHAR(40)`` are ``varchar`` ``(40,)``. A type of the application's own
    keeps its class name. ``name`` of an enum type is ``enum``; the type's own name and its values
    are in ``kwargs`` (``name``, ``values``), and so are ``timezone``, ``collation`` and the
    constructor's other arguments. ``kwargs["variants"]`` has the types of single dialects, from
    ``with_variant``.
    """

    name: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Column:
    """A column as ``add_column`` or ``create_table`` defines it; ``nullable`` None: not stated."""

    name: str | Unknown
    type: Type | None = None
    nullable: bool | Unknown | None = None
    # None: there is none; its SQL text; a Call (Computed, Identity, func.now ...); UNKNOWN
    server_default: Any = None
    default: bool = False  # a default in Python, which existing rows do not get
    primary_key: bool = False
    unique: bool = False
    index: bool = False
    # "stored" or "virtual"; "default": neither is stated
    computed: str | None = None
    identity: bool = False
    references: tuple[str, ...] = ()  # "videos.id" for each foreign key on the column itself
    unnamed: bool = False  # one of the foreign keys has no name
    not_valid: bool = False  # none of the foreign keys is checked for existing rows
    checks: tuple[Constraint, ...] = ()  # CHECKs on the column itself


@dataclass(slots=True)
class Constraint:
    """A constraint, alone or inside ``create_table``."""

    kind: str  # primary_key, unique, check, foreign_key, exclude
    name: str | Unknown | None = None
    columns: tuple[str, ...] = ()
    expression: str | Unknown | None = None  # of a check
    references: str | Unknown | None = None  # the table of a foreign key
    not_valid: bool = False  # existing rows are not checked


@dataclass(slots=True, eq=False)
class Operation(Mapping[str, Any]):
    """One operation. Reads as a mapping too: ``operation["args"]`` is ``operation.args``.

    ``operation`` is Alembic's own name (``create_index``); where Alembic has none, the statement's
    (``update``, ``truncate``, ``create_type``). SQL text gives an ``execute`` with the text in
    ``sql``, then one operation for each statement in it, which has the statement in ``sql`` and
    ``via`` set to ``"execute"``.
    """

    operation: str
    function: str = "upgrade"
    args: list[Any] = field(default_factory=list)
    kwargs: dict[str, Any] = field(default_factory=dict)
    table: str | None = None
    schema: str | None = None
    columns: tuple[str, ...] = ()
    name: str | None = None  # of the index, constraint, type, sequence, view ...
    line: int = 1
    column: int = 1  # of the source, from 1
    end_column: int = 1
    sql: str | None = None
    certain: bool = True  # False: its table, name, columns or SQL could not be resolved
    definitions: tuple[Column, ...] = ()  # add_column, create_table
    constraints: tuple[Constraint, ...] = ()  # create_table, create_*_constraint ...
    dialects: frozenset[str] | None = None  # it runs only on these; None: on any
    autocommit: bool = False  # inside autocommit_block()
    batch: bool = False  # inside batch_alter_table()
    conditional: bool = False  # its path has conditions
    path: Path = ALWAYS  # the conditions under which it runs
    via: str | None = None  # "execute": read from SQL text; "call": code that can't be seen

    def __getitem__(self, key: str) -> Any:
        if key not in FIELDS:
            raise KeyError(key)
        return getattr(self, key)

    def __iter__(self) -> Iterator[str]:
        return iter(FIELDS)

    def __len__(self) -> int:
        return len(FIELDS)

    def excludes(self, other: Operation, databases: Iterable[str] | None = None) -> bool:
        """Return whether no execution (on one of these databases) runs both operations."""
        return _on(self, databases).isdisjoint(_on(other, databases)) or exclude_each_other(
            self.path, other.path
        )

    def runs_whenever(self, other: Operation, databases: Iterable[str] | None = None) -> bool:
        """Return whether each execution (on one of these databases) of ``other`` runs this, too."""
        return _on(self, databases) >= _on(other, databases) and is_implied(
            self.path, by=other.path
        )

    @property
    def qualified_table(self) -> str | None:
        """Return the table with its schema, if there is one."""
        return f"{self.schema}.{self.table}" if self.schema and self.table else self.table


def _on(operation: Operation, databases: Iterable[str] | None) -> frozenset[str]:
    """Return the dialects on which an operation runs; "*" stands for all unnamed ones."""
    every = frozenset(databases) if databases is not None else DIALECTS | {"*"}
    return every if operation.dialects is None else every & operation.dialects


FIELDS = tuple(Operation.__dataclass_fields__)


@dataclass(slots=True)
class Migration:
    """What is known of a migration file without running it."""

    path: str
    source: str
    revision: str | None = None
    down_revision: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    branch_labels: tuple[str, ...] = ()
    # the line of each name and function of the module
    lines: dict[str, int] = field(default_factory=dict)
    # (line, why): what makes it unreadable
    problems: list[tuple[int, str]] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    # (dotted module, line), wherever it is imported
    imports: list[tuple[str, int]] = field(default_factory=list)
    lossy: str | None = None  # the module's lossy = "reason"
    irreversible: str | None = None  # the module's irreversible = "reason"
    # "upgrade", "downgrade": "empty", "raises", "reads" (it only reads from the database) or "code"
    bodies: dict[str, str] = field(default_factory=dict)
    # the functions with code that may change the database, if no operation could be read
    unread: list[str] = field(default_factory=list)
    # (function, line) of each read from the bind
    bind_reads: list[tuple[str, int]] = field(default_factory=list)
