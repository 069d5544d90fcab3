"""Ctrl-C in the one place where Python forgets it."""

import subprocess
import sys

LOST = """
import os, signal
from sm_platform.defs.interrupts import remember_interrupts, stop_if_interrupted

class Late:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(1000):
            pass

remember_interrupts()
stop_if_interrupted()
Late()
print("went on", flush=True)
stop_if_interrupted()
print("and on")
"""


def test_ctrl_c_lost_in_a_callback_ends_the_next_step() -> None:
    done = subprocess.run([sys.executable, "-c", LOST], capture_output=True, text=True, check=False)
    assert done.stdout == "went on\n"
    assert done.stderr.splitlines()[-1] == "KeyboardInterrupt"
    assert "Exception ignored" not in done.stderr
    assert done.returncode != 0


def test_ctrl_c_is_raised_at_once_where_it_can_be() -> None:
    script = LOST.replace("Late()", "os.kill(os.getpid(), signal.SIGINT)")
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1] == "KeyboardInterrupt"
