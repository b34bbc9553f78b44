"""Writes rules.yaml anew from deploy/monitoring/prometheus-alerts.yaml, after that was changed.

python deploy/kubernetes/components/monitoring/write_rules.py
"""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVELOPE = """\
# The rules of deploy/monitoring/prometheus-alerts.yaml, word for word, in the operator's envelope.
# Written by write_rules.py; a test holds them equal.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: leafsight
  labels:
    app.kubernetes.io/name: leafsight
    app.kubernetes.io/part-of: leafsight
spec:
"""


def main() -> None:
    """Indent them, without the comments at the top."""
    given = (HERE.parents[2] / "monitoring" / "prometheus-alerts.yaml").read_text()
    rules = [f"  {line}".rstrip() for line in given.splitlines() if not line.startswith("#")]
    (HERE / "rules.yaml").write_text(ENVELOPE + "\n".join(rules) + "\n")


if __name__ == "__main__":
    main()
