"""Fetch what the site ships of other people's work; run it again to update.

    python tools/vendor.py

Needs npm and the Python packages fonttools, brotli and tiktoken. Writes, each with its
licence:

- `literate/vendor/temml.min.js` (MIT): turns TeX into MathML while the site is built;
- `docs/assets/vendor/ts-fsrs.js` (MIT): FSRS, which says when a flash card comes back;
- `docs/assets/vendor/huggingface-tokenizers.js` (Apache 2.0): reads those
  `tokenizer.json` that are none of the book's tokenizers, on the tokenizer playground;
- `docs/assets/fonts/math.woff2` (SIL OFL 1.1): Noto Sans Math, cut down to the glyphs
  that formulas use; brackets and roots stretch only with a font that has a MATH table;
- `literate/vendor/tiktoken/*.tiktoken.xz` (MIT): the vocabularies of GPT-2, cl100k and
  o200k, which `tiktoken` would download, from the npm package js-tiktoken.
"""

import hashlib
import json
import lzma
import re
import shutil
import subprocess
import tarfile
import tempfile
from importlib.metadata import distribution
from pathlib import Path

from fontTools import subset

ROOT = Path(__file__).resolve().parents[1]
TEMML = "temml@0.13.5"
FSRS = "ts-fsrs@5.4.2"
HUGGING_FACE = "@huggingface/tokenizers@0.2.0"
HUGGING_FACE_SHA256 = (  # of its one module
    "258e46332101335ce8d95aed7745b19ac3b46d37f3e159a89cf894c2ea9b1d3a"
)
TIKTOKEN = "js-tiktoken@1.0.21"
RANKS = {  # the sha256 that tiktoken expects of each file
    "r50k_base": "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930",
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
}
FONT = "@fontsource/noto-sans-math@5.3.0"
GLYPHS = [  # a test sees that the formulas of the site need no others
    *range(0x20, 0x7F),  # ASCII
    *(0xA0, 0xAC, 0xB1, 0xB7, 0xD7, 0x2C6),  # no-break space ¬ ± · × and a hat
    *(0xBC, 0xBD, 0xBE),  # ¼ ½ ¾
    *range(0x391, 0x3AA),  # Greek capitals; small letters are italic
    *(0x3D1, 0x3D5, 0x3F5),  # theta, phi and epsilon, the other shapes
    *(0x2016, 0x2026, 0x2032, 0x2033, 0x2061, 0x2062, 0x2063),
    *(0x210E, 0x2112, 0x2113, 0x211D),  # italic h, script L and l, the real numbers
    *(0x2190, 0x2192, 0x21D2),  # arrows
    *(0x2200, 0x2202, 0x2203, 0x2205, 0x2207, 0x2208, 0x220F, 0x2211, 0x2212, 0x2218),
    *(0x221A, 0x221D, 0x221E, 0x2223, 0x2225, 0x2229, 0x222A, 0x222B, 0x223C),
    *(0x2248, 0x2254, 0x2260, 0x2261, 0x2264, 0x2265, 0x226A, 0x226B, 0x2282, 0x2286),
    *(0x2295, 0x2297, 0x2299, 0x22A4, 0x22C5, 0x22EE, 0x22EF, 0x22F1),
    *(0x2308, 0x2309, 0x230A, 0x230B, 0x27E8, 0x27E9),
    *range(0x1D434, 0x1D468),  # italic letters
    *range(0x1D6FC, 0x1D71C),  # italic Greek
    *(0x1D4A9, 0x1D53C),  # script N, double-struck E
]
SIZES = (0, 1, 2, 3, 4, 6)  # of a bracket; larger ones are put together from parts


def unpack(package: str, folder: Path) -> Path:
    """The contents of an npm package."""
    command = ["npm", "pack", "--json", package]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True)
    archive = folder / json.loads(done.stdout)[0]["filename"]
    target = folder / package.replace("/", "-")
    with tarfile.open(archive) as tar:
        tar.extractall(target, filter="data")
    return target / "package"


def temml(folder: Path) -> None:
    """Copy the converter and its licence."""
    package = unpack(TEMML, folder)
    target = ROOT / "literate" / "vendor"
    target.mkdir(exist_ok=True)
    shutil.copy(package / "dist" / "temml.min.js", target / "temml.min.js")
    shutil.copy(package / "LICENSE", target / "temml.LICENSE")


