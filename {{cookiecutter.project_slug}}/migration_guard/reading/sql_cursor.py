"""One SQL statement as tokens: reads words, names and lists in parentheses."""

from collections.abc import Iterator, Sequence
from typing import Any

from .sql_tokens import QUOTED, known, words_of

# These databases keep the case of unquoted names; others fold it to lower case.
KEEPS_CASE = frozenset({"mysql", "mariadb", "mssql"})


class Cursor:
    """The tokens of one statement, read from left to right."""

    def __init__(self, text: str, tokens: list[Any], dialects: Sequence[str]) -> None:
        self.text, self.tokens, self.dialects = text, tokens, dialects
        self.words = words_of(tokens)
        self.at = 0
        self.target: dict[str, Any] = {}  # the table of ALTER TABLE, as an operation has it
        self.before: list[str] = []  # the words before the kind of what is created

    def word(self) -> str:
        return self.words[self.at] if self.at < len(self.words) else ";"

    def take(self, *words: str) -> bool:
        """Go past these words if they are next."""
        end = self.at + len(words)
        if tuple(self.words[self.at : end]) != words:
            return False
        self.at = end
        return True

    def take_any(self, *words: str) -> str:
        """Go past the next word if it is one of these, and return it, or else ""."""
        word = self.word()
        if word not in words:
            return ""
        self.at += 1
        return word

    def options(self) -> dict[str, Any]:
        """Read CONCURRENTLY and IF [NOT] EXISTS, as Alembic's arguments."""
        options: dict[str, Any] = {}
        if self.take("CONCURRENTLY"):
            options["postgresql_concurrently"] = True
        if self.take("IF", "NOT", "EXISTS"):
            options["if_not_exists"] = True
        elif self.take("IF", "EXISTS"):
            options["if_exists"] = True
        return options

    def listed(self) -> Iterator[None]:
        """Yield once for each part of a list, from comma to comma."""
        yield
        while self.take(","):
            yield

    def identifier(self) -> str | None:
        if self.word() in ("(", ")", ",", ".", "=", ";"):
            return None
        self.at += 1
        return self.folded(self.at - 1)

    def folded(self, at: int) -> str:
        """Return a token as a name: without its quotes, or as the database folds its case."""
        text = str(self.tokens[at].text)
        quoted = self.tokens[at].token_type in QUOTED
        return text if quoted or KEEPS_CASE.issuperset(self.dialects) else text.lower()

    def parts(self) -> list[str | None]:
        """Read a qualified name; a part that can't be known is None."""
        parts = [known(self.identifier())]
        while self.take("."):
            parts.append(known(self.identifier()))
        self.take("*")
        return parts

    def name(self) -> dict[str, Any]:
        """Read a name as ``table`` and ``schema``."""
        *schema, table = self.parts()
        return {
            "table": table,
            "schema": schema[-1] if schema else None,
            "certain": None not in (table, *schema),
        }

    def plain_name(self) -> str | None:
        name = self.name()
        return name["table"] if name["certain"] else None

    def slice(self, start: int, end: int | None = None) -> str:
        tokens = self.tokens[start:end]
        return self.text[tokens[0].start : tokens[-1].end + 1] if tokens else ""

    def skip(self, *stops: str) -> str:
        """Go to one of these words outside of parentheses; return the text up to there."""
        start, depth = self.at, 0
        while self.at < len(self.words):
            word = self.words[self.at]
            if not depth and (word in stops or word == ")"):
                break
            depth += (word == "(") - (word == ")")
            self.at += 1
        return self.slice(start, self.at)

    def items(self) -> tuple[str, ...]:
        """Return the parts of a list in parentheses; a name comes without its quotes."""
        items: list[str] = []
        while self.take("(") if not items else self.take(","):
            start = self.at
            text = self.skip(",")
            after = self.words[start + 1] if start + 1 < len(self.words) else ""
            is_name = self.at > start and after in (",", ")", "ASC", "DESC")
            items.append(self.folded(start) if is_name else text)
        self.take(")")
        return tuple(item for item in items if known(item))
