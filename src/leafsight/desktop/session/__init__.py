"""What happens in the window, without a window: photographs, their answers, what a person said of them.

Enters: paths, wishes, a predictor. Leaves: records, and news for whoever shows them. It names no Qt, so
everything that a person can do is tested without a screen.
"""

from leafsight.desktop.session.advising import Advice, advice_on
from leafsight.desktop.session.answering import loader
from leafsight.desktop.session.choosing import ORDERS, SHOWN, Order, Shown, chosen
from leafsight.desktop.session.diagnosing import Diagnoser
from leafsight.desktop.session.errands import Errands
from leafsight.desktop.session.exporting import Copied, Exported, copy_into_folders, write_csv
from leafsight.desktop.session.finding import photographs_among, told_apart
from leafsight.desktop.session.keeping import Keeper
from leafsight.desktop.session.loading import Load, Loaded, Model, bundle_loader, verified_model
from leafsight.desktop.session.naming import Named, classes_to_say, name_of, with_words
from leafsight.desktop.session.own_command import own_command
from leafsight.desktop.session.photographs import News, Photograph, Trouble
from leafsight.desktop.session.plants import MOST_OF_ONE_PLANT, Plant
from leafsight.desktop.session.preferences import Preferences, load_preferences, save_preferences
from leafsight.desktop.session.reaching import Reach, tried
from leafsight.desktop.session.reporting import Line, Look, Report, block, first_page
from leafsight.desktop.session.servers import Server, load_server, save_server
from leafsight.desktop.session.serving_here import ServiceHere
from leafsight.desktop.session.session import Session
from leafsight.desktop.session.wording import (
    also_possible,
    basis,
    count,
    headline,
    hottest_place,
    percent,
    plant_name,
    quality_remarks,
    spoken,
    sureness,
    word_said,
)

__all__ = [
    "Advice",
    "Copied",
    "Diagnoser",
    "Errands",
    "Exported",
    "Keeper",
    "Line",
    "Load",
    "Loaded",
    "Look",
    "MOST_OF_ONE_PLANT",
    "Model",
    "Named",
    "News",
    "ORDERS",
    "Order",
    "Photograph",
    "Plant",
    "Preferences",
    "Reach",
    "Report",
    "SHOWN",
    "Server",
    "ServiceHere",
    "Session",
    "Shown",
    "Trouble",
    "advice_on",
    "also_possible",
    "basis",
    "block",
    "bundle_loader",
    "chosen",
    "classes_to_say",
    "copy_into_folders",
    "count",
    "first_page",
    "headline",
    "hottest_place",
    "load_preferences",
    "load_server",
    "loader",
    "name_of",
    "own_command",
    "percent",
    "photographs_among",
    "plant_name",
    "quality_remarks",
    "save_preferences",
    "save_server",
    "spoken",
    "sureness",
    "told_apart",
    "tried",
    "verified_model",
    "with_words",
    "word_said",
    "write_csv",
]
