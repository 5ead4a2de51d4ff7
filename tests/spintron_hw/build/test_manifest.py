"""Tests of spintron_hw.build.manifest."""

import hashlib
import json

from spintron_hw.build.manifest import manifest, package_versions, write_manifest


def test_versions_are_those_of_installed_packages():
    versions = package_versions(["numpy", "no-such-package-of-ours"])
    assert set(versions) == {"python", "numpy"}


def test_the_same_inputs_give_the_same_bytes(tmp_path):
    texts = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        (folder / "top.v").write_text("module top; endmodule\n")
        path = write_manifest(
            folder, ["top.v"], command=["spintron", "verilog"], inputs={"network": "ab"}
        )
        texts.append(path.read_bytes())
    assert texts[0] == texts[1]
    found = json.loads(texts[0])
    assert found["files"]["top.v"] == hashlib.sha256(b"module top; endmodule\n").hexdigest()


def test_it_names_seeds_tools_and_inputs():
    made = manifest(
        command=["spintron", "demo"], inputs={"x": "1"}, seeds={"chip": 7}, tools={"g++": "12.2"}
    )
    assert (made["seeds"], made["tools"], made["inputs"]) == (
        {"chip": 7},
        {"g++": "12.2"},
        {"x": "1"},
    )
