"""`python -m cockpit.sandbox.supervisor`: the process that is the sandbox.

Every forked worker imports the main module anew, so this one holds nothing but the way in.
"""

from __future__ import annotations

if __name__ == "__main__":
    import sys

    from cockpit.sandbox.supervision import main

    sys.exit(main(sys.argv[1:]))
