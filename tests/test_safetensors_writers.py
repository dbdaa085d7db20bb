"""Headers that other programs write: lamina takes what the reference reader (safetensors 0.8.0) takes, and no more."""

from __future__ import annotations

import io
import struct

import lamina
import pytest
from lamina import serialization

T = '{"dtype":"F32","shape":[2],"data_offsets":[0,8]'
A = '"a":' + T + "}"


def file(header, body=bytes(8)):
    raw = header if isinstance(header, bytes) else header.encode()
    return struct.pack("<Q", len(raw)) + raw + body


def field(value):
    return "{" + '"a":' + T + ',"x":' + value + "}}"


TAKEN = {
    "mlx 0.32.4": file('{"__metadata__":null,' + A + "}"),
    "mlx with format": file("{" + A + ',"__metadata__":{"format":"mlx"}}'),
    "escaped __metadata__": file('{"__meta\\u0064ata__":null,' + A + "}"),
    "white space before": file("  \n\t\r{" + A + "}"),
    "white space between": file('{ "__metadata__" : null , "a" : ' + T + " } }\n "),
    "no padding": file("{" + A + "}  "),
    "number": file(field("1")),
    "float": file(field("-1.5e+3")),
    "small": file(field("1e-9999")),
    "whole number of any length": file(field("1" * 40)),
    "nested": file(field('{"y":[1,null,true,false,"z\\n",{},[]],"z":{"":[[]]}}')),
    "twice": file('{"a":' + T + ',"x":1,"x":2}}'),
    "metadata as a field": file('{"a":' + T + ',"__metadata__":3}}'),
    "first": file('{"a":{"x":[{}],"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'),
    "125 deep": file(field("[" * 125 + "]" * 125)),
    "125 objects": file(field('{"a":' * 125 + "1" + "}" * 125)),
    "empty": file("{}", b""),
    "escaped": file('{"a\\u0041":{"d\\u0074ype":"F\\u0033\\u0032","shape":[2],"data_offsets":[0,8]}}'),
}
REFUSED = {
    "metadata twice": file('{"__metadata__":null,"__metadata__":{},' + A + "}"),
    "metadata a list": file('{"__metadata__":[],' + A + "}"),
    "metadata a text": file('{"__metadata__":"x",' + A + "}"),
    "metadata of numbers": file('{"__metadata__":{"a":1},' + A + "}"),
    "metadata of null": file('{"__metadata__":{"a":null},' + A + "}"),
    "nul": file('{"__metadata__":nul,' + A + "}"),
    "byte order mark": file("\ufeff{" + A + "}"),
    "vertical tab": file("\v{" + A + "}"),
    "null bytes behind": file("{" + A + "}\0\0"),
    "something behind": file("{" + A + "}x"),
    "01": file(field("01")),
    "-": file(field("-")),
    "1.": file(field("1.")),
    ".5": file(field(".5")),
    "1e": file(field("1e")),
    "NaN": file(field("NaN")),
    "1e999": file(field("1e999")),
    "400 digits": file(field("1" * 400)),
    "truth": file(field("truth")),
    "open list": file(field("[1")),
    "crossed": file(field("[}")),
    "comma at the end": file(field("[1,]")),
    "comma in an object": file(field('{"a":1,}')),
    "no colon": file(field('{"a"1}')),
    "key of a number": file(field("{1:2}")),
    "no UTF-8": file(('{"a":' + T + ',"x":"').encode() + b'\xff"}}'),
    "half a surrogate": file(field('"\\ud800"')),
    "control character": file(field('"\n"')),
    "126 deep": file(field("[" * 126 + "]" * 126)),
    "a million deep": file(field("[" * 10**6)),
    "126 objects": file(field('{"a":' * 126 + "1" + "}" * 126)),
    "field twice": file('{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}'),
    "field missing": file('{"a":{"dtype":"F32","data_offsets":[0,8],"x":1}}'),
    "tensor null": file('{"b":null,' + A + "}"),
    "shape of floats": file('{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}'),
    "hole": file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'),
    "bytes behind": file("{" + A + "}", bytes(9)),
    "an array": file("[]", b""),
    "null": file("null", b""),
}
# The reference takes these: by accident of its JSON library, or because of a dtype or rank that lamina does not have.
STRICTER = {
    "tensor twice": file("{" + A + "," + A + "}"),
    "metadata key twice": file('{"__metadata__":{"a":"1","a":"2"},' + A + "}"),
    "tensor as a list": file('{"a":["F32",[2],[0,8]]}'),
    "dtype as an object": file('{"a":{"dtype":{"F32":null},"shape":[2],"data_offsets":[0,8]}}'),
    "C64": file('{"a":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}'),
    "17 dims": file('{"a":{"dtype":"F32","shape":[' + "1," * 16 + '2],"data_offsets":[0,8]}}'),
}


def read(data):
    return serialization.load_with_metadata(io.BytesIO(data))


@pytest.mark.parametrize("name", TAKEN)
def test_taken(name, tmp_path):
    tensors, _ = read(TAKEN[name])
    assert name == "empty" or [t.tolist() for t in tensors.values()] == [[0.0, 0.0]]
    (tmp_path / "f").write_bytes(TAKEN[name])
    assert list(lamina.load(tmp_path / "f")) == list(tensors)


@pytest.mark.parametrize("name", [*REFUSED, *STRICTER])
def test_refused(name):
    with pytest.raises(lamina.FileError):
        read({**REFUSED, **STRICTER}[name])


def test_the_reference_reader_says_the_same():
    safetensors = pytest.importorskip("safetensors")
    for group, taken in ((TAKEN, True), (REFUSED, False), (STRICTER, True)):
        for name, data in group.items():
            try:
                safetensors.deserialize(data)
                found = True
            except safetensors.SafetensorError:
                found = False
            assert found is taken, name
