"""The migrated database, kept for the next run under a hash of the revisions that made it and of what ran them.

The longest history that is kept is taken, and what follows it alone is run. Where it is kept, `stores.py` says.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy.engine import URL

from .cache import UNSEEN, Cache, bare, changed_since, content, digest, is_alone, libraries, loaded, record, said
from .findings import CannotCheck, Finding
from .snapshot import words
from .stepping import import_all, plan_of, read_scripts
from .stores import STORES


def kept_history(cache: Cache | None, kind: str, config: Config, url: URL) -> KeptHistory | None:
    """What is kept of the revisions on this server; None where nothing is or can be."""
    return KeptHistory(cache, kind, config, url) if cache and url.get_backend_name() in STORES else None


class KeptHistory:
    """The revisions in the order in which they run; ``point``: how many of them a kept database holds."""

    def __init__(self, cache: Cache, kind: str, config: Config, url: URL) -> None:
        record()
        self.before = libraries()
        self.cache, self.config = cache, config
        self.store = STORES[url.get_backend_name()](cache, url)
        self.made: dict[str, Any] | None = None  # what to keep at the end
        self.named: set[str] = set()  # the words of the statements that ran since
        self.point, self.header = 0, {}
        self.scripts = read_scripts(config, {file: reading.migration for file, reading in cache.readings.items()})
        self.plan = [script.path for script in plan_of(self.scripts)]
        env = [content(self.scripts.env_py_location), content(str(config.config_file_name))]
        key = digest(cache.base, kind, cache.root, self.store.server, *env)
        self.keys = [key := digest(key, path, content(path))[:24] for path in self.plan]
        there = self.store.names()
        for index in range(len(self.keys), 0, -1):
            if self.keys[index - 1] in there and (header := self.store.header(self.keys[index - 1])):
                self.point, self.header = index, header
                break
        else:
            self.scripts = read_scripts(config)
        self.needed = kind == "check" or self.point < len(self.plan)  # to go on, or to look at
        import_all(plan_of(self.scripts)[self.point :])

    def create(self, server: Any, name: str) -> Any:
        """The scratch database, as it was kept; empty where that can't be had, and then it does not fit."""
        if self.point and self.needed:
            with suppress(CannotCheck, OSError):
                return self.store.restore(server, name, self.keys[self.point - 1])
            server.drop(name)
        return server.create(name)

    def fits(self, context: MigrationContext) -> bool:
        """After env.py ran: is what is kept what the revisions would make today? If not: once more, from nothing."""
        connection, here = context.connection, loaded()
        assert connection is not None
        metadata = context.opts.get("target_metadata")
        many = metadata if isinstance(metadata, list | tuple) else [metadata]
        self.options = digest(said(context.opts), said([getattr(each, "naming_convention", None) for each in many]))
        self.libraries = libraries() - self.before
        self.session = self.store.session(connection)
        connection.commit()
        if not self.point:
            return True
        sa.event.listen(connection.engine, "before_cursor_execute", self.note)
        was, alone = self.header, self.header["alone"]
        if (
            was["options"] == self.options
            and (not self.needed or was["heads"] == sorted(context.get_current_heads()))
            and self.libraries <= set(was["libraries"])
            and all(
                known[0] == digest(content(path)) or (alone and known[1] == bare(path))
                for path, known in was["files"].items()
            )
            and all(path in was["files"] or (alone and bare(path) == digest()) for path in here - set(self.plan))
        ):
            self.cache.taken = self.point
            for name, value in was["session"].items():
                self.store.set_variable(connection, name, value)
            connection.commit()
            return True
        self.forget()
        return False

    def note(self, _c: Any, _u: Any, statement: str, _p: Any, _x: Any, _m: bool) -> None:
        """What changes a table names it."""
        if not statement.startswith(("SHOW ", "SELECT ")):
            self.named |= words([statement])

    def keep(self, context: MigrationContext, findings: list[Finding], state: Any = None) -> None:
        """Keep the database at the end, as it is now, if nothing stands against it."""
        connection, here = context.connection, loaded() - set(self.plan)
        assert connection is not None
        now = self.store.session(connection)
        heads = sorted(context.get_current_heads())
        connection.commit()
        read = {str(file): reading.migration for file, reading in self.cache.readings.items()}
        migrations = [read[path] for path in self.plan if path in read]
        if (
            self.point == len(self.plan)
            or self.plan != [script.path for script in plan_of(self.scripts)]
            or len(migrations) < len(self.plan)
            or any(unseen.search(each.source) for each in migrations for unseen in (UNSEEN, self.store.unseen))
            or any(changed_since(self.cache.started, path) for path in here | set(self.plan))
            or now is None
            or self.session is None
            or not self.cache.green(findings)
        ):
            return
        # Not all that they run goes through the connection: a cursor of the driver's, a parameter.
        self.named |= words(each.source for each in migrations[self.point :])
        self.made = {
            "files": {path: (digest(content(path)), bare(path)) for path in here | set(self.header.get("files", ()))},
            "alone": all(map(is_alone, migrations)),
            "options": self.options,
            "libraries": sorted(self.libraries | set(self.header.get("libraries", ()))),
            "heads": heads,
            "session": {name: value for name, value in now.items() if self.session.get(name) != value},
            "findings": [asdict(found) for found in findings],
            "state": state,
        }

    def resume(self, findings: list[Finding]) -> Any:
        """What else there is to go on with from ``point``; none from the start."""
        if not self.point:
            return None
        findings += [Finding(**each) for each in self.header["findings"]]
        return self.header["state"]

    def forget(self) -> None:
        """Start from nothing."""
        self.point, self.needed, self.header = 0, True, {}
        self.scripts = read_scripts(self.config)

    def take_over(self, server: Any, name: str) -> None:
        """Keep the scratch database, if it is to be kept; nobody is connected to it any more."""
        if self.made is not None:
            with suppress(CannotCheck, OSError, sa.exc.DBAPIError):
                self.store.keep(server, name, self.keys[-1], json.dumps(self.made).encode(), self.named)
