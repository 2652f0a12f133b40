"""Odd places for a secret: how to get there, and what has to be said of each."""

from tests.support.git_situations import committed, environment, ignored, nested, present
from tests.support.git_situations.registry import SITUATIONS

__all__ = ["SITUATIONS", "committed", "environment", "ignored", "nested", "present"]
