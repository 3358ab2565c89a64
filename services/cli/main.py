"""The operator's command line: `duewatch`. Each room of it talks to the HTTP API like everyone else."""

import sqlite3
import sys
from collections.abc import Sequence
from typing import NoReturn

import typer

from services.cli import (
    audit_steps,
    case_steps,
    demo,
    deployment,
    fetching,
    findings,
    gate,
    journal,
    laws,
    matching,
    operations,
    screening,
    subscriptions,
    suppliers,
    system,
    tokens,
    why,
)
from services.cli.command import command
from services.cli.failures import INTERRUPTED, Failure, WrongUse, of_error, of_system, tell
from services.cli.session import console
from shared.errors import DuewatchError

app = typer.Typer(
    help="Continuous supplier due diligence: from a list change to a blocked purchase, with the reasons.",
    epilog="Exit codes: 0 done, 1 refused or not found, 2 wrong use, 3 the system cannot be reached.",
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich",
)  # fmt: skip
_RUNNING, _WORLD, _SUPPLIERS, _FOLLOWING, _PLATFORM = (
    "Running",
    "What the world knows",
    "Suppliers and the gate",
    "Following up",
    "The platform",
)

command(app, "up", example="duewatch up --data ./data --port 8080", local=True, panel=_RUNNING)(system.up)
command(app, "serve", example="duewatch serve screening", local=True, panel=_RUNNING)(system.serve)
command(app, "demo", example="duewatch demo", role="admin", panel=_RUNNING)(demo.demo)
app.add_typer(tokens.app, name="tokens", rich_help_panel=_RUNNING)
app.add_typer(fetching.app, name="lists", rich_help_panel=_WORLD)
app.add_typer(findings.reports, name="reports", rich_help_panel=_WORLD)
app.add_typer(findings.findings, name="findings", rich_help_panel=_WORLD)
app.add_typer(suppliers.app, name="suppliers", rich_help_panel=_SUPPLIERS)
command(app, "screen", example="duewatch screen 'Acme Shipping Ltd' --country RU", role="analyst", panel=_SUPPLIERS)(screening.screen)
app.add_typer(screening.matches, name="matches", rich_help_panel=_SUPPLIERS)
app.add_typer(screening.sweeps, name="sweeps", rich_help_panel=_SUPPLIERS)
command(app, "gate", example="duewatch gate S4:100001 S4:100002 --effect payment", role="buyer", panel=_SUPPLIERS)(gate.gate)
command(app, "why", example="duewatch why dec_...", role="buyer", panel=_SUPPLIERS)(why.why)
command(app, "laws", example="duewatch laws us_uflpa", role="buyer", panel=_SUPPLIERS)(laws.laws)
app.add_typer(audit_steps.audits, name="audits", rich_help_panel=_FOLLOWING)
app.add_typer(case_steps.cases, name="cases", rich_help_panel=_FOLLOWING)
app.add_typer(subscriptions.app, name="subscriptions", rich_help_panel=_FOLLOWING)
app.add_typer(operations.dead_letters, name="dead-letters", rich_help_panel=_PLATFORM)
app.add_typer(journal.app, name="journal", rich_help_panel=_PLATFORM)
app.add_typer(operations.contracts, name="contracts", rich_help_panel=_PLATFORM)
app.add_typer(matching.app, name="match", rich_help_panel=_PLATFORM)
app.add_typer(deployment.topics, name="topics", rich_help_panel=_PLATFORM)
app.add_typer(deployment.store, name="store", rich_help_panel=_PLATFORM)


def run(arguments: Sequence[str] | None = None) -> NoReturn:
    """The entry point: runs one command and ends with its exit code; the one place where errors become text."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        app(given, prog_name="duewatch")
    except Failure as failure:
        ended = failure
    except DuewatchError as error:
        ended = of_error(error)
    except (OSError, sqlite3.Error) as error:
        ended = of_system(error)
    except UnicodeError:
        ended = WrongUse("An argument or a file is not valid UTF-8")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    sys.exit(tell(ended, console(stderr=True), as_json="--json" in given))


if __name__ == "__main__":
    run()
