"""`python -m askwell.cli` is `askwell`."""

import sys

from askwell.cli.main import main

sys.exit(main())
