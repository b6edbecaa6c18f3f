"""Start processes that end together with the process that started them, and stop process trees.

`python -m infra.processes COMMAND …` is a supervisor. It runs the command in a new session, and stops everything that
the command started when it receives SIGINT, SIGTERM or SIGHUP, when its own parent is gone (even after SIGKILL, which
no process can handle), and when the command itself has ended. It ends the way the command ended: with the same exit
status, or by the same signal. The supervisor consists of two processes that watch each other, so either one may be
killed too.

A process notices that its parent is gone by checking its parent's id from time to time. This works on every Unix, does
not depend on inherited file descriptors, and survives `fork`, `exec` and a change of user.
"""

import argparse
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import NoReturn

import psutil

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOP_SECONDS = 10.0  # processes that take longer to stop are killed
POLL_SECONDS = 0.2

_PR_SET_CHILD_SUBREAPER = 36  # of Linux: see prctl(2)


def supervised(
    command: Sequence[str], stop: signal.Signals = signal.SIGTERM, seconds: float = STOP_SECONDS
) -> list[str]:
    """Return the command line that runs `command` under a supervisor which ends with this process.

    `stop` is the signal that asks the command to stop; if it still runs after `seconds`, it is killed. To stop it
    yourself, send the supervisor any of STOP_SIGNALS and wait for it to end.
    """
    options = [f"--parent={os.getpid()}", f"--stop={stop.name}", f"--seconds={seconds}"]
    return [sys.executable, "-m", "infra.processes", *options, "--", *command]


def interrupt_on_stop_signals() -> None:
    """Make SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt, so that `finally` blocks run after any of them.

    A SIGHUP that `nohup` ignores stays ignored.
    """
    _handle_stop_signals(signal.default_int_handler)


def end_with_parent() -> None:
    """Send this process SIGTERM as soon as its parent is gone. Call it once, at the start."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(POLL_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="end with parent", daemon=True).start()


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parents have ended, so that `tree` finds them.

    This works only on Linux; on other systems nothing happens.
    """
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def tree(*pids: int) -> list[psutil.Process]:
    """Return the running processes among `pids`, in the sessions they lead or led, and below any of these."""
    processes = [one for one in psutil.process_iter(["ppid", "status"]) if one.info["status"] != psutil.STATUS_ZOMBIE]
    found = {process.pid for process in processes if process.pid in pids or _session(process) in pids}
    while children := {process.pid for process in processes if process.info["ppid"] in found} - found:
        found |= children
    return [process for process in processes if process.pid in found]


def stop_tree(*pids: int, stop: signal.Signals = signal.SIGTERM, seconds: float = STOP_SECONDS) -> None:
    """Ask `pids` to stop, then whatever they leave behind; after `seconds`, kill what is still running.

    `pids` may include processes that have already ended: whatever is left in their sessions is stopped too.
    """
    _send(stop, _running(_processes(pids)))
    _stop_rest(lambda: tree(*pids), lambda: bool(_running(_processes(pids))), seconds)


def kill_tree(*pids: int) -> None:
    """Kill `pids`, their sessions and their descendants at once; if this process is one of them, kill it last."""
    _kill(lambda: [process for process in tree(*pids) if process.pid != os.getpid()])
    if any(process.pid == os.getpid() for process in tree(*pids)):
        os.kill(os.getpid(), signal.SIGKILL)


def without_proxy(environment: Mapping[str, str]) -> dict[str, str]:
    """Return NO_PROXY and no_proxy for an environment: the hosts that either of them lists, and this machine."""
    names = ("NO_PROXY", "no_proxy")
    hosts = [host.strip() for name in names for host in environment.get(name, "").split(",")]
    value = "*" if "*" in hosts else ",".join(dict.fromkeys([*filter(None, hosts), "127.0.0.1", "localhost", "::1"]))
    return dict.fromkeys(names, value)


def signal_name(status: int) -> str | None:
    """Return the name of the signal that ended a process, such as SIGKILL, or None if no signal did.

    `status` is a return code of `subprocess` (-9) or an exit status as shells report it (137).
    """
    with suppress(ValueError):
        return signal.Signals(-status if status < 0 else status - 128).name
    return None


