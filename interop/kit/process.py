"""Foreign programs: run to the end with a time limit, or kept running and always stopped."""

import os
import shutil
import signal
import socket
import subprocess
import threading
from pathlib import Path
from typing import Callable

LIMIT_SECONDS = 60


# Leaders of the process groups that run now: what must not outlive the run.
_LIVE: set[int] = set()
_STARTING = threading.Lock()
_over = False


def end_all() -> None:
    """Ends everything that was started, without asking, and lets nothing start after it."""
    global _over
    with _STARTING:
        _over = True
        for leader in list(_LIVE):
            try:
                os.killpg(leader, signal.SIGKILL)
            except ProcessLookupError:
                pass


def start(command: tuple, env, account, **options) -> subprocess.Popen:
    """Starts a program as the leader of a process group of its own."""
    argv = [find(str(command[0])), *map(str, command[1:])]
    with _STARTING:
        if _over:
            raise AssertionError("the run is over")
        child = subprocess.Popen(
            argv, env=environment(env), start_new_session=True, **(account or {}), **options
        )
        _LIVE.add(child.pid)
    return child


class Missing(Exception):
    """A program that a case needs is not installed."""


def find(program: str) -> str:
    """The program's path; also looks where Debian keeps what is not on an ordinary PATH."""
    places = os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/lib/certmonger"
    path = shutil.which(program, path=places)
    if path is None:
        raise Missing(program)
    return path


def environment(changes: dict[str, str | None] | None) -> dict[str, str]:
    """The process's environment with changes; `None` takes a variable out."""
    merged = {**os.environ, "LC_ALL": "C", **(changes or {})}
    return {name: value for name, value in merged.items() if value is not None}


class Finished:
    """How a program ended: exit status, what it wrote, and the command for a person to repeat."""

    def __init__(self, command: list[str], status: int, out: bytes, err: bytes):
        self.command = command
        self.status = status
        self.out = out
        self.err = err

    @property
    def text(self) -> str:
        return (self.out + b"\n" + self.err).decode(errors="replace")

    def ok(self) -> "Finished":
        """Insists on exit status 0."""
        if self.status != 0:
            shown = " ".join(map(str, self.command))
            raise AssertionError(f"exit status {self.status} of: {shown}\n{self.text.strip()}")
        return self


def unprivileged() -> dict:
    """What `Popen` needs so that a program does not run as root, whoever runs the tests."""
    if os.geteuid() != 0:
        return {}
    return {"user": "nobody", "group": "nogroup", "extra_groups": []}


def hand_over(*files: Path) -> None:
    """Gives files to the account of `unprivileged` programs."""
    for file in files if os.geteuid() == 0 else ():
        shutil.chown(file, "nobody", "nogroup")


def run(
    *command, stdin: bytes = b"", limit: int = LIMIT_SECONDS, env=None, cwd=None, account=None
) -> Finished:
    """Runs a program to its end; a program over the limit is killed with its children."""
    pipe = subprocess.PIPE
    child = start(command, env, account, stdin=pipe, stdout=pipe, stderr=pipe, cwd=cwd)
    try:
        out, err = child.communicate(stdin, timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        out, err = child.communicate()
        err += f"\nstopped after {limit} s".encode()
        return Finished(child.args, 124, out, err)
    finally:
        _LIVE.discard(child.pid)
    return Finished(child.args, child.returncode, out, err)


class Daemon:
    """A program kept running in its own process group; leaving the `with` block ends the whole group."""

    def __init__(self, *command, log: Path, env=None, cwd=None, account=None):
        self.log = log
        self._output = open(log, "wb")
        streams = {"stdin": subprocess.DEVNULL, "stdout": self._output, "stderr": subprocess.STDOUT}
        self.child = start(command, env, account, cwd=cwd, **streams)

    def wait_for_port(self, port: int, limit: float = 20) -> "Daemon":
        """Waits until the program accepts connections on a loopback port."""

        def answers() -> bool:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                return False
            return True

        return self._wait_until(answers, f"no answer on port {port}", limit)

    def wait_for_text(self, text: str, limit: float = 20) -> "Daemon":
        """Waits until the program has written something, where it opens no TCP port."""
        return self._wait_until(lambda: text in self.text(), f"did not say {text!r}", limit)

    def wait_for_file(self, file: Path, limit: float = 60) -> "Daemon":
        """Waits until the program has made a file."""
        return self._wait_until(file.exists, f"did not write {file}", limit)

    def _wait_until(self, true: Callable[[], bool], otherwise: str, limit: float) -> "Daemon":
        tick = threading.Event()
        for _ in range(int(limit * 20)):
            if self.child.poll() is not None:
                raise AssertionError(f"ended at once:\n{self.text()}")
            if true():
                return self
            tick.wait(0.05)
        raise AssertionError(f"{otherwise} within {limit} s:\n{self.text()}")

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def stop(self, limit: float = 10) -> int:
        """Asks the group to end, then insists; returns the program's exit status."""
        if self.child.poll() is None:
            self._signal(signal.SIGTERM)
            try:
                self.child.wait(limit)
            except subprocess.TimeoutExpired:
                pass
        self.kill()
        return self.child.returncode

    def kill(self) -> None:
        """Ends the group without asking."""
        self._signal(signal.SIGKILL)
        self._output.close()
        self.child.wait()
        _LIVE.discard(self.child.pid)

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self.child.pid, number)
        except ProcessLookupError:
            pass

    def __enter__(self) -> "Daemon":
        return self

    def __exit__(self, *_) -> None:
        self.stop()


_GIVEN: set[int] = set()


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A loopback port that nothing listens on at this moment, and that was not given out before."""
    while True:
        with socket.socket(type=kind) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with _STARTING:
            if port not in _GIVEN:
                _GIVEN.add(port)
                return port
