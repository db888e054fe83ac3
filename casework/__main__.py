"""The command `casework`."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger

from casework.adapters.persistence.schema.copies import CopyError
from casework.adapters.persistence.schema.migrations import UnknownRevision
from casework.cli.app import cli
from casework.cli.shared import CommandError
from casework.domain.errors import Refusal
from casework.settings import SettingsError

log = get_logger("casework")


def main() -> NoReturn:
    """Run the command line. An error is one line on stderr, with exit code 2."""
    try:
        code = cli(prog_name="casework", standalone_mode=False)
    except (CommandError, CopyError, SettingsError, UnknownRevision, Refusal) as error:
        _fail(str(error))
    except ValidationError as error:
        _fail(
            f"CASEWORK_{str(error.errors()[0]['loc'][0]).upper()} cannot be right: "
            f"{error.errors()[0]['msg']}"
        )
    except SQLAlchemyError as error:
        # The first line alone: what follows may quote the row.
        reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        _fail(f"the database cannot be used: {reason}")
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(130)
    except Exception as error:
        if not hasattr(error, "format_message"):
            # Its message may quote a row: the log has its type and the places it came through.
            log.error("command failed", error=type(error).__name__, exc_info=error)
            _fail(f"failed: {type(error).__name__}; the log says where")
        _fail(error.format_message() or "name a command")
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str) -> NoReturn:
    typer.echo(f"casework: {message}".replace("\n", " "), err=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
