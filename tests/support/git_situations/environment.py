"""What the environment of the process does to git."""

from __future__ import annotations

from pathlib import Path

from tests.support.git_situations.registry import FINE, REFUSE, situation
from tests.support.git_world import REAL_GIT, World


@situation(REFUSE, "git-cannot-say", mended=None)
def no_git_program(world: World) -> Path:
    world.ignore(".env")
    world.monkeypatch.setenv("PATH", str(world.home / "empty"))
    return world.repo / ".env"


@situation(FINE, mended=FINE)
def no_git_program_and_no_repository(world: World) -> Path:
    world.monkeypatch.setenv("PATH", str(world.home / "empty"))
    return world.home / ".env"


@situation(REFUSE, "git-cannot-say", mended=None)
def a_git_program_in_the_repository_itself(world: World) -> Path:
    script = f'case " $* " in *" check-ignore "*) exit 0;; esac; exec "{REAL_GIT}" "$@"'
    world.executable(world.repo / "git", script)
    world.monkeypatch.setenv("PATH", ".::./")
    return world.repo / ".env"


def _other_repository(world: World) -> Path:
    other = world.home / "other"
    world.git("init", "-q", str(other))
    world.ignore("*", at=other)
    return other


@situation(REFUSE, "not-ignored", mended=FINE)
def git_dir_variable_set(world: World) -> Path:
    world.monkeypatch.setenv("GIT_DIR", str(_other_repository(world) / ".git"))
    return world.repo / ".env"


@situation(REFUSE, "not-ignored", mended=FINE)
def git_work_tree_variable_set(world: World) -> Path:
    other = _other_repository(world)
    world.monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    world.monkeypatch.setenv("GIT_WORK_TREE", str(other))
    return world.repo / ".env"


@situation(REFUSE, "tracked", mended=None)
def git_index_file_variable_set(world: World) -> Path:
    world.ignore(".env")
    world.commit(".env")
    world.monkeypatch.setenv("GIT_INDEX_FILE", str(world.home / "empty-index"))
    return world.repo / ".env"


@situation(REFUSE, "not-ignored", mended=FINE)
def git_ceiling_directories_set(world: World) -> Path:
    world.monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(world.repo))
    return world.write("a/.env")


@situation(REFUSE, "not-ignored", mended=FINE)
def git_config_variables_set(world: World) -> Path:
    rules = world.write("mine", ".env\n", at=world.home)
    for name, value in {"COUNT": "1", "KEY_0": "core.excludesFile", "VALUE_0": str(rules)}.items():
        world.monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    return world.repo / ".env"


@situation(REFUSE, "tracked", mended=None)
def git_pathspec_variables_set(world: World) -> Path:
    world.ignore(".env")
    world.commit(".env")
    world.monkeypatch.setenv("GIT_LITERAL_PATHSPECS", "1")
    return world.repo / ".env"
