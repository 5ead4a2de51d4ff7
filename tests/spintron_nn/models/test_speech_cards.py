"""The weights for speech that the package ships do what their cards say, on words spoken here."""

import numpy as np
import pytest
import torch

from spintron_nn.datasets.espeak import Espeak, Utterance, unavailable
from spintron_nn.models import (
    KeywordSpottingNet_Spintronic,
    SpintronicNet,
    WakeWordDetector_Spintronic,
)
from spintron_nn.models.data import zoo_data
from spintron_nn.models.figures import counts, hits

SPOKEN_BY = "espeak-ng 1.51"


@pytest.fixture(scope="module", params=["keyword_spotting", "hey_assistant"])
def spoken(request, require_tool):
    """Name, network and data that its card counts apart."""
    require_tool("espeak-ng", unavailable())
    version = Espeak().version
    other = None if version == SPOKEN_BY else f"the cards have words of {SPOKEN_BY}, not {version}"
    require_tool(SPOKEN_BY, other)
    return request.param, SpintronicNet.from_pretrained(request.param), zoo_data(request.param)


@pytest.mark.toolchain
def test_counts_of_the_card(spoken):
    name, net, data = spoken
    floating = SpintronicNet.from_pretrained(name, floating=True)
    found, told = counts(hits(net, floating, data.test_x, data.test_y)), net.facts["card"]
    assert found["inputs"] == told["again"]["inputs"] == len(data.test_y)
    # The features come from a Fourier transform in float32: another processor may round another
    # way, and a code of four bits then turns over.
    for key in ("float", "ideal", "chips"):
        assert np.abs(np.subtract(found[key], told["again"][key])).max() <= 2, key


@pytest.mark.toolchain
def test_evaluation_is_the_integers_of_the_chip(spoken):
    _, net, data = spoken
    x = torch.from_numpy(data.test_x[:40])
    for chip in ({"ideal": True}, {"chip_seed": 3, "wafer": 3}):
        net.chips.place(**chip)
        assert np.array_equal(net.chips(x).numpy(), net.convert(**chip).run(x))
    net.chips.place()


def test_figures_of_the_cards():
    """Keywords of unseen speakers within two points of floating point, on average of ten chips."""
    told = KeywordSpottingNet_Spintronic.from_pretrained("keyword_spotting").facts["card"]
    assert told["inputs"] == 1400 and len(told["chips"]) == 10
    assert told["float"] >= 0.98 * 1400
    assert told["float"] - np.mean(told["chips"]) <= 0.02 * 1400
    wake = WakeWordDetector_Spintronic.from_pretrained("hey_assistant").facts["card"]
    assert np.mean(wake["chips"]) >= 0.99 * wake["inputs"]


@pytest.mark.toolchain
def test_the_wake_word_is_heard(require_tool, tmp_path):
    require_tool("espeak-ng", unavailable())
    detector = WakeWordDetector_Spintronic.from_pretrained("hey_assistant")

    def heard(text):
        from spintron_nn.datasets.wav import resample

        found = Espeak().speak(Utterance(text, "en-us", "m3"), tmp_path)
        sound = np.zeros(22400, np.float32)
        clip = resample(found.mono(), found.rate, 16000)
        start = (len(sound) - len(clip)) // 2
        sound[start : start + len(clip)] = clip
        sound += np.random.default_rng(0).normal(0, 0.005, len(sound)).astype(np.float32)
        return detector(detector.features(torch.from_numpy(sound))).probability

    assert heard("hey assistant") > 0.9
    assert max(heard("good morning"), heard("assistance")) < 0.1


def test_power_is_that_of_microwatts():
    detector = WakeWordDetector_Spintronic.from_pretrained("hey_assistant")
    power = detector.estimate_power_consumption(duty_cycle=0.1, voltage=0.8)
    # 18,504 conversions of 1.6 pJ, once a second: 0.030 uW; the reads add little.
    assert 0.0296 < power < 0.031
    assert detector.estimate_power_consumption(duty_cycle=0.2) > 1.9 * power
