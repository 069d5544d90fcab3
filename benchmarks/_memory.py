"""Peak memory of what a benchmark does, in a process of its own."""

import resource
import subprocess
import sys


def peak_in_subprocess(name: str, *words: str) -> int:
    """MiB that `python -m benchmarks.NAME --peak WORDS` prints."""
    command = [sys.executable, "-m", f"benchmarks.{name}", "--peak", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    return int(done.stdout)


def peak_mib() -> int:
    """Peak memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
