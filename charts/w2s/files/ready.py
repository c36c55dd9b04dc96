"""Ask every process of the controller until all are ready and one leads: the body of `helm test`.

Arguments: the name under which DNS lists their pods, ready or not; the port; what shows their logs.
"""

import http.client
import re
import socket
import sys
import time

TRIES = 30
PAUSE = 2
LEADS = re.compile(r"^w2s_leader 1(\.0)?$", re.MULTILINE)


def ask(address: str, port: int, path: str) -> tuple[int, str]:
    """Return the status and the text of an answer."""
    connection = http.client.HTTPConnection(address, port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode().strip()
    finally:
        connection.close()


def look(name: str, port: int) -> tuple[bool, list[str]]:
    """Return whether all is well, and what each pod says."""
    said, ready, leaders = [], True, 0
    for address in sorted({found[4][0] for found in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)}):
        try:
            status, word = ask(address, port, "/readyz")
            leads = bool(LEADS.search(ask(address, port, "/metrics")[1]))
        except (OSError, http.client.HTTPException) as error:
            status, word, leads = 0, str(error), False
        ready, leaders = ready and status == 200, leaders + leads
        said.append(f"{address}: {word}{', leads' if leads else ''}")
    return ready and leaders == 1, said


name, port, hint = sys.argv[1], int(sys.argv[2]), sys.argv[3]
for _ in range(TRIES):
    try:
        well, said = look(name, port)
    except OSError as error:
        well, said = False, [f"{name}: {error}"]
    if well:
        print("\n".join(said))
        sys.exit()
    time.sleep(PAUSE)
sys.exit("\n".join([*said, f"expected all ready and one that leads; asked {TRIES} times. See: {hint}"]))
