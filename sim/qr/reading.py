"""Read a code: structure, checksum, fields, schemes and payees, without judging its content.

Takes any text and gives a frozen :class:`Code`; never fails on a text, however hostile. Whether the
code is a valid KHQR at some time is for :mod:`sim.qr.checking`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sim.qr.problems import INVALID, QrProblem, QrTypeError, excerpt
from sim.qr.schemes import Payee, payees_of, recognise
from sim.qr.tags import (
    ACCOUNT_TYPES,
    CHECKSUM,
    CHECKSUM_LENGTH,
    EMV_TEMPLATES,
    FIELDS,
    INDIVIDUAL,
    KHQR_TEMPLATES,
    MERCHANT,
    SUB_FIELDS,
)
from sim.qr.tlv import has_checksum, is_wide, join, md5, split, widen

Pairs = tuple[tuple[str, str], ...]
"""Tags with their values, in the order found."""

_OPENED: Final = KHQR_TEMPLATES | EMV_TEMPLATES
_CHECKSUM_PROBLEM: Final = (
    "'6304' and four hex digits that match everything before them, at the end"
)
_ACCOUNT_TYPE_NAMES: Final = tuple((tag, name) for name, tag in ACCOUNT_TYPES.items())


@dataclass(frozen=True, slots=True)
class Code:
    """What a code says.

    Attributes
    ----------
    text : str
        The string exactly as given.
    decode_ok : bool
        Whether the structure holds: every object parses and none repeats. For a KHQR code this
        covers templates 29, 30, 62, 64 and 99 and forbids 29 beside 30; for a foreign code it
        covers EMVCo's templates.
    crc_ok : bool
        Whether the string ends in a matching checksum.
    emv_valid : bool
        Whether the EMVCo structure holds (templates 26-51, 62, 64), checksum included and last.
    schemes : tuple of str
        Schemes recognised, in tag order; empty when the structure is broken.
    problems : tuple of QrProblem
        Faults of structure and checksum only.
    objects : tuple of (tag, value)
        Top-level objects in the order found; empty when the top level does not parse.
    templates : tuple of (tag, objects)
        Every template that could be opened.
    scheme_tags : tuple of (tag, scheme)
        Which tag each scheme was recognised in.
    """

    text: str
    decode_ok: bool
    crc_ok: bool
    emv_valid: bool
    schemes: tuple[str, ...]
    problems: tuple[QrProblem, ...]
    objects: Pairs
    templates: tuple[tuple[str, Pairs], ...]
    scheme_tags: Pairs

    @property
    def md5(self) -> str:
        """Return the reference Bakong indexes: MD5 of the string as given."""
        return md5(self.text)

    @property
    def is_foreign(self) -> bool:
        """Say whether only other countries' schemes were recognised."""
        return _is_foreign(self.schemes, dict(self.objects).get("58", ""))

    @property
    def fields(self) -> dict[str, str]:
        """Return the KHQR fields present, by name; empty for broken and for foreign codes.

        Of a code of another country in which no scheme is recognised: what EMVCo names, no account.
        """
        if not self.decode_ok or self.is_foreign:
            return {}
        objects = dict(self.objects)
        fields = {name: objects[tag] for tag, name in FIELDS.items() if tag in objects}
        # Abroad these tags are free for anybody's use: what stands in them is no account of ours.
        is_ours = not _is_abroad(self.schemes, objects.get("58", ""))
        for tag, name in _ACCOUNT_TYPE_NAMES:
            if is_ours and tag in objects:
                fields["merchant_type"] = name
        for tag, pairs in self.templates:
            names = SUB_FIELDS.get(tag)
            if names and (is_ours or tag in EMV_TEMPLATES - {INDIVIDUAL, MERCHANT}):
                for sub_tag, value in pairs:
                    if sub_tag in names:
                        fields[names[sub_tag]] = value
        return fields

    @property
    def emv_tags(self) -> dict[str, str | dict[str, str]]:
        """Return the objects of any EMV code by tag, with 26-51, 62 and 64 opened.

        A template that cannot be opened stays text.
        """
        tags: dict[str, str | dict[str, str]] = dict(self.objects)
        for tag, pairs in self.templates:
            if tag in EMV_TEMPLATES:
                tags[tag] = dict(pairs)
        return tags

    @property
    def payees(self) -> tuple[Payee, ...]:
        """Return who would be paid, once per recognised scheme, in tag order."""
        if not self.decode_ok:
            return ()
        return payees_of(
            self.scheme_tags, dict(self.objects), {tag: dict(p) for tag, p in self.templates}
        )

    @property
    def payee(self) -> Payee | None:
        """Return the payee of the KHQR account, else the first payee with an account, if any."""
        payees = self.payees
        # At home the account on the ledger is what is paid, whatever card numbers stand beside
        # it.
        ranked = [payee for payee in payees if payee.scheme == "khqr"]
        ranked += [payee for payee in payees if payee.account]
        return next(iter([*ranked, *payees]), None)

    def tag(self, path: str) -> str | None:
        """Return the value at a tag path such as ``"59"`` or ``"62.01"``, or ``None``."""
        head, dot, sub_tag = path.partition(".")
        if not dot:
            return dict(self.objects).get(head)
        return dict(dict(self.templates).get(head, ())).get(sub_tag)


