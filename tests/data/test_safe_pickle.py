"""The reader of pickles: NumPy's arrays pass, nothing is executed."""

import pickle
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lossfw.data.safe_pickle import read_pickle
from lossfw.errors import DataError

PROTOCOLS = range(6)

arrays = hnp.arrays(
    st.sampled_from(["f4", ">f4", "f8", "i8", ">i2", "u1", "?"]),
    # Before protocol 3 no bytes are written as a call of a builtin, which is refused.
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=4),
)


@given(array=arrays, fortran=st.booleans(), protocol=st.sampled_from(PROTOCOLS))
def test_round_trip_of_every_protocol(array, fortran, protocol):
    if fortran and array.ndim:
        array = np.asfortranarray(array)
    read = read_pickle(pickle.dumps({"W1": array, "b1": array}, protocol), "w.pkl")
    assert list(read) == ["W1", "b1"]
    assert read["W1"].dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(read["W1"], array)
    assert read["W1"].flags.f_contiguous == array.flags.f_contiguous


def test_numpy_1_wrote_its_core_under_another_name():
    content = pickle.dumps({"W1": np.ones(3)}, 4)
    old = content.replace(b"\x16numpy._core.multiarray", b"\x15numpy.core.multiarray")
    assert old != content
    old = old.replace(b"\x95" + content[3:11], b"\x95" + struct.pack("<Q", len(old) - 11))
    np.testing.assert_array_equal(read_pickle(old, "w.pkl")["W1"], np.ones(3))


