"""Ask the controller until it is ready: the body of `helm test`. Arguments: the address, and what shows its log."""

import sys
import time
import urllib.error
import urllib.request

TRIES = 30
PAUSE = 2

said = "nothing"
for _ in range(TRIES):
    try:
        with urllib.request.urlopen(sys.argv[1], timeout=5) as answer:  # noqa: S310  the chart gives an http address
            print(f"{sys.argv[1]}: {answer.read().decode().strip()}")
            sys.exit(0)
    except urllib.error.HTTPError as refusal:
        said = f"{refusal.code} {refusal.read().decode().strip()}"
    except OSError as error:
        said = str(error)
    time.sleep(PAUSE)
sys.exit(f"{sys.argv[1]}: not ready after {TRIES} tries; it said: {said}. See: {sys.argv[2]}")
