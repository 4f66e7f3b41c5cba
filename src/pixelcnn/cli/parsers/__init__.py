"""The argument parsers. Nothing heavy is imported here, so `--help` answers at once."""
