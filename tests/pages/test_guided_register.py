"""A person walks through the guided register at the door terminal, from the arrival to the exit."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

OpenPage = Callable[..., Page]
Keep = Callable[[Page, str], None]
MONITOR = (1920, 1080)


def choose(page: Page, *texts: str) -> None:
    """Touch these choices of the form that is open."""
    for text in texts:
        page.locator(".act form label", has_text=text).first.click()


def press(page: Page, name: str) -> None:
    page.locator(".act").get_by_role("button", name=name, exact=True).click()


def heading(page: Page, text: str) -> None:
    expect(page.locator("#act-title")).to_contain_text(text)


def arrive(page: Page, name: str) -> None:
    page.get_by_role("link", name="到案登记").click()
    page.get_by_label("姓名").fill(name)
    choose(page, "男", "刑事案件", "刑事传唤", "民警钱")
    page.get_by_label("时限（小时）").fill("12")
    press(page, "登记到案")
    heading(page, "登记入区")


def test_a_whole_stay_in_chinese_while_the_monitor_watches(zone: Any, open_page: OpenPage, keep: Keep) -> None:
    monitor = open_page("/monitor", size=MONITOR)
    expect(monitor.locator("[data-live=outside] .count")).to_have_text("0")
    page = open_page("/", officer=None)
    expect(page.get_by_text("区内及途中没有人员。")).to_be_visible()

    page.get_by_role("link", name="到案登记").click()
    page.get_by_label("姓名").fill("张三丰")
    choose(page, "男", "刑事案件", "刑事传唤", "民警赵", "民警钱")
    page.get_by_label("时限（小时）").fill("12")
    keep(page, "arrive-zh")
    press(page, "登记到案")
    page.locator("[data-choose-officer=p0231]").click()  # nobody had said yet who acts

    heading(page, "登记入区")
    expect(page.locator(".head h1")).to_contain_text("张**")
    expect(page.locator(".bar-officer")).to_contain_text("民警赵")
    expect(monitor.locator("[data-live=outside] .badge")).to_have_text("001")
    keep(page, "enter-zh")
    press(page, "登记入区")

    heading(page, "开始检查")
    searched_in = monitor.locator("article.room", has=monitor.get_by_role("heading", name="人身检查室"))
    expect(searched_in.locator(".badge")).to_have_text("001")
    choose(page, "民警钱")
    press(page, "开始检查")

    heading(page, "完成检查")
    expect(searched_in).to_contain_text("正在检查")
    choose(page, "无伤", "已列清单")
    page.locator("[data-row]").nth(0).get_by_label("名称").fill("手机")
    page.get_by_label("柜号").fill("7")
    choose(page, "清单已由本人签名", "被检查人已签名")
    keep(page, "search-zh")
    press(page, "完成检查")

    heading(page, "信息采集")
    press(page, "完成采集")

    heading(page, "安排房间")
    choose(page, "候问室一")
    press(page, "安排到此房间")

    heading(page, "登记看管人")  # whoever moved the person guards only for a moment
    choose(page, "辅警王")
    press(page, "登记看管人")
    heading(page, "开始讯（询）问")
    waiting = monitor.locator("article.room", has=monitor.get_by_role("heading", name="候问室一"))
    expect(waiting).to_contain_text("辅警王")

    choose(page, "民警钱")
    press(page, "开始")
    heading(page, "结束活动")
    asked_in = monitor.locator("article.room", has=monitor.get_by_role("heading", name="讯问室一"))
    expect(asked_in).to_contain_text("讯（询）问")
    keep(monitor, "monitor-zh")
    choose(page, "本人已在笔录")
    press(page, "结束活动")

    page.locator(".stepper a", has_text="出区登记").click()
    choose(page, "释放", "已返还", "出区登记已签名")
    keep(page, "exit-zh")
    press(page, "登记出区")
    expect(page.locator(".entries tbody tr")).to_have_count(10)
    expect(page.locator("svg.lanes")).to_be_visible()
    keep(page, "record-zh")
    expect(asked_in.locator(".badge")).to_have_count(0)

    assert zone.types() == [
        "stay.arrived",
        "stay.entered",
        "search.started",
        "search.finished",
        "property.received",
        "collection.finished",
        "stay.moved",
        "guard.present",
        "activity.started",
        "activity.ended",
        "stay.exited",
    ]


def test_an_interview_before_the_search_is_stopped_and_only_a_reason_goes_past(
    zone: Any, open_page: OpenPage, keep: Keep
) -> None:
    page = open_page("/")
    arrive(page, "李四")
    press(page, "登记入区")
    heading(page, "开始检查")
    page.locator(".stepper a", has_text="讯（询）问").click()
    expect(page.locator(".warning")).to_contain_text("尚未人身检查")
    choose(page, "民警钱")
    press(page, "开始")
    dialog = page.locator("#problem-dialog")
    expect(dialog).to_contain_text("“四个一律”不允许现在进行")
    expect(dialog.locator(".obstacles li")).to_have_count(2)
    keep(page, "forbidden-zh")
    assert "activity.started" not in zone.types()

    dialog.get_by_role("button", name="以此理由继续").click()
    expect(dialog).to_be_visible()  # without a reason nothing happens
    dialog.get_by_label("紧急情况：为什么必须继续？").fill("人质下落不明")
    dialog.get_by_role("button", name="以此理由继续").click()
    heading(page, "开始检查")  # what comes next is still the search
    page.get_by_role("link", name="时间轴与更正").click()
    expect(page.locator(".overridden")).to_contain_text("人质下落不明")


def test_a_missing_choice_is_marked_where_it_is_missing(open_page: OpenPage) -> None:
    page = open_page("/terminal/arrive")
    page.get_by_label("姓名").fill("王五")
    press(page, "登记到案")
    expect(page.locator(".fielderror").first).to_be_visible()
    expect(page.locator(".field", has_text="性别").locator(".fielderror")).to_be_visible()
    expect(page.get_by_label("姓名")).to_have_value("王五")


def test_what_happened_earlier_is_written_with_its_own_time(zone: Any, open_page: OpenPage) -> None:
    page = open_page("/")
    page.get_by_role("link", name="到案登记").click()
    choose(page, "女", "行政案件", "治安传唤")
    page.get_by_text("补录（较早发生）").click()
    page.get_by_label("发生时间（留空为现在）").fill("2026-01-02T03:04:05")
    press(page, "登记到案")
    expect(page.locator("#problem-dialog")).to_contain_text("30 天前")
    page.locator("#problem-dialog").get_by_role("button", name="返回").click()
    expect(page.get_by_label("发生时间（留空为现在）")).to_have_value("2026-01-02T03:04:05")
    assert zone.types() == []


def test_an_entry_is_voided_from_the_stays_page_and_everybody_sees_it(zone: Any, open_page: OpenPage) -> None:
    page = open_page("/")
    arrive(page, "赵六")
    press(page, "登记入区")
    heading(page, "开始检查")
    page.get_by_role("link", name="时间轴与更正").click()
    page.locator("tr", has_text="押送").get_by_role("button", name="更正").click()
    dialog = page.locator("#correct-dialog")
    dialog.get_by_label("原因").fill("登记到了别人名下")
    dialog.get_by_role("button", name="作废此条").click()
    expect(page.locator("tr.is-void")).to_contain_text("已作废")
    assert zone.types()[-1] == "record.corrected"


def test_who_a_person_is_is_shown_for_a_purpose_and_that_is_written(zone: Any, open_page: OpenPage) -> None:
    page = open_page("/")
    arrive(page, "欧阳锋")
    page.get_by_role("button", name="查看身份信息").click()
    dialog = page.locator("#identity-dialog")
    dialog.get_by_label("事由").fill("核对证件")
    dialog.get_by_role("button", name="查看", exact=True).click()
    expect(dialog).to_contain_text("欧阳锋")
    assert zone.types()[-1] == "record.viewed"


def test_somebody_elses_entry_is_announced_and_never_wipes_a_half_filled_form(
    zone: Any, open_page: OpenPage
) -> None:
    first = open_page("/")
    arrive(first, "孙七")
    press(first, "登记入区")
    heading(first, "开始检查")
    choose(first, "民警孙")
    second = open_page(re.sub(r"^https?://[^/]+", "", first.url) + "?act=care", officer="p0145")
    choose(second, "饮水")
    press(second, "登记")
    heading(second, "开始检查")
    expect(first.locator(".stale")).to_be_visible()
    expect(first.locator("input[value=p0118]")).to_be_checked()


def test_the_register_speaks_english_by_its_switch(open_page: OpenPage, keep: Keep) -> None:
    page = open_page("/terminal/arrive")
    page.get_by_role("link", name="English").click()
    expect(page).to_have_url(re.compile("/terminal/arrive$"))
    choose(page, "Female", "Administrative case", "Administrative summons")
    page.get_by_label("Name").fill("Smith")
    press(page, "Register the arrival")
    heading(page, "Register the entry")
    expect(page.locator(".head h1")).to_contain_text("S***")
    press(page, "Register the entry")
    heading(page, "Begin the search")
    choose(page, "民警钱")
    press(page, "Begin the search")
    expect(page.locator("#problem-dialog")).to_contain_text("A woman is searched by women or by a doctor only.")
    keep(page, "forbidden-en")
