"""`make run`: everything on this machine, until Ctrl-C."""

import http.client
import os
from contextlib import ExitStack
from pathlib import Path

from intelliwiz_config.pools import POOLS

from . import commands, database, ports, roles
from .errors import LocalError
from .interruption import end_requests, wait_for_request
from .output import Terminal
from .record import Record, Taken
from .servers import await_servers, serving
from .stack import Stack, wait_for
from .state import chosen_state_dir, prepare

PATIENCE = 60.0  # seconds for web and workers to become ready on a slow machine


def run() -> None:
    """Raises LocalError when something on this machine is in the way."""
    port, terminal = web_port(), Terminal()
    state_dir = prepare(chosen_state_dir())
    with end_requests() as requests, ExitStack() as held:
        record = held.enter_context(the_only_run(state_dir, terminal, port))
        refuse_taken(port)
        stack = Stack(state_dir, terminal=terminal, on_change=lambda pids: record.note(pids.values()))
        held.callback(terminal.say, "Stopped.")
        held.enter_context(stack)
        held.callback(terminal.say, "\nStopping …")
        requests.in_haste = stack.kill
        held.callback(requests.begin_ending)
        start_or_join_servers(stack, held)
        os.environ |= stack.environment
        login = database.make_ready(state_dir, terminal)
        start_processes(stack, port)
        terminal.say(welcome(stack, port, login))
        wait_for_request()


def web_port() -> int:
    """PORT of the environment, else 8000."""
    text = os.environ.get("PORT") or "8000"
    if text.isdecimal() and 0 < int(text) < 65536:
        return int(text)
    raise LocalError(f"PORT={text} is not a port number: use one from 1024 to 65535, as in `PORT=8001 make run`.")


def the_only_run(state_dir: Path, terminal: Terminal, port: int) -> Record:
    try:
        return roles.take(state_dir, roles.RUN, terminal, url=address(port))
    except Taken as taken:
        raise roles.already_running(taken) from None


def refuse_taken(port: int) -> None:
    if not ports.is_free(port):
        reason = "is not allowed to this user" if port < 1024 else "is taken by another program"
        other = 8000 if port < 1024 else port + 1
        raise LocalError(f"Port {port} {reason}: end that, or choose another port with `PORT={other} make run`.")


def start_or_join_servers(stack: Stack, held: ExitStack) -> None:
    try:
        held.enter_context(serving(stack))
    except Taken:
        stack.services = await_servers(stack.state_dir)
        stack.terminal.say("Using the servers that run already; they stay when this ends.")


def start_processes(stack: Stack, port: int) -> None:
    """Web, beat, the relay and the worker pools; returns when they are ready, or says which are not."""
    pools = [commands.worker(pool, stack.environment) for pool in POOLS]
    others = (commands.beat(stack.environment), commands.relay(stack.environment))
    stack.start(commands.web(port, stack.environment), *pools, *others)
    wait_for("web", lambda: web_answers(port), PATIENCE, lambda: stack.supervisor.require_first_life("web"))
    for name in stack.wait_until_ready([pool.name for pool in pools], PATIENCE):
        stack.terminal.say(f"{name} is not ready yet; see {stack.state_dir}/log/{name}.log")


def web_answers(port: int) -> bool:
    connection = http.client.HTTPConnection(ports.HOST, port, timeout=10)
    try:
        connection.request("GET", "/admin/login/")
        return connection.getresponse().status < 500
    except OSError:
        return False
    finally:
        connection.close()


def address(port: int) -> str:
    return f"http://{ports.HOST}:{port}/"


def welcome(stack: Stack, port: int, login: str) -> str:
    lines = [
        "",
        f"  Web    {address(port)}",
        f"  Login  {login}",
        f"  Mails  {address(port)}mail/ and {stack.mail_dir}",
        f"  Logs   {stack.state_dir / 'log'}",
        "",
        *([f"  {stack.note}", ""] if stack.note else []),
        "  Ctrl-C stops everything.",
        "",
    ]
    return "\n".join(lines)
