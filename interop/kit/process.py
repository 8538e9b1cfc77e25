"""Foreign programs: run to the end with a time limit, or kept running and always stopped."""

import os
import shutil
import signal
import socket
import subprocess
import threading
from pathlib import Path

LIMIT_SECONDS = 60


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


def run(*command, stdin: bytes = b"", limit: int = LIMIT_SECONDS, env=None, cwd=None) -> Finished:
    """Runs a program to its end; a program over the limit is killed with its children."""
    argv = [find(str(command[0])), *map(str, command[1:])]
    child = subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(env),
        cwd=cwd,
        start_new_session=True,
    )
    try:
        out, err = child.communicate(stdin, timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        out, err = child.communicate()
        err += f"\nstopped after {limit} s".encode()
        return Finished(argv, 124, out, err)
    return Finished(argv, child.returncode, out, err)


class Daemon:
    """A program kept running in its own process group; leaving the `with` block ends the whole group."""

    def __init__(self, *command, log: Path, env=None, cwd=None):
        self.log = log
        self._output = open(log, "wb")
        self.child = subprocess.Popen(
            [find(str(command[0])), *map(str, command[1:])],
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env=environment(env),
            cwd=cwd,
            start_new_session=True,
        )

    def wait_for_port(self, port: int, limit: float = 20) -> "Daemon":
        """Waits until the program accepts connections on a loopback port."""
        tick = threading.Event()
        for _ in range(int(limit * 20)):
            if self.child.poll() is not None:
                raise AssertionError(f"ended at once:\n{self.text()}")
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return self
            except OSError:
                tick.wait(0.05)
        raise AssertionError(f"no answer on port {port} within {limit} s:\n{self.text()}")

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
        self._signal(signal.SIGKILL)
        self._output.close()
        return self.child.wait()

    def kill(self) -> None:
        """Ends the group without asking."""
        self._signal(signal.SIGKILL)
        self._output.close()
        self.child.wait()

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self.child.pid, number)
        except ProcessLookupError:
            pass

    def __enter__(self) -> "Daemon":
        return self

    def __exit__(self, *_) -> None:
        self.stop()


def free_port() -> int:
    """A loopback port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
