"""The qr commands: shapes, exit codes, and no traceback for a user's mistake."""

import json

import pytest
from typer.testing import CliRunner

from sim.cli.qr import app
from sim.qr import decode, md5
from tests.unit.qr.builder import CREATED, EXPIRES, NOW_MS, code_of, vectors

SHAPE = ["decode_ok", "valid", "crc_ok", "md5", "schemes", "fields", "problems"]
PERSON = ["--bakong-account-id", "sok_dara@aclb", "--merchant-name", "Sok Dara"]


def run(*arguments, given=None):
    result = CliRunner().invoke(app, list(arguments), input=given)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def answer(*arguments, given=None):
    result = run("decode", *arguments, "--json", "--now-ms", str(NOW_MS), given=given)
    assert result.exit_code == 0
    return json.loads(result.stdout)


@pytest.mark.parametrize("vector", [v for v in vectors() if v["payload"]], ids=lambda v: v["id"])
def test_json_has_the_agreed_shape_and_says_what_the_vectors_say(vector):
    result = run("decode", vector["payload"], "--json", "--now-ms", str(vector["now_ms"]))
    told = json.loads(result.stdout)
    assert result.exit_code == 0
    assert list(told) == SHAPE
    for key in ("decode_ok", "valid", "crc_ok", "md5", "fields"):
        assert told[key] == vector[key]
    assert (told["problems"] == []) == vector["valid"]
    assert all(list(problem) == ["code", "path", "message"] for problem in told["problems"])


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_dash_reads_standard_input_without_its_line_end(ending):
    assert answer("-", given=code_of(t59="សុខ ដារា") + ending)["valid"]


@pytest.mark.parametrize("sub", ["decode", "image"])
def test_a_byte_order_mark_before_a_code_on_standard_input_is_no_part_of_it(sub):
    text = code_of(t59="សុខ ដារា")
    plain, marked = (run(sub, "-", given=given) for given in (text, "\ufeff" + text + "\r\n"))
    assert marked.exit_code == 0
    assert marked.stdout == plain.stdout
    # Only one is an editor's; in an argument there was no editor.
    assert not answer("-", given="\ufeff\ufeff" + text)["decode_ok"]
    assert not answer("\ufeff" + text)["decode_ok"]


def test_standard_input_that_is_not_utf_8_is_an_invalid_code_not_a_crash():
    told = answer("-", given=code_of().encode().replace(b"Sok", b"\xff\xfe\x80"))
    assert told["decode_ok"]
    assert not told["valid"]


def test_white_space_inside_the_code_is_not_trimmed():
    assert not answer(code_of() + " ")["valid"]
    assert not answer("-", given=code_of() + "\n\n")["valid"]


@pytest.mark.parametrize("arguments", [["decode", ""], ["decode", "-"], ["image", ""]])
def test_an_empty_text_is_the_users_mistake(arguments):
    result = run(*arguments, given="\n")
    assert result.exit_code == 2
    assert "empty text" in result.stderr
    assert "Traceback" not in result.output


def test_tags_can_be_asked_for_as_well():
    told = answer("--tags", vectors()[-1]["payload"])
    assert list(told) == [*SHAPE, "emv_valid", "payees", "tags"]
    assert told["tags"] == decode(vectors()[-1]["payload"]).emv_tags


def test_the_table_shows_verdict_fields_and_problems():
    text = code_of(t59="N" * 26)
    result = run("decode", text, "--tags", "--now-ms", str(NOW_MS))
    assert result.exit_code == 0
    for word in ("not valid", md5(text), "khqr", "merchant_name", "29.00", "too long"):
        assert word in result.stdout


def test_the_table_of_a_foreign_code_shows_the_payee():
    foreign = next(v for v in vectors() if v["kind"] == "foreign")
    result = run("decode", foreign["payload"])
    for word in ("promptpay", "TH", "THB", "0066812345678"):
        assert word in result.stdout


def test_a_hostile_name_steers_neither_terminal_nor_markup():
    result = run("decode", code_of(t59="\x1b[2J[red]x[/red]"))
    assert "\x1b[2J" not in result.stdout
    assert "[red]x[/red]" in result.stdout


def test_the_clock_defaults_to_now():
    told = json.loads(run("decode", code_of(dynamic=True), "--json").stdout)
    assert [problem["code"] for problem in told["problems"]] == [46]


@pytest.mark.parametrize(
    "vector", [v for v in vectors() if v.get("input") and v["payload"]], ids=lambda v: v["id"]
)
def test_encode_takes_every_field_of_the_vectors(vector):
    arguments = [
        part
        for name, value in vector["input"].items()
        for part in (f"--{name.replace('_', '-')}", str(value))
    ]
    result = run("encode", *arguments)
    assert result.exit_code == 0
    assert result.stdout == vector["payload"] + "\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "account id is missing"),
        ([*PERSON, "--amount", "5"], "expiry is required"),
        ([*PERSON, "--expires-ms", EXPIRES], "--expires-ms: a code without an amount"),
        (
            [*PERSON, "--amount", "0", "--expires-ms", EXPIRES],
            "--expires-ms: a code without an amount",
        ),
        ([*PERSON, "--created-ms", CREATED], "--created-ms: a code without an amount"),
        ([*PERSON, "--amount", "5.5", "--expires-ms", EXPIRES], "whole riel"),
        ([*PERSON, "--account-type", "merchant"], "merchant id is missing"),
        ([*PERSON, "--currency", "EUR"], "KHR or USD"),
        ([*PERSON, "--amount", "x"], "amount is not allowed"),
        ([*PERSON, "--amount", "1", "--expires-ms", "soon"], "Error"),
    ],
)
def test_what_cannot_be_encoded_ends_in_two_with_words(arguments, words):
    result = run("encode", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""


def test_image_writes_a_file_or_draws(tmp_path):
    assert run("image", code_of(), str(tmp_path / "a.svg")).exit_code == 0
    assert (tmp_path / "a.svg").read_bytes().startswith(b"<?xml")
    drawn = run("image", "-", given=code_of())
    assert drawn.exit_code == 0
    assert drawn.stdout.count("\n") > 15


@pytest.mark.parametrize("name", ["a.gif", "missing/a.png"])
def test_image_refuses_what_it_cannot_write(tmp_path, name):
    result = run("image", code_of(), str(tmp_path / name))
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")


def test_a_dynamic_code_from_the_command_line_is_valid_at_once():
    result = run("encode", *PERSON, "--amount", "500", "--expires-ms", EXPIRES,
                 "--created-ms", CREATED)  # fmt: skip
    assert answer(result.stdout.strip())["valid"]
