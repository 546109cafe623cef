using CsCheck;
using static CcmFhir.Domain.Tests.PatientMonth;

namespace CcmFhir.Domain.Tests;

/// <summary>What holds for any time logs, any consent, any visit, any stay.</summary>
public class TimePropertiesTest
{
    private const int Size = 400;

    private static readonly Stretch Window = Between("2026-09-28T00:00:00-04:00", "2026-11-03T00:00:00-05:00");

    private static readonly string[] Activities =
    [
        "care-coordination",
        "patient-education",
        "scheduling",
        "prior-authorization",
    ];

    private static readonly string[] Statuses =
    [
        "completed",
        "completed",
        "completed",
        "completed",
        "in-progress",
        "cancelled",
    ];

    private static readonly Gen<TimeLogFact> AnyLog = Gen.Select(
        Gen.Long[Window.Start, Window.End - 1],
        Gen.Long[1, 7200],
        Gen.Int[0, Statuses.Length - 1],
        Gen.Int[0, Activities.Length - 1],
        Gen.Enum<PerformerRole>(),
        Gen.Int[1, 4],
        Gen.Int[0, 9],
        (start, length, status, activity, role, served, toward) =>
            new TimeLogFact(
                $"Task/{start}-{length}-{(int)role}-{served}-{status}-{activity}-{toward}",
                Statuses[status],
                Activities[activity],
                role,
                Rn,
                new Stretch(start, start + length),
                served,
                toward == 0 ? "rpm" : null
            )
    );

    // Many logs in few hours, so that they overlap; few over the whole window, so that they cross the month's ends.
    private static readonly Gen<TimeLogFact[]> AnyLogs = Gen.OneOf(
            AnyLog.Array[0, 12],
            AnyLog
                .Select(log =>
                {
                    var start = Unix("2026-10-12T10:00:00-04:00") + (log.Period.Start % 7200);
                    return log with { Period = new Stretch(start, start + log.Period.Seconds) };
                })
                .Array[0, 12]
        )
        .Select(logs => logs.DistinctBy(log => log.Reference, StringComparer.Ordinal).ToArray());

    private static readonly Gen<CareFact[]> Surroundings = Gen.Select(
        Gen.Long[Window.Start, Window.End],
        Gen.Long[0, 86400],
        Gen.Long[Window.Start, Window.End],
        Gen.Bool,
        Gen.Bool,
        Gen.Bool,
        (visit, length, consent, stay, dead, revoked) =>
        {
            var facts = new List<CareFact>
            {
                new VisitFact(
                    "Encounter/any",
                    "finished",
                    ["99213"],
                    new Stretch(visit, visit + (length / 24)),
                    [DoctorA],
                    PracticeA,
                    true,
                    false
                ),
                new PatientFact("Patient/p", dead, dead ? visit + 100_000 : null, null),
                new ConsentFact(
                    "Consent/any",
                    "1",
                    ["ccm"],
                    new Stretch(consent, revoked ? consent + (length * 10) : Stretch.Always.End),
                    revoked,
                    [PracticeA],
                    [],
                    "verbal",
                    []
                ),
            };
            if (stay)
            {
                facts.Add(new StayFact("Encounter/stay", StayKind.Inpatient, new Stretch(consent, consent + length)));
            }
            return facts.ToArray();
        }
    );

    private static readonly Gen<PracticePolicy> AnyPolicy = Gen.Select(
        Gen.Bool,
        Gen.Bool,
        Gen.Bool,
        Gen.Enum<EmDayPolicy>(),
        (assistants, authorization, staff, day) =>
            new PracticePolicy
            {
                CountMedicalAssistants = assistants,
                CountPriorAuthorization = authorization,
                OverlapToStaff = staff,
                EmDay = day,
            }
    );

    private static readonly Gen<(TimeLogFact[] Logs, CareFact[] Facts, PracticePolicy Policy)> Any = Gen.Select(
        AnyLogs,
        Surroundings,
        AnyPolicy
    );

    [Fact]
    public void Counted_and_excluded_make_what_was_logged_to_the_second() =>
        Any.Holds(
            any =>
            {
                var time = Decide(any.Logs, any.Facts, any.Policy).Time;
                return time.Counted + time.Excluded == time.Logged
                    && time.Entries.All(entry =>
                        entry.Counted.Seconds + entry.Excluded.Sum(exclusion => exclusion.Seconds)
                        == entry.Logged.Seconds
                    )
                    && time.Entries.Sum(entry => entry.Counted.Seconds) == time.Counted
                    && time.Entries.All(entry => entry.Excluded.All(exclusion => exclusion.Seconds > 0));
            },
            Size
        );

