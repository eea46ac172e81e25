"""One thread: bits depend on the number of threads, and small tensors are slower on two."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
