"""Fetch a file over HTTP within bounds: size, time, attempts; compressed or not; from one host only."""

import http.client
import ssl
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO
from urllib.parse import urlsplit

from fitness.errors import PriceBookError

CHUNK_BYTES = 64 * 1024
# The server may be well again soon: too slow, too many requests, failing, gateway, unavailable.
TRANSIENT_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
_GZIP = zlib.MAX_WBITS | 16  # zlib's way to say: a gzip stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long and how often to try. Reading a public file twice does no harm, so failures that may
    pass are tried again after a pause that doubles.
    """

    timeout_s: float = 20.0  # for the connection and for each piece of the answer
    deadline_s: float = 300.0  # for one attempt as a whole
    attempts: int = 4
    backoff_s: float = 0.5  # before the second attempt
    sleep: Callable[[float], None] = time.sleep


class _TransientError(Exception):
    """A failure that may pass."""


def fetch(
    url: str,
    sink: IO[bytes],
    *,
    max_bytes: int,
    patience: Patience,
    on_bytes: Callable[[int, int | None], None] = lambda _read, _total: None,
) -> None:
    """Write what an http or https address answers to `sink`, from its start.

    `on_bytes` is told the bytes that came over the network and their total where it is announced.
    Raises: PriceBookError for an answer that is not 200, is cut short, too large or too slow, or
    leads to another host, and for a network that does not answer in any of the attempts.
    """
    if urlsplit(url).scheme not in {"http", "https"}:
        raise PriceBookError(f"can't fetch {url}: only http and https addresses are read")
    for attempt in range(1, patience.attempts + 1):
        sink.seek(0)
        sink.truncate()
        try:
            _fetch_once(url, sink, max_bytes, patience, on_bytes)
        except _TransientError as err:
            if attempt == patience.attempts:
                tries = f"{attempt} attempts" if attempt > 1 else "1 attempt"
                raise PriceBookError(f"can't fetch {url}: {err} ({tries})") from err
            patience.sleep(patience.backoff_s * 2 ** (attempt - 1))
        else:
            sink.seek(0)
            return


class _SameOrigin(urllib.request.HTTPRedirectHandler):
    """Follows a redirect on the same host only."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        here, there = urlsplit(req.full_url), urlsplit(newurl)
        if (here.scheme, here.netloc) != (there.scheme, there.netloc):
            raise PriceBookError(
                f"can't fetch {req.full_url}: it redirects to {there.scheme}://{there.netloc}, "
                f"which is not where prices are published"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _fetch_once(
    url: str,
    sink: IO[bytes],
    max_bytes: int,
    patience: Patience,
    on_bytes: Callable[[int, int | None], None],
) -> None:
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})  # noqa: S310 - scheme checked
    deadline = time.monotonic() + patience.deadline_s
    try:
        with urllib.request.build_opener(_SameOrigin).open(request, timeout=patience.timeout_s) as response:
            _copy(url, response, sink, max_bytes, deadline, on_bytes)
    except urllib.error.HTTPError as err:
        with err:
            if err.code in TRANSIENT_STATUSES:
                raise _TransientError(f"the server answers {err.code}") from err
            raise PriceBookError(f"can't fetch {url}: the server answers {err.code}") from err
    except urllib.error.URLError as err:
        if isinstance(err.reason, ssl.SSLCertVerificationError):
            raise PriceBookError(f"can't fetch {url}: {err.reason}") from err
        raise _TransientError(f"no connection ({err.reason})") from err
    except TimeoutError as err:
        raise _TransientError(f"no answer within {patience.timeout_s:g} s") from err
    except (http.client.HTTPException, ConnectionError) as err:
        raise _TransientError(f"the connection broke ({type(err).__name__})") from err


def _copy(
    url: str,
    response: http.client.HTTPResponse,
    sink: IO[bytes],
    max_bytes: int,
    deadline: float,
    on_bytes: Callable[[int, int | None], None],
) -> None:
    """The body of an answer, unpacked, into `sink`."""
    announced = response.headers.get("Content-Length", "")
    total = int(announced) if announced.isdecimal() else None
    encoding = response.headers.get("Content-Encoding", "identity").lower()
    if encoding not in {"identity", "gzip"}:
        raise PriceBookError(f"can't fetch {url}: the answer is packed as {encoding[:40]!r}")
    unpack = zlib.decompressobj(_GZIP) if encoding == "gzip" else None
    received = written = 0
    while chunk := response.read(CHUNK_BYTES):
        received += len(chunk)
        pending = chunk
        while pending:
            piece = pending
            if unpack is None:
                pending = b""
            else:
                try:
                    piece = unpack.decompress(pending, CHUNK_BYTES)
                except zlib.error as err:
                    raise _TransientError(f"the packed answer is damaged ({err})") from err
                pending = unpack.unconsumed_tail
            written += len(piece)
            if written > max_bytes:
                raise PriceBookError(f"can't fetch {url}: it is larger than {max_bytes:,} bytes")
            sink.write(piece)
        if time.monotonic() > deadline:
            raise PriceBookError(f"can't fetch {url}: too slow, {received:,} bytes came in time")
        on_bytes(received, total)
    if (total is not None and received < total) or (unpack is not None and not unpack.eof):
        raise _TransientError(f"the answer is cut short after {received:,} bytes")
