using System.Diagnostics;
using CcmFhir.Domain;

namespace CcmFhir.Bench;

/// <summary>How many patients' months one core decides, from facts to lines, reasons and trace.</summary>
internal static class DecideBench
{
    private const int Patients = 1000;

    public static void Run(bool shorter)
    {
        var practice = new Practice
        {
            Slug = "bench",
            Name = "Bench",
            Npi = "1234567893",
            Tin = "12-3456789",
            TimeZone = TimeZoneInfo.FindSystemTimeZoneById("America/New_York"),
            Organization = "Organization/bench",
            Practitioners = [new BillingPractitioner("Practitioner/dr-a", "1245319599", "Dr A", "MD")],
        };
        var month = new ServiceMonth(2026, 10);
        var asOf = new DateTimeOffset(2026, 11, 2, 12, 0, 0, TimeSpan.Zero);
        var patients = Enumerable.Range(0, Patients).Select(Facts).ToList();

        // Every patient once, so that the code is compiled; what it comes to is part of the claim boundary.
        var claims = patients.Count(facts => Decide(facts).IsClaim);
        var count = shorter ? 50_000 : 1_000_000;
        Warm(5000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var processor = Process.GetCurrentProcess().TotalProcessorTime;
        var watch = Stopwatch.StartNew();
        Warm(count);
        var seconds = watch.Elapsed.TotalSeconds;
        var busy = (Process.GetCurrentProcess().TotalProcessorTime - processor).TotalSeconds;
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Figure.Print(
            "decide.months",
            count / seconds * 60,
            "decisions/min/core",
            ("microseconds", seconds / count * 1e6),
            ("processor-microseconds", busy / count * 1e6),
            ("bytes-allocated", (double)allocated / count),
            ("decided", count),
            ("claims-of-1000", claims)
        );

        MonthDecision Decide(CareFact[] facts) =>
            MonthDecision.Decide(PatientLedger.Fold("Patient/p", facts), [], practice, month, RuleSet.Medicare, asOf);

        void Warm(int times)
        {
            for (var at = 0; at < times; at++)
            {
                Decide(patients[at % Patients]);
            }
        }
    }

    // Two conditions, a visit, a consent, a plan, a coverage, and one to eight logs of two to fifteen minutes; every seventh patient lacks something,
    // every fifth has a service that may conflict.
    private static CareFact[] Facts(int patient)
    {
        var random = new Random(patient);
        var october = new DateTimeOffset(2026, 10, 1, 13, 0, 0, TimeSpan.Zero).ToUnixTimeSeconds();
        var september = new DateTimeOffset(2026, 9, 15, 14, 0, 0, TimeSpan.Zero).ToUnixTimeSeconds();
        var facts = new List<CareFact>
        {
            new PatientFact("Patient/p", false, null, "1EG4TE5MK73"),
            new ConditionFact("Condition/a", "active", "confirmed", "E11.9", "12-months-or-longer", true, null, null),
            new VisitFact(
                "Encounter/v",
                "finished",
                ["99214"],
                new Stretch(september - 1800, september),
                ["Practitioner/dr-a"],
                "Organization/bench",
                true,
                false
            ),
            new ConsentFact(
                "Consent/c",
                "1",
                ["ccm"],
                new Stretch(september, Stretch.Always.End),
                false,
                ["Organization/bench"],
                [],
                "verbal",
                ["service-availability", "cost-sharing", "single-practitioner", "right-to-stop"]
            ),
            new CarePlanFact(
                "CarePlan/p",
                "1",
                new Stretch(september, Stretch.Always.End),
                true,
                true,
                true,
                true,
                true,
                true,
                new DateOnly(2027, 3, 1),
                september
            ),
            new CoverageFact("Coverage/c", true, "1EG4TE5MK73", null, null, false),
        };
        if (patient % 7 != 0)
        {
            facts.Add(
                new ConditionFact("Condition/b", "active", "confirmed", "I10", "12-months-or-longer", true, null, null)
            );
        }
        if (patient % 5 == 0)
        {
            facts.Add(
                new BilledServiceFact(
                    "ChargeItem/s",
                    patient % 10 == 0 ? "99457" : "99495",
                    new DateOnly(2026, 10, 12),
                    new DateOnly(2026, 10, 12),
                    ["Practitioner/dr-a"],
                    [],
                    ["Organization/bench"],
                    []
                )
            );
        }
        var logs = random.Next(1, 9);
        for (var log = 0; log < logs; log++)
        {
            var start = october + (random.Next(0, 29) * 86400L) + random.Next(0, 7 * 3600);
            facts.Add(
                new TimeLogFact(
                    $"Task/t{log}",
                    "completed",
                    log % 6 == 5 ? "travel" : "care-coordination",
                    PerformerRole.ClinicalStaff,
                    "Practitioner/rn",
                    new Stretch(start, start + random.Next(120, 900)),
                    1,
                    null
                )
            );
        }
        return [.. facts];
    }
}
