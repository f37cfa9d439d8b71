"""The ``qr`` commands: decode, encode and draw payment codes.

Takes a code or its fields from the command line and prints what the codec makes of them. A code
that can be read but is not valid is an answer, not a mistake, and ends with exit code 0.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from sim.cli.showing import FormatOption, JsonOption, OutputOption, note, showing
from sim.errors import MachineError, UserError
from sim.qr import decode, encode, verify

app = typer.Typer(
    name="qr",
    help="Read, judge, write and draw KHQR and foreign payment codes.",
    no_args_is_help=True,
    add_completion=False,
)

TextArgument = Annotated[
    str, typer.Argument(metavar="TEXT", help="The code, or '-' to read it from standard input.")
]


@app.command("decode")
def decode_command(
    text: TextArgument,
    form: FormatOption = None,
    output: OutputOption = None,
    as_json: JsonOption = False,
    tags: Annotated[
        bool, typer.Option("--tags", help="Also give every tag, and the payee of each scheme.")
    ] = False,
    now_ms: Annotated[
        int | None,
        typer.Option(help="Time to judge the expiry at, Unix milliseconds; default: now."),
    ] = None,
) -> None:
    """Read a code and say whether it is a valid KHQR, and if not, why."""
    from sim.report.documents.qr import code_document

    wanted = showing(form, output, as_json=as_json)
    code = decode(_given(text))
    now = _now_ms() if now_ms is None else now_ms
    problems = verify(code, now)
    wanted.show(code_document(code, problems, tags=tags))


@app.command("encode")
def encode_command(
    account_type: Annotated[str, typer.Option(help="individual or merchant.")] = "individual",
    bakong_account_id: Annotated[
        str | None, typer.Option(help="Account that is paid, name@bank.")
    ] = None,
    merchant_name: Annotated[str | None, typer.Option(help="Name, at most 25.")] = None,
    merchant_city: Annotated[
        str | None, typer.Option(help="City, at most 15; default Phnom Penh.")
    ] = None,
    account_information: Annotated[
        str | None, typer.Option(help="Bank account or phone behind a bank's wallet.")
    ] = None,
    merchant_id: Annotated[str | None, typer.Option(help="Merchant id; merchant codes.")] = None,
    acquiring_bank: Annotated[str | None, typer.Option(help="Name of the bank.")] = None,
    currency: Annotated[str, typer.Option(help="KHR or USD.")] = "KHR",
    amount: Annotated[
        str | None, typer.Option(help="Riel or dollars; without it the code is static.")
    ] = None,
    merchant_category_code: Annotated[
        str | None, typer.Option(help="At most four digits; default 5999.")
    ] = None,
    country_code: Annotated[str | None, typer.Option(help="Default KH.")] = None,
    union_pay_merchant: Annotated[
        str | None, typer.Option(help="UnionPay account, riel codes only.")
    ] = None,
    bill_number: Annotated[str | None, typer.Option(help="Bill number, at most 25.")] = None,
    mobile_number: Annotated[
        str | None, typer.Option(help="Mobile number, written as given.")
    ] = None,
    store_label: Annotated[str | None, typer.Option(help="Store, at most 25.")] = None,
    terminal_label: Annotated[str | None, typer.Option(help="Terminal, at most 25.")] = None,
    purpose_of_transaction: Annotated[str | None, typer.Option(help="Purpose, at most 25.")] = None,
    language_preference: Annotated[
        str | None, typer.Option(help="Language of the other name, such as km.")
    ] = None,
    merchant_name_alternate_language: Annotated[
        str | None, typer.Option(help="Name in the other language.")
    ] = None,
    merchant_city_alternate_language: Annotated[
        str | None, typer.Option(help="City in the other language.")
    ] = None,
    created_ms: Annotated[
        int | None, typer.Option(help="Creation, Unix milliseconds, with an amount; default: now.")
    ] = None,
    expires_ms: Annotated[
        int | None, typer.Option(help="Expiry, Unix milliseconds; goes with an amount.")
    ] = None,
) -> None:
    """Write a KHQR code and print it."""
    try:
        text = encode(
            account_type=account_type,
            bakong_account_id=bakong_account_id,
            merchant_name=merchant_name,
            merchant_city=merchant_city,
            account_information=account_information,
            merchant_id=merchant_id,
            acquiring_bank=acquiring_bank,
            currency=currency,
            amount=amount,
            merchant_category_code=merchant_category_code,
            country_code=country_code,
            union_pay_merchant=union_pay_merchant,
            bill_number=bill_number,
            mobile_number=mobile_number,
            store_label=store_label,
            terminal_label=terminal_label,
            purpose_of_transaction=purpose_of_transaction,
            language_preference=language_preference,
            merchant_name_alternate_language=merchant_name_alternate_language,
            merchant_city_alternate_language=merchant_city_alternate_language,
            created_ms=_now_ms() if created_ms is None else created_ms,
            expires_ms=expires_ms,
        )
    except UserError as error:
        _fail(str(error), UserError.exit_code)
    _check_times(text, expires_ms, created_ms)
    typer.echo(text)


@app.command("image")
def image_command(
    text: TextArgument,
    out: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="PNG or SVG by suffix; without it, the terminal."),
    ] = None,
) -> None:
    """Draw a code to a PNG or SVG file, or in the terminal."""
    from sim.qr.images import draw, write_image

    given = _given(text)
    try:
        if out is None:
            draw(given, sys.stdout)
        else:
            write_image(given, out)
            note(f"wrote {out}")
    except UserError as error:
        _fail(str(error), UserError.exit_code)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        _fail(f"{out}: no such folder to write a file in; name another", UserError.exit_code)
    except OSError as error:
        _fail(f"{out}: cannot be written: {error.strerror or error}", MachineError.exit_code)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _check_times(text: str, expires_ms: int | None, created_ms: int | None) -> None:
    """Refuse times that a code does not hold.

    The official kit leaves them out of a code without an amount (0 is none), and so does `encode`;
    whoever asked for an end here must not get a code that has none.
    """
    if decode(text).tag("54") is not None:
        return
    for option, value in (("--expires-ms", expires_ms), ("--created-ms", created_ms)):
        if value is not None:
            _fail(f"{option}: a code without an amount holds no times; give --amount, too", 2)


def _given(text: str) -> str:
    """Return the code itself, without a line end after it and a byte order mark before it."""
    if text == "-":
        raw = sys.stdin.buffer.read()
        text = raw.decode("utf-8", "surrogateescape").removesuffix("\n").removesuffix("\r")
        # Editors put it before what they save; no scanner gives it.
        text = text.removeprefix("\ufeff")
    if not text:
        _fail("an empty text; give a code, or '-' and a code on standard input", 2)
    return text


def _fail(message: str, exit_code: int) -> NoReturn:
    from sim.report.documents.qr import printable

    lines = [printable(line) for line in message.split("\n")]
    typer.echo("error: " + "\n".join(lines), err=True)
    raise typer.Exit(exit_code)
