"""The commands behind the Makefile: python -m deploy.local run|demo|services|stop|discard."""

import importlib
import sys

from .errors import LocalError

COMMANDS = {
    "run": ("deploy.local.run", "run"),
    "demo": ("deploy.local.demo", "main"),
    "services": ("deploy.local.services", "services"),
    "hold-services": ("deploy.local.services", "hold_services"),
    "stop": ("deploy.local.stop", "stop"),
    "discard": ("deploy.local.stop", "discard"),
}


def main(arguments: list[str]) -> None:
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        sys.exit(f"usage: python -m deploy.local {'|'.join(COMMANDS)}")
    module, function = COMMANDS[arguments[0]]
    try:
        getattr(importlib.import_module(module), function)()
    except LocalError as error:
        sys.exit(str(error))
    except PermissionError as error:
        sys.exit(f"{error.filename} belongs to another user: act as that user, or name another STATE_DIR.")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main(sys.argv[1:])
