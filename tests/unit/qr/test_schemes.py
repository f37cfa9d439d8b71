"""Foreign codes: known by identifier, never by the tag's number alone."""

import pytest

from sim.qr import decode, verify
from tests.unit.qr.builder import NOW_MS, code_of, seal, tlv


def foreign(*templates, country="SG", currency="702", **plain):
    """Write a bare foreign code; a template is (tag, identifier, *sub-objects)."""
    objects = {"00": "01", "01": "11", "53": currency, "58": country, "59": "SHOP"}
    objects |= {name.removeprefix("t"): value for name, value in plain.items()}
    for tag, identifier, *rest in templates:
        objects[tag] = tlv(("00", identifier), *rest)
    return seal(tlv(*sorted(objects.items())))


@pytest.mark.parametrize(
    ("text", "schemes", "account"),
    [
        (foreign(("29", "A000000677010111", ("02", "1234567890123"))), ["promptpay"], "12345678"),
        (foreign(("29", "a000000677010114", ("03", "E-WALLET"))), ["promptpay"], "E-WALLET"),
        (foreign(("31", "A000000677010111", ("04", "ACC"))), ["promptpay"], "ACC"),
        (foreign(("30", "A000000677010112", ("01", "BILLER"))), ["promptpay_bill"], "BILLER"),
        (foreign(("30", "A000000677012006", ("01", "BILLER"))), ["promptpay_bill"], "BILLER"),
        (foreign(("38", "A000000727", ("01", "0006970436"))), ["vietqr"], ""),
        (foreign(("38", "A000000727", ("01", "broken"))), ["vietqr"], "broken"),
        (foreign(("38", "A005266284662577", ("03", "R1"))), ["laoqr"], "R1"),
        (foreign(("26", "A0000006150001", ("02", "Q"))), ["duitnow"], "Q"),
        (foreign(("26", "SG.PAYNOW", ("02", "U"))), ["paynow"], "U"),
        (foreign(("48", "sg.paynow", ("02", "U"))), ["paynow"], "U"),
        (foreign(("33", "SG.COM.NETS", ("01", "N"))), ["nets"], "N"),
        (
            foreign(
                ("26", "SG.PAYNOW", ("02", "U")),
                ("27", "SG.COM.NETS", ("01", "N")),
                ("29", "COM.ALIPAY", ("01", "A")),
                ("30", "COM.QQ.WEIXIN.PAY", ("01", "W")),
                ("51", "SG.SGQR", ("01", "S")),
                t04="5183528880000060",
            ),
            ["mastercard", "paynow", "nets", "alipay", "wechat_pay", "sgqr"],
            "5183528880000060",
        ),
        (foreign(("51", "ID.CO.QRIS.WWW", ("02", "ID1"))), ["qris"], "ID1"),
        (
            foreign(
                ("26", "COM.GO-JEK.WWW", ("01", "P1")),
                ("27", "ID.CO.OTHER.WWW", ("01", "P2")),
                ("51", "ID.CO.QRIS.WWW", ("02", "ID1")),
            ),
            ["qris_acquirer", "qris"],
            "P1",
        ),
        (foreign(("27", "com.p2pqrpay", ("01", "BIC"), ("03", "ACC"))), ["qrph"], "ACC"),
        (foreign(("28", "ph.ppmi.p2m", ("01", "BIC"), ("04", "ACC"))), ["qrph"], "ACC"),
        (foreign(("26", "A000000524", ("01", "shop@bank"))), ["upi"], "shop@bank"),
        (foreign(t02="4127", t03="4128"), ["visa"], "4127"),
        (foreign(t05="5183", t16="UPAY"), ["mastercard", "unionpay"], "5183"),
    ],
)
def test_a_scheme_is_known_by_its_identifier(text, schemes, account):
    code = decode(text)
    assert list(code.schemes) == schemes
    assert [payee.scheme for payee in code.payees] == schemes
    assert code.emv_valid
    assert code.decode_ok
    assert code.is_foreign
    assert code.payee.account.startswith(account)
    assert code.payee.name == "SHOP"
    assert verify(text, NOW_MS) != ()


@pytest.mark.parametrize(
    "text",
    [
        foreign(("29", "A000000727X")),
        foreign(("26", "COM.GO-JEK.WWW")),
        foreign(("26", "shop@bank")),
        foreign(("26", "")),
        foreign(("26", "COM.QQ.WEıXIN.PAY")),
        foreign(t15=""),
        foreign(t06="x"),
    ],
)
def test_an_identifier_nobody_registered_is_no_scheme(text):
    code = decode(text)
    assert code.schemes == ()
    assert code.payee is None


