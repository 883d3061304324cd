"""`python -m cockpit.sandbox.supervisor`: the process that is the sandbox.

Every forked worker imports the main module anew, so this one holds nothing but the way in.
"""

from __future__ import annotations

if __name__ == "__main__":
    import gc
    import os
    import sys

    gc.disable()  # until everything is up: the imports alone would set it off dozens of times
    from cockpit.sandbox.supervision import main

    code = main(sys.argv[1:])
    # Everything of ours has been ended by now; what runs at an exit would look for files in a folder that is gone.
    os._exit(code)
