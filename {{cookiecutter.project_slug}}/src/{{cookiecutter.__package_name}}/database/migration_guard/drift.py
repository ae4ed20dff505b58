"""Drift: what the models say against what the migrations make, both on scratch databases."""

from __future__ import annotations

from typing import Any

from alembic.autogenerate import api
from alembic.config import Config
from alembic.runtime.migration import MigrationContext

from .findings import Finding
from .scratch import find_url, scratch_database
from .settings import Settings
from .stepping import Stepper, read_scripts, relative, run_env

FIX = 'Migrations are out of sync with models: alembic revision --autogenerate -m "Sync models"'


def check_drift(config: Config, settings: Settings, url: str | None) -> list[Finding]:
    """Migrate a scratch database to the heads and compare it with the models."""
    server = find_url(settings.root, url)
    scripts = read_scripts(config)
    findings: list[Finding] = []

    def work(context: MigrationContext) -> None:
        stepper = Stepper(context, scripts)
        for script in stepper.plan():
            stepper.step(script, "upgrade")
        context.opts.setdefault("autogenerate_plugins", ["alembic.autogenerate.*"])
        context.opts["autogenerate_plugins"] = [
            *context.opts["autogenerate_plugins"],
            "alembic.ext.checkconstraint_byname",
        ]
        for difference in flat(api.compare_metadata(context, context.opts["target_metadata"])):
            message = f"{difference[0]} {difference[1:]}"
            findings.append(
                Finding(rule="models-out-of-sync", message=message, fix=FIX, path=relative(scripts.versions))
            )

    with scratch_database(server) as engine:
        run_env(config, scripts, engine, work)
    return findings


def flat(differences: list[Any]) -> list[Any]:
    return [part for item in differences for part in (item if isinstance(item, list) else [item])]
