"""Rules by which other scanners find our keys. Their own rules want the mark of another vendor in an `sk-` key."""

from __future__ import annotations

from typing import Final

from routic_cli.domain.key_format import CHECK_LENGTH, RANDOM_LENGTH

_REGEX: Final = rf"\b(sk-[0-9A-Za-z]{{{RANDOM_LENGTH + CHECK_LENGTH}}})\b"

_GITLEAKS: Final = f"""\
# gitleaks git --config .gitleaks.toml --report-format json --report-path - | routic keys revoke --from - --leaked
title = "gitleaks rules with those of routic"

[extend]
useDefault = true

[[rules]]
id = "routic-api-key"
description = "An API key of an LLM gateway, made by routic"
regex = '''{_REGEX}'''
keywords = ["sk-"]
"""

_TRUFFLEHOG: Final = f"""\
# trufflehog git file://. --config trufflehog.yml --json | routic keys revoke --from - --leaked
detectors:
  - name: routic-api-key
    description: An API key of an LLM gateway, made by routic
    keywords:
      - sk-
    regex:
      key: '{_REGEX}'
"""

RULES: Final = {"gitleaks": _GITLEAKS, "trufflehog": _TRUFFLEHOG}
"""A configuration file for each scanner."""
