"""Reading Latin-1 and Windows-1252 as if they were UTF-8, with the offsets of the original."""


class SingleByteTranscoder:
    """Lets the grammar work on UTF-8 while offsets keep counting the bytes of the file, one for each character.

    A byte that stands for nothing (Windows-1252 has five) becomes bytes that are no valid UTF-8, so it is refused with its row.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding

    def narrow(self, chunk: bytes) -> bytes:
        """Transcode a chunk; there are no halves of characters to keep."""
        if chunk.isascii():
            return chunk
        return chunk.decode(self._encoding, "surrogateescape").encode("utf-8", "surrogatepass")

    def rest(self) -> bytes:
        """Return nothing: every chunk was complete."""
        return b""

    def width(self, raw: bytes) -> int:
        """Return how many bytes of the file *raw* stands for."""
        return len(raw) if raw.isascii() else len(raw.decode("utf-8", "surrogatepass"))
