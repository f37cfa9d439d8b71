"""What does the code on the counter say: read, judge, write and draw payment QR codes.

Takes text and gives typed codes, and the other way round; nothing here reads a clock or a network.
"""

from sim.qr.checking import verify
from sim.qr.problems import QrError, QrProblem, QrTypeError
from sim.qr.reading import Code, decode
from sim.qr.schemes import Payee
from sim.qr.tlv import crc, md5
from sim.qr.writing import KhqrInputs, encode, encode_again, inputs_of, round_trip

__all__ = [
    "Code",
    "KhqrInputs",
    "Payee",
    "QrError",
    "QrProblem",
    "QrTypeError",
    "crc",
    "decode",
    "encode",
    "encode_again",
    "inputs_of",
    "md5",
    "round_trip",
    "verify",
]
