"""Ways beside git in which a file or a variable reaches the public: web roots, bundlers, npm, Docker, examples."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import Final

from routic_cli.delivery.packing import docker_contexts_with, npm_package_that_ships
from routic_cli.delivery.verdict import Finding, Severity

WEB_ROOTS: Final = frozenset({"public", "static", "dist", "www"})
_EXAMPLE_SUFFIXES: Final = (".example", ".sample", ".template")
_PUBLIC_PREFIXES: Final = (
    "NEXT_PUBLIC_", "VITE_", "REACT_APP_", "NUXT_PUBLIC_", "EXPO_PUBLIC_", "GATSBY_", "PUBLIC_", "NG_APP_",
)  # fmt: skip
_PROJECT_MARKS: Final = (".git", "package.json", "pyproject.toml", "composer.json")


def variable_findings(variable: str) -> Iterator[Finding]:
    """Whether a bundler copies variables of this name into what browsers download."""
    prefix = next((prefix for prefix in _PUBLIC_PREFIXES if variable.upper().startswith(prefix)), None)
    if prefix:
        yield Finding(
            "public-variable",
            Severity.REFUSE,
            f"Bundlers copy every {prefix}… variable into the code that browsers download; "
            "a frontend never calls the gateway directly",
            "--var ROUTIC_API_KEY",
        )


def publishing_findings(path: Path) -> Iterator[Finding]:
    """What is wrong with the place of the file, from its name and its neighbours alone."""
    yield from _example_findings(path)
    yield from _web_root_findings(path)
    folder = Path(os.path.realpath(path.parent))
    place = folder / path.name
    root = project_root(folder) or folder
    project = [folder, *(parent for parent in folder.parents if parent.is_relative_to(root))]
    package = npm_package_that_ships(place, project)
    if package:
        yield Finding(
            "npm-pack",
            Severity.WARN,
            f"`npm publish` in {package.folder} would ship {path}: {package.reason}",
            package.remedy,
        )
    for context in docker_contexts_with(place, project):
        yield Finding(
            "docker-context",
            Severity.WARN,
            f"{context.build_file} builds an image with {path} in its context: {context.reason}",
            context.remedy,
        )


def project_root(folder: Path) -> Path | None:
    """The outermost directory below the home directory that looks like a project's top; None without one.

    Outermost, because build output (`dist/package.json`) and submodules (`static/theme/.git`) have such marks too.
    """
    root = None
    for place in (folder, *folder.parents):
        if place in _homes():
            break
        if any(os.path.lexists(place / mark) for mark in _PROJECT_MARKS):
            root = place
    return root


def _homes() -> set[Path]:
    home = os.path.expanduser("~")  # noqa: PTH111  # Path.home() raises where a container's user has no entry
    return {Path(home), Path(os.path.realpath(home))}


def _example_findings(path: Path) -> Iterator[Finding]:
    if path.name.lower().endswith(_EXAMPLE_SUFFIXES):
        real = path.with_suffix("")
        yield Finding(
            "example-file",
            Severity.REFUSE,
            f"{path} is named as an example, which is there to be committed and copied",
            f"--env-file {quote(str(real))}",
        )


def _web_root_findings(path: Path) -> Iterator[Finding]:
    # As typed and as resolved: a web server reaches `public/uploads -> /data` under the first name, a bundler
    # copies `assets -> static` under the second.
    typed = Path(os.path.abspath(path.parent))  # noqa: PTH100  # resolve() follows the links this is about
    for folder in dict.fromkeys((typed, Path(os.path.realpath(path.parent)))):
        web_root = _web_root_of(folder)
        if web_root:
            yield Finding(
                "web-root",
                Severity.REFUSE,
                f"{path} lies under {web_root}, which web servers and bundlers hand out",
                f"--env-file {quote(str(web_root.parent / path.name))}",
            )
            return


def _web_root_of(folder: Path) -> Path | None:
    """The outermost directory of the project around the folder that has a web root's name.

    Inside a project such a name is what a bundler copies; above it, it is only where projects are kept
    (`/var/www/shop/.env` beside `/var/www/shop/public` is how Laravel is deployed). Where no project is to be
    seen, /var/www itself may be what is served, so every name up to the home directory counts, that one's too:
    www-data lives in /var/www.
    """
    root = project_root(folder)
    above = root or next((place.parent for place in (folder, *folder.parents) if place in _homes()), None)
    inside = [folder, *folder.parents]
    if above:
        inside = [place for place in inside if place != above and place.is_relative_to(above)]
    return next((place for place in reversed(inside) if place.name.lower() in WEB_ROOTS), None)
