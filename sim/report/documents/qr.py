"""What a payment code holds and whether it is valid, as a document."""

from __future__ import annotations

from collections.abc import Iterator

from sim.qr import Code, Payee, QrProblem
from sim.report.blocks import Block, Cell, Column, Document, Table
from sim.tables.tabular import TabularData


def code_document(code: Code, problems: tuple[QrProblem, ...], *, tags: bool) -> Document:
    """Return what is shown of a code; its table holds every tag."""
    facts = {
        "KHQR": "not valid" if problems else "valid",
        "structure": "sound" if code.decode_ok else "broken",
        "checksum": "matches" if code.crc_ok else "does not match",
        "md5": code.md5,
        "schemes": ", ".join(code.schemes) or "none recognised",
        **code.fields,
    }
    if not code.fields and code.payee is not None:
        facts |= {name: value for name, value in _named(code.payee).items() if value}
    rows = tuple((name, printable(value)) for name, value in facts.items())
    all_tags = TabularData(("tag", "value"), tuple(_tags(code)))
    blocks: list[Block] = [_table(("", ""), rows, is_headed=False)]
    if tags:
        blocks.append(_table(all_tags.columns, all_tags.rows))
    if problems:
        told = tuple((str(one.code), one.path, printable(one.message)) for one in problems)
        blocks.append(_table(("code", "tag", "problem"), told))
    return Document(tuple(blocks), all_tags, _answer(code, problems, tags=tags))


def _table(
    heads: tuple[str, ...], rows: tuple[tuple[Cell, ...], ...], *, is_headed: bool = True
) -> Table:
    *names, last = heads
    columns = (*map(Column, names), Column(last, is_prose=True))
    return Table(columns, rows, is_headed=is_headed)


def _tags(code: Code) -> Iterator[tuple[str, str]]:
    for tag, value in code.emv_tags.items():
        for inner, text in ({"": value} if isinstance(value, str) else value).items():
            yield f"{tag}.{inner}" if inner else tag, printable(text)


def printable(text: str) -> str:
    """Escape control characters and lone surrogates: a code must not steer the terminal.

    Khmer joins letters with invisible signs, so format characters inside the text stay.
    """
    return "".join(
        character
        if character.isprintable() or character in "\u200b\u200c\u200d"
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def _answer(code: Code, problems: tuple[QrProblem, ...], *, tags: bool) -> dict[str, object]:
    answer: dict[str, object] = {
        "decode_ok": code.decode_ok,
        "valid": not problems,
        "crc_ok": code.crc_ok,
        "md5": code.md5,
        "schemes": list(code.schemes),
        "fields": code.fields,
        "problems": [
            {"code": problem.code, "path": problem.path, "message": problem.message}
            for problem in problems
        ],
    }
    if tags:
        answer["emv_valid"] = code.emv_valid
        answer["payees"] = [_named(payee) for payee in code.payees]
        answer["tags"] = code.emv_tags
    return answer


def _named(payee: Payee) -> dict[str, str]:
    return {name: getattr(payee, name) for name in Payee.__slots__}
