"""What an event says to a person, in Chinese and English: one sentence a type, with officers, rooms and times.

The words rest on what the line holds: an officer is a rank and a number, a room is called as the zone
described it. A type or a code that is not known here is shown as written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from custody.events import Event, parse_time, to_datetime

from .wording import CHINA_OFFSET_S, Language, Names, spaced

Pair = tuple[str, str]
"""Chinese, English."""

CODES: Mapping[str, Pair] = {
    "suspect": ("违法犯罪嫌疑人", "suspect"),
    "witness": ("证人", "witness"),
    "victim": ("被害人", "victim"),
    "criminal": ("刑事案件", "criminal case"),
    "administrative": ("行政案件", "administrative case"),
    "administrative_summons": ("行政传唤", "administrative summons"),
    "criminal_summons": ("刑事传唤", "criminal summons"),
    "compelled_appearance": ("拘传", "compelled appearance"),
    "continued_questioning": ("继续盘问", "continued questioning"),
    "detention": ("拘留", "detention"),
    "minor": ("未成年人", "minor"),
    "drunk": ("醉酒", "drunk"),
    "ill": ("患病", "ill"),
    "injured": ("受伤", "injured"),
    "pregnant": ("怀孕", "pregnant"),
    "nursing": ("哺乳", "nursing"),
    "elderly": ("老年", "elderly"),
    "high_risk": ("高风险", "high risk"),
    "general": ("一般", "general"),
    "intermittent": ("间歇巡查", "intermittent"),
    "constant": ("持续看护", "constant"),
    "safety": ("人身安全检查", "safety search"),
    "body": ("人身检查", "body search"),
    "described": ("有伤情记录", "described"),
    "listed": ("已列清单", "listed"),
    "basic": ("基本信息", "basic data"),
    "portrait": ("人像", "portrait"),
    "fingerprint": ("指纹", "fingerprint"),
    "voiceprint": ("声纹", "voiceprint"),
    "iris": ("虹膜", "iris"),
    "gait": ("步态", "gait"),
    "blood": ("血样", "blood"),
    "urine": ("尿样", "urine"),
    "dna": ("DNA", "DNA"),
    "phone": ("手机", "phone"),
    "interview": ("讯（询）问", "interview"),
    "identification": ("辨认", "identification"),
    "meeting": ("会见", "meeting"),
    "medical": ("就医", "medical care"),
    "meal": ("用餐", "meal"),
    "water": ("饮水", "water"),
    "rest": ("休息", "rest"),
    "toilet": ("如厕", "toilet"),
    "sobering": ("醒酒", "sobering"),
    "other": ("其他", "other"),
    "retrieve_evidence": ("起赃", "to retrieve evidence"),
    "scene_identification": ("辨认现场", "to identify a scene"),
    "body_identification": ("辨认尸体", "to identify a body"),
    "transfer": ("移送", "transfer"),
    "unit_head": ("办案部门负责人", "head of the unit"),
    "duty_chief": ("值班领导", "duty chief"),
    "released": ("释放", "released"),
    "transferred": ("移交", "transferred"),
    "detained": ("羁押", "detained"),
    "returned": ("已返还", "returned"),
    "unsettled": ("未处理", "unsettled"),
    "none": ("无", "none"),
    "police": ("民警", "police"),
    "auxiliary": ("辅警", "auxiliary"),
    "doctor": ("医生", "doctor"),
    "card": ("刷卡", "card"),
    "camera": ("摄像机", "camera"),
    "terminal": ("终端", "terminal"),
    "handover": ("交接", "handover"),
    "pass": ("通行", "passing"),
    "bring_in": ("带入", "bringing in"),
    "take_out": ("带出", "taking out"),
    "rounds": ("巡查", "rounds"),
    "recording": ("正常录像", "recording"),
    "impaired": ("画面异常", "impaired"),
    "lost": ("中断", "lost"),
    "unknown": ("不明", "unknown"),
    "good": ("正常", "good"),
    "bad": ("异常", "bad"),
    "no_signal": ("无信号", "no signal"),
    "not_recording": ("未录像", "not recording"),
    "frozen": ("画面冻结", "frozen"),
    "replayed": ("画面重放", "replayed"),
    "dark": ("过暗", "dark"),
    "covered": ("遮挡", "covered"),
    "defocused": ("失焦", "out of focus"),
    "moved": ("移位", "moved"),
    "no_audio": ("无声音", "no sound"),
    "clock": ("时钟错误", "wrong clock"),
    "storage": ("存储故障", "storage fault"),
    "office": ("办公区", "office area"),
    "reception": ("接待区", "reception area"),
    "living": ("生活区", "living area"),
    "outside": ("办案区外", "outside"),
    "destination": ("去向", "destination"),
    "signature": ("签名", "signature"),
    "belongings": ("随身财物", "belongings"),
}
TOLD: Mapping[str, Pair] = {
    "zone.described": ("登记办案区的房间、门和摄像机", "the zone's rooms, doors and cameras were described"),
    "zone.started": ("办案区系统启动", "the zone's system started"),
    "zone.stopped": ("办案区系统停止", "the zone's system stopped"),
    "zone.heartbeat": ("办案区系统心跳", "heartbeat of the zone"),
    "clock.stepped": ("时钟跳变 {by_s} 秒", "the clock stepped by {by_s} s"),
    "ledger.opened": ("新台账启用", "a new ledger was opened"),
    "door.granted": ("{door}放行{officer}（{purpose}）", "{door} granted to {officer} ({purpose})"),
    "door.opened": ("{door}打开", "{door} opened"),
    "door.closed": ("{door}关闭", "{door} closed"),
    "stay.arrived": (
        "到案：{category}，{flags}，措施{measure}，由{brought_by}带到",
        "arrived: {category}, flags {flags}, measure {measure}, brought by {brought_by}",
    ),
    "stay.entered": (
        "由{door}进入办案区{room}，押送{escorts}",
        "entered by {door} into {room}, escorts {escorts}",
    ),
    "stay.returned": (
        "由{door}带回{room}，押送{escorts}",
        "returned by {door} into {room}, escorts {escorts}",
    ),
    "stay.moved": ("转到{room}，押送{escorts}", "moved to {room}, escorts {escorts}"),
    "search.started": ("在{room}开始{kind}，检查人{officers}", "{kind} began in {room}, by {officers}"),
    "search.finished": (
        "{kind}结束，检查人{officers}，伤情：{injuries}，随身财物：{belongings}，签名：{signed}",
        "{kind} finished, by {officers}, injuries: {injuries}, belongings: {belongings}, signed: {signed}",
    ),
    "collection.finished": (
        "信息采集：{items}，批准：{approval}，采集人{officers}",
        "collected: {items}, approval: {approval}, by {officers}",
    ),
    "activity.started": ("在{room}开始{kind}，在场{officers}", "{kind} began in {room}, with {officers}"),
    "activity.officers": ("在场人员变为{officers}", "from now on there: {officers}"),
    "activity.ended": ("活动结束，签名：{signed}", "the activity ended, signed: {signed}"),
    "leave.approved": (
        "批准带出：{reason}，批准人{approver}，批准编号 {permit}，应于 {return_by} 前带回",
        "leave approved: {reason}, by {approver}, permit {permit}, back by {return_by}",
    ),
    "stay.left": (
        "由{door}带出，事由：{reason}，批准编号：{permit}，押送{escorts}",
        "taken out by {door}, reason: {reason}, permit: {permit}, escorts {escorts}",
    ),
    "stay.exited": (
        "由{door}出区：{reason}，去向：{destination}，随身财物：{belongings}，签名：{signed}",
        "exited by {door}: {reason}, destination: {destination}, belongings: {belongings}, signed: {signed}",
    ),
    "measure.changed": ("措施变更为{measure}，批准人{approver}", "measure changed to {measure}, by {approver}"),
    "flags.changed": ("风险标记：{flags}，看护等级：{level}", "flags: {flags}, level: {level}"),
    "care.recorded": ("生活保障：{kind}，接受：{accepted}", "care: {kind}, accepted: {accepted}"),
    "property.received": ("随身财物入柜 {locker}，{count} 件", "belongings into locker {locker}, {count} items"),
    "property.returned": ("随身财物返还，{count} 件", "belongings returned, {count} items"),
    "record.corrected": (
        "{by}更正登记：{changes}，理由：{reason}",
        "{by} corrected a line: {changes}, reason: {reason}",
    ),
    "hold.set": ("要求保存录像和记录：{reason}", "recordings and record to be kept: {reason}"),
    "hold.released": ("解除保存：{reason}", "no longer to be kept: {reason}"),
    "guard.present": ("{officer}到{room}看管（{proof}）", "{officer} on guard in {room} ({proof})"),
    "guard.absent": ("{officer}离开{room}", "{officer} left {room}"),
    "guard.handover": ("{room}交接：{outgoing}交给{incoming}", "handover in {room}: {outgoing} to {incoming}"),
    "check.made": ("{officer}在{room}巡查", "{officer} checked in {room}"),
    "camera.state": (
        "{camera}：{state}，声音{audio}，故障：{faults}，自 {since}",
        "{camera}: {state}, sound {audio}, faults: {faults}, since {since}",
    ),
    "recording.audited": (
        "核对{camera}录像 {start} 至 {end}：有录像 {covered}，时钟偏差 {clock_offset_s} 秒（±{uncertainty_s}）",
        "{camera} audited {start} to {end}: recorded {covered}, clock off {clock_offset_s} s (±{uncertainty_s})",
    ),
    "recording.lost": ("{camera}录像灭失：{start} 至 {end}", "recording of {camera} lost: {start} to {end}"),
}
NAMED = frozenset(("room", "door", "camera"))
TIMES = frozenset(("return_by", "since", "start", "end"))
VERBATIM = frozenset(("permit", "approval", "destination", "locker", "note"))


def names_in(events: Iterable[Event]) -> Names:
    """What rooms, doors and cameras are called in the latest descriptions among these events."""
    known: dict[str, str] = {}
    for event in sorted((one for one in events if one.type == "zone.described"), key=lambda one: one.time_us):
        for part in (*event.data.get("rooms", ()), *event.data.get("doors", ())):
            if isinstance(part, dict) and part.get("name"):
                known[str(part.get("id"))] = str(part["name"])
    return lambda id_: known.get(id_, id_)


def word(code: str, lang: Language) -> str:
    """A code of the contract in words; the code itself when it is not known here."""
    pair = CODES.get(code)
    return code if pair is None else pair[0 if lang == "zh" else 1]


def local_time(us: int, offset_s: int, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    return (to_datetime(us) + timedelta(seconds=offset_s)).strftime(form)


def tell(event: Event, lang: Language, *, names: Names | None = None, utc_offset_s: int = CHINA_OFFSET_S) -> str:
    """What this line says, as a short sentence without a full stop; the bare type for one not known here."""
    pair = TOLD.get(event.type)
    if pair is None:
        return event.type
    says = _Says(event.data, lang, names or str, utc_offset_s)
    text = pair[0 if lang == "zh" else 1].format_map(says)
    if lang == "zh":
        return spaced(text)
    return text if pair[1].startswith(("{camera}", "{door}")) else text[:1].upper() + text[1:]


class _Says(dict[str, Any]):
    """The data of an event, each field in words when it is asked for."""

    def __init__(self, data: Mapping[str, Any], lang: Language, names: Names, offset_s: int) -> None:
        super().__init__(data)
        self._zh = lang == "zh"
        self._lang: Language = lang
        self._names = names
        self._offset_s = offset_s

    def __missing__(self, name: str) -> Any:
        return self._nothing()

    def __getitem__(self, name: str) -> str:
        if name == "changes":
            return self._changes()
        value = self.get(name)
        if name == "covered" and isinstance(value, list):
            return self._covered(value)
        return self._value(name, value)

    def _value(self, name: str, value: Any) -> str:
        if value is None or value in ([], ""):
            return self._nothing()
        if isinstance(value, bool):
            return ("是" if value else "否") if self._zh else ("yes" if value else "no")
        if isinstance(value, list):
            return ("、" if self._zh else ", ").join(self._value(name, one) for one in value)
        if isinstance(value, dict):
            return self._part(value)
        if isinstance(value, float | int):
            return f"{value:g}"
        text = str(value)
        if name in TIMES:
            return self._moment(text)
        if name in NAMED:
            return self._names(text)
        return text if name in VERBATIM else word(text, self._lang)

    def _part(self, value: Mapping[str, Any]) -> str:
        """An officer, an approver or a measure."""
        if "id" in value:
            rank = value.get("rank") or value.get("role") or ""
            return f"{word(str(rank), self._lang)} {value['id']}".strip()
        hours = value.get("limit_hours")
        kind = word(str(value.get("kind", "")), self._lang)
        if hours is None:
            return kind
        return f"{kind} {hours:g} 小时" if self._zh else f"{kind} {hours:g} h"

    def _changes(self) -> str:
        if self.get("void"):
            return "作废" if self._zh else "void"
        told = [f"{name} → {self._value(name, value)}" for name, value in (self.get("data") or {}).items()]
        if self.get("time"):
            told.append(f"time → {self._moment(str(self.get('time')))}")
        return ", ".join(told) or self._nothing()

    def _covered(self, stretches: list[Any]) -> str:
        count = len(stretches)
        return f"{count} 段" if self._zh else f"{count} stretch{'' if count == 1 else 'es'}"

    def _moment(self, text: str) -> str:
        try:
            return local_time(parse_time(text)[0], self._offset_s, "%m-%d %H:%M:%S")
        except ValueError:
            return text

    def _nothing(self) -> str:
        return "无" if self._zh else "none"
