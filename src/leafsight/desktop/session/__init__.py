"""What happens in the window, without a window: photographs, their answers, what a person said of them.

Enters: paths, wishes, a predictor. Leaves: records, and news for whoever shows them. It names no Qt, so
everything that a person can do is tested without a screen.
"""

from leafsight.desktop.session.answering import loader
from leafsight.desktop.session.choosing import ORDERS, SHOWN, Order, Shown, chosen
from leafsight.desktop.session.diagnosing import Diagnoser
from leafsight.desktop.session.errands import Errands
from leafsight.desktop.session.exporting import Copied, Exported, copy_into_folders, write_csv
from leafsight.desktop.session.finding import SUFFIXES, photographs_among, told_apart
from leafsight.desktop.session.keeping import Keeper
from leafsight.desktop.session.loading import Load, Loaded, Model, bundle_loader, verified_model
from leafsight.desktop.session.own_command import own_command
from leafsight.desktop.session.photographs import News, Photograph, Trouble
from leafsight.desktop.session.preferences import Preferences, load_preferences, save_preferences
from leafsight.desktop.session.reaching import Reach, tried
from leafsight.desktop.session.servers import Server, load_server, save_server
from leafsight.desktop.session.serving_here import ServiceHere
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
    "Errands",
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
    "Reach",
    "SHOWN",
    "SUFFIXES",
    "Server",
    "ServiceHere",
    "Session",
    "Shown",
    "Trouble",
    "also_possible",
    "bundle_loader",
    "chosen",
    "copy_into_folders",
    "count",
    "headline",
    "hottest_place",
    "load_preferences",
    "load_server",
    "loader",
    "own_command",
    "percent",
    "photographs_among",
    "quality_remarks",
    "save_preferences",
    "save_server",
    "sureness",
    "told_apart",
    "tried",
    "verified_model",
    "write_csv",
]
