"""Runs a command, and kills everything it started when it ends, on request, or when the control plane is gone.

Each container has such a supervisor, and so does the command of `run`. Unlike the one in `infra.processes`, it never
polls and starts quickly. It exits as its command did: with the same exit status, or by the same signal.

A supervisor inherits the reading end of a pipe, its lifeline. Only the control plane has the writing end, so the
lifeline becomes readable when the control plane ends, however it ends. On Linux, processes whose parents have ended
become children of the supervisor, whatever sessions they are in, and the command dies if the supervisor is killed.

Runs as `python -I -S supervisor.py LIFELINE PATH SESSION COMMAND…`, with the standard library only.
"""

import ctypes
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

# The control plane's signals: interrupt the command, or kill everything.
INTERRUPT, KILL = signal.SIGUSR1, signal.SIGTERM
HANDLED = (signal.SIGCHLD, INTERRUPT, KILL, signal.SIGINT, signal.SIGHUP)
KILL_SECONDS = 10

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # of Linux: see prctl(2)


def supervised(command: Sequence[str], lifeline: int, own_session: bool) -> list[str]:
    """Return the command line that runs `command` under a supervisor. It must inherit `lifeline`, a file descriptor.

    Without its own session, the command shares the terminal and its Ctrl-C with the control plane.
    """
    path = os.pathsep.join(sys.path)
    return [sys.executable, "-I", "-S", __file__, str(lifeline), path, "session" if own_session else "", *command]


def end_with_supervisor() -> None:
    """Let the kernel kill this process when its parent ends. Only Linux can do this."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> NoReturn:
    """Supervise a command and exit as it exited."""
    lifeline, path, own_session, *command = sys.argv[1:]
    os.set_inheritable(int(lifeline), False)
    wake = _wake_on_signals()
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    child = _start(command, bool(own_session))
    while (status := _wait(child, int(lifeline), wake, bool(own_session))) is None:
        pass
    sys.path[:] = path.split(os.pathsep)
    _kill_children(child)
    _end_like(status)


def _wake_on_signals() -> int:
    """Return the reading end of a pipe that receives the number of every signal."""
    wake, signals = os.pipe()
    os.set_blocking(signals, False)
    signal.set_wakeup_fd(signals, warn_on_full_buffer=False)
    for number in HANDLED:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # `nohup` ignores it
            signal.signal(number, lambda *_: None)
    return wake


def _start(command: "list[str]", own_session: bool) -> int:
    supervisor = os.getpid()
    child = os.fork()
    if child:
        return child
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGINT, signal.SIGPIPE):  # ignored signals are inherited
        signal.signal(number, signal.SIG_DFL)
    if own_session:
        os.setsid()
    end_with_supervisor()
    if os.getppid() == supervisor:
        try:
            os.execvp(command[0], command)
        except OSError as error:
            print(f"infra.modal_local: {command[0]}: {error.strerror}", file=sys.stderr, flush=True)
    os._exit(127)


def _wait(child: int, lifeline: int, wake: int, own_session: bool) -> "int | None":
    """Wait for an event; return the child's exit status (negative: a signal) if it has ended or must end, or None."""
    readable, _, _ = select.select([lifeline, wake], [], [])
    received = os.read(wake, 512) if wake in readable else b""
    if lifeline in readable or KILL in received:
        return -signal.SIGKILL
    if INTERRUPT in received:
        with suppress(ProcessLookupError):
            (os.killpg if own_session else os.kill)(child, signal.SIGINT)
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == child:
                return os.waitstatus_to_exitcode(ended[1])
    return None


def _kill_children(child: int) -> None:
    """Kill what the command left behind, and the command itself if it is still running."""
    give_up = time.monotonic() + KILL_SECONDS
    while _has_children() and time.monotonic() < give_up:
        import psutil  # only when needed: it would triple the time a supervisor takes to start

        from infra.processes import kill_tree

        kill_tree(child, *(one.pid for one in psutil.Process().children()))


def _has_children() -> bool:
    """Whether children are still running. Those that have ended are reaped."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _end_like(status: int) -> NoReturn:
    if status < 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the command has already dumped core
        if -status not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    main()