def main() -> NoReturn:
    """Supervise the command given on the command line, and end the way it ended."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.processes", description="Run a command that ends with its parent."
    )
    parser.add_argument("--parent", type=int, default=os.getppid(), help="process to end with (default: the parent)")
    parser.add_argument("--stop", choices=[one.name for one in STOP_SIGNALS], default="SIGTERM")
    parser.add_argument("--seconds", type=float, default=STOP_SECONDS, help="until it is killed (%(default)s)")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND …")
    options = parser.parse_args()
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        parser.error("the command is missing")
    outer, received = os.getpid(), list[int]()
    _handle_stop_signals(lambda number, frame: received.append(number))
    stop, seconds = signal.Signals[options.stop], options.seconds
    inner = partial(_supervise, partial(_execute, command), outer, received, stop, seconds)
    _supervise(inner, options.parent, received, signal.SIGTERM, seconds + 2 * STOP_SECONDS)


class _Child:
    """A process that this one started, and how it ended."""

    def __init__(self, run: Callable[[], NoReturn]) -> None:
        self.returncode: int | None = None  # as of `subprocess`: negative after a signal
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)  # until the child can act on them
        self.pid = os.fork()
        if not self.pid:
            try:
                os.setsid()
                run()
            finally:
                os._exit(1)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def runs(self) -> bool:
        """Whether it is still running. Adopted processes that have ended are reaped too."""
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self.pid:
                    self.returncode = os.waitstatus_to_exitcode(ended[1])
        return self.returncode is None


def _supervise(
    run: Callable[[], NoReturn], parent: int, received: Sequence[int], stop: signal.Signals, seconds: float
) -> NoReturn:
    """Run in a child until it ends, a signal arrives, or the parent is gone; stop the rest; end like the child."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    adopt_orphans()
    child = _Child(run)
    while child.runs() and not received and os.getppid() == parent:
        time.sleep(POLL_SECONDS / 10)
    if child.runs():
        os.kill(child.pid, stop)
    _stop_rest(lambda: _below(child.pid), child.runs, seconds)
    child.runs()
    status = 1 if child.returncode is None else child.returncode
    if status < 0:  # end by the same signal, so that this process's parent learns which one it was
        if -status not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.stdout.flush()
    os._exit(status)


def _execute(command: Sequence[str]) -> NoReturn:
    """Become the command."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and ignored signals are inherited
    _handle_stop_signals(signal.SIG_DFL)  # a handler of the supervisor would swallow a signal that comes before `exec`
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    try:
        os.execvp(command[0], [*command])
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr, flush=True)
        os._exit(127)


def _handle_stop_signals(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> None:
    for number in STOP_SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)


def _below(command: int) -> list[psutil.Process]:
    """Return what runs because of this supervisor's command: its session and all descendants, even adopted ones."""
    return [process for process in tree(command, os.getpid()) if process.pid != os.getpid()]


def _stop_rest(find: Callable[[], list[psutil.Process]], leader_runs: Callable[[], bool], seconds: float) -> None:
    """Wait until nothing is found; ask processes that outlive their leader to stop; kill the rest after `seconds`."""
    give_up, asked = time.monotonic() + seconds, set[psutil.Process]()
    while (left := find()) and time.monotonic() < give_up:
        if not leader_runs():
            new = [process for process in left if process not in asked]
            _send(signal.SIGTERM, new)
            asked.update(new)
        time.sleep(POLL_SECONDS / 4)
    _kill(find)


def _kill(find: Callable[[], list[psutil.Process]]) -> None:
    give_up = time.monotonic() + STOP_SECONDS  # some cannot be killed: another user's, or stuck in a device
    while (left := find()) and time.monotonic() < give_up:  # repeat: a process may have started another just before
        _send(signal.SIGKILL, left)
        time.sleep(POLL_SECONDS / 4)


def _send(number: signal.Signals, processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.Error):
            process.send_signal(number)


def _processes(pids: Iterable[int]) -> list[psutil.Process]:
    found = []
    for pid in pids:
        with suppress(psutil.Error):
            found.append(psutil.Process(pid))
    return found


def _running(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Return those that have not ended. A zombie has ended: its entry only waits for its parent."""
    return [process for process in processes if _runs(process)]


def _runs(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def _session(process: psutil.Process) -> int | None:
    with suppress(OSError):
        return os.getsid(process.pid)
    return None


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    main()
