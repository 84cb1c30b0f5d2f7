"""Under a running load: services killed, NATS and PostgreSQL restarted, everything frozen as a closed laptop does.

Afterwards every acknowledged write is there once, every event had its effect once, and nothing waits for ever.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from uuid import uuid4

import grpc
import httpx
import psycopg
import pytest
from komu.attendance.v1 import attendance_pb2
from komu.attendance.v1.attendance_pb2_grpc import AttendanceServiceStub
from komu.grades.v1 import grades_pb2
from komu.grades.v1.grades_pb2_grpc import GradesServiceStub
from komu.roster.v1 import roster_pb2
from komu.roster.v1.roster_pb2_grpc import RosterServiceStub
from komustack.supervise import Supervisor, leftovers
from servicekit.errors import Conflict, Unavailable

from tests.support.people import Person, stack_files
from tests.support.stack import RunningStack

PAUSE_S = 0.05
SETTLE_S = 90
FROZEN_S = 6
LOAD_MOST_S = 240
SERVICES = ("roster", "attendance", "grades", "reports", "dataexchange", "learning", "portal")


@dataclass
class Load:
    """Two people who go on working whatever happens; what was acknowledged is written down."""

    running: RunningStack
    acknowledged_rolls: set[str] = field(default_factory=set)
    acknowledged_terms: int = 0
    failures: list[str] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)

    def start(self) -> None:
        for work in (self._take_the_roll, self._close_and_reopen):
            thread = threading.Thread(target=self._until_stopped, args=(work,), daemon=True)
            thread.start()
            self.threads.append(thread)

    def stop(self) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join(timeout=60)
            assert not thread.is_alive()

    def signed_in(self, username: str, level: int = 1) -> Person:
        person = Person(self.running, username, level=level)
        self.people.append(person)
        return person

    def _until_stopped(self, work: Callable[[], Iterator[None]]) -> None:
        try:
            deadline = time.monotonic() + LOAD_MOST_S
            for _ in work():
                if self.stopping.wait(PAUSE_S) or time.monotonic() > deadline:
                    return
        except Exception as error:
            self.failures.append(f"{type(error).__name__}: {error}")

    def _take_the_roll(self) -> Iterator[None]:
        teacher = self.signed_in("aozora.es.teacher1")
        renewed = time.monotonic()
        homeroom = teacher.call(RosterServiceStub, "roster", "WhoAmI", roster_pb2.WhoAmIRequest()).classes[0]
        days = lesson_days(20)
        turn = 0
        while True:
            turn += 1
            on = days[turn % len(days)].isoformat()
            why = f"fault-{uuid4().hex}"
            try:
                if time.monotonic() - renewed > 120:
                    teacher.renew()
                    renewed = time.monotonic()
                asked = attendance_pb2.GetDayRequest(class_id=homeroom.id, on=on)
                day = teacher.call(AttendanceServiceStub, "attendance", "GetDay", asked)
                first = day.marks[0]
                symbol = "ill" if first.symbol != "ill" else "other"
                save = attendance_pb2.SaveDayRequest(
                    class_id=homeroom.id,
                    on=on,
                    exceptions=[attendance_pb2.DayMark(pupil_id=first.pupil_id, symbol=symbol)],
                    version=day.version,
                    correction_reason=why,
                )
                teacher.call(AttendanceServiceStub, "attendance", "SaveDay", save)
                if day.version:
                    self.acknowledged_rolls.add(why)
            except (grpc.RpcError, Unavailable, Conflict, httpx.TransportError, httpx.HTTPStatusError):
                pass  # nobody was told it is saved
            yield

    def _close_and_reopen(self) -> Iterator[None]:
        principal = self.signed_in("hoshi.es.principal", level=2)
        renewed = time.monotonic()
        school = principal.call(RosterServiceStub, "roster", "WhoAmI", roster_pb2.WhoAmIRequest()).schools[0].id
        where = {"school_id": school, "school_year": 2026, "term": "1"}
        while True:
            try:
                if time.monotonic() - renewed > 120:
                    principal.renew()
                    renewed = time.monotonic()
                asked = grades_pb2.ListTermsRequest(school_id=school, school_year=2026)
                terms = principal.call(GradesServiceStub, "grades", "ListTerms", asked).terms
                term = next(term for term in terms if term.key == "1")
                if term.state == grades_pb2.TERM_STATE_CLOSED:
                    reopen = grades_pb2.ReopenTermRequest(**where, version=term.version, reason="負荷の試験")
                    principal.call(GradesServiceStub, "grades", "ReopenTerm", reopen)
                else:
                    close = grades_pb2.CloseTermRequest(
                        **where, version=term.version, accept_missing=True, reason="負荷の試験"
                    )
                    principal.call(GradesServiceStub, "grades", "CloseTerm", close)
                self.acknowledged_terms += 1
            except (grpc.RpcError, Unavailable, Conflict, httpx.TransportError, httpx.HTTPStatusError):
                pass
            yield


def lesson_days(count: int) -> list[date]:
    """Weekdays of October 2026: no holiday but one, no vacation; all of them over."""
    first = date(2026, 10, 1)
    days = [first + timedelta(days=n) for n in range(31)]
    return [day for day in days if day.weekday() < 5 and day != date(2026, 10, 12)][:count]


def until(done: Callable[[], bool], what: str, within_s: float = SETTLE_S) -> None:
    """Waits for a state, never for a time alone."""
    deadline = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < deadline, f"{what}: not within {within_s:.0f} s"
        time.sleep(0.2)


def ready(running: RunningStack, service: str) -> bool:
    try:
        return httpx.get(f"{running.info['services'][service]['health']}/health/ready", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def all_ready(running: RunningStack) -> None:
    for service in SERVICES:
        until(partial(ready, running, service), f"{service} is ready again")


def empty(running: RunningStack, service: str, query: str) -> bool:
    return rows(running, service, query) == [(0,)]


def goes_on(load: Load) -> None:
    """Both kinds of work get through again."""
    rolls, terms = len(load.acknowledged_rolls), load.acknowledged_terms
    until(lambda: len(load.acknowledged_rolls) > rolls + 2 or bool(load.failures), "the roll is taken again")
    until(lambda: load.acknowledged_terms > terms + 2 or bool(load.failures), "terms are closed again")
    assert load.failures == []


@pytest.fixture(scope="module")
def load(frail_stack: RunningStack) -> Iterator[Load]:
    work = Load(frail_stack)
    try:
        work.start()
        goes_on(work)
        yield work
    finally:
        work.stop()
        for person in work.people:
            person.close()


@pytest.mark.parametrize("service", SERVICES)
def test_a_killed_service_comes_back_and_work_goes_on(load: Load, service: str) -> None:
    supervisor = Supervisor(stack_files(load.running))
    before = supervisor.states()[service]["pid"]
    os.kill(before, signal.SIGKILL)
    until(lambda: supervisor.states()[service]["pid"] not in (0, before), f"{service} is started again")
    until(lambda: ready(load.running, service), f"{service} is ready again")
    goes_on(load)


@pytest.mark.parametrize("part", ["nats", "postgres"])
def test_a_restarted_part_is_found_again(load: Load, part: str) -> None:
    supervisor = Supervisor(stack_files(load.running))
    before = supervisor.states()[part]["pid"]
    os.kill(before, signal.SIGTERM if part == "nats" else signal.SIGINT)
    until(lambda: supervisor.states()[part]["pid"] not in (0, before), f"{part} is started again")
    all_ready(load.running)
    goes_on(load)


def test_everything_frozen_and_woken_goes_on(load: Load) -> None:
    pids = sorted(leftovers(stack_files(load.running)))
    assert len(pids) > len(SERVICES)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    load.stopping.wait(FROZEN_S)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    all_ready(load.running)
    goes_on(load)


def rows(running: RunningStack, service: str, query: str, *values: object) -> list[tuple[object, ...]]:
    """What stands in the database, seen by the plumbing's and every board's eyes."""
    with psycopg.connect(running.info["databases"][service]) as connection:
        connection.execute("SET komu.plumbing = 'on'")
        connection.execute("SET komu.tenant = 'aozora'")
        return connection.execute(query, values).fetchall()


def test_afterwards_every_acknowledged_write_is_there_once(load: Load) -> None:
    load.stop()
    assert load.failures == []
    query = "SELECT why, count(*) FROM mark_changes WHERE why LIKE 'fault-%%' GROUP BY why"
    found = rows(load.running, "attendance", query)
    counted = {str(why): count for why, count in found}
    assert len(load.acknowledged_rolls) > 20
    assert {why: counted.get(why) for why in load.acknowledged_rolls} == dict.fromkeys(load.acknowledged_rolls, 1)


def test_afterwards_every_event_had_its_effect_once(load: Load) -> None:
    load.stop()
    for service in SERVICES[:-1]:
        query = "SELECT count(*) FROM outbox WHERE published_at IS NULL"
        until(partial(empty, load.running, service, query), f"{service} has told everything")
        assert rows(load.running, service, "SELECT consumer, error FROM dead_letters") == []
    told = {
        str(row[0])
        for row in rows(load.running, "grades", "SELECT event_id FROM outbox WHERE subject LIKE 'grades.v1.term%%'")
    }
    assert len(told) >= load.acknowledged_terms

    def heard() -> list[str]:
        query = "SELECT event_id FROM inbox WHERE consumer LIKE '%%term%%'"
        return [str(row[0]) for row in rows(load.running, "attendance", query)]

    until(lambda: told <= set(heard()), "attendance has heard of every term")
    assert sorted(heard()) == sorted(set(heard()))
    leader = load.signed_in("hoshi.es.vice", level=2)
    school = leader.call(RosterServiceStub, "roster", "WhoAmI", roster_pb2.WhoAmIRequest()).schools[0].id
    terms = leader.call(
        GradesServiceStub, "grades", "ListTerms", grades_pb2.ListTermsRequest(school_id=school, school_year=2026)
    ).terms
    closed = next(term for term in terms if term.key == "1").state == grades_pb2.TERM_STATE_CLOSED
    day = attendance_pb2.GetSchoolDayRequest(school_id=school, on="2026-05-11")
    homeroom = leader.call(AttendanceServiceStub, "attendance", "GetSchoolDay", day).classes[0].class_id
    sheet = leader.call(
        AttendanceServiceStub,
        "attendance",
        "GetDay",
        attendance_pb2.GetDayRequest(class_id=homeroom, on="2026-05-11"),
    )
    assert ("校長が学期を締めた" in sheet.locked_reason) == closed


def test_afterwards_the_log_still_holds(load: Load) -> None:
    load.stop()
    for service in SERVICES[:-1]:
        query = "SELECT count(*) FROM audit_pending"
        until(partial(empty, load.running, service, query), f"{service} has sealed everything")


