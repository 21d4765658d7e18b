"""Builds of the whole site, with other settings than those of the published one."""

import pytest

from literate.project import ROOT
from tests.conftest import REPOSITORY
from tests.helpers import python
from tests.test_site import SOURCES, built


def test_without_a_repository_nothing_is_invented(tmp_path):
    folder = tmp_path / "site"
    done = python(ROOT, "-m", "mkdocs", "build", "--site-dir", str(folder))
    assert done.returncode == 0, done.stderr
    for path in folder.rglob("*.html"):
        text = path.read_text("utf8")
        assert "colab.research" not in text and "Source on GitHub" not in text, path
        assert 'rel="canonical"' not in text


def test_a_frozen_build_shows_what_the_tests_ran(site, tmp_path):
    folder = tmp_path / "site"
    command = ("-m", "mkdocs", "build", "--site-dir", str(folder))
    done = python(ROOT, *command, LITERATE="frozen", GITHUB_REPOSITORY=REPOSITORY)
    assert done.returncode == 0, done.stderr
    assert "Cache miss" not in done.stderr
    for source in SOURCES:
        first, second = built(site, source), built(folder, source)
        assert first.read_text("utf8") == second.read_text("utf8"), source


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"GITHUB_REPOSITORY": "no owner"}, "GITHUB_REPOSITORY='no owner': it must be"),
        ({"DAYBOOK_URL": "daybook.org"}, "DAYBOOK_URL='daybook.org': it must start"),
        ({"LITERATE": "icy"}, "LITERATE='icy': it must be one of run, frozen"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path, variables, message):
    command = ("-m", "mkdocs", "build", "--site-dir", str(tmp_path / "site"))
    done = python(ROOT, *command, **variables)
    assert done.returncode != 0
    assert message in done.stdout + done.stderr
