"""What happens in the window, without a window: photographs, their answers, what a person said of them.

Enters: paths, wishes, a predictor. Leaves: records, and news for whoever shows them. It names no Qt, so
everything that a person can do is tested without a screen.
"""

from leafsight.desktop.session.choosing import ORDERS, SHOWN, Order, Shown, chosen
from leafsight.desktop.session.diagnosing import Diagnoser
from leafsight.desktop.session.exporting import Copied, Exported, copy_into_folders, write_csv
from leafsight.desktop.session.finding import photographs_among
from leafsight.desktop.session.keeping import Keeper
from leafsight.desktop.session.loading import Load, Loaded, Model, bundle_loader
from leafsight.desktop.session.photographs import News, Photograph, Trouble
from leafsight.desktop.session.preferences import Preferences, load_preferences, save_preferences
from leafsight.desktop.session.session import Session
from leafsight.desktop.session.wording import (
    also_possible,
    count,
    headline,
    hottest_place,
    percent,
    quality_remarks,
    sureness,
)

__all__ = [
    "Copied",
    "Diagnoser",
    "Exported",
    "Keeper",
    "Load",
    "Loaded",
    "Model",
    "News",
    "ORDERS",
    "Order",
    "Photograph",
    "Preferences",
    "SHOWN",
    "Session",
    "Shown",
    "Trouble",
    "also_possible",
    "bundle_loader",
    "chosen",
    "count",
    "headline",
    "hottest_place",
    "percent",
    "quality_remarks",
    "sureness",
    "copy_into_folders",
    "load_preferences",
    "photographs_among",
    "save_preferences",
    "write_csv",
]
