"""Draw the icons of the installed site from its favicon; run it again to update.

    python -m tools.icons

Needs the browser of the tests. Writes `docs/assets/icons/`.
"""

import base64

from playwright.sync_api import sync_playwright

from literate.project import DOCS, relative
from literate.publishing.offline import ICONS
from tools import browser as browsers

# some systems cut a round icon out of the square: what is drawn keeps to its middle
PAGE = (
    '<body style="margin:0;background:#fff"><img src="data:image/svg+xml;base64,{}"'
    ' style="display:block;width:62vw;margin:19vw"></body>'
)


def main() -> None:
    """Write one picture for each size."""
    drawn = base64.b64encode((DOCS / "assets" / "favicon.svg").read_bytes()).decode()
    folder = DOCS / "assets" / "icons"
    folder.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = browsers.launch(playwright)
        for size in ICONS:
            page = browser.new_page(viewport={"width": size, "height": size})
            page.set_content(PAGE.format(drawn))
            path = folder / f"icon-{size}.png"
            page.screenshot(path=path)
            print(f"{relative(path)}: {path.stat().st_size:,} bytes")
        browser.close()


if __name__ == "__main__":
    main()
