"""Official XML as a stream of elements: constant memory however long the file is, and nothing in it that could act.

Elements are known by their local names, for publishers change namespaces (OFAC in May 2024) and prefixes. Document types are refused whole, and with them
entity bombs and external entities; what is left to a hostile file is bounded: depth, attributes, tags, text, the size of one element, the number of names.
On expat itself: ElementTree and lxml hold a tag whole before anybody can measure it, and defusedxml guards neither sizes nor depth.
"""

from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from xml.parsers import expat

import msgspec

from shared.errors import Malformed, TooLarge

MAX_DEPTH = 64
MAX_ATTRIBUTE = 65_536  # characters
MAX_TAG = 262_144  # bytes of one tag, comment or instruction; without a bound expat holds all of it, and reads it anew with every block
MAX_TEXT = (
    1_000_000  # characters of one element that is handed out, with all that it holds; the largest party of OFAC has some 70,000 bytes
)
MAX_NODES = 50_000  # elements in one that is handed out
MAX_NAMES = 4_096  # different names of elements and attributes a file; expat remembers each
BLOCK = 65_536  # bytes read at once
_CUT_SHORT = {expat.errors.codes[text] for text in (expat.errors.XML_ERROR_NO_ELEMENTS, expat.errors.XML_ERROR_UNCLOSED_TOKEN)}
_CUT_SHORT |= {expat.errors.codes[text] for text in (expat.errors.XML_ERROR_PARTIAL_CHAR, expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION)}


class Element(msgspec.Struct, gc=False):  # it holds its children and never a parent: no cycles
    """One element with all that it holds, names without prefixes. `text` is its own, stripped; `within` are the names around it, the root first."""

    name: str
    attributes: dict[str, str]
    within: tuple[str, ...] = ()
    text: str = ""
    children: list["Element"] = []

    def all(self, *path: str) -> Iterator["Element"]:
        """Every element at this path of names below."""
        name, *rest = path
        for child in self.children:
            if child.name == name:
                if rest:
                    yield from child.all(*rest)
                else:
                    yield child

    def values(self, *path: str) -> list[str]:
        """Texts at this path, empty ones left out."""
        return [found.text for found in self.all(*path) if found.text]

    def value(self, *path: str) -> str:
        """The first text at this path, or nothing."""
        return next((found.text for found in self.all(*path) if found.text), "")

    def attribute(self, name: str) -> str:
        """An attribute's value, stripped, or nothing."""
        return self.attributes.get(name, "").strip()


def elements(path: Path, *, depth: int, what: str, inside: Collection[str] | None = None) -> Iterator[Element]:
    """All elements at `depth` (1 is the root), in the file's order, and those above it that hold no other element (a release's date, an empty section).

    With `inside` only those at `depth` that stand in an element of these names; the others are read but not built, which is faster.

    `what` names the file in errors. `Malformed` for what is not sound XML in its own encoding, ends early or holds a document type; `TooLarge` beyond the
    bounds above. What was yielded before an error must not act.
    """
    builder = _Builder(depth, what, inside)
    parser = _parser(builder)
    fed = 0
    with path.open("rb") as file:
        while True:
            block = file.read(BLOCK)
            try:
                parser.Parse(block, not block)
            except expat.ExpatError as error:
                at = parser.ErrorByteIndex - fed
                raise Malformed(_sentence(error, what, ended=not block, byte=block[at : at + 1] if at >= 0 else b"")) from None
            except (ValueError, LookupError):  # of the codec that the declaration names
                raise Malformed(f"The {what} file declares a character encoding that is not read; UTF-8 and UTF-16 are") from None
            fed += len(block)
            if fed - parser.CurrentByteIndex > MAX_TAG and block:
                raise Malformed(f"The {what} file holds a tag or a comment longer than {MAX_TAG} bytes")
            yield from builder.taken()
            if not block:
                return


def opening(head: bytes) -> tuple[Element, ...]:
    """The first elements of a file, each without what it holds, from its first bytes; none where it is no XML. For telling layouts apart; never raises.

    Of a file with a document type only the root that it announces, so that reading it can say why it is refused.
    """
    for encoding in (None, "iso-8859-1"):  # a name is read even where the encoding declared is unknown or wrong
        glance = _Glance()
        parser = expat.ParserCreate(encoding)
        parser.StartElementHandler = glance.start
        parser.StartDoctypeDeclHandler = glance.doctype
        with suppress(expat.ExpatError, ValueError, LookupError, _Seen):  # what stands before the damage, or the end of the head, is enough
            parser.Parse(head, False)
        if glance.seen:
            return tuple(glance.seen)
    return ()


def root(path: Path) -> Element:
    """A file's root without what it holds; one without a name where the file is no XML."""
    with path.open("rb") as file:
        return next(iter(opening(file.read(BLOCK))), Element("", {}))


class _Seen(Exception):
    """Enough."""


