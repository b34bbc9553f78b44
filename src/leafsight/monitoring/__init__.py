"""Whether what comes in and what goes out still looks as it did, and whether a promoted model does well.

Enters: predictions, the reference that a bundle carries, a promotion. Leaves: drift with the photographs that
drifted most, a verdict on the promotion and the former model back in its place, alerts. It does not know HTTP
routes or settings.
"""

from leafsight.monitoring.alerting import KINDS, alert, alerts_now
from leafsight.monitoring.drift import enough_rows, look_for_drift, unknown_drift
from leafsight.monitoring.drift_limits import SIZES, LimitTable, limits_of
from leafsight.monitoring.drift_looks import DriftLooks, drift_now, note_drift
from leafsight.monitoring.drift_page import drift_page
from leafsight.monitoring.permuting import PERMUTATIONS, Spread, deals, means_differ, p_values, shares_differ
from leafsight.monitoring.reference import Reference, reference_of
from leafsight.monitoring.rows import Row, newest_rows, row_of
from leafsight.monitoring.sending import check_alert_url, send_alerts
from leafsight.monitoring.ticking import Monitor
from leafsight.monitoring.watching import begin_watch, look_at_watch, watch_now

__all__ = [
    "DriftLooks",
    "KINDS",
    "LimitTable",
    "Monitor",
    "PERMUTATIONS",
    "Reference",
    "Row",
    "SIZES",
    "Spread",
    "alert",
    "alerts_now",
    "begin_watch",
    "check_alert_url",
    "deals",
    "drift_now",
    "drift_page",
    "enough_rows",
    "limits_of",
    "look_at_watch",
    "look_for_drift",
    "means_differ",
    "newest_rows",
    "note_drift",
    "p_values",
    "reference_of",
    "row_of",
    "send_alerts",
    "shares_differ",
    "unknown_drift",
    "watch_now",
]
