"""SQL text cut into tokens and statements, by sqlglot."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError
from sqlglot.tokens import TokenType  # type: ignore[attr-defined,unused-ignore]

from .migration import HOLE

MAX_SQL = 500_000  # characters; of a longer text, which is a dump, only the beginning is read


SQLGLOT = {"postgresql": "postgres", "cockroachdb": "postgres", "mariadb": "mysql", "mssql": "tsql"}


POSTGRESQL = re.compile(r"::|\$\w*\$|\[\d*\]")  # casts, dollar quotes, arrays


EXECUTABLE = re.compile(r"/\*M?!\d*(.*?)\*/", re.DOTALL)  # MySQL's comments that it runs


QUOTED = frozenset(kind for kind in TokenType if kind.name.endswith(("STRING", "IDENTIFIER")))


ROUTINES = {"TRIGGER", "PROCEDURE", "FUNCTION", "EVENT"}


_tokenizers: dict[str, Any] = {}


def tokens_of(text: str, dialects: Sequence[str]) -> list[Any] | None:
    hint = ["mysql"] if "`" in text else ["postgresql"] if POSTGRESQL.search(text) else []
    for dialect in dict.fromkeys((*hint, *dialects, "postgresql", "mysql")):
        name = SQLGLOT.get(dialect, dialect)
        if name not in _tokenizers:
            base = Dialect.get_or_raise(name).tokenizer_class
            # One token for each word.
            words = {word: kind for word, kind in base.KEYWORDS.items() if " " not in word}
            _tokenizers[name] = type("Tokenizer", (base,), {"COMMANDS": set(), "KEYWORDS": words})()
        try:
            return list(_tokenizers[name].tokenize(text))
        except SqlglotError:
            continue
    return None


def split(tokens: list[Any]) -> Iterator[list[Any]]:
    """Cut at semicolons, but not in the body of a trigger or routine."""
    statement: list[Any] = []
    for token in tokens:
        if token.token_type is not TokenType.SEMICOLON:
            statement.append(token)
        elif statement:
            words = words_of(statement)
            routine = words[0] == "CREATE" and not ROUTINES.isdisjoint(words[:8])
            if not routine or is_closed(words):
                yield statement
                statement = []
            else:
                statement.append(token)
    if statement:
        yield statement


def words_of(tokens: list[Any]) -> list[str]:
    """Return the tokens in capitals, and "" for each that is quoted."""
    return ["" if token.token_type in QUOTED else token.text.upper() for token in tokens]


def is_closed(words: list[str]) -> bool:
    """Return whether each BEGIN and CASE has its END."""
    depth = 0
    for before, word, after in zip(["", *words], words, [*words[1:], ""], strict=False):
        depth += word in ("BEGIN", "CASE") and before != "END"
        depth -= word == "END" and after not in ("IF", "LOOP", "WHILE", "REPEAT", "FOR")
    return depth <= 0


def known(name: str | None) -> str | None:
    return name if name and HOLE not in name else None
