"""Alembic's configuration, with the paths that the guard's settings name."""

from alembic.config import Config

from ..exceptions import CannotCheck
from ..places import relative
from ..settings import Settings


def alembic_config(settings: Settings) -> Config:
    """Return the configuration of Alembic in the project of ``settings``. Raises CannotCheck."""
    there = settings.config.is_file()
    config = Config(settings.config if there else None, toml_file=settings.root / "pyproject.toml")
    if not there and not config.toml_alembic_config:
        place = relative(settings.config, settings.root)
        raise CannotCheck(
            f"There is no {place}. Set config in [tool.migration-guard] to its path, or use"
            " --static, which does not need it."
        )
    # Flask-Migrate passes script_location to Alembic itself.
    if config.get_alembic_option("script_location") is None:
        config.set_main_option("script_location", str(settings.config.parent).replace("%", "%%"))
    lists = {
        "version_locations": settings.versions,
        "prepend_sys_path": config.get_prepend_sys_paths_list() or (),
    }
    for name, paths in lists.items():
        config.set_main_option(name, "\n".join(map(str, paths)).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    return config
