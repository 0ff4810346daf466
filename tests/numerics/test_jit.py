"""The compilation flags, and a cache that cannot be written."""

import os
import subprocess
import sys

import numba
import pytest

from disorder.numerics import jit


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="kernels run as plain Python")
def test_kernels_carry_the_flags():
    @jit.kernel
    def divide(a, b):
        return a / b

    assert divide.targetoptions["nogil"]
    assert divide(1.0, 0.0) == float("inf")


def test_an_unwritable_cache_is_no_obstacle(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    code = "from disorder.magnetic_alloys import pair_spectrum; print(pair_spectrum(0.0, 0.5))"
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(blocked)}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert run.stdout.strip() == "0.5", run.stderr
