"""Pages for people: HTML that cannot forget to escape, the house's style, one self-contained document.

Enters: words, drawings, pictures. Leaves: the text of one HTML file that asks for nothing from outside. It
does not know what a photograph, a model or a collection is.
"""

from leafsight.pages.document import Script, document
from leafsight.pages.markup import Content, Html, figure, folded, join, section, svg, table, tag
from leafsight.pages.thumbnails import thumbnail

__all__ = [
    "Content",
    "Html",
    "Script",
    "document",
    "figure",
    "folded",
    "join",
    "section",
    "svg",
    "table",
    "tag",
    "thumbnail",
]
