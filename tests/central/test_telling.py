"""The pages of a stay and of a finding say and draw what the judge found."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient

from central.judging import Judging
from central.store.records import Records
from config.policy import load_policy

BAD = "nz01-20261123-002"


def finding(web: TestClient, rule: str) -> dict[str, Any]:
    found = web.get("/api/v1/findings", params={"stay": BAD}).json()
    return next(one for one in found["items"] if one["rule"] == rule)


def test_a_stay_is_drawn_with_its_gaps_linked_to_their_findings(told: Any, web: TestClient) -> None:
    page = web.get(f"/stays/{BAD}").text
    assert 'class="lanes"' in page and "3 有人看管" in page and "讯问室 1" in page
    assert f'<a href="/findings/{finding(web, "M2.1")["id"]}"><rect' in page
    assert "未检查先讯（询）问 12 分" in page
    assert "Questioned before the search 12 min" in web.get(f"/stays/{BAD}", params={"lang": "en"}).text


def test_a_stay_is_drawn_after_a_start_before_its_zone_wrote_again(told: Any, records: Records) -> None:
    fresh = Judging(records, load_policy(None), lambda zone, done: None)
    lanes = fresh.lanes("nz01", BAD)
    assert lanes is not None and "M2.1" in {one.rule for one in lanes.findings}
    assert fresh.lanes("nz01", "nz01-20261123-099") is None


def test_a_finding_is_explained_by_its_law_its_limits_and_its_lines_in_words(told: Any, web: TestClient) -> None:
    id_ = finding(web, "M4.1")["id"]
    page = web.get(f"/findings/{id_}").text
    assert "治安管理处罚法 第一百三十七条（连续、稳定、安全）" in page
    assert "超过 10 秒待核查，超过 1 分为违反" in page
    assert "画面异常" in page and "遮挡" in page
    english = web.get(f"/findings/{id_}", params={"lang": "en"}).text
    assert "Public Security Administration Punishments Law, art. 137" in english
    assert "impaired, sound good, faults: covered" in english


def test_what_a_register_says_is_said_in_words(told: Any, web: TestClient) -> None:
    page = web.get(f"/stays/{BAD}", params={"lang": "en"}).text
    assert "Interview began in 讯问室 1, with police p0231, police p0117" in page
