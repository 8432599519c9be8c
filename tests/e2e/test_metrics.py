"""What a running emberd counts, as a scraper sees it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.e2e.system import Emberd
from tests.unit.metrics.prometheus import Page, parse

HELLO = {"faas_name": "hello", "emberd_resource": "hello", "faas_version": "$LATEST"}


@pytest.fixture(scope="module")
def hello(emberd: Emberd, examples: Path) -> str:
    emberd.ok("deploy", examples / "hello")
    for _ in range(3):
        emberd.ok("invoke", "hello", "--payload", '{"name": "Ada"}')
    return "hello"


def scrape(emberd: Emberd) -> Page:
    http = json.loads((emberd.data / "endpoint.json").read_text())["http"]
    token = (emberd.data / "metrics.token").read_text().strip()
    request = urllib.request.Request(
        f"http://{http}/metrics", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return parse(answer.read().decode(), openmetrics=False)


def test_a_scrape_shows_invocations_starts_and_the_host(emberd: Emberd, hello: str) -> None:
    page = scrape(emberd)
    assert page.value("emberd_invocations_total", **HELLO) == 3
    assert page.value("emberd_errors_total", **HELLO) == 0
    assert page.value("emberd_duration_seconds_count", **HELLO) == 3
    warm = {"faas_name": hello, "emberd_start_level": "warm"}
    assert page.value("emberd_starts_total", **warm) == 2
    assert page.value("emberd_hosts", emberd_host_state="attached") == 1
    memory = next(
        value for (name, _), value in page.samples.items() if name == "faas_mem_usage_bytes_sum"
    )
    assert memory > 3 << 20
    counts = {
        dict(labels)["emberd_sandbox_state"]: value
        for (name, labels), value in page.samples.items()
        if name == "emberd_host_sandboxes"
    }
    assert counts["warm"] == 1


def test_a_scrape_without_its_token_is_refused(emberd: Emberd) -> None:
    http = json.loads((emberd.data / "endpoint.json").read_text())["http"]
    with pytest.raises(urllib.error.HTTPError, match="401") as refused:
        urllib.request.urlopen(f"http://{http}/metrics", timeout=10)
    refused.value.close()
