"""The examples of docs/qr.md do what the page says."""

import doctest
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "qr.md"


def test_the_examples_of_the_page_run():
    # Fences are no Python; without them the page is a plain doctest file.
    text = PAGE.read_text(encoding="utf-8").replace("```python\n", "\n").replace("```\n", "\n")
    examples = doctest.DocTestParser().get_doctest(text, {}, "qr.md", str(PAGE), 0)
    result = doctest.DocTestRunner(verbose=False).run(examples)
    assert result.attempted >= 12
    assert result.failed == 0