def decode(text: str) -> Code:
    """Read any code, ours or foreign, valid or not.

    Parameters
    ----------
    text : str
        The string as scanned; nothing is trimmed.

    Returns
    -------
    Code
        With ``decode_ok`` false and the reasons in ``problems`` when the structure is broken.

    Raises
    ------
    QrTypeError
        If ``text`` is not a ``str``.
    """
    if not isinstance(text, str):
        raise QrTypeError([QrProblem(INVALID, "", excerpt(text), "a str")])
    # Lengths count UTF-16 units. Only texts with characters beyond the basic plane have to be
    # taken apart for it, which hardly any has.
    wide = is_wide(text)
    objects, problems = split(widen(text) if wide else text, "")
    crc_ok = has_checksum(text)
    # Without a top level that parses nothing can be said of what the code means.
    if problems or not objects:
        return _broken(text, crc_ok, problems)
    templates, khqr_problems, emv_problems = _open_templates(objects)
    # Back to whole characters once everything is cut: values are text again.
    if wide:
        objects = {tag: join(value) for tag, value in objects.items()}
        templates = {
            tag: {sub: join(value) for sub, value in inside.items()}
            for tag, inside in templates.items()
        }
    found = recognise(objects, templates)
    # Each scheme once, in the order of its first tag.
    schemes = tuple(dict.fromkeys([scheme for _, scheme in found]))
    emv_ok = crc_ok and not emv_problems and _ends_in_checksum(objects)
    # Which template rules count depends on whose code it is: 29 is a template here and may be
    # plain text abroad.
    problems = khqr_problems
    if _is_abroad(schemes, objects.get("58", "")):
        problems = emv_problems
    elif INDIVIDUAL in objects and MERCHANT in objects:
        problems.append(QrProblem(INVALID, MERCHANT, "tag 30 beside tag 29", "one of the two"))
    # The checksum is judged apart: a code with a wrong one can still be read and explained.
    decode_ok = not problems
    if not crc_ok:
        problems.append(_checksum_problem(text))
    return Code(
        text=text,
        decode_ok=decode_ok,
        crc_ok=crc_ok,
        emv_valid=emv_ok,
        schemes=schemes if decode_ok else (),
        problems=tuple(problems),
        objects=tuple(objects.items()),
        templates=tuple([(tag, tuple(inside.items())) for tag, inside in templates.items()]),
        scheme_tags=found if decode_ok else (),
    )


def _open_templates(
    objects: dict[str, str],
) -> tuple[dict[str, dict[str, str]], list[QrProblem], list[QrProblem]]:
    """Open every template that parses; list what a KHQR and what an EMV reader must refuse."""
    templates: dict[str, dict[str, str]] = {}
    khqr_problems: list[QrProblem] = []
    emv_problems: list[QrProblem] = []
    for tag, value in objects.items():
        if tag not in _OPENED:
            continue
        inside, problems = split(value, tag)
        if not problems:
            templates[tag] = inside
            continue
        # A template that does not parse is a fault for those readers only who must open it.
        if tag in KHQR_TEMPLATES:
            khqr_problems += problems
        if tag in EMV_TEMPLATES:
            emv_problems += problems
    return templates, khqr_problems, emv_problems


def _ends_in_checksum(objects: dict[str, str]) -> bool:
    return next(reversed(objects)) == CHECKSUM and len(objects[CHECKSUM]) == CHECKSUM_LENGTH


def _is_foreign(schemes: tuple[str, ...], country: str) -> bool:
    # Cambodian merchants carry card and UnionPay numbers beside their account, so a Cambodian code
    # whose account is damaged is still read as KHQR; the same numbers abroad are a foreign code.
    return bool(schemes) and "khqr" not in schemes and country != "KH"


def _is_abroad(schemes: tuple[str, ...], country: str) -> bool:
    # A code of another country is not ours for want of a scheme we know.
    return _is_foreign(schemes, country) or ("khqr" not in schemes and country not in ("", "KH"))


def _broken(text: str, crc_ok: bool, problems: list[QrProblem]) -> Code:
    found = excerpt(text)
    if not text:
        problems = [QrProblem(INVALID, "", "an empty text", "a code")]
    elif "://" in text[:16]:
        # Wallets print plain addresses; Alipay+ merchant codes have /MPM/ in theirs.
        kind = "an Alipay+ address" if "/MPM/" in text[:256].upper() else "a web or app address"
        allowed = "an EMV code; this one only its own wallet can read"
        problems = [QrProblem(INVALID, "", f"{kind}, not EMV: {found}", allowed)]
    if not crc_ok:
        problems = [*problems, _checksum_problem(text)]
    return Code(
        text=text,
        decode_ok=False,
        crc_ok=crc_ok,
        emv_valid=False,
        schemes=(),
        problems=tuple(problems),
        objects=(),
        templates=(),
        scheme_tags=(),
    )


def _checksum_problem(text: str) -> QrProblem:
    return QrProblem(INVALID, CHECKSUM, f"the ending {excerpt(text[-8:])}", _CHECKSUM_PROBLEM)
