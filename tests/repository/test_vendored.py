"""Other people's work in the repository: listed with version, licence and digest."""

import hashlib
import re
import tomllib

import pytest

from literate.project import DOCS, ROOT, relative

LIST = ROOT / "tools" / "vendored.toml"
FILES = tomllib.loads(LIST.read_text("utf8"))["file"]
FOLDERS = (ROOT / "literate" / "vendor", DOCS / "assets" / "vendor")
# a note on texts whose rights have run out, which nobody publishes as a package
OWN = {"docs/assets/playground/train/shakespeare.LICENSE"}
PHRASES = {
    "Apache-2.0": "Apache License",
    "MIT": "Permission is hereby granted, free of charge",
    "OFL-1.1": "SIL OPEN FONT LICENSE Version 1.1",
}


def is_licence(path) -> bool:
    return path.name.endswith("LICENSE")


@pytest.mark.parametrize("entry", FILES, ids=lambda entry: entry["path"])
def test_a_vendored_file_is_what_the_list_says(entry):
    content = (ROOT / entry["path"]).read_bytes()
    found = hashlib.sha256(content).hexdigest()
    assert found == entry["sha256"], f"write its digest into {relative(LIST)}: {found}"
    licence = (ROOT / entry["text"]).read_text("utf8")
    assert PHRASES[entry["licence"]] in re.sub(r"\s+", " ", licence)


def test_everything_vendored_is_listed():
    places = [path for folder in FOLDERS for path in folder.rglob("*")]
    # elsewhere, a licence tells that what it belongs to is somebody's
    licences = [*DOCS.rglob("*LICENSE"), *(ROOT / "snippets").rglob("*LICENSE")]
    here = {
        relative(path) for path in places if path.is_file() and not is_licence(path)
    }
    assert here <= {entry["path"] for entry in FILES}
    texts = {relative(path) for path in [*places, *licences] if is_licence(path)}
    assert texts - OWN == {entry["text"] for entry in FILES}


def test_the_versions_are_those_that_are_fetched():
    program = (ROOT / "tools" / "vendor.py").read_text("utf8")
    fetched = set(re.findall(r'^[A-Z_]+ = "(@?[\w/-]+@[\d.]+)"', program, re.MULTILINE))
    assert {f"{entry['name']}@{entry['version']}" for entry in FILES} == fetched