def test_the_tag_number_alone_decides_nothing():
    assert decode(foreign(("38", "A005266284662577"))).schemes == ("laoqr",)
    assert decode(foreign(("29", "A000000727"))).schemes == ("vietqr",)
    assert decode(foreign(("26", "A000000677010111"))).schemes == ("promptpay",)


def test_home_country_and_currency_stand_in_for_missing_ones():
    text = seal(tlv(("00", "01"), ("29", tlv(("00", "A000000677010111"), ("01", "0066")))))
    payee = decode(text).payee
    assert (payee.country, payee.currency, payee.amount) == ("TH", "THB", "")


def test_an_unknown_currency_keeps_its_digits():
    assert decode(foreign(("26", "SG.PAYNOW"), currency="999")).payee.currency == "999"


def test_a_khqr_code_with_card_numbers_is_not_foreign():
    code = decode(code_of(t02="4127", t15="UPAY"))
    assert code.schemes == ("visa", "unionpay", "khqr")
    assert not code.is_foreign
    assert code.payee.account == "sok_dara@aclb"
    assert code.payee.institution == "aclb"
    assert verify(code, NOW_MS) == ()


def test_a_cambodian_code_with_a_damaged_account_still_shows_its_fields():
    code = decode(code_of(t15="UPAY", t29=tlv(("00", "sok.aclb"))))
    assert code.schemes == ("unionpay",)
    assert code.fields["bakong_account_id"] == "sok.aclb"


# EMVCo, "QR Code Specification for Payment Systems (EMV QRCPS), Merchant-Presented Mode", annex B.
EMVCO_SAMPLE = (
    "00020101021229300012D156000000000510A93FO3230Q31280012D15600000001030812345678520441115802CN"
    "5914BEST TRANSPORT6007BEIJING64200002ZH0104最佳运输0202北京540523.7253031565502016233030412"
    "340603***0708A60086670902ME91320016A0112233449988770708123456786304A13A"
)


def test_the_sample_of_emvco_has_no_account_of_ours():
    code = decode(EMVCO_SAMPLE)
    assert (code.decode_ok, code.crc_ok, code.emv_valid, code.schemes) == (True, True, True, ())
    assert not {"bakong_account_id", "acquiring_bank", "merchant_type"} & set(code.fields)
    assert code.fields["merchant_name"] == "BEST TRANSPORT"
    assert code.fields["store_label"] == "1234"
    assert verify(code, NOW_MS)


def test_a_code_of_another_country_is_read_by_emvco_whatever_its_scheme():
    # Both templates of ours, and times of ours, under an identifier nobody registered.
    both = foreign(("29", "NOBODY.KNOWS"), ("30", "NOBODY.EITHER"), t99="0013" + "1" * 13)
    code = decode(both)
    assert code.decode_ok
    assert code.schemes == ()
    assert set(code.fields) <= {
        "payload_format_indicator",
        "point_of_initiation_method",
        "merchant_category_code",
        "transaction_currency",
        "country_code",
        "merchant_name",
        "merchant_city",
        "crc",
    }


def test_foreign_templates_follow_emvco_not_khqr():
    both = foreign(("29", "COM.ALIPAY"), ("30", "COM.QQ.WEIXIN.PAY"), t99="plain text")
    assert decode(both).decode_ok
    broken = foreign(("26", "SG.PAYNOW"), t27="broken")
    assert not decode(broken).decode_ok
    assert not decode(broken).emv_valid
    assert decode(broken).emv_tags["27"] == "broken"


def test_a_bakong_account_beside_another_template_30_stays_refused():
    text = foreign(("29", "sok@aclb"), ("30", "A000000677010112"), country="TH", currency="764")
    assert not decode(text).decode_ok
    assert decode(text).payees == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("HTTPS://QR.EXAMPLE.COM/MPM/3/QUJD", "Alipay+ address, not EMV"),
        ("https://qr.example.com/abc", "address, not EMV"),
        ("wxp://f2f0abc", "address, not EMV"),
        ("upi://pay?pa=shop@bank", "address, not EMV"),
    ],
)
def test_an_address_is_reported_as_not_emv(text, words):
    code = decode(text)
    assert words in code.problems[0].message
    assert not code.decode_ok
    assert not code.emv_valid
    assert code.emv_tags == {}
    assert verify(text, NOW_MS)[0].code == 8
