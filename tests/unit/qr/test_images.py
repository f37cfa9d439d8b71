"""Images: the right kind by suffix, readable symbols, refusals in words."""

import io
import xml.etree.ElementTree as ET

import pytest

from sim.errors import UserError
from sim.qr import QrError
from sim.qr.images import draw, write_image
from tests.unit.qr.builder import code_of


def test_the_suffix_decides_the_kind(tmp_path):
    write_image(code_of(), tmp_path / "a.png")
    write_image(code_of(), tmp_path / "a.SVG")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert ET.parse(tmp_path / "a.SVG").getroot().tag.endswith("svg")


def test_the_same_code_gives_the_same_picture(tmp_path):
    for name in ("a.png", "b.png"):
        write_image(code_of(t59="ហាងកាហ្វេ"), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_terminal_drawing_is_square_blocks():
    out = io.StringIO()
    draw(code_of(), out)
    assert out.getvalue().count("\n") > 15
    assert "█" in out.getvalue() or "▀" in out.getvalue()


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.png.txt"])
def test_another_suffix_is_refused_before_anything_is_written(tmp_path, name):
    with pytest.raises(UserError, match=r"known: \.png, \.svg"):
        write_image(code_of(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "x" * 5000, "a\ud83c"])
def test_what_fits_no_symbol_is_refused(tmp_path, text):
    with pytest.raises(QrError):
        write_image(text, tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []
