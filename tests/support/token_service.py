"""A token service that gives keys for web identities, as cloud providers have it (AssumeRoleWithWebIdentity)."""

from __future__ import annotations

import threading
import time
import urllib.parse
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

__all__ = ["TokenService"]

_ANSWER = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials>
<AccessKeyId>{key_id}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey><SessionToken></SessionToken>
<Expiration>{expiration}</Expiration>
</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""


class TokenService:
    """Listens on the loopback until its block ends. Its keys expire within a minute, so they are asked for each time.

    Parameters
    ----------
    access_key
        Key that it gives.
    known
        Secret that it gives for each token; other tokens are refused.
    """

    def __init__(self, access_key: str, known: Mapping[str, str]) -> None:
        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                token = urllib.parse.parse_qs(body)["WebIdentityToken"][0]
                soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))
                answer = _ANSWER.format(key_id=access_key, secret=known.get(token, ""), expiration=soon).encode()
                self.send_response(200 if token in known else 403)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_arguments: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def environment(self, token_file: Path) -> dict[str, str]:
        """Return the variables by which a pod finds it, as the cloud providers' webhooks set them."""
        return {
            "AWS_ENDPOINT_URL_STS": f"http://127.0.0.1:{self._server.server_port}",
            "AWS_REGION": "us-east-1",
            "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/w2s",
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(token_file),
        }

    def __enter__(self) -> TokenService:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
