"""Version of the package, as in its pyproject.toml."""

VERSION = "1.0.0"
