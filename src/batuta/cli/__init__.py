"""
The command line: `batuta`.

main.py holds the tree of commands and turns errors into exit codes; one file (or package) a command beside it. Shared by all: terminal.py and
words.py (how things look and read), failure.py (exit codes), connection.py (options of commands that speak to a server), inputs.py (JSON given
as an argument). Every command imports what it needs when it is run, so that none pays for the others.
"""
