"""The command line: one file a subcommand, and nothing heavy until a command needs it."""

from .main import command_line, main

__all__ = ["command_line", "main"]
