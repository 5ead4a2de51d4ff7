"""Tests of spintron_nn.datasets.wav and folders."""

import re
import struct
import wave

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.datasets import read_wav, wav_folder
from spintron_nn.datasets.wav import resample

GUID = bytes.fromhex("000000001000800000aa00389b71")


def chunk(label, data, size=None):
    return (
        label
        + struct.pack("<I", len(data) if size is None else size)
        + data
        + b"\0" * (len(data) % 2)
    )


def form(encoding=1, channels=1, rate=8000, bits=16, frame=None):
    frame = channels * bits // 8 if frame is None else frame
    return struct.pack("<HHIIHH", encoding, channels, rate, rate * frame, frame, bits)


def riff(*chunks):
    return b"RIFF" + struct.pack("<I", 4 + sum(map(len, chunks))) + b"WAVE" + b"".join(chunks)


def written(tmp_path, data):
    path = tmp_path / "f.wav"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("encoding", "bits", "data", "samples"),
    [
        (1, 8, bytes([0, 128, 129, 255]), [-1, 0, 1 / 128, 127 / 128]),
        (1, 16, struct.pack("<4h", -32768, 0, 1, 32767), [-1, 0, 2**-15, 1 - 2**-15]),
        (
            1,
            24,
            b"\0\0\x80" + b"\0\0\0" + b"\1\0\0" + b"\xff\xff\x7f",
            [-1, 0, 2**-23, 1 - 2**-23],
        ),
        (1, 32, struct.pack("<4i", -(2**31), 0, 1, 2**30), [-1, 0, 2**-31, 0.5]),
        (3, 32, struct.pack("<4f", -1.5, 0, 2**-40, 1), [-1.5, 0, 2**-40, 1]),
    ],
)
@pytest.mark.parametrize("extensible", [False, True])
def test_samples(tmp_path, encoding, bits, data, samples, extensible):
    head = form(encoding, bits=bits)
    if extensible:
        head = form(0xFFFE, bits=bits) + struct.pack("<HHIH", 22, bits, 0, encoding) + GUID
    path = written(
        tmp_path, riff(chunk(b"LIST", b"odd"), chunk(b"fmt ", head), chunk(b"data", data))
    )
    found = read_wav(path)
    assert found.rate == 8000 and found.samples.dtype == np.float32
    assert found.samples.tolist() == [samples]


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_files_of_the_standard_library(tmp_path, width):
    values = np.random.default_rng(width).integers(0, 256, (50, 2, width), dtype=np.uint8)
    path = tmp_path / "f.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(width)
        file.setframerate(16000)
        file.writeframes(values.tobytes())
    found = read_wav(path)
    assert found.samples.shape == (2, 50) and found.rate == 16000
    for (frame, channel), sample in np.ndenumerate(found.samples.T):
        number = int.from_bytes(values[frame, channel].tobytes(), "little", signed=width > 1)
        number -= 128 * (width == 1)
        assert sample == np.float32(number / (1 << (8 * width - 1)))
    assert found.mono().tolist() == found.samples.mean(axis=0).tolist()


