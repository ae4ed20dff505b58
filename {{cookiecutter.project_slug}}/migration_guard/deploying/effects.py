"""What a statement may change although its text does not show it: functions, MySQL's engines."""

from __future__ import annotations

import sqlalchemy as sa

from .statements import words_of

SYSTEM = "('mysql', 'sys', 'information_schema', 'performance_schema')"
POSTGRESQL_ROUTINES = """SELECT proname FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace
    WHERE nspname NOT IN ('pg_catalog', 'information_schema')"""
MYSQL_ROUTINES = f"""SELECT routine_name FROM information_schema.routines
    WHERE routine_schema NOT IN {SYSTEM}"""
# Tables whose rows a rollback does not bring back.
MYSQL_LASTING = """SELECT table_name FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND engine NOT IN
    (SELECT engine FROM information_schema.engines WHERE transactions = 'YES')"""
# What may write into such a table under another name.
MYSQL_BEHIND = """SELECT table_name FROM information_schema.views WHERE table_schema = DATABASE()
    UNION SELECT event_object_table FROM information_schema.triggers
    WHERE event_object_schema = DATABASE()"""
MYSQL_OTHERS = f"""SELECT schema_name FROM information_schema.schemata
    WHERE schema_name <> DATABASE() AND schema_name NOT IN {SYSTEM}"""


class Effects:
    """Asks the database about the names in a statement, once for each revision."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.mysql = connection.dialect.name in ("mysql", "mariadb")
        self.routines: set[str] | None = None
        self.lasting: set[str] | None = None
        self.others: set[str] = set()

    def writes(self, sql: str) -> bool:
        """Return whether a SELECT may call a function that changes something."""
        if "(" not in sql:
            return False
        if self.routines is None:
            query = MYSQL_ROUTINES if self.mysql else POSTGRESQL_ROUTINES
            known = self.mysql or self.connection.dialect.name == "postgresql"
            self.routines = self._names(query) if known else set()
        return bool(self.routines & words_of(sql))

    def lasts(self, sql: str) -> bool:
        """Return whether a rollback may not undo a change of rows."""
        if not self.mysql:
            return self.writes(sql)
        if self.lasting is None:
            self.lasting = self._names(MYSQL_LASTING)
            self.others = self._names(MYSQL_OTHERS)
            if self.lasting:
                self.lasting |= self._names(MYSQL_BEHIND) | self._names(MYSQL_ROUTINES)
        plain = sql.lower().replace("`", "")
        return bool(self.lasting & words_of(sql)) or any(
            f"{name}." in plain for name in self.others
        )

    def _names(self, query: str) -> set[str]:
        return {str(name).lower() for name in self.connection.exec_driver_sql(query).scalars()}
