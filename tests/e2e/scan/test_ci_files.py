"""The action, the workflow and the job that are offered do what they say; who reads such files finds no fault."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.support.sandbox import ROUTIC, Done
from tests.support.scanned import Planted

ROOT: Final = Path(__file__).resolve().parents[3]
DOCUMENT: Final = (ROOT / "docs/ci.md").read_text()
ACTION: Final = yaml.safe_load((ROOT / "action.yml").read_text())
HOOKS: Final = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())


def block(heading: str, language: str) -> str:
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", DOCUMENT, re.DOTALL | re.MULTILINE)
    assert section is not None
    (text,) = re.findall(rf"```{language}\n(.*?)```", section[1], re.DOTALL)
    return str(text)


def program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def run_action(planted: Planted, **inputs: str) -> Done:
    """The last step of the action, as a runner does it: its environment from the inputs, its script by bash."""
    step = ACTION["runs"]["steps"][-1]
    runner = planted.sandbox.root / "runner"
    (runner / "routic/bin").mkdir(parents=True, exist_ok=True)
    link = runner / "routic/bin/routic"
    link.unlink(missing_ok=True)
    link.symlink_to(ROUTIC)
    values = {name: str(given["default"]) for name, given in ACTION["inputs"].items()} | inputs
    planted.sandbox.extra |= {"RUNNER_TEMP": str(runner)} | {
        name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda match: values[match[1]], text)
        for name, text in step["env"].items()
    }
    shell = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c")
    return planted.sandbox.shell(step["run"], interpreter=shell)


def test_the_action_annotates_what_it_finds_in_the_history_and_fails(planted: Planted) -> None:
    planted.commit("a", planted.prod)
    planted.commit("a", "clean\n")
    done = run_action(planted, store=str(planted.sandbox.key_store))
    assert done.code == 9
    assert done.out.startswith("::error file=a,line=1,")
    assert run_action(planted, store=str(planted.sandbox.key_store), history="false").code == 0


def test_the_action_writes_sarif_and_fails_all_the_same(planted: Planted) -> None:
    planted.commit("a b/c", planted.prod)
    done = run_action(planted, **{"sarif-file": "out.sarif", "path": "a b", "store": str(planted.sandbox.key_store)})
    assert (done.code, done.out) == (9, "")
    assert json.loads((planted.top / "out.sarif").read_text())["runs"][0]["results"]


def test_the_action_without_a_store_takes_no_key_for_dead(planted: Planted) -> None:
    planted.commit("a", planted.old)
    planted.sandbox.extra["XDG_DATA_HOME"] = str(planted.sandbox.root / "elsewhere")
    assert run_action(planted).code == 9


def test_an_input_cannot_be_an_option_or_a_command(planted: Planted) -> None:
    done = run_action(planted, path="--offline; touch /tmp/owned; $(touch owned)")
    assert done.code == 2
    assert "There is no --offline" in done.err
    assert not (planted.top / "owned").exists()


@pytest.mark.parametrize("text", [(ROOT / "action.yml").read_text(), block("GitHub Actions", "yaml")])
def test_who_looks_for_weak_spots_in_workflows_finds_none(planted: Planted, text: str) -> None:
    name = "action.yml" if text.startswith("name: routic scan") else ".github/workflows/keys.yml"
    file = planted.write(name, text.replace("@COMMIT", f"@{'1' * 40}"))
    done = subprocess.run(
        [program("zizmor"), "--offline", "--no-progress", str(file)],
        cwd=planted.top,
        env=planted.sandbox.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No findings to report" in done.stdout + done.stderr


def test_every_action_that_is_used_is_pinned_by_its_hash() -> None:
    workflow = yaml.safe_load(block("GitHub Actions", "yaml"))
    steps: list[Mapping[str, Any]] = [*ACTION["runs"]["steps"], *workflow["jobs"]["scan"]["steps"]]
    used = [step["uses"] for step in steps if "uses" in step]
    assert [use for use in used if not re.search(r"@(?:[0-9a-f]{40}|COMMIT)$", use)] == []
    (ours,) = (step for step in steps if step.get("uses", "").endswith("@COMMIT"))
    assert set(ours["with"]) <= set(ACTION["inputs"])


def test_the_script_of_the_gitlab_job_scans_the_history(planted: Planted) -> None:
    (job,) = yaml.safe_load(block("GitLab CI", "yaml")).values()
    installing, scanning = job["script"]
    assert installing == "pip install --quiet routic"
    assert job["variables"]["GIT_DEPTH"] == "0"
    planted.commit("a", planted.prod)
    planted.commit("a", "clean\n")
    assert planted.sandbox.shell(scanning).code == 9


def test_the_hooks_of_the_document_are_those_that_are_offered(planted: Planted) -> None:
    (repo,) = yaml.safe_load(block("Before a commit", "yaml"))["repos"]
    assert {hook["id"] for hook in repo["hooks"]} <= {hook["id"] for hook in HOOKS}
    manifest = subprocess.run(
        [program("pre-commit"), "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")],
        env=planted.sandbox.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert manifest.returncode == 0, manifest.stdout


def test_the_plain_hook_of_the_document_stops_a_commit(planted: Planted) -> None:
    planted.write("a", planted.prod)
    planted.sandbox.git("add", "a")
    planted.write(".git/hooks/pre-commit", block("Before a commit", "sh")).chmod(0o755)
    done = planted.sandbox.shell("git -c user.name=T -c user.email=t@example.org commit --message=x")
    assert done.code == 1
    assert "a:1" in done.out + done.err


def test_a_compiled_scanner_finds_our_keys_by_the_rule_that_is_printed(planted: Planted) -> None:
    """betterleaks, the successor of gitleaks, which reads its rules; with its own rules beside."""
    planted.commit("a", f"K = '{planted.prod}'\n")
    planted.commit("b", f"K={planted.old}\n")
    planted.commit("c", f"{planted.stranger[:-1]}\n")
    rules = planted.sandbox.root / "rules.toml"
    rules.write_text(planted.scan("--print-rules", "gitleaks", code=0).out)
    report = planted.sandbox.root / "report.json"
    scanner = [program("betterleaks"), "git", "--no-banner", "--config", str(rules), "--output", str(report), "."]
    subprocess.run(scanner, cwd=planted.top, env=planted.sandbox.environ, capture_output=True, check=False)
    text = report.read_text()
    assert [secret in text for secret in (planted.prod, planted.old, planted.stranger[:-1])] == [True, True, False]
    assert "routic-api-key" in text
