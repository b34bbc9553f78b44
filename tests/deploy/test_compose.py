"""compose.yaml and what belongs to it, as text: what is in it, what is not, and how it fits the settings."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from leafsight.settings import Settings, descriptions, load_settings

REPOSITORY = Path(__file__).resolve().parents[2]
COMPOSE = REPOSITORY / "deploy/compose"
TEXT = (REPOSITORY / "compose.yaml").read_text()
VARIABLE = re.compile(r"\$\{(LEAFSIGHT_[A-Z_]+):-([^}]*)\}")
OURS = ("leafsight", "replica", "worker", "setup", "bucket")
ONCE = ("certificate", "setup", "bucket")
FULL = {
    "proxy",
    "certificate",
    "replica",
    "worker",
    "setup",
    "bucket",
    "database",
    "store",
    "prometheus",
    "grafana",
}
SECRETS = (
    "database_password", "database_url", "store_credentials", "store_identities", "metrics_key",
    "grafana_password",
)  # fmt: skip


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file with its defaults filled in."""
    loaded: dict[str, Any] = yaml.safe_load(VARIABLE.sub(lambda found: found[2], TEXT))
    return loaded


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = compose["services"]
    return found


def test_profiles_hold_what_they_should(services: dict[str, Any]) -> None:
    by_profile: dict[str, set[str]] = {}
    for name, service in services.items():
        assert len(service["profiles"]) == 1
        by_profile.setdefault(service["profiles"][0], set()).add(name)
    assert by_profile == {"small": {"leafsight"}, "full": FULL}


