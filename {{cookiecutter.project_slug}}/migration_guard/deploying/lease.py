"""The lock for a cluster or behind a pooler: a row that its owner renews."""

import secrets
import threading
from contextlib import suppress

import sqlalchemy as sa
from alembic.util import CommandError

from ..pyproject import Limits
from .limits import is_transient, undo
from .lock import Lock, me


class Lease(Lock):
    """A row with who migrates and until when, by the server's clock.

    It is renewed on a connection of its own.
    """

    def __init__(
        self,
        connection: sa.Connection,
        limits: Limits,
        table: str = "alembic_lease",
        schema: str | None = None,
    ) -> None:
        self.connection, self.seconds, self.ended = connection, limits.lease, threading.Event()
        mysql = connection.dialect.name in ("mysql", "mariadb")
        now: sa.ColumnElement[float] = sa.literal_column(
            "UNIX_TIMESTAMP(NOW(6))" if mysql else "EXTRACT(EPOCH FROM clock_timestamp())"
        )
        self.table = sa.Table(
            table,
            sa.MetaData(),
            sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("owner", sa.String(255)),
            sa.Column("expires", sa.Double, nullable=False),
            schema=schema,
        )
        # Two containers may have the same host name and process number.
        owner = f"{me()}:{secrets.token_hex(4)}"
        change, column = self.table.update(), self.table.c
        self.take = change.where(column.expires < now).values(
            owner=owner, expires=now + limits.lease
        )
        self.renew = change.where(column.owner == owner).values(expires=now + limits.lease)
        self.free = change.where(column.owner == owner).values(expires=0)

    def acquire(self) -> bool:
        try:
            if not sa.inspect(self.connection).has_table(self.table.name, schema=self.table.schema):
                self.connection.execute(sa.schema.CreateTable(self.table, if_not_exists=True))
            if self.connection.scalar(sa.select(self.table.c.id)) is None:
                self.connection.execute(self.table.insert().values(id=1, expires=0))
            self.connection.commit()
            taken = self.connection.execute(self.take).rowcount == 1
            self.connection.commit()
        except sa.exc.DBAPIError as error:
            undo(self.connection)
            if isinstance(error, sa.exc.IntegrityError) or is_transient(error.orig):
                return False  # another migrator was quicker
            raise
        if taken:
            threading.Thread(target=self._keep, daemon=True).start()
        return taken

    def _keep(self) -> None:
        while not self.ended.wait(self.seconds / 3):
            with suppress(sa.exc.DBAPIError), self.connection.engine.begin() as own:
                own.execute(self.renew)

    def holder(self) -> str:
        try:
            return str(self.connection.scalar(sa.select(self.table.c.owner)))
        except sa.exc.DBAPIError:
            return "unknown"
        finally:
            undo(self.connection)

    def confirm(self) -> None:
        if self.connection.execute(self.renew).rowcount != 1:
            raise CommandError(f"stopped: the lease ran out, and {self.holder()} has it now")

    def release(self) -> bool:
        self.ended.set()
        undo(self.connection)
        freed = self.connection.execute(self.free).rowcount == 1
        self.connection.commit()
        return freed
