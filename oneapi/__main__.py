"""`python -m oneapi` is the command `oneapi`."""

import sys

from oneapi.cli import main

sys.exit(main())
