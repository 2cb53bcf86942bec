"""The S3 and SQS process; `embedded.aws` knows its arguments.

moto answers; this module keeps bodies out of memory on their way in and out, refuses what S3 refuses and moto does not
(wrong checksums, short bodies, expired links), and has every change on disk before it is acknowledged.
"""

import os
import re
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from wsgiref.types import StartResponse

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from embedded import aws_bodies
from embedded.aws_objects import ObjectRecords, StoredKey, allow_browsers, current, ensure_bucket
from embedded.aws_queues import Answer, Environment, Queues
from embedded.ports import LOOPBACK

_SUBRESOURCES = {"acl", "tagging", "retention", "legal-hold", "restore", "select"}
_RANGE = re.compile(r"^bytes=(\d*)-(\d*)$")
_OVERDUE = timedelta(seconds=1)


class QuietHandler(MotoRequestHandler):
    """Logs failures only: a line per request would be the larger part of an import's work."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write a line for a server error."""
        if str(code).startswith("5"):
            super().log_request(code, size)


class Refusal(Exception):
    """A request that S3 refuses, with the status line and the code it answers."""

    def __init__(self, status: str, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()


class Application:
    """S3 and SQS in one WSGI application, as they stand behind one endpoint."""

    def __init__(self, directory: Path) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._bodies = directory / "objects" / "bodies"
        self._records = ObjectRecords(directory / "objects")
        self.queues = Queues(directory / "queues", self._answer)

    def restore(self) -> None:
        """Bring back everything that an earlier process acknowledged."""
        self._records.install()
        self.queues.restore()

    def __call__(self, environ: Environment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if environ.get("HTTP_X_AMZ_TARGET", "").startswith("AmazonSQS."):
            return _send(self.queues.respond(environ), start_response)
        current.body, current.streaming, current.served = None, False, None
        try:
            _refuse_expired(environ)
            if environ["REQUEST_METHOD"] == "GET":
                return self._get(environ, start_response)
            if environ["REQUEST_METHOD"] in {"PUT", "POST", "DELETE"}:
                return _send(self._change(environ), start_response)
            return _send(self._answer(environ), start_response)
        except Refusal as refusal:
            return _send((refusal.status, [("Content-Type", "application/xml")], refusal.body), start_response)

    def _answer(self, environ: Environment) -> Answer:
        captured: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], _: object = None) -> Callable[[bytes], object]:
            captured[:] = [status, headers]
            return lambda _data: None

        response = self._moto(environ, start)
        try:
            body = b"".join(response)
        finally:
            if hasattr(response, "close"):
                response.close()
        return captured[0], captured[1], body

    def _change(self, environ: Environment) -> Answer:
        bucket, key, query = _target(environ)
        if environ["REQUEST_METHOD"] == "PUT" and key and not _SUBRESOURCES & query.keys():
            self._receive(environ)
        try:
            answer = self._answer(environ)
        finally:
            if current.body is not None:  # moto refused the request before it made an object of it
                current.body.path.unlink(missing_ok=True)
                current.body = None
        is_part = "uploadId" in query and environ["REQUEST_METHOD"] != "POST"
        if key and not is_part:
            self._records.save(bucket, key)
        elif not key:
            self._records.save_all()
        return answer

    def _receive(self, environ: Environment) -> None:
        """Put the body of an upload into a file, where the object that moto makes will find it."""
        if "HTTP_X_AMZ_COPY_SOURCE" in environ:
            return
        if not environ.get("CONTENT_LENGTH"):
            raise Refusal("411 Length Required", "MissingContentLength", "You must provide the Content-Length HTTP header.")
        trailers: dict[str, str] = {}
        asked = [environ.get("HTTP_X_AMZ_TRAILER", ""), environ.get("HTTP_X_AMZ_SDK_CHECKSUM_ALGORITHM", "")]
        asked += [name[5:].replace("_", "-") for name in environ if name.startswith("HTTP_X_AMZ_CHECKSUM_")]
        checksums = aws_bodies.checksums_for(",".join(asked))
        if environ.pop("HTTP_X_AMZ_CONTENT_SHA256", "").startswith("STREAMING-"):
            pieces = aws_bodies.read_chunked(environ["wsgi.input"], trailers)
        else:
            pieces = aws_bodies.read_plain(environ["wsgi.input"], int(environ["CONTENT_LENGTH"]))
        try:
            body = aws_bodies.store(pieces, self._bodies, checksums=checksums)
        except (aws_bodies.IncompleteBody, OSError) as error:
            message = "You did not provide the number of bytes specified by the Content-Length HTTP header."
            raise Refusal("400 Bad Request", "IncompleteBody", message) from error
        for name, checksum in checksums.items():
            header = f"HTTP_X_AMZ_CHECKSUM_{name.upper()}"
            found = aws_bodies.in_base64(checksum)
            if environ.get(header, trailers.get(f"x-amz-checksum-{name}", found)) != found:
                self._refuse_digest(body, name.upper())
            environ[header] = found
        if "HTTP_CONTENT_MD5" in environ and not aws_bodies.is_same(body, environ["HTTP_CONTENT_MD5"]):
            self._refuse_digest(body, "Content-MD5")
        environ["CONTENT_LENGTH"] = "0"
        current.body = body

    @staticmethod
    def _refuse_digest(body: aws_bodies.Body, name: str) -> None:
        body.path.unlink(missing_ok=True)
        raise Refusal("400 Bad Request", "BadDigest", f"The {name} you specified did not match what we received.")

    def _get(self, environ: Environment, start_response: StartResponse) -> Iterable[bytes]:
        wanted = environ.pop("HTTP_RANGE", "")
        current.streaming = True
        try:
            status, headers, body = self._answer(environ)
        finally:
            current.streaming = False
        served, current.served = current.served, None
        if served is None or not status.startswith("200"):
            return _send((status, headers, body), start_response)
        return _stream(served, wanted, headers, start_response)


