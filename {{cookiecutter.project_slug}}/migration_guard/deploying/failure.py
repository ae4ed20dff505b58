"""After a failure: whether another attempt makes sense, what is half applied, and what to do."""

import re
from contextlib import suppress
from typing import Any

import sqlalchemy as sa
from alembic.util import CommandError

from ..error_messages import fault, full_message
from ..places import place
from .applied import stuck
from .connecting import with_grant
from .limits import is_transient, undo
from .watch import is_revision

# The sessions that may block, if this user may see them: on PostgreSQL those that hold a lock on a
# table of the statement; on MySQL and MariaDB those with an open transaction.
POSTGRESQL = """SELECT DISTINCT pid, concat_ws(', ', usename, nullif(application_name, ''), state,
    extract(epoch FROM date_trunc('second', now() - xact_start))::int || ' s')
  FROM pg_locks JOIN pg_stat_activity USING (pid) JOIN pg_class ON pg_class.oid = relation
  WHERE granted AND pid <> pg_backend_pid() AND datname = current_database()
  AND relname = ANY(:words)"""


MYSQL = """SELECT id, concat_ws(', ', user, host, lower(command),
    concat(timestampdiff(SECOND, trx_started, now()), ' s'))
  FROM information_schema.innodb_trx JOIN information_schema.processlist ON id = trx_mysql_thread_id
  WHERE id <> connection_id() AND db = database()"""


IN_THE_WAY = {"postgresql": POSTGRESQL, "mysql": MYSQL, "mariadb": MYSQL}


def in_the_way(connection: sa.Connection, statement: str) -> str:
    """Return the sessions for which a statement probably waited, or "" if none is known."""
    if query := IN_THE_WAY.get(connection.dialect.name):
        with suppress(sa.exc.DBAPIError):
            found = connection.execute(sa.text(query), {"words": re.findall(r"\w+", statement)})
            return ", ".join(f"session {number} ({about})" for number, about in found)
    return ""


def settle(journal: Any, error: BaseException, last: bool) -> None:
    """Return if another attempt makes sense. Else raise CommandError: what is applied in part."""
    undo(journal.connection)
    journal.inside = journal.busy = False
    original = getattr(error, "orig", error)
    transient = is_transient(original)
    statement = left(journal, error)
    if statement is None and transient and not last:
        return
    if isinstance(error, KeyboardInterrupt) or journal.stop:
        cause = f"{journal.stop.signal}: stopped in {journal.name}"
        if not isinstance(error, KeyboardInterrupt):
            cause += f": {full_message(error)}"
    elif isinstance(error, sa.exc.DBAPIError):
        where = f"{place(error, journal.step.revision.path)}: " if is_revision(journal.step) else ""
        cause = f"{where}{journal.name} failed: {full_message(error)}"
        cause = with_grant(cause, error, journal.connection.engine)
    elif statement is None:
        raise error  # a mistake in the migration's Python code: env.py names its line
    else:
        cause = f"{journal.name} failed: {fault(error)}"
    if transient and not journal.stop:
        sessions = in_the_way(journal.connection, getattr(error, "statement", "") or "")
        cause += f"; tried for {journal.limits.retry:g} s: end what holds the lock"
        cause += f" ({sessions or 'the server lists its sessions'}), or raise retry or lock-timeout"
    if statement is not None:
        cause = stuck(cause, statement)
    elif journal.committed:
        cause += "; what it did before is done, and left out when it runs again: undo that before"
        cause += " you edit it"
    elif journal.stop:
        cause += "; it was rolled back"
    raise CommandError(cause) from error


def left(journal: Any, error: BaseException) -> str | None:
    """Return the last statement of the revision that may be committed; None if nothing is."""
    if journal.refused and journal.counted and journal.noted:
        journal.noted -= 1  # only the statements before the refused one need repair
    done = last_done(journal)
    if getattr(error, "connection_invalidated", False) or not is_revision(journal.step):
        return done
    try:
        row = journal.table.c.revision == journal.name
        found: str | None = journal.connection.scalar(
            sa.select(journal.table.c.statement).where(row)
        )
        if found is not None and done is None and journal.refused:
            journal._forget()
            found = None
        elif found is not None and done is not None and found != done:
            journal._write(done)
            found = done
        journal.connection.commit()
    except sa.exc.DBAPIError:
        undo(journal.connection)
        return done
    return found


def last_done(journal: Any) -> str | None:
    """Return the last change that may be committed, by this run or by the one before."""
    half: str | None = journal.half.get(journal.name)
    changes: list[str] = journal.changes
    if journal.noted and half not in [change[:2000] for change in changes[journal.noted :]]:
        last: str = changes[journal.noted - 1]
        return last[:2000]
    return half
