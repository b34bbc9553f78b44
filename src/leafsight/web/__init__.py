"""The web page: a fixed set of small files that a browser runs; nothing to build, nothing to download.

Enters: a file's name. Leaves: its bytes, media type and entity tag. It does not know who asks, nor over what;
the page itself asks the HTTP API like every other program.
"""

from leafsight.web.page_files import INDEX, PageFile, page_file, page_names

__all__ = ["INDEX", "PageFile", "page_file", "page_names"]
