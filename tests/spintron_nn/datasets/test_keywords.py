"""Tests of spintron_nn.datasets.keywords, spoken_words and espeak."""

import re
from dataclasses import replace

import numpy as np
import pytest

from spintron_ir import ParameterError, ToolError
from spintron_nn.datasets import SpokenWords, espeak, keywords, speak_words
from spintron_nn.datasets.espeak import Espeak, Utterance, unavailable

FEW = SpokenWords(
    words=("yes", "no"), voices=("en-us",), variants=("m1", "f3", "m3"), held_out=("m3",)
)


@pytest.fixture
def _espeak(require_tool):
    require_tool("espeak-ng", unavailable())


@pytest.fixture
def _small_parts(monkeypatch):
    monkeypatch.setattr(keywords, "PART", 2)


def program(tmp_path, monkeypatch, *lines):
    """Put another program in the place of espeak-ng."""
    path = tmp_path / "espeak-ng"
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.toolchain
@pytest.mark.usefixtures("_espeak", "_small_parts")
def test_words_are_spoken_and_kept(tmp_path):
    seen = []
    made = speak_words(FEW, tmp_path / "one", progress=lambda *state: seen.append(state))
    assert seen == [(2, 6), (4, 6), (6, 6)]
    assert [path.suffix for path in (tmp_path / "one").iterdir()] == [".npz"]
    again = speak_words(FEW, tmp_path / "one")
    other = speak_words(FEW, tmp_path / "two", workers=2)
    for found in (again, other):
        assert found.version == made.version
        np.testing.assert_array_equal(found.sound, made.sound)
        np.testing.assert_array_equal(found.lengths, made.lengths)
    assert made.sound.dtype == np.int16
    assert (made.lengths > 16000 * 0.1).all() and (made.lengths < 16000).all()
    clips = made.clips()
    assert [len(clip) for clip in clips] == made.lengths.tolist()
    assert all(np.abs(clip).max() == 1 for clip in clips)
    # "yes" ends in noise of high frequencies, "no" in a vowel: changes of sign tell them apart.
    changes = [np.mean(np.diff(np.sign(clip[-len(clip) // 3 :])) != 0) for clip in clips]
    assert min(changes[:3]) > 2 * max(changes[3:])


@pytest.mark.toolchain
@pytest.mark.usefixtures("_espeak", "_small_parts")
def test_an_interrupted_run_goes_on(tmp_path, monkeypatch):
    def stop(done, of):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        speak_words(FEW, tmp_path, progress=stop)
    (parts,) = tmp_path.iterdir()
    kept = len(list(parts.iterdir()))
    assert parts.suffix == ".parts" and 1 <= kept <= 3
    assert {path.suffix for path in parts.iterdir()} == {".npz"}
    spoken = []
    speak = Espeak.speak
    monkeypatch.setattr(
        Espeak, "speak", lambda self, *given: spoken.append(given) or speak(self, *given)
    )
    resumed = speak_words(FEW, tmp_path)
    assert len(spoken) == 6 - 2 * kept
    whole = speak_words(FEW, tmp_path / "whole")
    np.testing.assert_array_equal(resumed.sound, whole.sound)


@pytest.mark.toolchain
@pytest.mark.usefixtures("_espeak")
def test_the_file_needs_no_program(tmp_path, monkeypatch):
    made = speak_words(FEW, tmp_path)
    monkeypatch.setenv("PATH", "")
    np.testing.assert_array_equal(speak_words(FEW, tmp_path).sound, made.sound)


@pytest.mark.toolchain
@pytest.mark.usefixtures("_espeak")
def test_the_voices_are_there():
    spoken = SpokenWords()
    Espeak().check(spoken.voices, spoken.variants)


@pytest.mark.toolchain
@pytest.mark.usefixtures("_espeak")
@pytest.mark.parametrize(
    ("field", "kind", "name"), [("voices", "voice", "en-xx"), ("variants", "variant", "zz9")]
)
def test_refuses_voices_that_are_not_there(tmp_path, field, kind, name):
    asked = replace(FEW, **{field: (*getattr(FEW, field), name)})
    with pytest.raises(
        ToolError,
        match=rf"^espeak-ng \S+ must have {kind} '{name}', and has not; install the package "
        rf"espeak-ng-data, or ask for other {kind}s$",
    ):
        speak_words(asked, tmp_path)


def test_says_how_to_get_the_program(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(
        ToolError,
        match=r"^espeak-ng must be installed, it speaks the words: apt-get install espeak-ng$",
    ):
        speak_words(FEW, tmp_path)


def test_says_what_the_program_says(tmp_path, monkeypatch):
    program(tmp_path, monkeypatch, "echo no data >&2", "exit 3")
    with pytest.raises(
        ToolError, match=r"^espeak-ng must speak, but it ended with status 3: no data$"
    ):
        speak_words(FEW, tmp_path)


def test_does_not_wait_for_ever(tmp_path, monkeypatch):
    program(tmp_path, monkeypatch, "while :; do :; done")
    monkeypatch.setattr(espeak, "TIME_LIMIT", 0.2)
    with pytest.raises(
        ToolError,
        match=r"^espeak-ng must answer within 0\.2 s: Command '.*' timed out after 0\.2 seconds$",
    ):
        speak_words(FEW, tmp_path)


def test_refuses_no_workers(tmp_path):
    with pytest.raises(
        ParameterError, match=r"^speak_words: workers must be an integer in 1\.\.64, not 0$"
    ):
        speak_words(FEW, tmp_path, workers=0)


def test_refuses_a_program_that_writes_nothing(tmp_path, monkeypatch):
    program(tmp_path, monkeypatch, "echo version 9.9")
    with pytest.raises(
        ToolError,
        match=r"^espeak-ng 9\.9 must write a WAV file, and did not: read_wav: path must name a "
        r"file, and there is no '.*'$",
    ):
        Espeak().speak(Utterance("yes", "en-us", "m1"), tmp_path)


def test_what_is_said_depends_on_its_own_numbers_only():
    first, more = SpokenWords(takes=1), SpokenWords(takes=2)
    assert first.utterance(3, 1, 2, 0) == more.utterance(3, 1, 2, 0)
    said = [more.utterance(*map(int, row)) for row in more.indices()[:500]]
    assert len(set(said)) > 490
    assert {one.speed for one in said} <= set(range(120, 221))
    assert {one.pitch for one in said} <= set(range(25, 76))
    assert first.digest() != more.digest() != replace(more, seed=1).digest()


def saved(tmp_path, **arrays):
    path = tmp_path / f"keywords-{FEW.digest()[:16]}.npz"
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    ("arrays", "why"),
    [
        ({"sound": np.zeros(6, np.int16)}, "it holds sound"),
        (
            {
                "sound": np.zeros(6, np.int16),
                "lengths": np.full(6, 2),
                "version": np.zeros(1, np.uint8),
            },
            "its lengths are not those of its clips",
        ),
    ],
    ids=["names", "lengths"],
)
def test_refuses_files_of_others(tmp_path, arrays, why):
    name = re.escape(saved(tmp_path, **arrays).name)
    with pytest.raises(
        ParameterError,
        match=rf"^speak_words: {name} must be a file that this function wrote \({why}\); delete "
        r"it to have it made again$",
    ):
        speak_words(FEW, tmp_path)


@pytest.mark.parametrize("damage", ["objects", "text", "cut"])
def test_refuses_damaged_files(tmp_path, damage):
    path = saved(tmp_path, sound=np.array([{}], dtype=object))
    if damage != "objects":
        path.write_bytes(b"no archive" if damage == "text" else path.read_bytes()[:-30])
    with pytest.raises(
        ParameterError,
        match=r"^speak_words: keywords-\w+\.npz must be a file that this function wrote \(.*\); "
        r"delete it to have it made again$",
    ):
        speak_words(FEW, tmp_path)


def test_any_damage_is_one_error(tmp_path):
    random = np.random.default_rng(3)
    path = tmp_path / f"keywords-{FEW.digest()[:16]}.npz"
    arrays = {"sound": np.arange(12, dtype=np.int16), "lengths": np.full(6, 2)}
    np.savez_compressed(path, **arrays, version=np.zeros(1, np.uint8))
    whole = path.read_bytes()
    refused = 0
    for _ in range(300):
        data = bytearray(whole)
        for place in random.integers(0, len(data), 3):
            data[place] = random.integers(0, 256)
        path.write_bytes(data)
        try:
            speak_words(FEW, tmp_path)
        except ParameterError:
            refused += 1
    assert refused > 100


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"words": ("yes; rm",)},
            "Utterance: text must be words of the letters a..z, not 'yes; rm'",
        ),
        (
            {"voices": ("-w",)},
            "Utterance: voice must be letters, digits, '-' and '_', not '-w'",
        ),
        (
            {"voices": ["en-us"]},
            "SpokenWords: voices must be a tuple of different names, not ['en-us']",
        ),
        (
            {"held_out": ("m9",)},
            "SpokenWords: held_out must be some of variants, and not all, not ('m9',)",
        ),
        ({"takes": 0}, "SpokenWords: takes must be an integer in 1..1000, not 0"),
        (
            {"takes": 100},
            "SpokenWords: there must be at most 100000 clips, not 140000; ask for fewer takes, "
            "voices or variants",
        ),
    ],
    ids="text voice list held takes many".split(),
)
def test_refuses_what_cannot_be_said(given, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        SpokenWords(**given)