    [Fact]
    public void No_more_is_counted_than_the_clock_went_on() =>
        Any.Holds(
            any =>
            {
                var decision = Decide(any.Logs, any.Facts, any.Policy);
                var wall = Stretches.Of([.. any.Logs.Select(log => log.Period.Within(October))]).Seconds;
                return decision.Time.Counted <= wall
                    && decision.Time.PractitionerTime.And(decision.Time.StaffTime).Count == 0;
            },
            Size
        );

    [Fact]
    public void The_order_of_arrival_does_not_matter() =>
        Any.Holds(
            any =>
                Same(
                    Decide(any.Logs, any.Facts, any.Policy),
                    Decide([.. any.Logs.Reverse()], [.. any.Facts.Reverse()], any.Policy)
                ),
            Size
        );

    [Fact]
    public void Deciding_twice_gives_the_same() =>
        Any.Holds(
            any => Same(Decide(any.Logs, any.Facts, any.Policy), Decide(any.Logs, any.Facts, any.Policy)),
            Size / 2
        );

    [Fact]
    public void A_log_more_never_lowers_what_counts() =>
        Gen.Select(Any, AnyLog)
            .Holds(
                pair =>
                {
                    var (any, more) = pair;
                    var before = Decide(any.Logs, any.Facts, any.Policy).Time;
                    var after = Decide(
                        [.. any.Logs, more with { Reference = "Task/more" }],
                        any.Facts,
                        any.Policy
                    ).Time;
                    return after.Counted >= before.Counted && after.Logged >= before.Logged;
                },
                Size
            );

    [Fact]
    public void Splitting_a_log_in_two_changes_nothing() =>
        Gen.Select(Any, Gen.Int[0, 1000], Gen.Long[1, 7199])
            .Holds(
                triple =>
                {
                    var (any, which, at) = triple;
                    if (any.Logs.Length == 0)
                    {
                        return true;
                    }
                    var log = any.Logs[which % any.Logs.Length];
                    var cut = log.Period.Start + (at % log.Period.Seconds);
                    TimeLogFact[] split =
                    [
                        .. any.Logs.Where(other => other != log),
                        log with
                        {
                            Period = new Stretch(log.Period.Start, cut),
                        },
                        log with
                        {
                            Reference = log.Reference + "-b",
                            Period = new Stretch(cut, log.Period.End),
                        },
                    ];
                    var (before, after) = (
                        Decide(any.Logs, any.Facts, any.Policy),
                        Decide(split, any.Facts, any.Policy)
                    );
                    return before.Time.Counted == after.Time.Counted
                        && before.Time.PractitionerTime.Seconds == after.Time.PractitionerTime.Seconds
                        && before.Time.Logged == after.Time.Logged
                        && before.Codes() == after.Codes();
                },
                Size
            );

    [Fact]
    public void A_month_and_the_next_share_what_crosses_their_border() =>
        AnyLogs.Holds(
            logs =>
            {
                var months = new[]
                {
                    new ServiceMonth(2026, 9),
                    new ServiceMonth(2026, 10),
                    new ServiceMonth(2026, 11),
                };
                var logged = months.Sum(month => Decide(logs, [], new PracticePolicy(), month).Time.Logged);
                return logged == logs.Sum(log => log.Period.Seconds);
            },
            Size / 2
        );

    private static readonly Stretch October = new ServiceMonth(2026, 10).Bounds(
        TimeZoneInfo.FindSystemTimeZoneById("America/New_York")
    );

    private static MonthDecision Decide(
        TimeLogFact[] logs,
        CareFact[] facts,
        PracticePolicy policy,
        ServiceMonth? month = null
    )
    {
        var patient = Complete().With(policy).Without<VisitFact>();
        patient.Month = month ?? new ServiceMonth(2026, 10);
        patient.AsOf = At("2027-01-01T00:00:00Z");
        if (facts.Length > 0)
        {
            patient.Without<ConsentFact>().Without<PatientFact>();
        }
        return patient.Add(facts).Add([.. logs.Cast<CareFact>()]).Decide();
    }

    private static bool Same(MonthDecision left, MonthDecision right) => Text(left) == Text(right);

    private static string Text(MonthDecision decision) =>
        string.Join(
            '\n',
            decision
                .Lines.Select(line => line.ToString())
                .Concat(
                    decision.Reasons.Select(reason =>
                        $"{reason.Code} {reason.Severity} {reason.Text} {string.Join(' ', reason.References)}"
                    )
                )
                .Concat(decision.Trace.Select(step => step.ToString()))
                .Concat(
                    decision.Time.Entries.Select(entry =>
                        $"{entry.Log.Reference} {entry.Counted.Seconds} {string.Join(' ', entry.Excluded.Select(exclusion => $"{exclusion.Code} {exclusion.Seconds}"))}"
                    )
                )
        );
}
