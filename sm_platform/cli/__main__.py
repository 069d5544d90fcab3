"""`python -m sm_platform.cli`: the same as the command `sm-platform`."""

from sm_platform.cli import main

main()
