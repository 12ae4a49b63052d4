"""
`python -m batuta` is `batuta`.
"""

from batuta.cli.main import main

if __name__ == "__main__":
    main()
