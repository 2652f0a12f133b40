"""routic: administer the API keys of an LLM gateway."""

__version__ = "0.1.0"
