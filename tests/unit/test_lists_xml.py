"""The XML stream: what publishers send is read by local names, what harms is refused with a sentence that repeats nothing of it."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.intelligence.lists import xml
from shared.errors import DuewatchError, Malformed, TooLarge


def read(tmp_path: Path, content: str | bytes, depth: int = 2) -> list[xml.Element]:
    path = tmp_path / "list.xml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(xml.elements(path, depth=depth, what="primary"))


def refused(tmp_path: Path, content: str | bytes, kind: type[DuewatchError] = Malformed) -> str:
    with pytest.raises(kind) as failure:
        read(tmp_path, content)
    return str(failure.value)


def test_elements_know_what_they_hold_and_what_holds_them(tmp_path: Path) -> None:
    sections = (
        "<l day='1'><made> 2026-01-05 </made><as><a id=' 7 '><n> x </n><n/><n>y</n><m><n>z &amp; <![CDATA[<q>]]></n></m></a></as><bs/></l>"
    )
    made, a, empty = read(tmp_path, sections, depth=3)
    assert (made.name, made.text, made.within) == ("made", "2026-01-05", ("l",))
    assert (a.name, a.attribute("id"), a.attribute("none"), a.within) == ("a", "7", "", ("l", "as"))
    assert (a.values("n"), a.value("n"), a.value("m", "n"), a.value("o", "n")) == (["x", "y"], "x", "z & <q>", "")
    assert (empty.name, empty.within, empty.children) == ("bs", ("l",), [])


@pytest.mark.parametrize("root", ["<l>", "<l xmlns='http://old'>", "<l xmlns='https://new.example/ENHANCED'>"])
def test_namespaces_may_change(tmp_path: Path, root: str) -> None:
    (a,) = read(tmp_path, f"{root}<a><n>x</n></a></l>")
    assert (a.name, a.value("n")) == ("a", "x")


def test_prefixes_are_not_part_of_a_name(tmp_path: Path) -> None:
    (a,) = read(tmp_path, "<p:l xmlns:p='http://x'><p:a xmlns:q='http://y' q:id='1' id='2' q:no='3'><p:n>x</p:n></p:a></p:l>")
    assert (a.name, a.value("n"), a.attributes) == ("a", "x", {"id": "2", "no": "3"})


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("utf-8", "utf-8"),
        ("utf-8", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("UTF-16LE", "utf-16-le"),
        ("iso-8859-1", "latin-1"),
        ("windows-1252", "cp1252"),
    ],
)
def test_encodings(tmp_path: Path, declared: str, codec: str) -> None:
    content = f"<?xml version='1.0' encoding='{declared}'?><l><a>Société Žofín €</a></l>"
    (a,) = read(tmp_path, content.encode(codec) if codec != "latin-1" else content.replace("Ž", "Z").replace("€", "e").encode(codec))
    assert a.text in ("Société Žofín €", "Société Zofín e")


def test_wrong_encodings_are_named(tmp_path: Path) -> None:
    said = refused(tmp_path, "<?xml version='1.0' encoding='utf-8'?>\n<l><a>Société</a></l>".encode("latin-1"))
    assert said == "Line 2 of the primary file holds bytes that are not of the character encoding it declares"
    for unknown in ("secret-9", "rot13", "shift_jis", "utf-7", "idna", "utf-32"):
        assert "encoding" in (said := refused(tmp_path, f"<?xml version='1.0' encoding='{unknown}'?><l/>"))
        assert unknown not in said


BOMB = "<!DOCTYPE l [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]><l><a>&c;</a></l>"


@pytest.mark.parametrize(
    "content",
    [
        BOMB,
        "<!DOCTYPE l [<!ENTITY secret SYSTEM 'file:///etc/hostname'>]><l><a>&secret;</a></l>",
        "<!DOCTYPE l SYSTEM 'http://secret.example/l.dtd'><l><a/></l>",
        "<!DOCTYPE l [<!ENTITY % p SYSTEM 'http://secret.example/p'> %p;]><l/>",
        "<!DOCTYPE l [<!ATTLIST a secret CDATA 'x'>]><l><a/></l>",
    ],
)
def test_document_types_are_refused_whole(tmp_path: Path, content: str) -> None:
    assert "DOCTYPE" in (said := refused(tmp_path, content))
    assert "secret" not in said


def test_entities_nobody_declared(tmp_path: Path) -> None:
    assert "undefined entity" in refused(tmp_path, "<l><a>&nbsp;</a></l>")


@pytest.mark.parametrize("cut", [0, 1, 20, 41, 44, 52, 59, 63])
def test_a_file_that_ends_early(tmp_path: Path, cut: int) -> None:
    whole = "<?xml version='1.0' encoding='utf-8'?>\n<l><a>xé</a><b><![CDATA[y]]></b></l>".encode()
    assert "cut short" in refused(tmp_path, whole[:cut])


@pytest.mark.parametrize(
    "content", ["no xml", "<l><a></l>", "<l><a x='1' x='2'/></l>", "<l><a/></l><l/>", "<l>\0</l>", "<l><a &/></l>", "{}", "\ufffe"]
)
def test_what_is_not_xml(tmp_path: Path, content: str) -> None:
    assert "primary file" in refused(tmp_path, content)


def test_deep_nesting(tmp_path: Path) -> None:
    assert read(tmp_path, "<l>" + "<a>" * 63 + "</a>" * 63 + "</l>")
    assert "64 deep" in refused(tmp_path, "<l>" + "<a>" * 64 + "</a>" * 64 + "</l>")
    assert "64 deep" in refused(tmp_path, "<a>" * 1_000_000)


def test_huge_attributes_and_tags(tmp_path: Path) -> None:
    assert read(tmp_path, f"<l><a b='{'x' * xml.MAX_ATTRIBUTE}'/></l>")
    assert "attribute longer" in refused(tmp_path, f"<l><a b='{'x' * (xml.MAX_ATTRIBUTE + 1)}'/></l>")
    assert "tag or a comment" in refused(tmp_path, f"<l><a b='{'x' * 5_000_000}'/></l>")
    assert "tag or a comment" in refused(tmp_path, f"<l><!--{'x' * 5_000_000}--></l>")
    many = " ".join(f"b{i}='{'x' * 100}'" for i in range(40_000))
    assert "tag or a comment" in refused(tmp_path, f"<l><a {many}/></l>")


def test_huge_elements(tmp_path: Path) -> None:
    assert "characters" in refused(tmp_path, f"<l><a>{'x' * (xml.MAX_TEXT + 1)}</a></l>", TooLarge)
    assert "characters" in refused(tmp_path, f"<l>{'x' * (xml.MAX_TEXT + 1)}</l>", TooLarge)
    assert "characters" in refused(tmp_path, "<l><a>" + f"<b c='{'x' * 60_000}'/>" * 70 + "</a></l>", TooLarge)
    assert "others" in refused(tmp_path, "<l><a>" + "<b/>" * (xml.MAX_NODES + 1) + "</a></l>", TooLarge)
    assert "different names" in refused(tmp_path, "<l>" + "".join(f"<a{i}/>" for i in range(5_000)) + "</l>")


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "long.xml"
    with path.open("w") as file:
        file.write("<l>")
        for i in range(20_000):
            file.write(f"<a id='{i}'><b>{'x' * 100}</b></a>text between")
        file.write("</l>")
    tracemalloc.start()
    try:
        assert sum(1 for _ in xml.elements(path, depth=2, what="primary")) == 20_000
        assert tracemalloc.get_traced_memory()[1] < 2_000_000 < path.stat().st_size
    finally:
        tracemalloc.stop()


def names(head: bytes) -> Iterator[str]:
    return (one.name for one in xml.opening(head))


def test_the_opening_tells_layouts_apart() -> None:
    head = "<?xml version='1.0'?><!-- made by hand --><x:l xmlns:x='u' day='5'><x:a><b>q</b></x:a><c".encode("utf-16")
    root, *others = xml.opening(head)
    assert (root.name, root.attribute("day"), [one.name for one in others]) == ("l", "5", ["a", "b"])
    assert list(names(b"<?xml version='1.0' encoding='nonsense'?><l><a>")) == ["l", "a"]
    assert list(names(b"\xef\xbb\xbf<l>\xff")) == ["l"]
    assert list(names(BOMB.encode())) == ["l"]
    assert len(list(names(b"<l>" + b"<a/>" * 1000))) == 64
    for other in (b"", b"no xml", b'{"l": []}', b"l,a\n1,2\n", bytes(range(256)), b"PK\x03\x04"):
        assert xml.opening(other) == ()
