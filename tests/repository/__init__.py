"""The repository: commands, style, types, and tests of the tests."""