FMT = chunk(b"fmt ", form())
ASK = "integers of 8, 16, 24 or 32 bits (format 1) or floats of 32 bits (format 3)"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            b"",
            "must start with RIFF, a size and WAVE, and does not; it is not a WAV file, so "
            "convert it to one",
        ),
        (
            riff(FMT, chunk(b"data", b"1234", size=0xFFFFFFFF)),
            "must hold 4294967295 bytes of 'data', as its header says, and holds only 4; get it "
            "again",
        ),
        (riff(FMT), "must have a chunk 'data' among its first 256, and has none; get it again"),
        (
            riff(*[chunk(b"fill", b"")] * 300, FMT, chunk(b"data", b"")),
            "must have a chunk 'data' among its first 256, and has none; get it again",
        ),
        (
            riff(chunk(b"data", b"12"), FMT),
            "must have its format before its sound, and has not; write it again with another "
            "program",
        ),
        (
            riff(chunk(b"fmt ", form()[:14]), chunk(b"data", b"")),
            "must have a format of 16 bytes or more, not 14; get it again",
        ),
        (
            riff(chunk(b"fmt ", form(2, bits=4, frame=1)), chunk(b"data", b"")),
            f"must hold {ASK}, not format 2 with 4 bits; convert it to 16 bit PCM",
        ),
        (
            riff(chunk(b"fmt ", form(3, bits=64)), chunk(b"data", b"")),
            f"must hold {ASK}, not format 3 with 64 bits; convert it to 16 bit PCM",
        ),
        (
            riff(chunk(b"fmt ", form(channels=0)), chunk(b"data", b"")),
            "must have 1..64 channels at 1000..768000 Hz, not 0 at 8000 Hz; convert it",
        ),
        (
            riff(chunk(b"fmt ", form(rate=0)), chunk(b"data", b"")),
            "must have 1..64 channels at 1000..768000 Hz, not 1 at 0 Hz; convert it",
        ),
        (
            riff(chunk(b"fmt ", form(frame=3)), chunk(b"data", b"")),
            "must have 2 bytes a frame for 1 channels of 16 bits, and its header says 3; get it "
            "again",
        ),
        (
            riff(FMT, chunk(b"data", b"123")),
            "must hold whole frames of 2 bytes, and holds 3 bytes; get it again",
        ),
        (
            riff(chunk(b"fmt ", form(3, bits=32)), chunk(b"data", struct.pack("<f", np.inf))),
            "must hold finite samples, and holds NaN or infinity; write it again",
        ),
    ],
    ids=("empty long none many order format adpcm double channels rate frame cut infinite".split()),
)
def test_refuses_damaged_files(tmp_path, data, message):
    path = written(tmp_path, data)
    with pytest.raises(ParameterError, match=f"^read_wav: f.wav {re.escape(message)}$"):
        read_wav(path)


def test_refuses_more_than_it_reads(tmp_path):
    path = tmp_path / "f.wav"
    size = (1 << 28) + 2
    with path.open("wb") as file:  # a sparse file: the disk holds its head only
        file.write(riff(FMT) + b"data" + struct.pack("<I", size))
        file.truncate(file.tell() + size)
    with pytest.raises(
        ParameterError,
        match=r"^read_wav: f\.wav must hold at most 268435456 bytes of sound, and holds "
        r"268435458; cut it$",
    ):
        read_wav(path)


def test_any_damage_is_one_error(tmp_path):
    random = np.random.default_rng(7)
    whole = riff(FMT, chunk(b"data", bytes(64)))
    said = []
    for _ in range(300):
        data = bytearray(whole[: random.integers(0, len(whole) + 1)])
        for place in random.integers(0, max(1, len(data)), 3):
            data[place : place + 1] = bytes([random.integers(0, 256)])
        try:
            read_wav(written(tmp_path, bytes(data)))
        except ParameterError as error:
            said.append(str(error).startswith("read_wav: f.wav must "))
    assert len(said) > 100 and all(said)


def test_refuses_a_missing_file(tmp_path):
    with pytest.raises(
        ParameterError, match=r"^read_wav: path must name a file, and there is no '.*nothing'$"
    ):
        read_wav(tmp_path / "nothing")


def test_resampling_keeps_a_tone_and_drops_what_does_not_fit():
    rate, new_rate = 22050, 16000
    time, new_time = np.arange(rate) / rate, np.arange(new_rate) / new_rate
    found = resample(
        np.float32([np.sin(2 * np.pi * hz * time) for hz in (1000, 10000)]), rate, new_rate
    )
    assert found.shape == (2, new_rate) and found.dtype == np.float32
    middle = slice(1000, -1000)
    # A filter of 20 zero crossings: a thousandth of full scale is what it leaves.
    assert np.abs(found[0] - np.sin(2 * np.pi * 1000 * new_time))[middle].max() < 2e-3
    assert np.abs(found[1][middle]).max() < 2e-3


