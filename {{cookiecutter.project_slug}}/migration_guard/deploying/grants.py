"""The GRANT for a privilege that the server reports as missing."""

import re

from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

# The message of the server, and the statement that its administrator runs.
POSTGRESQL = {
    r"permission denied for schema (\S+)": 'GRANT USAGE, CREATE ON SCHEMA {0} TO "{user}"',
    r"permission denied for database (\S+)": 'GRANT CREATE ON DATABASE {0} TO "{user}"',
    r"permission denied for (?:table|view) (\S+)": 'GRANT ALL ON TABLE {0} TO "{user}"',
    r"permission denied for sequence (\S+)": 'GRANT ALL ON SEQUENCE {0} TO "{user}"',
    r"must be owner of (table|view|sequence|type|function|schema) (\S+)": "ALTER {0} {1} OWNER TO"
    ' "{user}"',
}
MYSQL = {
    r"([A-Z, ]+) command denied to user": "GRANT {0} ON `{database}`.* TO {account}",
    r"Access denied for user '.*?'@'.*?' to database": "GRANT ALL ON `{database}`.* TO {account}",
}


def grant_for(text: str, engine: Engine) -> str:
    """Return the statement that an administrator runs after this error message, or ""."""
    url = engine.url
    known = MYSQL if url.get_backend_name() in ("mysql", "mariadb") else POSTGRESQL
    for pattern, statement in known.items():
        if match := re.search(pattern, text):
            names = {"user": url.username, "database": url.database}
            if "{account}" in statement:
                names["account"] = account_of(engine)
            return statement.format(
                *(name.strip().rstrip(":;") for name in match.groups()), **names
            )
    return ""


def account_of(engine: Engine) -> str:
    """Return MySQL's account, whose host is not the client's that the error names."""
    try:
        with engine.connect() as connection:
            found = str(connection.exec_driver_sql("SELECT CURRENT_USER()").scalar())
    except DBAPIError:  # no privilege on the database
        found = f"{engine.url.username}@%"
    name, _, host = found.rpartition("@")
    return f"'{name}'@'{host}'"
