"""Whether `npm publish` or a Docker build would take a file along, read from the files that decide it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from shlex import quote
from typing import Any, Final

from routic_cli.delivery.ignore_patterns import last_word, read_rules, rule_for

_LARGEST_READ: Final = 1_000_000
_BUILD_FILE: Final = re.compile(r"(?:docker|container)file(?:\..+)?|.+\.dockerfile", re.IGNORECASE)
_COMPOSE_FILE: Final = re.compile(r"(?:docker-)?compose(?:\..+)?\.ya?ml")
_COMPOSE_CONTEXT: Final = re.compile(r"^\s*(?:build|context)\s*:[ \t]*(?![\s#{&|>])[\"']?([^\"'\s#]+)", re.MULTILINE)
_COMPOSE_BUILD: Final = re.compile(r"^\s*build\s*:\s*(?:#.*)?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Package:
    """An npm package that would be published with the file in it."""

    folder: Path
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class DockerContext:
    """A build context that has the file in it."""

    build_file: Path
    reason: str
    remedy: str


def npm_package_that_ships(path: Path, project: Sequence[Path]) -> Package | None:
    """The innermost package of the project, a list of directories from the inside out, that would ship the file."""
    for folder in project:
        manifest = _manifest(folder)
        # Without a name and a version npm packs nothing; with "private" it publishes nothing.
        if not (manifest.get("name") and manifest.get("version")) or manifest.get("private"):
            continue
        inside = PurePosixPath(path.relative_to(folder))
        files = manifest.get("files")
        if isinstance(files, list):
            listed = read_rules([str(entry) for entry in files], anchored=True, ignore_case=True)
            # A list overrules the ignore files of the package's top, not those further down.
            if last_word(listed, inside) and not _npm_ignores(path, _between(folder, path)[1:]):
                entry = quote(f"files[]=!{inside}")
                return Package(folder, '"files" lists it', f"npm --prefix {quote(str(folder))} pkg set {entry}")
        elif not _npm_ignores(path, [*_workspace_above(folder, project), *_between(folder, path)]):
            ignore_file = folder / (".npmignore" if (folder / ".npmignore").is_file() else ".gitignore")
            return Package(folder, f"{ignore_file.name} does not exclude it", _appending(rule_for(inside), ignore_file))
    return None


def docker_contexts_with(path: Path, project: Sequence[Path]) -> Iterator[DockerContext]:
    """The contexts of the project's Dockerfiles and compose files that take the file along, one for each context."""
    seen = set()
    for folder in project:
        for build_file, context in _builds_of(folder):
            # BuildKit prefers an ignore file named after the Dockerfile.
            own = build_file.with_name(f"{build_file.name}.dockerignore")
            ignore_file = own if own.is_file() else context / ".dockerignore"
            if ignore_file in seen or not path.is_relative_to(context):
                continue
            seen.add(ignore_file)
            rules = read_rules(_text(ignore_file).splitlines(), anchored=True)
            if not last_word(rules, PurePosixPath(path.relative_to(context))):
                reason = "does not cover it" if ignore_file.is_file() else "is missing"
                rule = "**/.env*" if path.name.startswith(".env") else f"**{rule_for(PurePosixPath(path.name))}"
                yield DockerContext(build_file, f"{ignore_file} {reason}", _appending(rule, ignore_file))


def _npm_ignores(path: Path, levels: Sequence[Path]) -> bool:
    """npm reads each directory's `.npmignore`, or its `.gitignore` where there is none; the innermost word counts."""
    ignored = False
    for level in levels:
        npmignore = level / ".npmignore"
        text = _text(npmignore if npmignore.is_file() else level / ".gitignore")
        word = last_word(
            read_rules(text.splitlines(), anchored=False, ignore_case=True), PurePosixPath(path.relative_to(level))
        )
        ignored = ignored if word is None else word
    return ignored


def _between(outer: Path, path: Path) -> list[Path]:
    return [place for place in reversed(path.parents) if place.is_relative_to(outer)]


def _workspace_above(package: Path, project: Sequence[Path]) -> list[Path]:
    """The directories above a workspace, from its root, whose ignore files npm reads as well."""
    for folder in project:
        if folder == package or not package.is_relative_to(folder):
            continue
        workspaces = _manifest(folder).get("workspaces")
        patterns = workspaces.get("packages") if isinstance(workspaces, dict) else workspaces
        if isinstance(patterns, list):
            members = read_rules([str(pattern) for pattern in patterns], anchored=True)
            if last_word(members, PurePosixPath(package.relative_to(folder))):
                return _between(folder, package)
    return []


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(_text(folder / "package.json"))
    except ValueError:
        return {}  # npm cannot read it either
    return manifest if isinstance(manifest, dict) else {}


def _builds_of(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Each build file in the folder with its context."""
    try:
        files = sorted(folder.iterdir())
    except OSError:
        return
    for file in files:
        if _BUILD_FILE.fullmatch(file.name) and not file.name.endswith(".dockerignore") and file.is_file():
            yield file, folder
        elif _COMPOSE_FILE.fullmatch(file.name):
            text = _text(file)
            contexts = _COMPOSE_CONTEXT.findall(text) or (["."] if _COMPOSE_BUILD.search(text) else [])
            for context in contexts:
                yield file, Path(folder, context).resolve()


def _text(file: Path) -> str:
    try:
        if not file.is_file():
            return ""
        with file.open("rb") as stream:
            return stream.read(_LARGEST_READ).decode("utf-8-sig", "surrogateescape")
    except OSError:
        return ""


def _appending(rule: str, ignore_file: Path) -> str:
    # The line break in front keeps a last line without one from growing into another rule.
    return f"printf '\\n%s\\n' {quote(rule)} >> {quote(str(ignore_file))}"
