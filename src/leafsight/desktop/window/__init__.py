"""What the window shows. It holds no decision: what happens is in ``session``.

Enters: a session and its news. Leaves: widgets. The only part of leafsight that names Qt.
"""

from leafsight.desktop.window.application import make_application, open_window

__all__ = ["make_application", "open_window"]
