"""A Firefox of this machine, driven through Marionette, its own remote control: no driver and no package is needed.

It is the program that the variable FIREFOX names, the one on the PATH, or the one that `scripts/bootstrap firefox`
unpacked from packages of Debian or Ubuntu, without root.
"""

import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

UNPACKED = Path(__file__).parents[2] / ".make/firefox"
MISSING = (
    "Firefox was not tried: this machine has none. Install it, name it in the variable FIREFOX, or on Debian and "
    "Ubuntu run `scripts/bootstrap firefox`."
)
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver, section 12.1
_PREFERENCES = {
    "marionette.port": 0,
    "app.update.disabledForTesting": True,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "datareporting.healthreport.uploadEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    # Nothing but this machine is reached, whatever the browser wants of its maker.
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
}


def program() -> tuple[str, dict[str, str]] | None:
    """Firefox and what its environment needs more; None where there is none."""
    if named := os.environ.get("FIREFOX"):
        return named, {}
    if (binary := UNPACKED / "usr/lib/firefox-esr/firefox-esr").is_file():
        folders = [UNPACKED / "usr/lib/firefox-esr", *(UNPACKED / "usr/lib").glob("*-linux-gnu")]
        return str(binary), {"LD_LIBRARY_PATH": ":".join(map(str, folders))}
    found = shutil.which("firefox") or shutil.which("firefox-esr")
    return (found, {}) if found else None


class Firefox:
    """A headless Firefox with a profile in `folder`. Ends with `close`."""

    def __init__(self, folder: Path, *, locale: str = "en-GB") -> None:
        found = program()
        assert found is not None, MISSING
        binary, more = found
        profile = folder / "profile"
        profile.mkdir()
        preferences = {**_PREFERENCES, "intl.accept_languages": locale}
        lines = (f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in preferences.items())
        (profile / "user.js").write_text("".join(lines))
        self._process = subprocess.Popen(
            [binary, "--headless", "--marionette", "--no-remote", "--profile", str(profile)],
            env={**os.environ, **more, "HOME": str(folder), "MOZ_HEADLESS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            self._connect(profile / "MarionetteActivePort")
        except BaseException:
            self.close()
            raise

    def _connect(self, place: Path) -> None:
        deadline = time.monotonic() + 90
        while not (place.is_file() and place.read_text().strip()):
            assert self._process.poll() is None, "Firefox ended before it could be driven"
            assert time.monotonic() < deadline, "Firefox did not start within 90 s"
            time.sleep(0.1)
        self._socket = socket.create_connection(("127.0.0.1", int(place.read_text())), timeout=60)
        self._stream = self._socket.makefile("rb")
        self._answer()  # its greeting
        self._count = 0
        self.do("WebDriver:NewSession", capabilities={"alwaysMatch": {}})

    def _answer(self) -> object:
        length = b""
        while (digit := self._stream.read(1)) != b":":
            assert digit, "Firefox closed the connection"
            length += digit
        return json.loads(self._stream.read(int(length)))

    def do(self, command: str, **parameters: object) -> object:
        """The value of a WebDriver command (Marionette's names)."""
        self._count += 1
        message = json.dumps([0, self._count, command, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(message), message))
        _, number, error, result = self._answer()
        assert number == self._count
        assert error is None, error
        return result.get("value") if isinstance(result, dict) and "value" in result else result

    def open(self, url: str) -> None:
        self.do("WebDriver:Navigate", url=url)

    def element(self, selector: str) -> str:
        found = self.do("WebDriver:FindElement", using="css selector", value=selector)
        return found[_ELEMENT]

    def choose_file(self, selector: str, path: Path) -> None:
        self.do("WebDriver:ElementSendKeys", id=self.element(selector), text=str(path))

    def click(self, selector: str) -> None:
        self.do("WebDriver:ElementClick", id=self.element(selector))

    def script(self, code: str, *arguments: object) -> object:
        return self.do("WebDriver:ExecuteScript", script=code, args=list(arguments))

    def wait_for(self, selector: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not self.script("return document.querySelector(arguments[0]) !== null", selector):
            assert time.monotonic() < deadline, f"nothing is {selector} after {seconds} s"
            time.sleep(0.1)

    def close(self) -> None:
        if hasattr(self, "_socket"):
            self._stream.close()
            self._socket.close()
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
