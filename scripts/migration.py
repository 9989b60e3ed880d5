"""Write the next migration: the difference between the models and the newest revision, on an empty SQLite."""

import sys
import tempfile
from pathlib import Path

from alembic import command

from bodycam.db import Database
from bodycam.migrations.runner import alembic_config


def main() -> None:
    """Write one revision file with the message given on the command line."""
    message = " ".join(sys.argv[1:]).strip()
    if not message:
        sys.exit('usage: scripts/migration.py "what changes"')
    with tempfile.TemporaryDirectory() as folder:
        db = Database(f"sqlite:///{Path(folder) / 'empty.db'}")
        with db.engine.begin() as connection:
            config = alembic_config(connection)
            command.upgrade(config, "head")
            versions = Path("bodycam/migrations/versions")
            number = len(list(versions.glob("[0-9]*.py"))) + 1
            command.revision(config, message=message, autogenerate=True, rev_id=f"{number:04d}")
        db.close()
        written = next(versions.glob(f"{number:04d}_*.py"))
        lines = written.read_text("utf-8").splitlines()
        written.write_text("\n".join(line for line in lines if "# ###" not in line) + "\n", "utf-8")


if __name__ == "__main__":
    main()
