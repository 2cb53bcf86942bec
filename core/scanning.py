"""What services and the malware scanner tell each other."""


class ScanFailed(Exception):
    """The scanner is well, and could not deal with this file. The message is its own."""
