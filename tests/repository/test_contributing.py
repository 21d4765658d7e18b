"""What stands at the root for people who help: documents, forms, hooks."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from literate.project import ROOT

DOCUMENTS = sorted(ROOT.glob("*.md"))
REQUIRED = ("README", "CONTRIBUTING", "REFERENCE", "STYLE", "DESIGN", "CHANGELOG")
FENCE = re.compile(r"^(`{3,}).*?^\1$", re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


def test_the_documents_are_there():
    assert {f"{name}.md" for name in REQUIRED} <= {path.name for path in DOCUMENTS}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_of_documents_lead_somewhere(path):
    text = FENCE.sub("", path.read_text("utf8"))
    for target in re.findall(r"\]\(((?!https?:)[^)\s]+)\)", text):
        file, _, anchor = target.partition("#")
        linked = path.parent / file if file else path
        assert linked.exists(), target
        if anchor:
            assert anchor in anchors(linked.read_text("utf8")), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_documents_name_commands_that_exist(path):
    text = path.read_text("utf8")
    makefile = (ROOT / "Makefile").read_text("utf8")
    for target in re.findall(r"`make ([a-z-]+)`", text):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for module in re.findall(r"python -m ((?:benchmarks|tools|snippets)[\w.]+)", text):
        file = ROOT / Path(*module.split("."))
        assert file.with_suffix(".py").exists(), module


def test_the_readme_names_every_folder():
    text = (ROOT / "README.md").read_text("utf8")
    ignored = (ROOT / ".gitignore").read_text("utf8").splitlines()
    for folder in ROOT.iterdir():
        hidden = folder.name.startswith((".", "__")) or folder.suffix == ".egg-info"
        if folder.is_dir() and not hidden and f"/{folder.name}/" not in ignored:
            assert f"`{folder.name}/`" in text, folder.name


def test_every_option_of_a_block_is_in_the_reference():
    from literate.block import Options

    text = (ROOT / "REFERENCE.md").read_text("utf8")
    assert len(Options.__dataclass_fields__) >= 9
    for name in Options.__dataclass_fields__:
        assert re.search(rf"^\| `{name}[`=]", text, re.MULTILINE), name


def test_the_hooks_have_the_versions_of_the_tests():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf8"))
    pinned = (ROOT / "requirements-test.txt").read_text("utf8").splitlines()
    asked = {
        package
        for repository in config["repos"]
        for hook in repository["hooks"]
        for package in hook["additional_dependencies"]
    }
    assert all("==" in package for package in asked)
    ours = {it for it in asked if it.startswith(("ruff", "codespell"))}
    assert len(ours) == 2 and ours <= set(pinned)


def test_the_citation_has_the_version_of_the_project():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]
    assert citation["version"] == project["version"]
    assert {"cff-version", "title", "authors", "message"} <= set(citation)
    changes = (ROOT / "CHANGELOG.md").read_text("utf8")
    assert f"## {project['version']}" in changes


def test_the_form_asks_for_page_system_and_versions():
    path = ROOT / ".github" / "ISSUE_TEMPLATE" / "output-differs.yml"
    form = yaml.safe_load(path.read_text("utf8"))
    assert form["name"] == "This output differs on my machine"
    assert form["name"] in (ROOT / "CONTRIBUTING.md").read_text("utf8")
    asked = {it["id"]: it["validations"]["required"] for it in form["body"]}
    assert asked.items() >= {"page": True, "system": True, "versions": True}.items()
    (options,) = [
        it["attributes"]["options"] for it in form["body"] if it["id"] == "how"
    ]
    assert len(options) == len(set(options)) >= 4


def test_dependabot_looks_after_all_that_is_pinned():
    config = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text("utf8"))
    systems = {update["package-ecosystem"] for update in config["updates"]}
    assert systems == {"pip", "npm", "github-actions"}


def test_contributing_is_read_in_five_minutes():
    words = (ROOT / "CONTRIBUTING.md").read_text("utf8").split()
    assert len(words) <= 1100  # at 220 a minute
