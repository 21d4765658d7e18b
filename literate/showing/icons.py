"""What a task of the plan asks for, as a drawn icon.

In `docs/plan.md` a task begins with an emoji, which every editor shows. A reader's
system may have no font for it, so the site draws one of its own: a span with a class,
whose picture is in `docs/assets/site.css`.
"""

import html

KINDS = {
    "📖": ("read", "Read"),
    "🛠️": ("build", "Build"),
    "🎬": ("watch", "Watch"),
    "📌": ("course", "A course"),
    "✅": ("whole", "Put together"),
    "🔁": ("again", "Catch up"),
    "🧠": ("recall", "Recall"),
    "🔍": ("review", "Review"),
    "📝": ("note", "Write down"),
}


def split(text: str) -> tuple[dict[str, str], str]:
    """The attributes of the icon that a task's words begin with, and the other words.

    No attributes where the words begin with none.
    """
    emoji, _, rest = text.partition(" ")
    if emoji not in KINDS:
        return {}, text
    name, label = KINDS[emoji]
    attributes = {"class": f"icon icon-{name}", "role": "img", "aria-label": label}
    return attributes, rest


def in_html(text: str) -> str:
    """A task's words as HTML, with the icon drawn."""
    attributes, rest = split(text)
    listed = "".join(f' {name}="{value}"' for name, value in attributes.items())
    icon = f"<span{listed}></span> " if attributes else ""
    return icon + html.escape(rest)
