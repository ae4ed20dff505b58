"""Arguments in, findings out, exit status: 0 clean, 1 errors found, 2 could not check."""

import argparse
import gc
import os
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

from .check import Check
from .exceptions import CannotCheck
from .git import default_branch
from .output import printable
from .reporting.formats import REPORTS
from .reporting.handbook import explain, list_of_rules
from .rules import RULES
from .rules.judge import selected
from .rules.own_rules import with_own_rules
from .settings import read_settings

# Each option: its value, or "" if it has none, and what it does.
OPTIONS = {
    "--static": ("", "check only history and rules: needs no database and runs no migration"),
    "--roundtrip": ("", "check the history; run every revision up, down and up again, with rows"),
    "--since": (
        "REF",
        "with --roundtrip or --static: check only revisions that are new since this git ref"
        " (origin/HEAD: the default branch of the remote, if there is one)",
    ),
    "-k": ("REVISION", "with --roundtrip: check only this revision"),
    "--keep": ("", "with --roundtrip: keep the scratch database of a failure"),
    "--plan": ("", "show what `alembic upgrade head` would run and lock; changes nothing"),
    "--probe": ("", "with --plan: check whether the rows fit the pending migrations"),
    "--against": (
        "REF",
        "the ref whose migrations are deployed (default: the remote's main branch)",
    ),
    "--versions": ("DIR", "read the migrations of this folder"),
    "--database-url": ("URL", "the server for scratch databases (default: DATABASE_URL)"),
    "--select": ("RULE,...", "check only these rules or categories"),
    "--ignore": ("RULE,...", "skip these rules or categories"),
    "--output": ("FILE", "write the report to a file"),
    "--write-baseline": ("FILE", "record the findings in this file, for the setting `baseline`"),
    "--strict": ("", "fail on warnings, too"),
    "--list-rules": ("", "list the rules"),
    "--explain": ("RULE,...", "explain what a rule finds, why, and what to do"),
}


def parser() -> argparse.ArgumentParser:
    built = argparse.ArgumentParser(
        prog="check_migrations.py",
        description="Check the migrations: their history, the rules, and whether the models match.",
        epilog="Exit status: 0 clean, 1 errors found, 2 could not check."
        " Settings: [tool.migration-guard].",
    )
    add = built.add_argument
    add("files", nargs="*", type=Path, metavar="FILE", help="with --static: only these migrations")
    for name, (metavar, text) in OPTIONS.items():
        kind: dict[str, Any] = {"action": "store_true"}
        if metavar:
            kind = {"metavar": metavar, "type": Path if metavar in ("DIR", "FILE") else str}
        add(name, help=text, dest="only" if name == "-k" else None, **kind)
    formats = [*REPORTS, "markdown"]
    text = "the format of the report; markdown needs --plan"
    add("--format", choices=formats, default=formats[0], help=text)
    add("--no-cache", action="store_true", help=argparse.SUPPRESS)
    return built


def main(root: Path, arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    gc.set_threshold(100_000)  # looking for cycles took an eighth of the time of a short process
    try:
        return run(root, options)
    except CannotCheck as error:
        print(f"error: {printable(str(error))}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        print(f"error: {error}: install the project's dependencies", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the exit fails, too
        return 2
    except Exception:  # a bug of ours: status 1 would mean that the migrations have errors
        traceback.print_exc()
        return 2
    finally:
        gc.freeze()  # at exit, Python would look for cycles again, for up to half a second


def run(root: Path, options: argparse.Namespace) -> int:
    if options.list_rules or options.explain:
        rules = with_own_rules(RULES, read_settings(root).rules, root)
        names = selected(options.explain, "--explain", rules)
        texts = "\n\n".join(explain(rules[name]) for name in names)
        print(texts or list_of_rules(rules.values()), flush=True)
        return 0
    if options.no_cache:
        raise CannotCheck("--no-cache: delete this option: no run keeps results any more.")
    if options.files and not options.static:
        raise CannotCheck("FILE needs --static: a database needs all migrations or none.")
    if not options.roundtrip and (options.only or options.keep):
        raise CannotCheck("-k and --keep need --roundtrip.")
    if options.since and not (options.roundtrip or options.static):
        raise CannotCheck("--since needs --roundtrip or --static.")
    if options.since and options.files:
        raise CannotCheck("--since chooses the files: remove FILE.")
    if options.static and (options.roundtrip or options.database_url):
        raise CannotCheck("--static uses no database: remove --roundtrip and --database-url.")
    if options.plan and (options.static or options.roundtrip or options.write_baseline):
        raise CannotCheck("--plan can't run with --static, --roundtrip or --write-baseline.")
    if options.probe and not options.plan:
        raise CannotCheck("--probe needs --plan.")
    if options.plan and options.format in ("github", "sarif"):
        raise CannotCheck(f"--format {options.format}: with --plan use text, json or markdown.")
    if options.format == "markdown" and not options.plan:
        raise CannotCheck("--format markdown needs --plan.")
    settings = read_settings(root)
    if options.versions:
        settings = replace(settings, versions=(options.versions.resolve(),))
    if options.since == "origin/HEAD":  # git has this ref in a clone alone
        options.since = default_branch(root)  # None: nothing is deployed, so every revision is new
    return Check(settings, options).run()
