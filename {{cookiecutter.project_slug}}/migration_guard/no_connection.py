"""Why there is no connection to a server, and what to do."""

import re

from .error_messages import full_message

# What to do, by the message of the server or the driver.
CONNECTING = {
    r"package is required": "install it",
    r"to database": "grant it to this user, or correct its name in {source}",
    r"database .* does not exist|Unknown database": (
        "create this database, or correct its name in {source}"
    ),
    r"role|password|Access denied": "create this user, or correct user and password in {source}",
    r"unable to open": "create the folder, or correct the path in {source}",
    "": "start the server, or correct host and port in {source}",
}


def why_no_connection(error: BaseException, source: str = "DATABASE_URL") -> str:
    """Return in one line why there is no connection, and what to do; ``source`` has the URL."""
    text = full_message(error)
    if isinstance(error, UnicodeError):
        text = "the driver can't send a character of the password"
    remedy = next(fix for pattern, fix in CONNECTING.items() if re.search(pattern, text))
    return f"{text}; {remedy.format(source=source)}"
