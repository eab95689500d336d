"""`make services`: the embedded servers in the background, until `make stop`."""

import os
import subprocess
import sys
from contextlib import ExitStack
from typing import TextIO

from . import roles
from .command import CHECKOUT
from .interruption import end_requests, wait_for_request
from .output import Terminal
from .record import Taken, holder
from .servers import NAMES, await_servers, exports, serving
from .stack import Stack
from .state import chosen_state_dir, prepare

PATIENCE = 20.0  # seconds until the mail catcher is ready


def services() -> None:
    """Starts the servers unless they run, and prints their addresses for a shell to evaluate."""
    state_dir = prepare(chosen_state_dir())
    if holder(roles.record_path(state_dir, roles.SERVICES)):
        say(exports(await_servers(state_dir)))
        return
    # Addresses that were taken over from servers of an earlier time must not keep new ones from starting.
    environment = {name: value for name, value in os.environ.items() if name not in NAMES.values()}
    reading, writing = os.pipe()
    background = subprocess.Popen(
        [sys.executable, "-m", "deploy.local", "hold-services"],
        cwd=CHECKOUT,
        env=environment | {"STATE_DIR": str(state_dir)},
        stdin=subprocess.DEVNULL,
        stdout=writing,
        start_new_session=True,
    )
    os.close(writing)
    with os.fdopen(reading) as answer:
        addresses = answer.read()  # until the background process lets go of it, ready or not
    if not addresses:
        sys.exit(background.wait())  # it has said why
    say(addresses.rstrip())
    say('For this shell: eval "$(make services)". To end them: make stop.', sys.stderr)


def hold_services() -> None:
    """The background process: prints the addresses once the servers serve, then ends on SIGTERM."""
    with end_requests() as requests, ExitStack() as held:
        stack = held.enter_context(Stack(chosen_state_dir(), terminal=Terminal(sys.stderr)))
        requests.in_haste = stack.kill
        held.callback(requests.begin_ending)
        try:
            held.enter_context(serving(stack))
        except Taken:  # by another start in the same moment
            say(exports(await_servers(stack.state_dir)))
            return
        stack.wait_until_ready(["mail"], PATIENCE)
        if stack.note:
            say(stack.note, sys.stderr)
        say(exports(stack.services))
        let_go_of_terminal()
        wait_for_request()


def let_go_of_terminal() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def say(text: str, stream: TextIO | None = None) -> None:
    print(text, file=stream, flush=True)
