"""The root command: finds the verb, runs it, and turns every exception into two lines and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module

import click

from leafsight import __version__
from leafsight.errors import LeafsightError

# NumPy's linear algebra on one thread: where more cores help, rooms start threads of their own, and two such
# pools on the same cores take twice the time to find copies.
# Its threads also cost a tenth of a second at start-up. Set before NumPy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

BUG_EXIT_CODE = 70
INTERRUPTED_EXIT_CODE = 130
COMPLETION = "_LEAFSIGHT_COMPLETE"

# verb -> (module, one line for --help). The line stands here so that --help imports no verb.
VERBS = {
    "predict": ("predict", "Diagnose photographs."),
    "fetch": ("fetch", "Download a published collection of photographs."),
    "check": ("check", "Look for what is wrong with a collection of photographs."),
    "insight": ("insight", "Show what a collection looks like, with answers in words."),
    "split": ("split", "Divide a collection into train, calibration and test without leaks."),
    "copy": ("copy", "Write a cleaned and split copy of a collection."),
    "train": ("train", "Train a network by a recipe."),
    "tune": ("tune", "Search for better values of a recipe."),
    "ablate": ("ablate", "Train a recipe with parts changed, and say what each part is worth."),
    "average": ("average", "Make one network of several training runs: the mean of their weights."),
    "evaluate": ("evaluate", "Judge a model on photographs it has not seen."),
    "compare": ("compare", "Set finished runs beside each other, on the same photographs."),
    "report": ("run_report", "Write the report page of a finished run."),
    "export": ("export", "Turn a finished training run into one model file."),
    "desktop": ("desktop", "Diagnose photographs in a window."),
    "serve": ("serve", "Serve predictions over HTTP."),
    "work": ("work", "Work off the jobs of servers, without answering HTTP."),
    "cluster": ("cluster", "Start a cluster on this machine, or look at one."),
    "loadtest": ("loadtest", "Find out what a set-up of containers carries."),
    "models": ("models", "List, add, promote and roll back the models that are served."),
    "feedback": ("feedback", "Send, look through, accept and reject photographs to learn from."),
    "retrain": ("retrain", "Make the next model from what was accepted."),
    "promote": ("promotion", "Let a model serve."),
    "rollback": ("promotion", "Put the former model back in its place."),
    "history": ("promotion", "Which models served, since when and why."),
    "keys": ("keys", "Make, list and revoke the keys of a server."),
    "db": ("db", "Migrate, back up, restore and prune what a server remembers."),
    "recipes": ("recipes", "List, copy and check training recipes."),
    "show": ("show", "Show what is inside a model file, a run, an index or a condition."),
    "doctor": ("doctor", "Look whether this installation works, and say what to do."),
    "config": ("config", "Show and check the settings."),
    "synth": ("synth", "Draw a collection of leaf photographs."),
    "demo": ("demo", "Run the whole job once: check, split, train, evaluate, export, diagnose."),
}


class LazyGroup(click.Group):
    """Knows its verbs by name and imports one only to run it."""

    def list_commands(self, context: click.Context) -> list[str]:
        """The verbs in the order a newcomer meets them."""
        return list(VERBS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import the verb ``name``; ``None`` when there is no such verb."""
        if name not in VERBS:
            return None
        module = import_module(f"leafsight.cli.{VERBS[name][0]}")
        named = (getattr(module, word, None) for word in (name, "command"))  # several verbs may share a file
        return next((one for one in named if isinstance(one, click.Command)), None)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in VERBS.items()])

    def resolve_command(
        self, context: click.Context, words: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest verb named when there is no such one."""
        if words and words[0] not in VERBS:
            from leafsight.errors import nearest

            close = nearest(words[0], VERBS)
            context.fail(f"no such command '{words[0]}'" + (f"; did you mean '{close}'?" if close else ""))
        return super().resolve_command(context, words)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: leafsight predict photo.jpg",
)
@click.version_option(__version__, prog_name="leafsight")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def command(context: click.Context, debug: bool) -> None:
    """What is wrong with this leaf, how sure that is, and where in the picture it shows."""
    context.obj = {"debug": debug}


def main(words: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code.

    Args:
        words: the words after the program's name; the process's own when not given.
    """
    words = list(sys.argv[1:] if words is None else words)
    sys.exit(run(words))


def run(words: Sequence[str]) -> int:
    """Run one command and return its exit code; nothing escapes as an exception."""
    debug = "--debug" in words[: 1 + next((i for i, word in enumerate(words) if not word.startswith("-")), 0)]
    try:
        outcome = command.main(list(words), prog_name="leafsight", standalone_mode=False)
        return outcome if isinstance(outcome, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        _say(f"error: {_sentence(error.format_message())}")
        _say(f"hint: {_where_to_read(error)}")
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        _say("interrupted; nothing that was finished is lost")
        return INTERRUPTED_EXIT_CODE
    except LeafsightError as error:
        if debug:
            traceback.print_exc()
        _say(f"error: {error.message}")
        if error.hint:
            _say(f"hint: {error.hint}")
        return error.exit_code
    except SystemExit as stop:
        # click leaves this way when a shell asks for completions, and when the reader of our output (head,
        # less) went away; the latter is the reader's right, and click has already made stdout quiet.
        return int(stop.code or 0) if COMPLETION in os.environ else 0
    except Exception as error:
        if debug:
            traceback.print_exc()
        _say(f"error: a bug of leafsight: {type(error).__name__}: {error}")
        _say("hint: run it again as 'leafsight --debug ...' and report what it prints")
        return BUG_EXIT_CODE


def _sentence(message: str) -> str:
    """The message of click in our spelling: one line, no capital, no full stop."""
    text = " ".join(message.split()).removesuffix(".").replace(". Did", "; did")
    return text[:1].lower() + text[1:]


def _where_to_read(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"{context.command_path if context else 'leafsight'} --help tells how it is used"


def _say(line: str) -> None:
    click.echo(line, err=True)
