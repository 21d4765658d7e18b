"""What mkdocs.yml asks for when it is read: data from the environment, no more."""

from typing import Any

from mkdocs.exceptions import BuildError

from literate import project


def url() -> str:
    """The site's address, or empty; raises `BuildError` for one that cannot be."""
    try:
        project.mode()
        return project.site_url()
    except project.PageError as error:
        raise BuildError(str(error)) from None


def strict() -> bool:
    """Whether a warning stops the build; not while an author edits."""
    return not project.serving()


def extra() -> dict[str, Any]:
    """The repository, for links to it; nothing where it is not known."""
    try:
        name = project.repository()
    except project.PageError as error:
        raise BuildError(str(error)) from None
    link = {
        "icon": "fontawesome/brands/github",
        "link": f"https://github.com/{name}",
        "name": "Source on GitHub",
    }
    return {
        "generator": False,
        "repository": name,
        "social": [link] if name else [],
        "offline": not project.serving(),
    }
