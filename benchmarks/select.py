"""``python benchmarks/select.py [--rows 7000000]``: what it measures stands in select_sample.py.

The standard library has a module of this name, and this folder is the first in which a benchmark's
imports look: imported, not run, the file stands aside for it.
"""

import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec

if __name__ == "__main__":
    from select_sample import main

    main()
else:
    here = __file__.rpartition("/")[0]
    spec = PathFinder.find_spec("select", [folder for folder in sys.path if folder != here])
    if spec is None or spec.loader is None:
        raise ImportError("the standard library has no module select")
    sys.modules[__name__] = module_from_spec(spec)
    spec.loader.exec_module(sys.modules[__name__])
