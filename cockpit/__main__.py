"""`python -m cockpit`, and the console script."""

from __future__ import annotations

import sys

from cockpit.cli import run


def main() -> None:
    """Run the command line and exit."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
