"""Page after page, until there is none.

Enters: pages. Leaves: where to go on, or an error when a server leads in circles. It does not ask for pages.
"""

from __future__ import annotations

from typing import Any

from leafsight.client.answers import Page
from leafsight.client.reading import VERSION_HINT
from leafsight.errors import RemoteError

MOST_PAGES = 1000
"""Of a list that is gathered whole; one that is walked through may be longer."""


class Cursor:
    """Remembers where it was, so that no server can send it round and round.

    Args:
        after: where to begin; None at the first page.
        most_pages: after which a server is not believed any more; None for as many as there are.
    """

    def __init__(self, after: str | None, most_pages: int | None = None) -> None:
        self.after = after
        self._most_pages = most_pages
        self._seen = {after}

    def move(self, page: Page[Any]) -> bool:
        """Go behind ``page``; False at the end.

        Raises:
            RemoteError: the server gives a cursor that it gave before, or more pages than can be.
        """
        if page.next is None:
            return False
        if page.next in self._seen or len(self._seen) == self._most_pages:
            raise RemoteError("next: the pages of the server do not end", hint=VERSION_HINT)
        self._seen.add(page.next)
        self.after = page.next
        return True
