"""What a statement does to a transaction, according to its text."""

import re
from typing import Any

WORD = re.compile(r"(?:\s|\(|--[^\n]*\n|/\*(?!M?!).*?\*/)*(\w+)", re.DOTALL)
READS = {"SELECT", "WITH", "VALUES", "SHOW", "SET", "DESCRIBE", "EXPLAIN", "PRAGMA", "USE", "KILL"}
# MySQL commits what is open before it runs them.
COMMITS_FIRST = {"ALTER", "CREATE", "DROP", "RENAME", "TRUNCATE", "GRANT", "REVOKE"}
ROWS = {"INSERT", "UPDATE", "DELETE", "REPLACE", "WITH"}  # where DDL commits, these don't
WRITES = re.compile(r"\b(?:INSERT|UPDATE|DELETE|REPLACE|MERGE|INTO|ANALYZE)\b", re.IGNORECASE)
# One statement of these words is done as a whole or not at all.
WHOLE = ROWS | {"ALTER", "CREATE", "DROP", "RENAME", "TRUNCATE", "SELECT", "COMMENT"}
WHOLE |= {"GRANT", "REVOKE", "MERGE"}

# It begins or ends a transaction, and does nothing else.
CONTROL = re.compile(
    r"\s*(?:COMMIT|ROLLBACK|ABORT|END|SAVEPOINT|RELEASE|START\s+TRANSACTION"
    r"|BEGIN(?:\s+(?:WORK|TRANSACTION|DEFERRED|IMMEDIATE|EXCLUSIVE)|\s*;?\s*$))\b[^;]*;?\s*$"
    r"|\s*BEGIN\s*;?\s*$",
    re.IGNORECASE,
)
# It may end a transaction, among other things. A word too many costs one query.
MAY_END = re.compile(
    r"\b(?:COMMIT|ROLLBACK|ABORT|END|BEGIN|START\s+TRANSACTION|AUTOCOMMIT|XA)\b"
    r"|PREPARE\s+TRANSACTION",
    re.IGNORECASE,
)
UNDOES = re.compile(r"\b(?:ROLLBACK|ABORT)\b", re.IGNORECASE)
REPEATABLE = re.compile(
    r"\s*(?:CREATE\s+OR\s+REPLACE\b"
    # CREATE INDEX CONCURRENTLY IF NOT EXISTS would keep an invalid index.
    r"|(?:(?:CREATE|DROP)\s+(?!.*CONCURRENTLY\s+IF\s+NOT)(?:\w+\s+){1,3}?"
    r"|ALTER\s+TABLE\s+\S+\s+(?:ADD|DROP)\s+(?:\w+\s+){0,2}?"
    r"(?!.*,\s*(?:ADD|DROP|MODIFY|CHANGE|RENAME)\b))IF\s+(?:NOT\s+)?EXISTS\b)",
    re.IGNORECASE | re.DOTALL,
)
INDEX = re.compile(
    r"\s*(CREATE|DROP)\s+(?:UNIQUE\s+)?INDEX\s+(?:CONCURRENTLY\s+)?(?:IF\s+EXISTS\s+)?(\S+)",
    re.IGNORECASE,
)


def first_word(sql: str) -> str:
    """Return the first word of a statement in capitals, or "" where a comment may hold it."""
    match = WORD.match(sql)
    return match[1].upper() if match else ""


def is_several(sql: str) -> bool:
    """Return whether the text may hold more than one statement."""
    return ";" in sql.strip().rstrip(";")


def reads_only(sql: str) -> bool:
    """Return whether a statement changes nothing, if the functions that it calls don't."""
    return first_word(sql) in READS and not is_several(sql) and not WRITES.search(sql)


def is_all_or_nothing(sql: str) -> bool:
    """Return whether nothing of a statement that the server refused is done."""
    word = first_word(sql)
    listed = word in ("DROP", "RENAME") and "," in sql  # MariaDB drops those that it finds
    return word in WHOLE and not is_several(sql) and not listed


def was_not_parsed(sql: str, error: Any) -> bool:
    """Return whether the server refused a statement for its syntax, before it did anything."""
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    syntax = state == "42601" or error.args[:1] == (1064,) or "syntax error" in str(error)
    # What these run may have a wrong syntax, too, after other work.
    return syntax and first_word(sql) not in ("", "CALL", "DO", "EXECUTE") and not is_several(sql)


def words_of(sql: str) -> set[str]:
    """Return the words of a statement in small letters."""
    return set(re.findall(r"\w+", sql.lower()))
