"""The Compose file: every service with the least it needs, and settings that the service understands.

No container is started here. The processes and their settings are those of the other profiles.
"""

import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from notary.settings.loading import load_settings

ROOT = Path(__file__).resolve().parents[1]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PASSWORDS = "/secrets/database", "/secrets/postgres"
EVERY = pytest.mark.parametrize("name", sorted(SERVICES))


def mounts(name: str) -> dict[str, str]:
    """Volumes of a service, and how each is mounted: rw or ro."""
    rows = [row.split(":") for row in SERVICES[name].get("volumes", [])]
    return {row[0]: (row[2] if len(row) > 2 else "rw") for row in rows}


@EVERY
def test_a_service_has_no_privilege_and_writes_only_to_its_volumes(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "cap_add" not in service
    assert set(mounts(name)) <= set(COMPOSE["volumes"])


@EVERY
def test_a_port_is_reachable_from_this_machine_only(name):
    for port in SERVICES[name].get("ports", []):
        assert port.startswith("127.0.0.1:")
    if name != "api":
        assert "ports" not in SERVICES[name]


def test_there_are_two_apis_with_a_port_each():
    assert SERVICES["api"]["deploy"]["replicas"] == 2
    assert SERVICES["api"]["ports"] == ["127.0.0.1:8000-8001:8000"]


@pytest.mark.parametrize("name", ["postgres", "chain", "tsa", "api", "worker"])
def test_a_lasting_service_is_started_again_however_often_and_after_the_host_was(name):
    """`on-failure` is not started with the host, and its number counts for as long as the container is there."""
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", ["postgres", "chain", "tsa", "api", "worker"])
def test_a_lasting_service_has_a_health_check(name):
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


def test_what_reaches_outside_is_only_what_must():
    """The chain, the authority and the database are on a network without a way out."""
    outside = {name for name, service in SERVICES.items() if "outside" in service.get("networks", [])}
    assert outside == {"api", "worker"}
    assert COMPOSE["networks"]["inside"] == {"internal": True}


def test_each_process_sees_only_the_keys_that_it_uses():
    holders = {key: {n for n in SERVICES if key in mounts(n)} for key in COMPOSE["volumes"]}
    assert holders["log-keys"] == {"setup", "worker"}
    assert holders["receipt-key"] == {"setup", "api"}
    assert holders["postgres-password"] == {"passwords", "postgres"}
    writers = {
        n for n in SERVICES if mounts(n).get("log-keys") == "rw" or mounts(n).get("receipt-key") == "rw"
    }
    assert writers == {"setup"}


@pytest.mark.parametrize("name", ["setup", "api", "worker"])
def test_the_environment_is_understood_by_the_service(name, monkeypatch):
    for variable, value in SERVICES[name]["environment"].items():
        monkeypatch.setenv(variable, re.sub(r"\$\{\w+:-(.*)\}", r"\1", value))
    settings = load_settings()
    assert [chain.name for chain in settings.chains] == ["compose-chain"]
    assert [tsa.roots for tsa in settings.tsas] == [(Path("/var/lib/tsa/root.pem"),)]
    assert not settings.embedded
    volumes = [row.split(":")[1] for row in SERVICES[name]["volumes"]]
    assert any(
        settings.receipt_key.is_relative_to(folder) for folder in volumes if folder.startswith("/keys")
    )


@EVERY
def test_a_secret_is_a_path_and_no_address_holds_one(name):
    for variable, value in SERVICES[name].get("environment", {}).items():
        if re.search("PASSWORD|SECRET|TOKEN|KEY|PASS", variable):
            assert value.startswith(("/keys/", "/secrets/")), variable
        assert not re.search(r"//[^/@\s]*:[^/@\s]*@", value), variable


def test_the_password_is_made_once_and_is_the_same_for_both_sides(tmp_path):
    (entry,) = [part for part in SERVICES["passwords"]["entrypoint"] if "import" in part]
    for number, folder in enumerate(PASSWORDS):
        (tmp_path / str(number)).mkdir()
        entry = entry.replace(folder, str(tmp_path / str(number)))
    ours, theirs = tmp_path / "0/pgpass", tmp_path / "1/password"
    # What a first start leaves that was broken off between the two; PostgreSQL has not started then.
    theirs.symlink_to("nowhere/to/be/written")
    seen = []
    for _ in range(2):
        subprocess.run([sys.executable, "-c", entry], check=True)
        seen.append((ours.read_text(), theirs.read_text()))
    assert seen[0] == seen[1]
    assert seen[0][0] == f"*:*:*:notary:{seen[0][1]}\n"
    assert len(seen[0][1]) == 64
    assert stat.S_IMODE(ours.stat().st_mode) == 0o600


def test_the_api_gets_every_receipt_key_and_no_other(tmp_path):
    """After a rotation, too: without the key in force an API accepts nothing."""
    (script,) = SERVICES["setup"]["command"]
    made, given = tmp_path / "log/keys", tmp_path / "receipt"
    made.mkdir(parents=True)
    given.mkdir()
    script = script.replace("$$", "$").replace("notary setup", "true")
    script = re.sub(r"(?<![\w}])/keys/", f"{tmp_path}/", script)
    (made / "log.pem").write_text("log")
    for number, name in enumerate(("receipt.pem", "receipt-2.pem", "receipt-3.pem"), 1):
        (made / name).write_text(str(number))
        subprocess.run([*SERVICES["setup"]["entrypoint"], script], check=True)
        assert (given / name).read_text() == str(number)
        assert stat.S_IMODE((given / name).stat().st_mode) == 0o600
        (given / name).write_text("is there")  # and stays
    subprocess.run([*SERVICES["setup"]["entrypoint"], script], check=True)
    assert {path.name: path.read_text() for path in given.iterdir()} == dict.fromkeys(
        ("receipt.pem", "receipt-2.pem", "receipt-3.pem"), "is there"
    )


def test_the_images_are_built_from_hashes_and_run_without_root():
    installs = re.findall(r"(?:pip install|pip sync|uv build)[^;\n]*", DOCKERFILE)
    assert len(installs) == 4
    unpinned = [line for line in installs if "--require-hashes" not in line and "--no-deps" not in line]
    assert unpinned == []
    assert "npm ci" in DOCKERFILE
    assert "npm install" not in DOCKERFILE
    for target in ("chain", "notary"):
        stage = DOCKERFILE.split(f" AS {target}\n")[1].split("\nFROM ")[0]
        (user,) = re.findall(r"^USER (\w+)$", stage, re.MULTILINE)
        assert user != "root"
