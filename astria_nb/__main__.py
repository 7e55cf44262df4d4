"""``python -m astria_nb`` is ``astria-nb``."""

import sys

from astria_nb.cli import main

if __name__ == "__main__":
    sys.exit(main())
