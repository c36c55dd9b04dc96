"""`python -m controller` is `w2s`."""

from controller.cli.main import main

main()
