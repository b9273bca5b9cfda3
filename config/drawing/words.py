"""The words upon a drawing, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping

from config.wording import Language

WORDS: Mapping[str, Mapping[Language, str]] = {
    "title": {"zh": "四个一律时间轴", "en": "Timeline of the four musts"},
    "where": {"zh": "所在位置", "en": "Where"},
    "what": {"zh": "办理事项", "en": "What was done"},
    "required": {"zh": "应当", "en": "required"},
    "proven": {"zh": "已证实", "en": "proven"},
    "entry": {"zh": "已证实", "en": "proven"},
    "search": {"zh": "已检查", "en": "searched"},
    "guard": {"zh": "已证实", "en": "proven"},
    "picture": {"zh": "画面", "en": "picture"},
    "sound": {"zh": "讯问音像", "en": "interview"},
    "clock": {"zh": "时限内", "en": "in time"},
    "way_in": {"zh": "到案途中", "en": "on the way in"},
    "out": {"zh": "在外", "en": "out"},
    "searching": {"zh": "检查", "en": "search"},
    "collection": {"zh": "采集", "en": "collection"},
    "not_required": {"zh": "对此类人员不作要求", "en": "not required of this person"},
    "never": {"zh": "未进入办案区", "en": "never inside"},
    "limit": {"zh": "时限至 {when}", "en": "limit {when}"},
    "lasts": {"zh": "{long}（仍在持续）", "en": "{long}, lasting"},
    "here": {"zh": "仍在区", "en": "still here"},
    "known_to": {"zh": "记录至 {when}", "en": "known to {when}"},
    "findings": {"zh": "发现的问题", "en": "Findings"},
    "nothing": {"zh": "没有发现问题。", "en": "Nothing was found."},
    "legend_required": {"zh": "应当有的时间", "en": "required"},
    "legend_proven": {"zh": "已证实", "en": "proven"},
    "legend_auxiliary": {"zh": "仅有辅警", "en": "auxiliaries alone"},
    "legend_search": {"zh": "正在检查", "en": "being searched"},
    "legend_out": {"zh": "经批准在外", "en": "out with approval"},
    "legend_short": {"zh": "缺口，未达标准", "en": "gap below the limits"},
    "legend_review": {"zh": "待核查", "en": "to review"},
    "legend_breach": {"zh": "违反", "en": "breach"},
    "legend_serious": {"zh": "严重违反", "en": "serious breach"},
    "legend_unproven": {"zh": "无法证明", "en": "unproven"},
    "desc": {
        "zh": "{who}，{start} 至 {end}。每一律一行，上为应当，下为已证实。{verdicts}。",
        "en": "{who}, {start} to {end}. One lane a must, what is required above what is proven. {verdicts}.",
    },
}


def say(key: str, lang: Language, **values: object) -> str:
    return WORDS[key][lang].format(**values)