class Call:
    """Asks to be unpickled by a call."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def hostile(marker):
    """Pickles that would make the file `marker`, and others that must not pass."""
    import builtins
    import os

    touch = Call(open, str(marker), "w")
    return {
        "a call": touch,
        "a call inside": {"W1": touch},
        "a system call": {"W1": Call(os.system, f"touch {marker}")},
        "eval": {"W1": Call(eval, f"open({str(marker)!r}, 'w')")},
        "getattr of getattr": {"W1": Call(getattr, Call(getattr, "x", "join"), "__self__")},
        "a nested builtin": {"W1": [{"x": (Call(builtins.print, "x"),)}]},
        "an object array": {"W1": np.array([touch, 1], dtype=object)},
        "numpy's own loader": {"W1": Call(np.load, str(marker))},
        "a builtin as an array": {"W1": open},
        "a class": {"W1": dict},
        "a key that is a call": {Call(str, "W1"): np.ones(1)},
    }


CASES = list(hostile("x"))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("case", CASES)
def test_nothing_is_executed(tmp_path, case, protocol, capsys):
    marker = tmp_path / "executed"
    content = pickle.dumps(hostile(marker)[case], protocol)
    with pytest.raises(DataError, match=r"w\.pkl .*othing was executed"):
        read_pickle(content, "w.pkl")
    assert not marker.exists()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "value",
    [
        [np.ones(1)],
        {"W1": [1.0, 2.0]},
        {1: np.ones(1)},
        {"W1": np.zeros(2, "c16")},
        {"W1": np.zeros(2, "U4")},
        {"W1": np.zeros(2, [("a", "f4")])},
        {"W1": None},
    ],
)
def test_other_things_than_arrays_in_a_dictionary(value):
    with pytest.raises(DataError, match=r"Only NumPy arrays of numbers"):
        read_pickle(pickle.dumps(value), "w.pkl")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_truncation_is_an_error(protocol):
    content = pickle.dumps({"W1": np.ones((2, 3)), "b1": np.ones(3, "f4")}, protocol)
    for keep in range(len(content)):
        with pytest.raises(DataError, match=r"w\.pkl"):
            read_pickle(content[:keep], "w.pkl")


@given(st.data())
def test_flipped_bytes_give_arrays_or_an_error(data):
    content = bytearray(pickle.dumps({"W1": np.ones((2, 3)), "b1": np.ones(3, "f4")}, 4))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        read = read_pickle(bytes(content), "w.pkl")
    except DataError:
        return
    assert all(isinstance(array, np.ndarray) for array in read.values())


@given(st.binary())
def test_bytes_that_are_no_pickle(content):
    try:
        read = read_pickle(content, "w.pkl")
    except DataError:
        return
    assert read == {}


ARRAY = pickle.dumps({"W1": np.ones((2, 3))}, 4)
SHAPE = b"K\x01K\x02K\x03\x86"  # version 1, shape (2, 3)
assert ARRAY.count(SHAPE) == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (SHAPE, b"K\x01K\x02K\x04\x86", "an array of"),  # a larger shape than the bytes
        (SHAPE, b"K\x01J\xff\xff\xff\xffK\x03\x86", "an array of"),  # a negative length
        (SHAPE, b"K\x01J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86", "an array of"),  # too large
        (SHAPE, b"K\x01K\x02N\x86", "an array of"),  # None as a length
        (SHAPE, b"K\x01\x88K\x06\x86", "an array of"),  # True as a length
        (b"\x8c\x02f8", b"\x8c\x02O8", "asks for"),
        (b"\x8c\x02f8", b"\x8c\x02f9", "asks for"),
        (b"\x8c\x02f8", b"\x8c\x00", "asks for"),
        (b"\x8c\x01<", b"\x8c\x01?", "asks for"),
        (b"\x8c\x01<\x94NNN", b"\x8c\x01<\x94NN\x88", "asks for"),
    ],
)
def test_a_hostile_state_of_an_array_or_its_dtype(old, new, message):
    assert ARRAY.count(old) == 1
    changed = ARRAY.replace(old, new)
    # Without its frame, whose length would no longer be right.
    with pytest.raises(DataError, match=message):
        read_pickle(changed[:2] + changed[11:], "w.pkl")


@pytest.mark.parametrize(
    ("attack", "message"),
    [
        # A BUILD on the global itself: sets attributes of whatever is on the stack.
        (b"\x80\x02cnumpy\ndtype\nN}X\x09\0\0\0_functionX\x01\0\0\0xs\x86b.",
         "a change of a function"),
        # A length that is promised.
        *((b"\x80\x04}\x8e" + struct.pack("<Q", length) + b"abc.", r"w\.pkl")
          for length in (2**31 - 1, 2**40, 2**63)),
        # Other instructions.
        *((b"\x80\x05}" + other + b".", r"w\.pkl")
          for other in (b"Pfoo\n", b"\x82\x01", b"\x97", b"(i", b"\x81", b"\x92")),
        (b"\x80\x04" + b"]" * 1_000_000 + b"a" * 999_999 + b".", "more than 200000 instructions"),
        (pickle.dumps({"a": np.ones(1)}) + b"more", "follow its end"),
        # A tuple that holds itself twice, 40 times over: its hash takes 2**40 steps.
        (b"\x80\x02})" + b"q\x00h\x00\x86" * 40 + b"K\x01s.", "a tuple as a key"),
        # As the name of a dtype, and as an order: its text would be as long.
        (b"\x80\x02cnumpy\ndtype\n)" + b"q\x00h\x00\x86" * 40 + b"\x85R.", "the dtype a tuple"),
        # Two million tuples in each other: their hash goes as deep.
        (b"\x80\x02})" + b"\x85" * 2_000_000 + b"K\x01s.", "more than 200000 instructions"),
        (b"\x80\x02})" + b"\x85" * 150_000 + b"K\x01s.", "a tuple as a key"),
    ],
    ids=lambda value: value[:12].hex() if isinstance(value, bytes) else value,
)  # fmt: skip
def test_a_hostile_program_is_refused(attack, message):
    with pytest.raises(DataError, match=message):
        read_pickle(attack, "w.pkl")


def test_a_memo_of_four_thousand_million_entries_makes_no_room():
    assert read_pickle(b"\x80\x02}r\xff\xff\xff\xff.", "w.pkl") == {}
