"""Arguments in, findings out, exit status: 0 clean, 1 errors found, 2 could not check."""

from __future__ import annotations

import argparse
import gc
import sys
import traceback
from dataclasses import replace
from pathlib import Path

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


def parser() -> argparse.ArgumentParser:
    built = argparse.ArgumentParser(
        prog="check_migrations.py",
        description="Check the migrations: their history, the rules, and whether the models match.",
        epilog="Exit status: 0 clean, 1 errors found, 2 could not check."
        " Settings: [tool.migration-guard].",
    )
    add = built.add_argument
    add(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="with --static: judge these migrations alone",
    )
    add(
        "--static",
        action="store_true",
        help="history and rules alone: no database, nothing imported or run",
    )
    add(
        "--roundtrip",
        action="store_true",
        help="history, then every revision up, down and up again, with rows",
    )
    add(
        "--since",
        metavar="REF",
        help="with --roundtrip or --static: only the revisions that are new since this git ref"
        " (origin/HEAD: the default branch of the remote, if there is one)",
    )
    add("-k", dest="only", metavar="REVISION", help="with --roundtrip: only this revision")
    add(
        "--keep",
        action="store_true",
        help="with --roundtrip: keep the scratch database of a failure",
    )
    add(
        "--plan",
        action="store_true",
        help="what `alembic upgrade head` would run and lock; the database is only read",
    )
    add("--probe", action="store_true", help="with --plan: do the rows fit what is pending?")
    add(
        "--against",
        metavar="REF",
        help="deployed is what stands at this git ref (default: the remote's main branch)",
    )
    add("--versions", metavar="DIR", type=Path, help="another folder of migrations")
    add(
        "--database-url",
        metavar="URL",
        help="the server for scratch databases (default: DATABASE_URL, else SQLite)",
    )
    add("--no-cache", action="store_true", help=argparse.SUPPRESS)
    add("--select", metavar="RULE,...", help="only these rules or categories")
    add("--ignore", metavar="RULE,...", help="all but these rules or categories")
    add(
        "--format",
        choices=[*REPORTS, "markdown"],
        default="text",
        help="text is for people; markdown is of a plan",
    )
    add("--output", metavar="FILE", type=Path, help="write the report to a file")
    add(
        "--write-baseline",
        metavar="FILE",
        type=Path,
        help="note the findings, for `baseline` in the settings",
    )
    add("--strict", action="store_true", help="warnings fail, too")
    add("--list-rules", action="store_true", help="list the rules")
    add("--explain", metavar="RULE,...", help="what a rule finds, why, and what to do")
    return built


def main(root: Path, arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    gc.set_threshold(
        100_000
    )  # to look for cycles was an eighth of the time, in a process that soon ends
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
    except Exception:  # our own fault: status 1 would mean that the migrations have errors
        traceback.print_exc()
        return 2
    finally:
        gc.freeze()  # Python would look for cycles again when it ends, for up to half a second


def run(root: Path, options: argparse.Namespace) -> int:
    if options.list_rules or options.explain:
        rules = with_own_rules(RULES, read_settings(root).rules, root)
        names = selected(options.explain, "--explain", rules)
        print("\n\n".join(explain(rules[name]) for name in names) or list_of_rules(rules.values()))
        return 0
    if options.no_cache:
        raise CannotCheck(
            "--no-cache: delete this option: nothing is kept from one run to the next any more."
        )
    if options.files and not options.static:
        raise CannotCheck(
            "FILE needs --static: a database is migrated with all migrations or none."
        )
    if not options.roundtrip and (options.only or options.keep):
        raise CannotCheck("-k and --keep need --roundtrip.")
    if options.since and not (options.roundtrip or options.static):
        raise CannotCheck("--since needs --roundtrip or --static.")
    if options.since and options.files:
        raise CannotCheck("--since chooses the files: leave out FILE.")
    if options.static and (options.roundtrip or options.database_url):
        raise CannotCheck("--static uses no database: leave out --roundtrip and --database-url.")
    if options.plan and (options.static or options.roundtrip or options.write_baseline):
        raise CannotCheck("--plan takes no --static, --roundtrip or --write-baseline.")
    if options.probe and not options.plan:
        raise CannotCheck("--probe needs --plan.")
    if options.plan and options.format in ("github", "sarif"):
        raise CannotCheck(f"--format {options.format}: a plan is text, json or markdown.")
    if options.format == "markdown" and not options.plan:
        raise CannotCheck("--format markdown is a plan's: add --plan.")
    settings = read_settings(root)
    if options.versions:
        settings = replace(settings, versions=(options.versions.resolve(),))
    if options.since == "origin/HEAD":  # git has this ref in a clone alone
        options.since = default_branch(root)  # None: nothing is deployed, so every revision is new
    return Check(settings, options).run()
