"""A school of one class, told by peers that speak the real contracts over real gRPC with certificates and tokens."""

import dataclasses
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

from komu.attendance.v1 import attendance_pb2, attendance_pb2_grpc
from komu.common.v1 import common_pb2
from komu.grades.v1 import grades_pb2, grades_pb2_grpc
from komu.reports.v1.reports_pb2_grpc import ReportsServiceStub
from komu.roster.v1 import roster_pb2, roster_pb2_grpc
from servicekit.errors import Unseen
from servicekit.grpc import Call, rpc
from servicekit.testing import Caller, RunningService, an_actor

NOW = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
EVERYBODY = {"all": frozenset({"teacher", "vice_principal", "principal", "office", "board_admin"})}


@dataclass
class School:
    """One 小学校 with one class of 小3, and who works there."""

    running: RunningService
    tenant: str
    size: int = 35
    id: UUID = field(default_factory=uuid4)
    class_id: UUID = field(default_factory=uuid4)
    principal_id: UUID = field(default_factory=uuid4)
    teacher_id: UUID = field(default_factory=uuid4)
    other_teacher_id: UUID = field(default_factory=uuid4)
    office_id: UUID = field(default_factory=uuid4)
    pupils: list[UUID] = field(default_factory=list)
    remark: str = "進んで学習に取り組んだ。"
    left: set[UUID] = field(default_factory=set)

    every: ClassVar[dict[str, "School"]] = {}

    def __post_init__(self) -> None:
        self.pupils = self.pupils or [uuid4() for _ in range(self.size)]
        School.every[self.tenant] = self

    def person(self, person_id: UUID, role: str, *, strong: bool = True) -> Caller[ReportsServiceStub]:
        actor = an_actor(self.tenant, role, person_id=person_id, strong=False)
        if strong:
            actor = dataclasses.replace(actor, levels={1: NOW, 2: NOW})
        return self.running.caller(ReportsServiceStub, actor)

    @property
    def teacher(self) -> Caller[ReportsServiceStub]:
        return self.person(self.teacher_id, "teacher")

    @property
    def other_teacher(self) -> Caller[ReportsServiceStub]:
        return self.person(self.other_teacher_id, "teacher")

    @property
    def principal(self) -> Caller[ReportsServiceStub]:
        return self.person(self.principal_id, "principal")

    @property
    def office(self) -> Caller[ReportsServiceStub]:
        return self.person(self.office_id, "office")

    def names(self, place: int) -> common_pb2.PersonNames:
        return common_pb2.PersonNames(
            display=common_pb2.Name(family="渡辺", given=f"花{place}"),
            kana=common_pb2.Name(family="ワタナベ", given="ハナ"),
            official=common_pb2.Name(family="渡邉\U000e010f", given=f"花{place}"),
        )

    def pupil(self, place: int) -> roster_pb2.Pupil:
        return roster_pb2.Pupil(
            id=str(self.pupils[place]),
            names=self.names(place + 1),
            sex=roster_pb2.SEX_FEMALE,
            birth_on="2017-06-03",
            school_id=str(self.id),
            class_id=str(self.class_id),
            school_grade="P3",
            number=place + 1,
            enrolled=self.pupils[place] not in self.left,
        )

    @property
    def school(self) -> roster_pb2.School:
        return roster_pb2.School(
            id=str(self.id),
            name="青空市立あおぞら小学校",
            kind=roster_pb2.SCHOOL_KIND_ELEMENTARY,
            address="みらい県青空市中央1丁目1番1号",
        )

    def sheet(self, place: int) -> roster_pb2.RegisterSheet:
        pupil = self.pupil(place)
        period = common_pb2.Period(starts_on="2024-04-01")
        staff = common_pb2.Name(family="青空", given="太郎")
        return roster_pb2.RegisterSheet(
            pupil=pupil,
            school=self.school,
            names=[
                roster_pb2.DatedName(name=pupil.names.official, period=period, kind="official"),
                roster_pb2.DatedName(name=pupil.names.kana, period=period, kind="kana"),
            ],
            addresses=[roster_pb2.DatedAddress(text="みらい県青空市緑が丘4丁目", period=period)],
            guardians=[
                roster_pb2.Guardian(
                    names=common_pb2.PersonNames(display=common_pb2.Name(family="渡辺", given="一郎")), rank=1
                )
            ],
            principals=[roster_pb2.DatedStaff(name=staff, period=period)],
            enrolments=[
                roster_pb2.Enrolment(
                    events=[
                        roster_pb2.EnrolmentEvent(
                            kind=roster_pb2.ENROLMENT_EVENT_KIND_ADMITTED,
                            school_id=str(self.id),
                            effective_on="2024-04-08",
                            school_grade="P1",
                        )
                    ]
                )
            ],
            years=[
                roster_pb2.YearLine(
                    school_year=2024 + grade - 1,
                    school_grade=f"P{grade}",
                    class_name=f"{grade}年1組",
                    number=place + 1,
                    principals=[roster_pb2.DatedStaff(name=staff, period=period)],
                    homeroom_teachers=[roster_pb2.DatedStaff(name=staff, period=period)],
                    class_id=str(self.class_id),
                )
                for grade in (1, 2, 3)
            ],
        )


