"""How long work tells how far it is, without knowing who listens.

Every long function takes a ``Progress``. The entrances hand in bars, log lines or events; a library
user hands in nothing and gets silence.
"""

from leafsight.progress.reporters import Lines, Progress, Silent

__all__ = ["Lines", "Progress", "Silent"]
