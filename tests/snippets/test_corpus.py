"""The texts: what comes with the book, and what is downloaded."""

import hashlib
import re
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from snippets import corpus
from snippets.corpus import Tale, download, load_text, parse_tale, tales

BODY = bytes(range(256)) * 40
DIGEST = hashlib.sha256(BODY).hexdigest()


def test_there_is_enough_to_learn_from():
    assert len(load_text("tales")) >= 150_000
    assert Counter(tale.place for tale in tales()).keys() == {
        "sea",
        "farm",
        "town",
        "hills",
    }
    assert min(Counter(tale.place for tale in tales()).values()) >= 10


def test_the_tales_are_plain_text():
    text = load_text("tales")
    assert re.fullmatch(r"[A-Za-z .,?!:'\"\n-]+", text)
    assert text.endswith("\n") and not text.endswith("\n\n")


def test_every_sentence_is_complete_and_no_tale_comes_twice():
    for tale in tales():
        assert 3 <= len(tale.paragraphs) <= 12, tale.title
        for sentence in tale.sentences:
            assert re.search(r'[.?!]["\']?$', sentence), f"{tale.title}: {sentence}"
    titles = [tale.title for tale in tales()]
    assert len(set(titles)) == len(titles)


def test_long_sentences_are_not_repeated():
    counts = Counter(s for t in tales() for s in t.sentences if len(s.split()) > 6)
    assert [s for s, n in counts.items() if n > 1] == []


def test_sentences_keep_their_quotation_marks():
    text = '"Is it late?" asked Ana. "No." It was not.'
    sentences = Tale("sea", "Two", [text, "He left."]).sentences
    assert sentences == ['"Is it late?" asked Ana.', '"No."', "It was not.", "He left."]


def test_a_text_that_is_no_tale():
    with pytest.raises(ValueError, match=r"not 'Once'"):
        parse_tale("Once\n\nupon a time.")


def test_a_file_of_one_s_own(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("naïve", "utf8")
    assert load_text(str(path)) == "naïve"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"mine\.txt is not UTF-8"):
        load_text(str(path))


def test_an_unknown_name_says_what_there_is():
    with pytest.raises(FileNotFoundError, match="'tails': use 'tales', 'shakespeare'"):
        load_text("tails")


class Server(BaseHTTPRequestHandler):
    """Serves `BODY`, as much of it as it is told to."""

    breaks_after: int | None = None

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY[: self.breaks_after])

    def log_message(self, *args):
        pass


@pytest.fixture
def url(monkeypatch):
    server = HTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(Server, "breaks_after", None)
    yield f"http://127.0.0.1:{server.server_port}/text"
    server.shutdown()
    server.server_close()


def test_a_download(url, tmp_path):
    download(url, tmp_path / "new" / "text", DIGEST)
    assert (tmp_path / "new" / "text").read_bytes() == BODY
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["text"]


def test_an_interrupted_download_leaves_nothing(url, tmp_path, monkeypatch):
    monkeypatch.setattr(Server, "breaks_after", 3000)
    with pytest.raises(ConnectionError, match="after 3000 of 10240 bytes: start again"):
        download(url, tmp_path / "text", DIGEST)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(Server, "breaks_after", None)
    download(url, tmp_path / "text", DIGEST)
    assert (tmp_path / "text").read_bytes() == BODY


def test_a_page_that_is_not_there_is_told(url, tmp_path, monkeypatch):
    monkeypatch.setattr(Server, "do_GET", lambda self: self.send_error(404))
    with pytest.raises(ConnectionError, match=r"could not download .* 404"):
        download(url, tmp_path / "text", DIGEST)


def test_a_wrong_download_is_thrown_away(url, tmp_path):
    with pytest.raises(ValueError, match="is not the file it should be"):
        download(url, tmp_path / "text", "0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_offline_it_says_what_to_do(tmp_path):
    with pytest.raises(ConnectionError, match=r"Go online .* set DAYBOOK_DATA"):
        download("http://127.0.0.1:9/text", tmp_path / "text", DIGEST)


@pytest.fixture
def shakespeare(tmp_path, monkeypatch):
    monkeypatch.setattr(corpus, "SHAKESPEARE_SHA256", DIGEST)
    monkeypatch.setattr(corpus, "SHAKESPEARE", "http://127.0.0.1:9/text")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def test_shakespeare_is_taken_from_a_folder(shakespeare, monkeypatch):
    (shakespeare / "tinyshakespeare.txt").write_bytes(BODY)
    monkeypatch.setenv("DAYBOOK_DATA", str(shakespeare))
    assert corpus.shakespeare().parent == shakespeare


def test_shakespeare_is_downloaded_once(shakespeare, monkeypatch, url):
    monkeypatch.delenv("DAYBOOK_DATA", raising=False)
    monkeypatch.setattr(corpus, "SHAKESPEARE", url)
    path = corpus.shakespeare()
    monkeypatch.setattr(corpus, "SHAKESPEARE", "http://127.0.0.1:9/text")
    assert corpus.shakespeare() == path
    assert path.parent == shakespeare / "cache" / "daybook"


def test_a_damaged_shakespeare_is_named(shakespeare, monkeypatch):
    (shakespeare / "tinyshakespeare.txt").write_bytes(b"damaged")
    monkeypatch.setenv("DAYBOOK_DATA", str(shakespeare))
    with pytest.raises(ValueError, match=r"tinyshakespeare\.txt is not the file"):
        corpus.shakespeare()