def here(call: Call) -> School:
    return School.every[call.tenant]


def marked(servicer: type) -> Any:
    """Every method for persons of any role; what the peer does not answer is unimplemented as in generated code."""
    for base in servicer.__mro__[1:-1]:
        for name in vars(base):
            if name[0].isupper() and name not in vars(servicer):

                async def missing(self: Any, request: Any, call: Call) -> Any:
                    raise NotImplementedError

                setattr(servicer, name, missing)
    for name, function in vars(servicer).items():
        if name[0].isupper():
            rpc(right="all", information_class=4)(function)
    return servicer()


class PeerRoster(roster_pb2_grpc.RosterServiceServicer):
    async def WhoAmI(self, request: Any, call: Call) -> roster_pb2.WhoAmIReply:
        school = here(call)
        posts = {
            school.principal_id: roster_pb2.POST_PRINCIPAL,
            school.teacher_id: roster_pb2.POST_TEACHER,
            school.other_teacher_id: roster_pb2.POST_TEACHER,
            school.office_id: roster_pb2.POST_OFFICE,
        }
        reply = roster_pb2.WhoAmIReply(person_id=str(call.person.person_id))
        period = common_pb2.Period(starts_on="2026-04-01")
        if call.person.person_id in posts:
            reply.appointments.add(school_id=str(school.id), post=posts[call.person.person_id], period=period)
        if call.person.person_id == school.teacher_id:
            reply.duties.add(
                kind=roster_pb2.DUTY_KIND_HOMEROOM,
                school_id=str(school.id),
                class_id=str(school.class_id),
                period=period,
            )
        return reply

    async def GetClassRoster(self, request: Any, call: Call) -> roster_pb2.GetClassRosterReply:
        school = here(call)
        if request.class_id != str(school.class_id):
            raise Unseen
        return roster_pb2.GetClassRosterReply(
            **{
                "class": roster_pb2.Class(
                    id=str(school.class_id),
                    school_id=str(school.id),
                    school_year=2026,
                    school_grade="P3",
                    name="3年1組",
                )
            },
            school=school.school,
            entries=[roster_pb2.ClassRosterEntry(pupil=school.pupil(n)) for n in range(len(school.pupils))],
            duties=[
                roster_pb2.Duty(
                    kind=roster_pb2.DUTY_KIND_HOMEROOM,
                    staff_id=str(school.teacher_id),
                    class_id=str(school.class_id),
                    period=common_pb2.Period(starts_on="2026-04-01"),
                )
            ],
        )

    async def GetRegisterNames(self, request: Any, call: Call) -> roster_pb2.GetRegisterNamesReply:
        """The 校長 changed on 1 October, the 担任 on 10 November."""
        school = here(call)
        if request.class_id != str(school.class_id):
            raise Unseen

        def staff(family: str, given: str, post: roster_pb2.Post, *days: str) -> roster_pb2.DatedStaff:
            period = common_pb2.Period(**dict(zip(("starts_on", "ends_on"), days, strict=False)))
            return roster_pb2.DatedStaff(name=common_pb2.Name(family=family, given=given), period=period, post=post)

        since = common_pb2.Period(starts_on="2024-04-01")
        return roster_pb2.GetRegisterNamesReply(
            pupils=[
                roster_pb2.PupilNames(
                    pupil_id=str(pupil),
                    names=[roster_pb2.DatedName(kind="official", name=school.names(n).official, period=since)],
                )
                for n, pupil in enumerate(school.pupils, 1)
            ],
            principals=[
                staff("前田", "校一", roster_pb2.POST_PRINCIPAL, "2024-04-01", "2026-09-30"),
                staff("青空", "太郎", roster_pb2.POST_PRINCIPAL, "2026-10-01"),
            ],
            homeroom_teachers=[
                staff("緑川", "葉子", roster_pb2.POST_TEACHER, "2026-04-01", "2026-11-09"),
                staff("若葉", "芽", roster_pb2.POST_VICE_PRINCIPAL, "2026-11-10"),
            ],
        )

    async def GetRegisterSheets(self, request: Any, call: Call) -> roster_pb2.GetRegisterSheetsReply:
        school = here(call)
        wanted = set(request.pupil_ids) or {str(pupil) for pupil in school.pupils}
        places = [n for n, pupil in enumerate(school.pupils) if str(pupil) in wanted]
        if not places:
            raise Unseen
        return roster_pb2.GetRegisterSheetsReply(sheets=[school.sheet(n) for n in reversed(places)])


