"""The command line."""

import os

# Before `hats` is imported: to compile its alignment of partitions takes ten seconds of `simulate`,
# which writes HATS catalogues; not compiled, it takes milliseconds.
os.environ.setdefault("NUMBA_DISABLE_JIT", "1")
