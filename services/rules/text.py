"""Text as people type it and files carry it: cleaned, bounded, and made comparable."""

import re
import unicodedata
from functools import lru_cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from core.errors import ErrorCode, FieldPath, Problem

MAX_SEARCH_WORDS = 40
MAX_SEARCH_WORD = 64
_SEARCHED = 512
"""Characters of one value that are looked at for search words; the longest stored name has 200."""

_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_BREAKS = re.compile(r"[ \u00a0]*[\t\n\r\x85\u2028\u2029][\s\u00a0]*")
_INVISIBLE = re.compile(r"[\u00ad\u180e\u200b-\u200f\u2060-\u2064\ufeff]")
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_PHONE_LIKE = re.compile(r"\+?[\d\s().\-/]{5,40}")
_CALLING_CODES = frozenset(str(code) for code in COUNTRY_CODE_TO_REGION_CODE)
_NAMES = {0: "NUL", 9: "TAB", 10: "LINE FEED", 13: "CARRIAGE RETURN", 27: "ESCAPE", 127: "DELETE"}
# Letters that look accented and that Unicode does not decompose.
_UNACCENT = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "ŧ": "t",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "\u0131": "i",  # dotless i, Turkish
        "\u2019": "'",  # the typographic apostrophe
        "\u02bc": "'",  # the modifier letter that Ukrainian writes for it
    }
)


def is_plain(text: str, limit: int) -> bool:
    """Whether `clean_text` has nothing to do, which is nearly always so; False says nothing.

    A plain text has blanks only inside, one way to be spelled (NFC), and at most *limit* characters, of which Python calls
    each printable: it calls none so that is refused, dropped or made a blank.
    """
    return (
        0 < len(text) <= limit
        and text.isprintable()
        and text[0] != " " != text[-1]
        and (text.isascii() or unicodedata.is_normalized("NFC", text))
    )


def clean_text(
    value: str | None,
    *,
    limit: int,
    field: FieldPath,
    problems: list[Problem],
    required: bool = False,
    multiline: bool = False,
    identifier: bool = False,
) -> str | None:
    """Return *value* in NFC without surrounding blanks, or None when nothing is left of it.

    What cannot be kept is appended to *problems* (and None is returned): control characters, halves of surrogate pairs
    and characters that turn the direction of text around (INVALID), more than *limit* characters (TOO_LONG), nothing
    where something is *required* (REQUIRED). Line breaks and tabs become one blank unless *multiline*. An *identifier*
    loses its invisible characters and may hold no line break or tab: two that look alike are alike.
    """
    if value is None:
        if required:
            problems.append(Problem(ErrorCode.REQUIRED, "This is required.", field))
        return None
    # Before anything walks over the text: ten megabytes cost one comparison. Blanks around it and characters that NFC
    # joins are allowed for.
    if len(value) > 4 * limit + 64:
        problems.append(_too_long(limit, len(value), field))
        return None
    if not (value.isascii() and value.isprintable()):
        found = _refused_character(value, identifier=identifier)
        if found is not None:
            problems.append(Problem(ErrorCode.INVALID, f"Remove the character {found}: it is not allowed here.", field))
            return None
        value = _one_spelling(value, multiline=multiline, identifier=identifier)
    value = value.strip()
    if not value:
        if required:
            problems.append(Problem(ErrorCode.REQUIRED, "This must not be empty.", field))
        return None
    if len(value) > limit:
        problems.append(_too_long(limit, len(value), field))
        return None
    return value


def _one_spelling(value: str, *, multiline: bool, identifier: bool) -> str:
    value = unicodedata.normalize("NFC", value.replace("\ufeff", ""))
    if identifier:
        # Twice: what was taken out may have kept two characters from joining.
        return unicodedata.normalize("NFC", _INVISIBLE.sub("", value))
    return value if multiline else _BREAKS.sub(" ", value)


