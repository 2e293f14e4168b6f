"""Becomes another program, with a limit on its address space: ``limited.py BYTES PROGRAM ARGUMENT...``.

It is run as a file, so that it starts in a few milliseconds: it imports nothing of this package.
"""

from __future__ import annotations

import os
import resource
import sys


def main() -> None:
    """Sets the limit and gives this process to the program."""
    size, *command = sys.argv[1:]
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (int(size), hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
