"""Reading UTF-16 as if it were UTF-8, with the offsets of the original."""


class Transcoder:
    """Lets the grammar work on UTF-8 while offsets keep counting the bytes of the UTF-16 file.

    A surrogate without its partner becomes three bytes that are no valid UTF-8, so it is refused with its row.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._high_byte = 1 if encoding == "utf-16-le" else 0
        self._held = b""

    def narrow(self, chunk: bytes) -> bytes:
        """Transcode what is complete; keep half a character for the next chunk."""
        data = self._held + chunk
        stop = len(data) & ~1
        if stop >= 2 and 0xD8 <= data[stop - 2 + self._high_byte] <= 0xDB:  # noqa: PLR2004 - a high surrogate wants its partner
            stop -= 2
        self._held = data[stop:]
        return data[:stop].decode(self._encoding, "surrogatepass").encode("utf-8", "surrogatepass")

    def rest(self) -> bytes:
        """Transcode what is left at the end of the file; an odd last byte becomes one that is no UTF-8."""
        data, self._held = self._held, b""
        whole = data[: len(data) & ~1].decode(self._encoding, "surrogatepass").encode("utf-8", "surrogatepass")
        return whole + (b"\xff" if len(data) & 1 else b"")

    def width(self, raw: bytes) -> int:
        """Return how many bytes of the file *raw* stands for."""
        if raw.isascii():
            return 2 * len(raw)
        odd = raw.endswith(b"\xff")
        return len(raw.removesuffix(b"\xff").decode("utf-8", "surrogatepass").encode(self._encoding, "surrogatepass")) + odd