class _Glance:
    def __init__(self) -> None:
        self.seen: list[Element] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.seen.append(Element(_local(name), _attributes(attributes)))
        if len(self.seen) == 64:
            raise _Seen

    def doctype(self, name: str, system: str | None, public: str | None, internal: bool) -> None:
        self.seen.append(Element(_local(name), {}))
        raise _Seen


class _Builder:
    """Expat's handlers. Elements above the wanted depth are known by name only; one at that depth is built and handed out when it ends."""

    def __init__(self, depth: int, what: str, inside: Collection[str] | None) -> None:
        self._depth, self._what, self._inside = depth, what, inside
        self._passed = 0  # open elements of one that is not wanted
        self._above: list[Element] = []  # open, above the wanted depth
        self._holds: list[bool] = []  # for each of them, whether it holds another element
        self._open: list[Element] = []  # the one that is built, and those open in it
        self._texts: list[list[str]] = []  # of each open element
        self._nodes = self._characters = 0
        self._done: list[Element] = []
        self.names: dict[str, str] = {}  # expat's own table of names
        self._locals: dict[str, str] = {}  # without prefixes

    def taken(self) -> list[Element]:
        done, self._done = self._done, []
        return done

    def start(self, name: str, attributes: dict[str, str]) -> None:
        depth = len(self._texts) + self._passed + 1
        if depth > MAX_DEPTH:
            raise Malformed(f"Elements of the {self._what} file are nested more than {MAX_DEPTH} deep")
        if depth <= self._depth:
            self._begins_anew()
        if self._passed or (depth == self._depth and not self._wanted()):
            self._passed += 1
            return
        if attributes:
            self._measure(attributes)
            attributes = _attributes(attributes)
        element = Element(self._local(name), attributes)
        self._texts.append([])
        if depth > self._depth:
            self._nodes += 1
            if self._nodes > MAX_NODES:
                raise TooLarge(f"One element of the {self._what} file holds more than {MAX_NODES} others")
            self._open[-1].children.append(element)
            self._open.append(element)
            return
        element.within = tuple(one.name for one in self._above)
        if depth == self._depth:
            self._open.append(element)
        else:
            self._above.append(element)
            self._holds.append(False)

    def _begins_anew(self) -> None:
        """An element at the wanted depth, or above it."""
        self._nodes = self._characters = 0
        if len(self.names) > MAX_NAMES:
            raise Malformed(f"The {self._what} file uses more than {MAX_NAMES} different names")
        if self._above:
            self._holds[-1] = True

    def _local(self, name: str) -> str:
        known = self._locals.get(name)
        if known is None:
            known = self._locals[name] = _local(name)
        return known

    def _wanted(self) -> bool:
        return self._inside is None or not self._above or self._above[-1].name in self._inside

    def _measure(self, attributes: dict[str, str]) -> None:
        longest = max(map(len, attributes.values()))
        if longest > MAX_ATTRIBUTE:
            raise Malformed(f"The {self._what} file holds an attribute longer than {MAX_ATTRIBUTE} characters")
        self._count(sum(map(len, attributes.values())))

    def text(self, data: str) -> None:
        if not self._passed and (self._open or not self._holds[-1]):
            self._count(len(data))
            self._texts[-1].append(data)

    def _count(self, characters: int) -> None:
        self._characters += characters
        if self._characters > MAX_TEXT:
            raise TooLarge(f"One element of the {self._what} file holds more than {MAX_TEXT} characters")

    def end(self, name: str) -> None:
        if self._passed:
            self._passed -= 1
            return
        text = "".join(self._texts.pop()).strip()
        if self._open:
            element = self._open.pop()
            element.text = text
            if not self._open:
                self._done.append(element)
            return
        element = self._above.pop()
        if not self._holds.pop():
            element.text = text
            self._done.append(element)

    def doctype(self, name: str, system: str | None, public: str | None, internal: bool) -> None:
        raise Malformed(f"The {self._what} file holds a document type (DOCTYPE); official lists have none, and its entities could harm")


def _parser(builder: _Builder) -> expat.XMLParserType:
    parser = expat.ParserCreate(intern=builder.names)
    parser.buffer_text = True
    parser.buffer_size = BLOCK
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = builder.doctype
    return parser


def _sentence(error: expat.ExpatError, what: str, *, ended: bool, byte: bytes) -> str:
    if ended and error.code in _CUT_SHORT:
        return f"The {what} file ends before its root element does: it is empty or cut short"
    if byte >= b"\x80" and error.code == expat.errors.codes[expat.errors.XML_ERROR_INVALID_TOKEN]:
        return f"Line {error.lineno} of the {what} file holds bytes that are not of the character encoding it declares"
    return f"The {what} file is not well-formed XML: {expat.ErrorString(error.code)} at line {error.lineno}"


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _attributes(given: dict[str, str]) -> dict[str, str]:
    """By local name, without declarations of namespaces; one without a prefix goes before one with it."""
    if not any(":" in name for name in given):
        return given
    found: dict[str, str] = {}
    for name, value in given.items():
        prefix, _, local = name.rpartition(":")
        if prefix != "xmlns" and (not prefix or local not in given):
            found[local] = value
    return found
