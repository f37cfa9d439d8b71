"""Turn what can go wrong into an exit code and words on standard error.

Takes a command; gives the same command that ends with the agreed exit code: 2 for a user's mistake
(words, no traceback), 3 for a check that failed, 4 for what the machine refuses, 130 for Ctrl-C and
1, with a traceback and a request to report it, for a bug of ours.
"""

from __future__ import annotations

import errno
import functools
import inspect
import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import NoReturn, ParamSpec

import typer

from sim.cli.showing import QuietOption, be_quiet, note
from sim.errors import InvariantViolation, MachineError, OptionError, PayrouteError, ScenarioError
from sim.interrupts import INTERRUPTED, INTERRUPTED_EXIT, INTERRUPTS
from sim.jit.telling import tell_compiling

Arguments = ParamSpec("Arguments")

BUG_EXIT = 1
_ISSUES = (
    "This is a bug in payroute, not in your input. Please report it with the lines above, the "
    "scenario file and the command."
)
_REMEDIES = {
    errno.ENOSPC: "free space or choose another --out",
    errno.EDQUOT: "free space or choose another --out",
    errno.EROFS: "choose a place that can be written",
    errno.EACCES: "choose a place you may read and write",
    errno.EPERM: "choose a place you may read and write",
    errno.EIO: "the disk does not answer as it should; choose another one",
    errno.ESTALE: "the network disk has gone; mount it again",
    errno.EMFILE: "too many files are open; raise the limit with `ulimit -n`, or lower --jobs",
    errno.ENFILE: "too many files are open on this machine; lower --jobs",
    errno.ENOMEM: "out of memory; shorten clock.horizon, lower --jobs or use a larger machine",
    errno.EAGAIN: "too many processes on this machine; lower --jobs",
}
"""What the machine refuses wherever it may be asked, and what can be done."""
_TEMPORARY = "No usable temporary directory"


def guarded(command: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """Wrap a command so that every way it can end has its exit code; each can be told --quiet."""

    @functools.wraps(command)
    def run(*arguments: Arguments.args, **named: Arguments.kwargs) -> None:
        be_quiet(bool(named.pop("quiet", False)))
        tell_compiling(note)
        try:
            with INTERRUPTS.gently():
                command(*arguments, **named)
        except KeyboardInterrupt:
            fail(INTERRUPTED, INTERRUPTED_EXIT)
        except InvariantViolation:
            _fail_as_bug()
        except OptionError as error:
            fail(f"--{error.field.replace('_', '-')}: {error.message}", error.exit_code)
        except PayrouteError as error:
            fail(str(error), error.exit_code, is_list=isinstance(error, ScenarioError))
        except MemoryError:
            fail(
                "out of memory; shorten clock.horizon, lower --record or use a larger machine",
                MachineError.exit_code,
            )
        except OSError as error:
            remedy = _REMEDIES.get(error.errno or 0)
            if remedy is None and tempfile.tempdir is None and _TEMPORARY in str(error):
                remedy = "set TMPDIR to a folder that can be written"
            if remedy is not None:
                fail(f"{error}; {remedy}", MachineError.exit_code)
            _fail_as_bug()
        except Exception as error:
            if isinstance(error, typer.Exit | typer.Abort) or _is_usage_error(error):
                raise
            _fail_as_bug()
        finally:
            # What one command was told holds for no other in the same process.
            be_quiet(False)

    # As if every command had written the option itself.
    signature = inspect.signature(command, eval_str=True)
    quiet = inspect.Parameter(
        "quiet", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=QuietOption
    )
    parameters = [*signature.parameters.values(), quiet]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run


def fail(message: str, exit_code: int, *, is_list: bool = False) -> NoReturn:
    """Print a message on standard error and end the command.

    Parameters
    ----------
    message : str
        In the form where, found, allowed, what to do.
    exit_code : int
        How the process ends.
    is_list : bool
        Whether each line is a problem of its own, told without the word "error".
    """
    typer.echo(message if is_list else f"error: {message}", err=True)
    raise typer.Exit(exit_code)


def _fail_as_bug() -> NoReturn:
    if INTERRUPTS.count:
        # Somebody's library made an error of its own out of Ctrl-C.
        fail(INTERRUPTED, INTERRUPTED_EXIT)
    traceback.print_exc(file=sys.stderr)
    typer.echo(_ISSUES, err=True)
    raise typer.Exit(BUG_EXIT)


def _is_usage_error(error: Exception) -> bool:
    """Tell a complaint about the command line, which typer prints itself."""
    return hasattr(error, "exit_code") and hasattr(error, "format_message")
