import sys

from .fuzz import main

sys.exit(main(sys.argv[1:]))
