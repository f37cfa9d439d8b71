"""Write a scenario's tree as YAML text, whatever changed it.

Takes nested dictionaries, lists and text; gives one document that reads back to the same tree.
"""

from __future__ import annotations

from typing import Any

import yaml


def tree_text(tree: Any) -> str:
    """Return a scenario's tree as YAML text."""
    return str(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, width=10_000))
