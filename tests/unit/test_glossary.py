"""The glossary says where each word is at home, and it is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")


def test_every_home_in_the_glossary_exists() -> None:
    homes = re.findall(r"`((?:sim|docs)/[^`: ]*)(?:: ([A-Za-z_]+))?", TEXT)
    assert len(homes) > 60
    missing = [f"{path}: {name}" for path, name in homes if not _is_there(ROOT / path, name)]
    assert missing == []


def _is_there(path: Path, name: str) -> bool:
    if not path.exists():
        return False
    pattern = rf"^(class|def) {name}\b"
    return not name or bool(re.search(pattern, path.read_text(encoding="utf-8"), re.MULTILINE))
