"""Names and descriptions as users of a cloud could set them to do harm, drawn by hypothesis.

Drawing 100,000 texts one by one takes minutes. So hypothesis draws blocks of bytes, and every `RECIPE` bytes of a block
say what one text is made of: the first byte chooses the kind, the others its words and its poison.
"""

import unicodedata
from collections.abc import Callable, Iterator

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

RECIPE = 32
IN_A_BLOCK = 250
"""Hypothesis gives an example at most 8 KiB."""

LONG = 2**16
"""Bytes of the longest texts."""


def _letters(*ranges: tuple[int, int]) -> str:
    codes = (chr(code) for first, last in ranges for code in range(first, last + 1))
    return "".join(one for one in codes if unicodedata.category(one)[0] in "LNPS")


SCRIPTS = (
    "".join(chr(code) for code in range(0x21, 0x7F)),
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._",
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=",
    _letters((0xA1, 0x24F)),
    _letters((0x370, 0x52F)),
    _letters((0x5D0, 0x6FF)),
    _letters((0x900, 0xDFF)),
    _letters((0x3041, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3)),
    _letters((0x2010, 0x27BF), (0x1D400, 0x1D7FF), (0xFF01, 0xFF5E)),
    _letters((0x1F300, 0x1FAFF)),
    "dn:DN:Dn:dN:od-",
)
"""What words are made of: ASCII, names, base64, Latin, Greek, Cyrillic, Hebrew, Arabic, Indic, East Asian, symbols
that a normalisation makes plain, emoji, and what easily becomes `dn:`."""

BLANKS = (" ", " ", " ", "  ", "   ", "\u00a0", "\u2003", "\u3000", " \u00a0 ")

INVISIBLE = (
    *("\u202e", "\u202d", "\u2066", "\u2069", "\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u061c"),
    *("\u0301", "\u0308", "\u0345", "\u20dd", "\ufe0f", "\U0001f3fd", "\U000e0041", "\ufffd", "\uffff", "\ue000"),
)
"""Marks that turn the direction, join, combine, or show nothing; a replacement, no character at all, a private one."""

PROSE = (
    *(
        "a=b,c=d+e=f;g",
        "O=Grid,CN=x\\2Cy",
        '"quoted, text"',
        "it's",
        "\\",
        "\\,",
        "\\n",
        "\\x20",
        "C:\\temp\\new",
        "\\\\",
    ),
    *(
        ":",
        "::",
        ": x",
        ":: eA==",
        ":< file:///etc/passwd",
        "<file:///etc/passwd>",
        "< x",
        "#",
        "# comment",
        "-",
        "=",
        "+",
    ),
    *("changetype: delete", "changetype: modify", "objectClass: top", "version: 1", "add: GLUE2EntityName", "delete"),
    *("DN: o=glue", "Dn:o=glue", "dn=o=glue", "d n:", "n:", "control: 1.2.3 true", "GLUE2EntityName: injected"),
    *("{{ 7 * 7 }}", "{% include 'x' %}", "{# x #}", "${HOME}", "$(reboot)", "`reboot`", "%s %n %d", "%00", "&amp;<b>"),
    *(
        "eA==",
        "SGVsbG8gd29ybGQ=",
        "null",
        "None",
        "true",
        "0",
        "-1",
        "1e999",
        "NaN",
        "~",
        "---",
        "...",
        "!!python/none",
    ),
    *("'; DROP TABLE images; --", "*)(objectClass=*", "(&(a=b))", "../../etc/passwd", "http://[::1]:80/?a=b#c", "a@b"),
)
"""Text that means something to LDIF, to LDAP, to templates, to shells, and to what else it may pass."""

NAMES = (
    "dn:",
    "dn: ",
    "ownerdn: /DC=ch/CN=x",
    "dn:: bz1nbHVl",
    "dn:dn:",
    "dn: GLUE2DomainID=injected,o=glue",
    "ddn:n:",
)
"""What an updater cuts entries at."""

BREAKS = ("\n", "\r\n", "\r", "\n\n", "\n ", "\v", "\f", "\x85", "\u2028", "\u2029", "\n-\n", "\n\n\n")

INJECTED = (
    "GLUE2EntityName: injected",
    "dn: GLUE2DomainID=injected,o=glue\nobjectClass: GLUE2Domain\nGLUE2DomainID: injected",
    "dn: GLUE2GroupID=resource,o=glue\nchangetype: delete",
    "changetype: modify\ndelete: GLUE2EntityName",
    "-",
    " folded",
    "# comment",
    "",
)

CONTROL = ("\0", "\t", "\x1b[31m", "\x07", "\b", "\x7f", "\x80", "\x9f", "\x1f", "\x01", "\t\t")

NO_TEXT = ("\ud83d", "\ude00", "\udcff", "\udc80", "\udcfc", "\udcc3", "\udfff")
"""Halves of characters, and bytes that are not UTF-8 as Python reads them."""


class _Recipe:
    """Bytes, of which each is used once; the last ones again and again."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    def number(self, below: int) -> int:
        high, low = (self._raw[(self._at + step) % len(self._raw)] for step in (0, 1))
        self._at += 2
        return (high * 256 + low) * below // 65536

    def one_of(self, texts: "tuple[str, ...] | str") -> str:
        return texts[self.number(len(texts))]

    def word(self) -> str:
        script = self.one_of(SCRIPTS)
        return "".join(self.one_of(script) for _ in range(1 + self.number(5)))

    def words(self) -> str:
        text = self.word()
        for _ in range(self.number(3)):
            text += self.one_of(BLANKS) + self.word()
        return text

    def between(self, poison: str) -> str:
        """Before, after, or within words."""
        place = self.number(3)
        return (self.words() if place else "") + poison + (self.words() if place != 1 else "")


def _broken(recipe: _Recipe) -> str:
    return recipe.between(recipe.one_of(BREAKS) + recipe.one_of(INJECTED))


def _at_an_end_or_no_text(recipe: _Recipe) -> str:
    """Blanks that no BDII keeps, nothing but blanks, nothing, or what is no text."""
    if recipe.number(2):
        return recipe.between(recipe.one_of(NO_TEXT))
    blank = recipe.one_of((*BLANKS, "\u2003\u2003", "\u1680"))
    return recipe.one_of((blank + recipe.words(), recipe.words() + blank, blank, ""))


def _long(recipe: _Recipe) -> str:
    word = recipe.words()
    return (word * (LONG // len(word.encode()) + 1)).encode()[:LONG].decode(errors="ignore").strip() + "."


def _kind(number: int) -> Callable[[_Recipe], str]:
    """Mostly names that mean no harm; the few that may not arrive as they are do not drown the others."""
    if number == 0:
        return _at_an_end_or_no_text
    if number < 20:
        return lambda recipe: recipe.between(recipe.one_of(NAMES))
    if number < 40:
        return _broken
    if number < 55:
        return lambda recipe: recipe.between(recipe.one_of(CONTROL))
    if number < 85:
        return lambda recipe: recipe.between(recipe.one_of(INVISIBLE))
    if number < 130:
        return lambda recipe: recipe.between(recipe.one_of(PROSE))
    return _Recipe.words


def text_of(raw: bytes) -> str:
    """The text that a recipe makes; one in some thousands is long."""
    recipe = _Recipe(raw[1:])
    kind = _kind(raw[0])
    return _long(recipe) if raw[0] > 250 and raw[1] < 3 else kind(recipe)


def texts(block: bytes) -> list[str]:
    """The texts that a block makes."""
    return [text_of(block[start : start + RECIPE]) for start in range(0, len(block), RECIPE)]


BLOCKS = st.binary(min_size=RECIPE * IN_A_BLOCK, max_size=RECIPE * IN_A_BLOCK).map(texts)


def drawn(number: int) -> Iterator[str]:
    """That many texts, the same at every run."""
    found: list[str] = []

    @settings(
        max_examples=-(-number // IN_A_BLOCK) + 1,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(BLOCKS)
    def draw(block: list[str]) -> None:
        found.extend(block)

    draw()
    # The first example is the simplest one, the same bytes throughout.
    return iter(found[IN_A_BLOCK:])