def _stream(served: StoredKey, wanted: str, headers: list[tuple[str, str]], start_response: StartResponse) -> Iterable[bytes]:
    """Send an object's file, or the range of it that *wanted* names."""
    file = served.path.open("rb")  # stays readable when the object is replaced meanwhile
    size = served.size
    headers = [(name, value) for name, value in headers if name.lower() not in {"content-length", "accept-ranges"}]
    headers.append(("Accept-Ranges", "bytes"))
    status, first, last = "200 OK", 0, size - 1
    found = _RANGE.match(wanted)
    if found and any(found.groups()):
        first, last = _bounds(found[1], found[2], size)
        if first > last:
            file.close()
            message = "The requested range is not satisfiable"
            raise Refusal("416 Requested Range Not Satisfiable", "InvalidRange", message)
        status = "206 Partial Content"
        headers = [(name, value) for name, value in headers if not name.lower().startswith("x-amz-checksum-")]
        headers.append(("Content-Range", f"bytes {first}-{last}/{size}"))
    headers.append(("Content-Length", str(last - first + 1)))
    start_response(status, headers)

    def pieces() -> Iterator[bytes]:
        with file:
            file.seek(first)
            yield from aws_bodies.read_plain(file, last - first + 1)

    return pieces()


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    """Return the first and last byte of a range as RFC 9110 means it; the first is behind the last when there is none."""
    if not first:
        return (max(size - int(last), 0), size - 1) if int(last) else (size, size - 1)
    return int(first), min(int(last), size - 1) if last else size - 1


def _send(answer: Answer | None, start_response: StartResponse) -> Iterable[bytes]:
    status, headers, body = answer or ("499 Client Closed Request", [("Content-Length", "0"), ("Connection", "close")], b"")
    start_response(status, headers)
    return [body]


def _target(environ: Environment) -> tuple[str, str, dict[str, list[str]]]:
    """Return bucket, key and query of a path-style request; the key is empty when it is about the bucket."""
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", errors="replace")
    bucket, _, key = path.removeprefix("/").partition("/")
    return bucket, key, parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)


def _refuse_expired(environ: Environment) -> None:
    query = parse_qs(environ.get("QUERY_STRING", ""))
    try:
        signed = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        lifetime = timedelta(seconds=int(query["X-Amz-Expires"][0]))
    except (KeyError, ValueError, OverflowError):
        return  # not a presigned link
    if datetime.now(UTC) > signed + lifetime + _OVERDUE:
        raise Refusal("403 Forbidden", "AccessDenied", "Request has expired")


def main(arguments: list[str]) -> None:
    """Serve until SIGTERM."""
    port, directory, bucket, queue, visibility_timeout, max_receive_count = arguments
    application = Application(Path(directory))
    application.restore()
    ensure_bucket(bucket)
    allow_browsers(bucket)
    application.queues.ensure(queue, visibility_timeout=int(visibility_timeout), max_receive_count=int(max_receive_count))
    server = make_server(LOOPBACK, int(port), application, threaded=True, request_handler=QuietHandler)
    # Everything acknowledged is on disk already; threads in a long poll would only delay the end.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
