"""What a statement may change although its text does not show it: functions, MySQL's engines."""

from functools import cached_property

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

    def writes(self, sql: str) -> bool:
        """Return whether a SELECT may call a function that changes something."""
        return "(" in sql and bool(self.routines & words_of(sql))

    def lasts(self, sql: str) -> bool:
        """Return whether a rollback may not undo a change of rows."""
        if not self.mysql:
            return self.writes(sql)
        plain = sql.lower().replace("`", "")
        elsewhere = any(f"{name}." in plain for name in self.others)
        return elsewhere or bool(self.lasting & words_of(sql))

    @cached_property
    def routines(self) -> set[str]:
        if self.mysql:
            return self._names(MYSQL_ROUTINES)
        known = self.connection.dialect.name == "postgresql"
        return self._names(POSTGRESQL_ROUTINES) if known else set()

    @cached_property
    def lasting(self) -> set[str]:
        found = self._names(MYSQL_LASTING)
        return found | self._names(MYSQL_BEHIND) | self.routines if found else found

    @cached_property
    def others(self) -> set[str]:
        return self._names(MYSQL_OTHERS)

    def _names(self, query: str) -> set[str]:
        return {str(name).lower() for name in self.connection.exec_driver_sql(query).scalars()}
