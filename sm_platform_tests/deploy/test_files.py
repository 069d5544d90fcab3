"""The files of a deployment: what this machine can check of them."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sm_platform.defs.resources import CHECKOUT, SENSOR_SECONDS
from sm_platform.defs.variables import CREDENTIALS, VARIABLES

DEPLOY = CHECKOUT / "deploy"
UNITS = sorted(path.name for path in (DEPLOY / "systemd").glob("*.service"))


def loaded(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    return found


def test_the_two_configurations_differ_in_where_records_lie_alone() -> None:
    single, several = loaded(CHECKOUT / "dagster.yaml"), loaded(DEPLOY / "dagster.postgres.yaml")
    assert several.pop("storage") == {"postgres": {"postgres_url": {"env": "SM_POSTGRES_URL"}}}
    assert {single.pop(f"{name}_storage")["class"] for name in ("run", "event_log")} == {
        "RunRecords",
        "EventRecords",
    }
    assert several == single


def test_units_are_accepted_by_systemd(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze on this machine")
    binaries = Path(shutil.which("true") or "").parent
    for name in UNITS:
        text = (DEPLOY / "systemd" / name).read_text()
        text = re.sub(
            r"/opt/sm-platform/\S*/(dagster\S*|sm-platform|wait-for-code)\b", "true", text
        )
        text = re.sub(r"=true\b", f"={binaries}/true", text)
        (tmp_path / name).write_text(text.replace("=sm-platform\nGroup", "=daemon\nGroup"))
    command = ["systemd-analyze", "verify", *(str(tmp_path / name) for name in UNITS)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")


@pytest.mark.parametrize("name", UNITS)
def test_unit_is_hardened_and_started_again(name: str) -> None:
    lines = (DEPLOY / "systemd" / name).read_text().splitlines()
    wanted = {"NoNewPrivileges=yes", "ProtectSystem=strict", "User=sm-platform"}
    wanted |= {"Restart=on-failure", "EnvironmentFile=/etc/sm-platform/environment"}
    assert wanted <= set(lines)


def given(service: str) -> dict[str, str]:
    """Variables that a service of compose is given, with their defaults."""
    found = loaded(DEPLOY / "compose.yaml")["services"][service]["environment"]
    return {name: re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", str(value)) for name, value in found.items()}


@pytest.mark.parametrize("service", ["code", "daemon", "web"])
def test_compose_passes_on_every_setting_with_the_default_that_it_has_elsewhere(
    service: str,
) -> None:
    """All but what the image says of its folders."""
    in_image = set(re.findall(r"\b([A-Z_]+)=", (DEPLOY / "Dockerfile").read_text()))
    here = given(service)
    assert here.pop("DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS") == SENSOR_SECONDS
    assert set(here) == set(VARIABLES) - in_image | set(CREDENTIALS)
    assert {here[name] for name in CREDENTIALS} == {""}
    assert {"SM_DATA_LAKE", "SM_MODELS", "SM_ARCHIVE", "DAGSTER_HOME"} <= in_image
    defaults = {
        name: re.findall(r"\(default: (.*)\)$", told)[0] for name, told in VARIABLES.items()
    }
    for name in set(here) - {"SM_POSTGRES_URL"} - set(CREDENTIALS):
        assert here[name] == ("" if defaults[name] == "none" else defaults[name]), name


def test_viewers_ui_of_compose_gets_the_database_and_nothing_else() -> None:
    services = loaded(DEPLOY / "compose.yaml")["services"]
    assert given("view") == {"SM_POSTGRES_URL": given("web")["SM_POSTGRES_URL"]}
    assert services["view"]["volumes"] == []
    assert services["web"]["volumes"] == ["data:/data"]


def test_ports_of_compose_are_on_loopback_and_viewers_are_read_only() -> None:
    services = loaded(DEPLOY / "compose.yaml")["services"]
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert "--read-only" in services["view"]["command"]
    assert "--read-only" not in services["web"]["command"]
    place = loaded(DEPLOY / "workspace.compose.yaml")["load_from"][0]["grpc_server"]
    assert place["host"] in services
    assert f"--port {place['port']}" in services["code"]["command"]


def test_proxy_hands_viewers_to_the_read_only_ui() -> None:
    text = (DEPLOY / "nginx.conf").read_text()
    servers = text.split("\nserver {")[1:]
    view = next(one for one in servers if "127.0.0.1:3001" in one)
    operate = next(one for one in servers if "127.0.0.1:3000" in one)
    assert "auth_basic_user_file" in operate
    assert "auth_basic" not in view


def named(path: Path) -> Iterator[str]:
    yield from re.findall(r"\bSM_[A-Z_]+\b", path.read_text())


def test_every_variable_that_is_named_means_something() -> None:
    found = {name for path in DEPLOY.rglob("*") if path.is_file() for name in named(path)}
    assert found <= set(VARIABLES)


def test_no_secret_is_written_down() -> None:
    for path in DEPLOY.rglob("*"):
        text = path.read_text() if path.is_file() else ""
        for written in re.findall(r"://\w+:([^@\s]+)@", text):
            assert re.fullmatch(r"PASSWORD|password|\$\{POSTGRES_PASSWORD:.*", written), path
