"""The source distribution holds every crate that the wheel is built from.

Building from it takes minutes, so that is left to a release: `pip install subspect-*.tar.gz` in a fresh environment.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parents[1]


def run(*command, **options):
    found = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    assert found.returncode == 0, found.stderr
    return found.stdout


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    if importlib.util.find_spec("maturin") is None or shutil.which("cargo") is None:
        pytest.skip("needs maturin and cargo")
    folder = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "maturin", "sdist", "--manifest-path", HOME / "Cargo.toml", "--out", folder)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder)
    return next(p for p in folder.iterdir() if p.is_dir())


def locked(folder):
    """Name and version of everything in a Cargo.lock."""
    return set(re.findall(r'name = "(.*)"\nversion = "(.*)"', (folder / "Cargo.lock").read_text()))


def test_every_crate_of_the_wheel_resolves_within_the_archive(unpacked):
    manifest, before = unpacked / "bindings" / "python" / "Cargo.toml", locked(unpacked)
    told = json.loads(run("cargo", "metadata", "--offline", "--format-version", "1", "--manifest-path", manifest))
    own = {p["name"]: Path(p["manifest_path"]) for p in told["packages"] if p["source"] is None}
    assert {"subspect-python", "subspect-linalg", "subspect-pipeline", "subspect-report"} <= set(own)
    assert all(unpacked.resolve() in path.resolve().parents for path in own.values()), own
    # What only the command line needs is left out of the archive, and then of the lock; versions stay.
    assert len(locked(unpacked)) > 100 and locked(unpacked) < before


def test_every_file_of_these_crates_is_inside(unpacked):
    if shutil.which("git") is None:
        pytest.skip("needs git")
    root = HOME.parents[1]
    crates = [p.name for p in (unpacked / "crates").iterdir()]
    files = run("git", "ls-files", *(f"crates/{name}/{part}" for name in crates for part in ("src", "templates", "fonts")), cwd=root)
    missing = [name for name in files.splitlines() if not (unpacked / name).exists()]
    assert len(files.splitlines()) > 300 and not missing
    package = run("git", "ls-files", "python/subspect", cwd=HOME).splitlines()
    assert package and all((unpacked / name).exists() for name in package)
