"""Running programs with a stated number of threads, and saying on what they ran."""

import json
import os
import platform
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"

# Set on some machines to make results repeat; they also keep OpenBLAS from using the machine's own kernels.
PINS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OPENBLAS_VERBOSE", "MKL_DEBUG_CPU_TYPE")
COUNTS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS")


def environment(threads):
    """The caller's environment without kernel pins, with `threads` threads for every library."""
    kept = {name: value for name, value in os.environ.items() if name not in PINS}
    return {**kept, **{name: str(threads) for name in COUNTS}}


def run(command, threads):
    """Runs a program that prints JSON: its answer, wall seconds, and the most memory it held in MiB."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as messages:
        start = time.perf_counter()
        process = subprocess.Popen([str(part) for part in command], stdout=output, stderr=messages,
                                   env=environment(threads))
        peak = Peak(process.pid)
        peak.start()
        process.wait()
        seconds = time.perf_counter() - start
        peak.join()
        output.seek(0), messages.seek(0)
        if process.returncode != 0:
            text = messages.read().decode(errors="replace").strip()
            raise RuntimeError(f"{command[0]} ended with {process.returncode}: {text[-2000:]}")
        return json.loads(output.read()), seconds, peak.mib


def peak_memory(pid="self"):
    """The most memory that a running process has held since its program started, in MiB; None where unknown."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    except (OSError, IndexError):
        return None


class Peak(threading.Thread):
    """Watches a process, because what `wait` reports includes the memory of the process that started it."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.mib = pid, None

    def run(self):
        while (now := peak_memory(self.pid)) is not None:
            self.mib = now
            time.sleep(0.002)


def program(given, profile_path, build):
    """The path of one of our programs, or a message with the command that builds it."""
    path = Path(given) if given else ROOT / "target" / profile_path
    if not path.is_file():
        raise SystemExit(f"no program at {path}: build it with `{build}`")
    return path.resolve()


def describe():
    """The machine in one line, with its load: timings taken beside other work are worth little."""
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").is_file():
        names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":", 1)[1].strip() if names else model
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, load {load:.1f}"


def scratch(name):
    """A folder for the matrices of one benchmark, emptied first."""
    folder = ROOT / "target" / "benchmarks" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
