"""Autogenerate against a scratch database at head: ``python -m migration_guard.writing.revision``.

The developer's own database need not be up to date, and need not be there.
"""

import sys
from argparse import Namespace
from pathlib import Path

from alembic import command
from alembic.util import CommandError

from ..exceptions import CannotCheck
from ..running.alembic_config import alembic_config
from ..running.scratch import find_url, scratch_database
from ..running.stepping import as_configured
from ..settings import read_settings


def main(root: Path, message: str) -> int:
    """Write the revisions of what changed in the models. Returns the exit status."""
    try:
        settings = read_settings(root)
        config = alembic_config(settings)
        with scratch_database(find_url(root, None)) as engine, engine.connect() as connection:
            with as_configured(config, engine, connection):
                command.upgrade(config, "heads")
                connection.commit()
            config.attributes.update(connection=connection)
            config.cmd_opts = Namespace(autogenerate=True, head=None, x=None)
            command.revision(config, message, autogenerate=True)
    except (CannotCheck, CommandError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path.cwd(), " ".join(sys.argv[1:])))
