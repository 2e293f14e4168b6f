"""The command line: ``main.py`` finds the command, ``commands/`` has a module for each."""