def folder(root, *, rates=(8000,), speakers=("ann", "bob", "eve"), labels=("no", "yes")):
    for number, label in enumerate(labels):
        (root / label).mkdir()
        for place, speaker in enumerate(speakers):
            samples = np.full(4 + 2 * place, 100 * number + place, "<i2").tobytes()
            head = form(rate=rates[place % len(rates)])
            path = root / label / f"{speaker}_nohash_{number}.wav"
            path.write_bytes(riff(chunk(b"fmt ", head), chunk(b"data", samples)))
    (root / "_background_noise_").mkdir()
    (root / "_background_noise_" / "x.wav").write_bytes(b"not read")
    return root


def test_a_folder_is_split_by_speaker(tmp_path):
    data = wav_folder(folder(tmp_path), seconds=6 / 8000, held_out=["bob"])
    assert data.classes == 2 and data.name == tmp_path.name
    assert data.train_y.tolist() == [0, 0, 1, 1] and data.test_y.tolist() == [0, 1]
    assert (data.train_x * 32768).tolist() == [
        [0, 0, 0, 0, 0, 0],
        [2, 2, 2, 2, 2, 2],
        [100, 100, 100, 100, 0, 0],
        [102, 102, 102, 102, 102, 102],
    ]
    assert (data.test_x * 32768).tolist() == [[1] * 6, [101] * 6]
    assert data.train_x.dtype == np.float32


def test_the_draw_of_speakers_depends_on_the_seed_only(tmp_path):
    root = folder(tmp_path, speakers=tuple("abcdefgh"))
    made = [wav_folder(root, seconds=0.001, held_out=0.3, seed=seed) for seed in (0, 0, 1, 2, 3)]
    assert made[0].digest() == made[1].digest()
    assert len({data.digest() for data in made}) > 2
    assert all(len(data.test_y) == 4 for data in made)


def test_rates_are_brought_to_one(tmp_path):
    root = folder(tmp_path, rates=(8000, 16000))
    assert wav_folder(root, seconds=0.01, rate=16000).train_x.shape[1] == 160
    with pytest.raises(
        ParameterError,
        match=r"^wav_folder: all files must have one rate, and ann_nohash_0\.wav has 8000 Hz, "
        r"bob_nohash_0\.wav 16000 Hz; give rate=8000 to bring all to it$",
    ):
        wav_folder(root, seconds=0.01)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"seconds": 0}, "seconds must be a number of s above 0, not 0"),
        ({"seconds": 1, "rate": 0}, "rate must be an integer in 1000..768000, not 0"),
        ({"seconds": 1, "held_out": 1}, "held_out must be a number above 0 and below 1, not 1"),
        (
            {"seconds": 1, "held_out": ["zoe"]},
            "held_out must name speakers of the files, and 'zoe' is none; there are ann, bob, eve",
        ),
        (
            {"seconds": 1, "held_out": ["ann", "bob", "eve"]},
            "some of 3 speakers must be held out and some not, and held_out takes 3; name files "
            "SPEAKER_NUMBER.wav, or change held_out",
        ),
        (
            {"seconds": 1e308},
            "the inputs must have at most 268435456 samples together, not 6 times 8000000000000; "
            "shorten seconds or lower rate",
        ),
    ],
    ids="seconds rate share name all much".split(),
)
def test_refuses_what_cannot_be(tmp_path, given, message):
    root = folder(tmp_path)
    with pytest.raises(ParameterError, match=f"^wav_folder: {re.escape(message)}$"):
        wav_folder(root, **given)


def test_refuses_folders_without_files(tmp_path):
    with pytest.raises(
        ParameterError,
        match=r"^wav_folder: .* must hold files LABEL/SPEAKER_NUMBER\.wav, and holds none$",
    ):
        wav_folder(tmp_path, seconds=1)
    with pytest.raises(
        ParameterError,
        match=r"^wav_folder: directory must name a folder, and there is no '.*nothing'$",
    ):
        wav_folder(tmp_path / "nothing", seconds=1)