def fsrs(folder: Path) -> None:
    """Copy the scheduler, one ES module, and its licence.

    Its types are left out, and so is the reference to its source map.
    """
    package = unpack(FSRS, folder)
    target = ROOT / "docs" / "assets" / "vendor"
    target.mkdir(parents=True, exist_ok=True)
    module = (package / "dist" / "index.mjs").read_text("utf8")
    module = re.sub(r"(?m)^//# sourceMappingURL=.*\n?", "", module)
    head = f"// {FSRS}, MIT, see ts-fsrs.LICENSE\n// @ts-nocheck\n"
    (target / "ts-fsrs.js").write_text(head + module, "utf8", newline="\n")
    shutil.copy(package / "LICENSE", target / "ts-fsrs.LICENSE")


def hugging_face(folder: Path) -> None:
    """Copy the library, one ES module, and its licence."""
    package = unpack(HUGGING_FACE, folder)
    module = (package / "dist" / "tokenizers.min.mjs").read_bytes()
    found = hashlib.sha256(module).hexdigest()
    if found != HUGGING_FACE_SHA256:
        raise SystemExit(f"{HUGGING_FACE}: sha256 {found}, not {HUGGING_FACE_SHA256}")
    target = ROOT / "docs" / "assets" / "vendor"
    name = "huggingface-tokenizers"
    head = f"// {HUGGING_FACE}, Apache-2.0, see {name}.LICENSE\n// @ts-nocheck\n"
    (target / f"{name}.js").write_bytes(head.encode() + module)
    shutil.copy(package / "LICENSE", target / f"{name}.LICENSE")


def font(folder: Path) -> None:
    """Cut the font down to `GLYPHS`, and what these stretch into."""
    package = unpack(FONT, folder)
    source = package / "files" / "noto-sans-math-latin-400-normal.woff2"
    target = ROOT / "docs" / "assets" / "fonts"
    target.mkdir(parents=True, exist_ok=True)
    options = subset.Options(flavor="woff2", layout_features=["ssty"])
    options.name_IDs = [0, 1, 2, 13, 14]
    options.hinting = False
    loaded = subset.load_font(str(source), options)
    for stretched in loaded["MATH"].table.MathVariants.VertGlyphConstruction:
        sizes = stretched.MathGlyphVariantRecord
        if len(sizes) > len(SIZES):
            stretched.MathGlyphVariantRecord = [sizes[index] for index in SIZES]
            stretched.VariantCount = len(SIZES)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=GLYPHS)
    subsetter.subset(loaded)
    subset.save_font(loaded, str(target / "math.woff2"), options)
    shutil.copy(package / "LICENSE", target / "math.LICENSE")
    size = (target / "math.woff2").stat().st_size
    print(f"docs/assets/fonts/math.woff2: {size:,} bytes, {len(GLYPHS)} characters")


def vocabularies(folder: Path) -> None:
    """Write each table of ranks as the file that tiktoken reads, compressed.

    The table has lines `! OFFSET TOKEN TOKEN …`, the tokens of consecutive ranks.
    """
    package = unpack(TIKTOKEN, folder)
    target = ROOT / "literate" / "vendor" / "tiktoken"
    target.mkdir(exist_ok=True)
    for name, expected in RANKS.items():
        module = (package / "dist" / "ranks" / f"{name}.js").read_text("utf-8")
        table = json.loads(re.search(r'"bpe_ranks":("(?:[^"\\]|\\.)*")', module)[1])
        lines = []
        for line in table.splitlines():
            _, offset, *tokens = line.split()
            lines += [f"{token} {int(offset) + n}\n" for n, token in enumerate(tokens)]
        content = "".join(lines).encode()
        found = hashlib.sha256(content).hexdigest()
        if found != expected:
            raise SystemExit(f"{name}: sha256 {found}, tiktoken expects {expected}")
        packed = lzma.compress(content, preset=9 | lzma.PRESET_EXTREME)
        (target / f"{name}.tiktoken.xz").write_bytes(packed)
        print(f"{name}.tiktoken.xz: {len(packed):,} bytes, {len(lines):,} tokens")
    licence = next(f for f in distribution("tiktoken").files if f.name == "LICENSE")
    shutil.copy(licence.locate(), target / "LICENSE")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        temml(Path(name))
        fsrs(Path(name))
        hugging_face(Path(name))
        font(Path(name))
        vocabularies(Path(name))