@pytest.mark.parametrize("name", sorted({"leafsight", *FULL}))
def test_every_service_is_closed_bounded_and_looked_after(services: dict[str, Any], name: str) -> None:
    service = services[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert service.get("network_mode") in (None, "none")
    assert service["logging"]["options"]["max-size"]
    limits = service["deploy"]["resources"]["limits"]
    assert {"memory", "pids"} <= set(limits)
    assert limits["cpus"] or name in ("leafsight", "replica")
    assert service["restart"] == ("on-failure" if name in ONCE else "unless-stopped")
    assert ("healthcheck" in service) == (name not in ONCE)
    assert service.get("cap_add", []) == (["CHOWN", "DAC_READ_SEARCH"] if name == "certificate" else [])


def test_what_lasts_can_end_in_order(services: dict[str, Any]) -> None:
    for name in ("leafsight", "replica", "worker", "proxy", "database", "store"):
        assert services[name]["stop_grace_period"] == "60s"


def test_ports_are_those_of_this_machine_unless_somebody_says_otherwise(services: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert set(published) == {"leafsight", "proxy", "prometheus", "grafana"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)
    assert TEXT.count("${LEAFSIGHT_BIND:-127.0.0.1}") == 2


def test_the_database_is_where_the_proxy_is_not(services: dict[str, Any], compose: dict[str, Any]) -> None:
    assert services["database"]["networks"] == services["store"]["networks"] == ["back"]
    assert "back" not in services["proxy"]["networks"] + services["prometheus"]["networks"]
    assert compose["networks"]["back"] == {"internal": True}


def test_no_secret_is_in_the_file(services: dict[str, Any], compose: dict[str, Any]) -> None:
    for service in services.values():
        for name, value in service.get("environment", {}).items():
            is_secret = re.search(r"PASSWORD|SECRET|KEY|TOKEN|CREDENTIAL|DATABASE_URL", name)
            assert not is_secret or value.startswith("/run/secrets/") or name == "LEAFSIGHT_FIRST_KEY", name
    assert tuple(compose["secrets"]) == SECRETS
    used = {name for service in services.values() for name in service.get("secrets", [])}
    assert used == set(SECRETS)
    ignored = (REPOSITORY / ".gitignore").read_text().splitlines()
    assert "/deploy/compose/secrets/" in ignored
    assert "/.env" in ignored


def test_every_variable_of_our_containers_is_a_setting(services: dict[str, Any], tmp_path: Path) -> None:
    for name in OURS:
        given = {key: str(value) for key, value in services[name].get("environment", {}).items()}
        ours = {key: value for key, value in given.items() if key.startswith("LEAFSIGHT_")}
        for key in [key for key in ours if key.endswith("_FILE")]:
            (tmp_path / key).write_text("postgresql://database/leafsight")
            ours[key] = str(tmp_path / key)
        load_settings(tmp_path, ours)


def test_limits_of_a_request_are_those_of_the_setting(services: dict[str, Any]) -> None:
    default = str(Settings.__dataclass_fields__["max_request_bytes"].default)
    for name in ("proxy", "replica"):
        assert services[name]["environment"]["LEAFSIGHT_MAX_REQUEST_BYTES"] == default
    template = (COMPOSE / "proxy/leafsight.conf.template").read_text()
    assert "client_max_body_size ${LEAFSIGHT_MAX_REQUEST_BYTES};" in template


def test_images_are_pinned_and_can_be_chosen() -> None:
    images = re.findall(r"^ +image: (.*)$", TEXT, re.MULTILINE)
    assert len(images) == 8
    for image in images:
        found = VARIABLE.fullmatch(image)
        assert found, image
        tag = found[2].partition(":")[2]
        assert tag
        assert tag != "latest"


def test_the_example_names_every_variable_with_its_default() -> None:
    told = dict(
        re.findall(r"^#(LEAFSIGHT_[A-Z_]+)=(.*)$", (COMPOSE / ".env.example").read_text(), re.MULTILINE)
    )
    asked: dict[str, set[str]] = {}
    for name, default in VARIABLE.findall(TEXT):
        asked.setdefault(name, set()).add(default)
    assert set(told) == set(asked)
    for name, defaults in asked.items():
        assert told[name] in defaults or told[name] == "", name


def test_what_the_proxy_fills_in_is_given_to_it(services: dict[str, Any]) -> None:
    template = (COMPOSE / "proxy/leafsight.conf.template").read_text()
    wanted = set(re.findall(r"\$\{([A-Za-z_]+)\}", template))
    assert wanted == {name for name in services["proxy"]["environment"] if name.startswith("LEAFSIGHT_")} | {
        "LEAFSIGHT_RESOLVER"
    }
    assert (COMPOSE / "proxy/resolver.envsh").stat().st_mode & stat.S_IXUSR  # the image reads no other


def test_every_mounted_file_is_there(services: dict[str, Any]) -> None:
    mounted = [one.split(":") for service in services.values() for one in service.get("volumes", [])]
    for source, *_ in mounted:
        if source.startswith("./"):
            assert (REPOSITORY / source).exists(), source


def test_prometheus_asks_replicas_with_the_key_for_counters_and_loads_the_rules(
    services: dict[str, Any],
) -> None:
    asked = yaml.safe_load((COMPOSE / "monitoring/prometheus.yaml").read_text())
    [ours] = [one for one in asked["scrape_configs"] if one["job_name"] == "leafsight"]
    [names] = ours["dns_sd_configs"]
    assert names["names"] == ["replica"]
    assert str(names["port"]) == services["replica"]["environment"]["LEAFSIGHT_ADMIN_PORT"]
    assert ours["authorization"]["credentials_file"] == "/run/secrets/metrics_key"
    rules = yaml.safe_load((REPOSITORY / "deploy/monitoring/prometheus-alerts.yaml").read_text())
    assert any('up{job="leafsight"}' in rule["expr"] for group in rules["groups"] for rule in group["rules"])


def test_settings_that_are_secret_say_so() -> None:
    secret = {one.name for one in Settings.__dataclass_fields__.values() if one.metadata["secret"]}
    assert {"database_url", "metrics_key", "key", "alert_url"} <= secret <= set(descriptions())


def made(folder: Path) -> str:
    words = [sys.executable, COMPOSE / "make_secrets.py", "--folder", folder]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def test_secrets_are_made_once_and_fit_together(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    said = made(folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(SECRETS)
    assert folder.stat().st_mode & 0o777 == 0o700
    texts = {path.name: path.read_text() for path in folder.iterdir()}
    assert {path.stat().st_mode & 0o222 for path in folder.iterdir()} == {0}
    assert texts["database_url"] == f"postgresql://leafsight:{texts['database_password']}@database/leafsight"
    [identity] = json.loads(texts["store_identities"])["identities"]
    assert f"= {identity['credentials'][0]['secretKey']}\n" in texts["store_credentials"]
    assert all(text not in said for text in texts.values())
    assert made(folder) == f"all secrets are in {folder} already\n"
    assert {path.name: path.read_text() for path in folder.iterdir()} == texts


def test_a_secret_that_is_missing_is_made_from_those_that_are_there(tmp_path: Path) -> None:
    made(tmp_path)
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}
    for name in ("database_url", "store_identities"):
        (tmp_path / name).unlink()
    made(tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before


def test_no_secret_is_made_twice_alike(tmp_path: Path) -> None:
    for name in ("one", "other"):
        made(tmp_path / name)
    for secret in SECRETS:
        assert (tmp_path / "one" / secret).read_text() != (tmp_path / "other" / secret).read_text()


def test_the_password_may_stand_in_an_address(tmp_path: Path) -> None:
    made(tmp_path)
    assert re.fullmatch("[0-9a-f]{48}", (tmp_path / "database_password").read_text())