class PeerGrades(grades_pb2_grpc.GradesServiceServicer):
    async def ListTerms(self, request: Any, call: Call) -> grades_pb2.ListTermsReply:
        terms = (
            ("1", "1学期", "2026-04-01", "2026-08-31"),
            ("2", "2学期", "2026-09-01", "2026-12-31"),
            ("3", "3学期", "2027-01-01", "2027-03-31"),
            ("year", "学年末", "2026-04-01", "2027-03-31"),
        )
        return grades_pb2.ListTermsReply(
            terms=[grades_pb2.Term(key=k, label=t, starts_on=a, ends_on=b) for k, t, a, b in terms]
        )

    async def GetRecords(self, request: Any, call: Call) -> grades_pb2.GetRecordsReply:
        school = here(call)
        term = "year" if request.purpose == "guidance_record" else request.term
        values = (("japanese", "viewpoint.knowledge", "A"), ("japanese", "rating", "3"))
        text = ("remarks", "remarks.general" if term == "year" else "remarks.comment", school.remark)
        return grades_pb2.GetRecordsReply(
            pupils=[
                grades_pb2.PupilRecord(
                    pupil_id=pupil,
                    years=[
                        grades_pb2.YearRecord(
                            school_year=2026,
                            school_grade="P3",
                            values=[
                                grades_pb2.RecordValue(term=term, subject=s, column=c, value=v)
                                for s, c, v in (*values, text)
                            ],
                        )
                    ],
                )
                for pupil in request.pupil_ids
            ],
            curricula=[
                grades_pb2.CurriculumYear(
                    school_year=2026,
                    school_grade="P3",
                    subjects=[
                        grades_pb2.CurriculumSubject(
                            subject=grades_pb2.Subject(key="japanese", label="国語", is_subject=True),
                            columns=[
                                grades_pb2.Column(
                                    key="viewpoint.knowledge",
                                    kind=grades_pb2.CELL_KIND_VIEWPOINT,
                                    label="知識・技能",
                                ),
                                grades_pb2.Column(key="rating", kind=grades_pb2.CELL_KIND_RATING, label="評定"),
                            ],
                        )
                    ],
                )
            ],
        )


class PeerAttendance(attendance_pb2_grpc.AttendanceServiceServicer):
    async def GetSums(self, request: Any, call: Call) -> attendance_pb2.GetSumsReply:
        sums = attendance_pb2.Sums(lesson_days=70, excused=1, required=69, absent=2, present=67, late=1)
        return attendance_pb2.GetSumsReply(
            pupils=[
                attendance_pb2.PupilSums(pupil_id=pupil, by_range={r.name: sums for r in request.ranges})
                for pupil in request.pupil_ids
            ]
        )

    async def GetMonth(self, request: Any, call: Call) -> attendance_pb2.GetMonthReply:
        school = here(call)
        days = [f"2026-11-{day:02}" for day in range(1, 31)]
        return attendance_pb2.GetMonthReply(
            days=[attendance_pb2.MonthDay(on=on, state=attendance_pb2.DAY_STATE_LESSON) for on in days],
            pupils=[
                attendance_pb2.PupilMonth(
                    pupil_id=str(pupil),
                    cells=[attendance_pb2.MonthCell(sign="病" if n == 3 else "") for n in range(30)],
                    sums=attendance_pb2.Sums(lesson_days=30, required=30, absent=1, absent_illness=1, present=29),
                )
                for pupil in school.pupils
            ],
            symbols=[attendance_pb2.Symbol(sign="病", label="病欠", category=attendance_pb2.CATEGORY_ABSENT_ILLNESS)],
            statistics=attendance_pb2.MonthStatistics(on_roll=len(school.pupils), rate="96.7"),
        )
