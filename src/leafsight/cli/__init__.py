"""The command line: one file per verb, each thin.

Enters: words typed by a person. Leaves: the result on stdout, talk on stderr, and an exit code: 0 done,
1 expected failure, 2 usage or configuration, 70 a bug of ours. A verb's file is imported only when that
verb runs, so that ``leafsight --help`` is quick.
"""

from leafsight.cli.entry import command, main

__all__ = ["command", "main"]
