"""The legal clocks: how long a person may be kept under the measure in force (must 0).

治安管理处罚法 art. 97; 刑事程序规定 art. 79, 80, 126; 继续盘问规定 art. 10, 11, 13. The measure in force at a
moment decides what is lawful at that moment.
"""

from __future__ import annotations

from .case import Case, day_of
from .terms import Term, Terms


def judge_legal_clocks(case: Case) -> None:
    """T1, T2 and T3 of one stay, whatever its category."""
    terms = Terms(case)
    if case.in_force("T1"):
        _overstay(case, terms)
    if case.in_force("T2"):
        _extended_too_late(case, terms)
    if case.in_force("T3"):
        _no_such_limit(case)


def _overstay(case: Case, terms: Terms) -> None:
    """T1: still here when the limit of the measure in force had been reached.

    What is overdue lasts through a change that does not put the limit off; a change to a later limit ends it, and
    should that limit have passed too, another finding starts there.
    """
    exited = case.stay.exited
    end = case.end if exited is None else min(exited.time, case.end)
    running: tuple[int, Term] | None = None
    deadline = 0
    for term in terms.all:
        case.wake_at(term.deadline + 1)
        if term.start >= end:
            break
        if running is not None and term.deadline > deadline:
            _overdue(case, terms, running, term.start)
            running = None
        deadline = term.deadline
        if running is None and deadline < min(term.end, end):
            running = (max(deadline, term.start), term)
    if running is not None:
        _overdue(case, terms, running, end)


def _overdue(case: Case, terms: Terms, running: tuple[int, Term], end: int) -> None:
    start, term = running
    if start >= case.span(end):
        return
    rule = case.policy.rules.t1
    last = terms.at(case.span(end))
    since_arrival = case.span(end) - case.stay.begun.time
    longest = last.kind == "continued_questioning" and last.tier == 48
    serious = since_arrival > (rule.serious_48_us if longest else rule.serious_us)
    if case.lasts(end):
        case.wake_at(case.stay.begun.time + rule.serious_us + 1)
        case.wake_at(case.stay.begun.time + rule.serious_48_us + 1)
    exited = case.stay.exited
    case.find(
        "T1", "breach", start, end, severity="serious" if serious else "breach",
        evidence=[term.fact, *([] if exited is None or exited.time != end else [exited])],
        measure=term.kind, limit_hours=term.limit_hours,
    )  # fmt: skip


def _extended_too_late(case: Case, terms: Terms) -> None:
    """T2: a later limit, approved when the one before it had been reached."""
    for fact, _ in case.stay.measures:
        if fact is case.stay.arrived:
            continue
        before, after = terms.before(fact), terms.of(fact)
        if after.deadline > before.deadline and fact.written >= before.deadline:
            case.find(
                "T2", "breach", fact.time, subject=fact.id, evidence=[before.fact, fact],
                limit_hours=after.limit_hours,
            )  # fmt: skip


def _no_such_limit(case: Case) -> None:
    """T3: a length that the law does not know for this measure on that day."""
    for fact, measure in case.stay.measures:
        flags = case.stay.flags_by(fact.order)
        tiers = case.policy.tiers_of(measure.kind, day_of(fact), flags)
        if measure.limit_hours is not None and measure.limit_hours not in tiers:
            case.find(
                "T3", "review", fact.time, subject=fact.id, evidence=[fact], measure=measure.kind,
                limit_hours=measure.limit_hours,
            )  # fmt: skip
