"""Ctrl-C in the middle of a run, for the tests of ensembles."""

import signal
import subprocess
import sys
import textwrap

# A shell that starts a job in the background makes it ignore the signal, and children inherit that.
_PREAMBLE = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"


def interrupt(script):
    """Run a script until it prints "slow", interrupt it, and check that it died of that."""
    with subprocess.Popen(
        [sys.executable, "-c", _PREAMBLE + textwrap.dedent(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout.readline() == "slow\n"
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode != 0
    assert "KeyboardInterrupt" in errors
