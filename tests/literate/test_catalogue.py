"""The catalogue of snippets, on its page and in `snippets/README.md`."""

import re
import subprocess
import sys

import pytest
from bs4 import BeautifulSoup

from literate import catalogue
from literate.project import DOCS, ROOT, SNIPPETS, PageError
from tests.helpers import convert


def test_every_snippet_is_listed_once_by_its_day():
    files = {p for p in SNIPPETS.rglob("*.py") if p.name != "__init__.py"}
    found = catalogue.snippets()
    assert {snippet.path for snippet in found} == files
    assert len(found) == len(files)
    groups = {snippet.path.stem: snippet.group for snippet in found}
    assert groups["attention"] == "llm-3"
    assert groups["optimizers"] == "pytorch-3"
    assert groups["table"] == "pytorch-7"
    assert groups["streams"] == catalogue.OTHERS


def test_the_page_shows_every_snippet_of_its_track():
    page = (DOCS / "llm" / "day-7" / "review-code.md").read_text("utf8")
    asked = re.findall(r"/// gather \| snippets (\S+)", page)
    groups = {
        s.group for s in catalogue.snippets() if not s.group.startswith("pytorch")
    }
    assert groups <= set(asked)
    assert len(asked) == len(set(asked))


def test_a_snippet_is_shown_with_its_names_proofs_page_and_test():
    html = convert("/// gather | snippets llm-3\n///\n")
    page = BeautifulSoup(html, "html.parser")
    heading = page.select_one("h3#snippets-llama")
    assert heading.code.get_text() == "snippets/llama.py"
    says, where = heading.find_next_siblings("p", limit=2)
    assert says.get_text().startswith("LLaMA: RMSNorm, rotary positions, SwiGLU")
    assert "tests/snippets/test_llama.py" in where.get_text()
    assert [a["href"] for a in where.select("a")] == [
        "/llm/day-3/llama.md",
        "snippets/llama.py",
    ]
    items = {
        item.code.get_text(): item.get_text()
        for item in heading.find_next("ul").select("li")
    }
    assert items["Llama"].endswith("Proved against transformers.LlamaForCausalLM.")
    assert items["swiglu_width"] == (
        "swiglu_width: The inner width of SwiGLU: 2/3 of 4 d_model, rounded up to a"
        " multiple."
    )


def test_a_docstring_keeps_its_characters():
    assert catalogue.shown("d_ff of `a_b`, 2 * 3") == r"d\_ff of `a_b`, 2 \* 3"


def test_proofs_are_read_as_they_run():
    """Reading the files gives what importing them gives."""
    import proofs

    ours = {proof.ours: [] for proof in proofs.load()}
    for proof in proofs.load():
        ours[proof.ours].append(proof.theirs)
    read = catalogue.proofs()
    assert {k: sorted(v) for k, v in read.items()} == {
        k: sorted(v) for k, v in ours.items()
    }


def test_a_proof_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(catalogue, "PROOFS", tmp_path)
    monkeypatch.setattr(catalogue, "relative", lambda path: path.name)
    path = tmp_path / "a.py"
    path.write_text('@proof("A", ours=f"a{1}", theirs="b")\ndef f(): ...\n')
    with pytest.raises(PageError, match=r"a.py:1: ours and theirs .* not f'a\{1\}'"):
        catalogue.proofs()


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        (None, ""),
        ("One.\n\nTwo.", "One."),
        ("A head: (B,\n    T).\nMore", "A head: (B, T)."),
        ("No end", "No end"),
        ("As `a.b` does. Two.", "As `a.b` does."),
    ],
)
def test_the_first_sentence_of_a_docstring(docstring, expected):
    assert catalogue.sentence(docstring) == expected


def test_the_build_needs_no_import_of_a_snippet_to_list_it():
    text = (ROOT / "literate" / "catalogue.py").read_text("utf8")
    assert not re.search(r"^(from|import) (snippets|proofs)\b", text, re.MULTILINE)


def test_the_readme_is_as_the_files_are():
    assert catalogue.README.read_text("utf8") == catalogue.readme(), (
        "python -m literate.catalogue --write"
    )


def test_a_row_has_all_there_is_to_know():
    (row,) = (r for r in catalogue.readme().split("\n") if "`llama.py`" in r)
    file, says, built, proved, tested = row.strip("| ").split(" | ")
    assert file == "[`llama.py`](llama.py)"
    assert says.startswith("LLaMA: RMSNorm")
    assert built.startswith("LLM day 3: [")
    assert built.endswith("](../docs/llm/day-3/llama.md)")
    assert "`transformers.LlamaForCausalLM`" in proved
    assert tested == "`tests/snippets/test_llama.py`"


def test_every_link_of_the_readme_leads_to_a_file():
    links = re.findall(r"\]\(([^)]+)\)", catalogue.readme())
    assert len(links) > 80
    assert [link for link in links if not (SNIPPETS / link).is_file()] == []


def test_every_file_is_proved_or_tested():
    left = [s.module for s in catalogue.snippets() if not catalogue.tests_of(s)]
    assert [module for module in left if not catalogue.against(module)] == []


def test_a_file_belongs_to_the_page_that_shows_most_of_it():
    built = {s.module: s.page.name for s in catalogue.snippets() if s.page}
    assert built["snippets.modules"] == "docs/pytorch/day-2/modules.md"
    assert built["snippets.mini_gpt.data"] == "docs/llm/day-6/training-deeper.md"


def test_tests_of_a_like_name_are_not_taken_for_its_own():
    tests = {s.module: catalogue.tests_of(s) for s in catalogue.snippets()}
    own = ["test_mini_gpt_parallel.py", "test_mini_gpt_train.py"]
    own = [f"tests/snippets/{name}" for name in own]
    assert tests["snippets.mini_gpt.run"] == own
    assert tests["snippets.attention"] == ["tests/snippets/test_attention.py"]


def test_an_old_readme_is_told_and_written_anew(tmp_path, monkeypatch, capsys):
    old = tmp_path / "README.md"
    monkeypatch.setattr(catalogue, "README", old)
    monkeypatch.setattr(catalogue, "relative", lambda path: path.name)
    monkeypatch.setattr(catalogue, "readme", lambda: "new\n")
    assert catalogue.main([]) == 1
    assert "README.md is old" in capsys.readouterr().out
    assert catalogue.main(["--write"]) == 0
    assert old.read_bytes() == b"new\n"
    assert catalogue.main([]) == 0


def test_it_needs_no_torch():
    code = (
        "import sys; from literate import catalogue; catalogue.readme();"
        " print('torch' in sys.modules)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"
