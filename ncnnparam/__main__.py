"""``python -m ncnnparam``."""

from ncnnparam.cli.main import main

main()
