"""People for Locust: locust -f loadtest/locustfile.py --host http://127.0.0.1:8000 (see docs/loadtest.md)."""

from leafsight.loadtest.people_locust import Person

__all__ = ["Person"]
