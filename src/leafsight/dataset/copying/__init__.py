"""A cleaned and split copy of a collection: folders of photographs, or tar shards.

Enters: an index and what to leave out. Leaves: a new folder, complete or not there at all, in which every
photograph has the bytes that were indexed; and a report. Originals are read and never written.
"""

from leafsight.dataset.copying.copying import copy_photos
from leafsight.dataset.copying.options import CopyOptions
from leafsight.dataset.copying.report import CopyReport, LeftOut

__all__ = ["CopyOptions", "CopyReport", "LeftOut", "copy_photos"]
