"""A real browser for the tests marked ``browser``: headless Chromium with a profile of its own.

A test module gets the fixture with ``from browser import chromium  # noqa: F401`` and asks for the
argument ``browser``.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-background-networking "
    "--disable-component-update --disable-sync --no-first-run --disable-dev-shm-usage"
).split()


class Browser:
    """Chromium with a file open in it; ``driver`` is Selenium's."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, path: Path, width: int = 1200, height: int = 800, **media: str) -> None:
        """Open a file; ``media`` are features such as ``prefers_color_scheme="dark"``."""
        tell = self.driver.execute_cdp_cmd
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        tell("Emulation.setDeviceMetricsOverride", metrics)
        features = [{"name": k.replace("_", "-"), "value": v} for k, v in media.items()]
        tell("Emulation.setEmulatedMedia", {"features": features})
        # What earlier pages left in the logs is not this page's.
        self.requests()
        self.errors()
        self.driver.get(Path(path).resolve().as_uri())

    def run(self, script: str, *arguments: Any) -> Any:
        """Run the body of a JavaScript function and return what it returns."""
        return self.driver.execute_script(script, *arguments)

    def wait_for(self, script: str) -> None:
        """Wait until a script returns something true; TimeoutException if it never does."""
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.driver, 20, 0.05).until(lambda driver: driver.execute_script(script))

    def press(self, *keys: str) -> None:
        """Press keys, named as in Selenium's ``Keys`` ("ARROW_RIGHT") or a single character."""
        from selenium.webdriver import ActionChains, Keys

        for key in keys:
            ActionChains(self.driver).send_keys(getattr(Keys, key, key)).perform()

    def screenshot(self, path: Path) -> None:
        """Write what the window shows as PNG."""
        assert self.driver.save_screenshot(str(path))

    def errors(self) -> list[str]:
        """Return what was written to the console since the last call: mistakes, refusals."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Return the addresses that were asked for since the last call."""
        messages = [json.loads(e["message"])["message"] for e in self.driver.get_log("performance")]
        sent = [m["params"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        return [params["request"]["url"] for params in sent]


@pytest.fixture(scope="module", name="browser")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium with an empty profile, closed after the module's last test."""
    webdriver = pytest.importorskip("selenium.webdriver")
    driver_program = shutil.which("chromedriver")
    if driver_program is None:
        pytest.skip("needs chromedriver (Debian: chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    # With the driver's path given, Selenium looks for none on the network.
    driver = webdriver.Chrome(options, webdriver.ChromeService(driver_program))
    yield Browser(driver)
    driver.quit()
