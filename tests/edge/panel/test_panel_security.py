"""What reaches the panel, and what its pages may load."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import httpx
import pytest

from config.clock import ManualClock
from config.zone import ZoneSettings
from edge.panel.process import run
from edge.panel.security import PanelExposed, require_loopback
from edge.panel.server import PanelServer

BODY = {"by": "p0231", "room": "waiting-1", "officer": "a0112"}
PAGES = ("/", "/monitor", "/terminal/arrive", "/terminal/guards", "/terminal/passage")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.20", "::", "panel.example"])
def test_it_never_listens_beyond_this_machine(settings: ZoneSettings, clock: ManualClock, host: str) -> None:
    exposed = settings.model_copy(update={"panel": settings.panel.model_copy(update={"host": host})})
    with pytest.raises(PanelExposed, match=r'Set host = "127\.0\.0\.1"'):
        run(exposed, clock, threading.Event())


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.53"])
def test_loopback_is_taken_by_any_of_its_names(host: str) -> None:
    require_loopback(host)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 201),
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_only_our_own_pages_may_write(client: httpx.Client, headers: dict[str, str], status: int) -> None:
    answer = client.post("/api/v1/acts/guard-present", json=BODY, headers=headers)
    assert answer.status_code == status
    if status != 201:
        assert answer.headers["content-type"] == "application/problem+json"


def test_our_own_origin_is_taken(server: PanelServer, client: httpx.Client) -> None:
    answer = client.post("/api/v1/acts/guard-present", json=BODY, headers={"Origin": server.url})
    assert answer.status_code == 201


def test_a_name_that_points_here_from_elsewhere_reads_nothing(client: httpx.Client) -> None:
    assert client.get("/api/v1/stays", headers={"Host": "rebound.example"}).status_code == 403


def test_a_body_that_no_page_sends_is_refused_before_it_is_read(server: PanelServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        connection.sendall(
            b"POST /api/v1/acts/arrive HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Content-Length: 99999999\r\n\r\n"
        )
        assert connection.recv(64).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("path", [*PAGES, "/static/panel.js", "/nowhere"])
def test_pages_load_nothing_from_elsewhere_and_run_nothing_inline(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    if answer.headers["content-type"].startswith("text/html"):
        assert "<script>" not in answer.text and " onclick=" not in answer.text and " style=" not in answer.text
        assert "http://" not in answer.text and "https://" not in answer.text


def test_a_camera_that_is_not_ours_has_no_picture(client: httpx.Client, settings: ZoneSettings) -> None:
    stills = settings.run_dir / "stills"
    stills.mkdir(parents=True)
    Path(stills / "cam-search.jpg").write_bytes(b"\xff\xd8\xff\xd9")
    Path(settings.run_dir / "secret.jpg").write_bytes(b"no")
    assert client.get("/stills/cam-search.jpg").content == b"\xff\xd8\xff\xd9"
    assert client.get("/stills/cam-corridor.jpg").status_code == 404
    assert client.get("/stills/..%2Fsecret.jpg").status_code == 404


@pytest.mark.parametrize("to", ["//evil.example", "/\\evil.example", "https://evil.example"])
def test_the_language_switch_never_leads_elsewhere(client: httpx.Client, to: str) -> None:
    answer = client.get("/lang/en", params={"to": to})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_the_switch_keeps_the_page_and_changes_its_language(client: httpx.Client) -> None:
    assert 'lang="zh-CN"' in client.get("/monitor").text
    answer = client.get("/lang/en", params={"to": "/monitor"}, follow_redirects=True)
    assert 'lang="en"' in answer.text and answer.url.path == "/monitor"