def _too_long(limit: int, length: int, field: FieldPath) -> Problem:
    return Problem(ErrorCode.TOO_LONG, f"At most {limit} characters are allowed; there are {length}.", field)


def _refused_character(value: str, *, identifier: bool) -> str | None:
    found = _FORBIDDEN.search(value)
    if found is None and identifier:
        found = re.search(r"[\t\n\r\x85\u2028\u2029]", value.strip())
    if found is None:
        return None
    code = ord(found[0])
    half = "half of a surrogate pair" if 0xD800 <= code <= 0xDFFF else "a control character"  # noqa: PLR2004
    return f"U+{code:04X} ({_NAMES.get(code) or unicodedata.name(found[0], half)})"


def is_latin(text: str) -> bool:
    """Whether every letter of *text* belongs to the Latin script. Digits and signs belong to every script."""
    # Latin letters end at U+024F, but for Vietnamese and other additions at U+1E00 to U+1EFF.
    return text.isascii() or not any(char > "\u024f" and not "\u1e00" <= char <= "\u1eff" and char.isalpha() for char in text)


def fold(text: str) -> str:
    """Return *text* without case, accents and repeated blanks, for comparing, sorting and searching.

    Folding twice changes nothing more. Vowel signs of Indic scripts stay: they are not accents.
    """
    return " ".join(text.lower().split()) if text.isascii() else _folded(text)


@lru_cache(maxsize=4096)  # 0.1 instead of 4 microseconds for the names that a file repeats
def _folded(text: str) -> str:
    while True:
        folded = _fold_once(text)
        # Once is enough for living languages; Unicode has corners where case folding makes a new decomposition.
        if folded == text:
            return " ".join(folded.split())
        text = folded


def _fold_once(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold().translate(_UNACCENT))
    return unicodedata.normalize("NFC", "".join(char for char in decomposed if not unicodedata.combining(char)))


def search_words(*values: str | None) -> list[str]:
    """Return the words that *values* are found by, and that a search for them consists of: folded, each once, in order.

    The same function serves the record and the search: a search matches when each of its words begins one of the
    record's. An e-mail address counts whole, as local part and as domain; the digits of a phone number count with and
    without the country's calling code; "O'Reilly" counts as ``o``, ``reilly`` and ``oreilly``. At most 40 words of at
    most 64 characters.
    """
    words: dict[str, None] = {}
    for value in values:
        text = value[:_SEARCHED].strip() if value else ""
        if text:
            words.update(dict.fromkeys([word[:MAX_SEARCH_WORD] for word in _words(text)]))
    return list(words) if len(words) <= MAX_SEARCH_WORDS else list(words)[:MAX_SEARCH_WORDS]


def _words(value: str) -> list[str]:
    if not value[0].isalpha() and _PHONE_LIKE.fullmatch(value):
        words = _phone_words(value)
        if words:
            return words
    text = fold(value)
    if "@" in text and " " not in text:
        local, _, domain = text.partition("@")
        return [word for word in (text, local, domain, *_split(local)) if word.strip("@")]
    words = _split(text)
    if "'" in text:
        words += [word for chunk in text.split() if "'" in chunk for word in _split(chunk.replace("'", ""))]
    return words


def _split(text: str) -> list[str]:
    if text.isascii():
        return _ASCII_WORD.findall(text)
    # Letters, marks and digits make words; \w would break Indic words at their vowel signs.
    return "".join(char if unicodedata.category(char)[0] in "LMN" else " " for char in text).split()


def _phone_words(value: str) -> list[str]:
    digits = value.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        digits = "".join(str(unicodedata.digit(char)) for char in value if char.isdigit())
    if len(digits) < 5:  # noqa: PLR2004
        return []  # too short to tell from a house number
    if not value.startswith("+"):
        # The zero that is dialled in front of a national number is not part of it.
        return [digits.lstrip("0") or digits]
    for code in (1, 2, 3):
        if digits[:code] in _CALLING_CODES:
            return [digits, digits[code:]]
    return [digits]
