namespace CcmFhir.Domain;

/// <summary>Seconds of a log that are not counted, and why.</summary>
/// <param name="Code">Reason code.</param>
/// <param name="Text">For people.</param>
/// <param name="Seconds">How many.</param>
/// <param name="References">Other resources that the reason rests on.</param>
public sealed record Exclusion(string Code, string Text, long Seconds, IReadOnlyList<string> References);

/// <summary>One time log in one month: every second is either counted or excluded.</summary>
/// <param name="Log">The log.</param>
/// <param name="Logged">Its part that lies in the month.</param>
/// <param name="Counted">The seconds that count.</param>
/// <param name="Excluded">The others, by reason.</param>
public sealed record LedgerEntry(TimeLogFact Log, Stretch Logged, Stretches Counted, IReadOnlyList<Exclusion> Excluded);

/// <summary>What bounds the time that counts.</summary>
/// <param name="Month">The month.</param>
/// <param name="AsOf">Nothing after this second has happened yet.</param>
/// <param name="Consented">When consent was in force.</param>
/// <param name="ConsentReferences">The consents.</param>
/// <param name="ConsentEnded">A consent was revoked: what follows is excluded for that reason.</param>
/// <param name="Death">First second after death; null for none known.</param>
/// <param name="Blocks">Stretches that belong to something else, in the order in which they are taken out.</param>
public sealed record TimeBounds(
    Stretch Month,
    long AsOf,
    Stretches Consented,
    IReadOnlyList<string> ConsentReferences,
    long? ConsentEnded,
    long? Death,
    IReadOnlyList<TimeBlock> Blocks
);

/// <summary>A stretch in which no time counts.</summary>
/// <param name="Code">Reason code.</param>
/// <param name="Text">For people.</param>
/// <param name="Reference">What it rests on.</param>
/// <param name="When">When.</param>
/// <param name="StaffOnly">Only staff time is left out.</param>
public sealed record TimeBlock(string Code, string Text, string Reference, Stretch When, bool StaffOnly);

/// <summary>The month's time, log by log: who worked when, what counts, what does not and why. counted + excluded = logged, to the second.</summary>
public sealed class TimeLedger
{
    private TimeLedger(IReadOnlyList<LedgerEntry> entries, Stretches practitioner, Stretches staff)
    {
        Entries = entries;
        PractitionerTime = practitioner;
        StaffTime = staff;
        Logged = entries.Sum(entry => entry.Logged.Seconds);
    }

    /// <summary>Logs of the month by start, then reference.</summary>
    public IReadOnlyList<LedgerEntry> Entries { get; }

    /// <summary>Seconds that count as the billing practitioner's own.</summary>
    public Stretches PractitionerTime { get; }

    /// <summary>Seconds that count as clinical staff's.</summary>
    public Stretches StaffTime { get; }

    /// <summary>All seconds logged in the month.</summary>
    public long Logged { get; }

    /// <summary>Seconds that count.</summary>
    public long Counted => PractitionerTime.Seconds + StaffTime.Seconds;

    /// <summary>Seconds that do not.</summary>
    public long Excluded => Logged - Counted;

    /// <summary>Adds up the logs of a month (rules section 2.1).</summary>
    public static TimeLedger Add(IEnumerable<TimeLogFact> logs, TimeBounds bounds, PracticePolicy policy)
    {
        ArgumentNullException.ThrowIfNull(logs);
        ArgumentNullException.ThrowIfNull(bounds);
        ArgumentNullException.ThrowIfNull(policy);
        var open = new List<OpenEntry>();
        foreach (var log in logs)
        {
            var inMonth = log.Period.Within(bounds.Month);
            // What was entered in error never happened.
            if (inMonth.Seconds > 0 && log.Status != "entered-in-error")
            {
                open.Add(new OpenEntry(log, inMonth));
            }
        }
        open.Sort(
            static (left, right) =>
                left.Logged.Start != right.Logged.Start
                    ? left.Logged.Start.CompareTo(right.Logged.Start)
                    : string.CompareOrdinal(left.Log.Reference, right.Log.Reference)
        );
        foreach (var entry in open)
        {
            Bound(entry, bounds, policy);
        }

        Assign(open, practitionersFirst: !policy.OverlapToStaff);
        Share(open);
        return new TimeLedger(
            [.. open.Select(entry => new LedgerEntry(entry.Log, entry.Logged, entry.Rest, entry.Excluded))],
            Union(open.Where(entry => entry.IsPractitioner)),
            Union(open.Where(entry => !entry.IsPractitioner))
        );
    }

    /// <summary>Whether an activity counts (contract, ccm-activity).</summary>
    public static bool IsBillable(string activity, PracticePolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return activity switch
        {
            "care-plan-development"
            or "care-plan-revision"
            or "care-coordination"
            or "medication-management"
            or "medication-reconciliation"
            or "symptom-management"
            or "patient-communication"
            or "caregiver-communication"
            or "patient-education"
            or "transition-coordination"
            or "community-services"
            or "preventive-care"
            or "results-review"
            or "record-review" => true,
            "prior-authorization" => policy.CountPriorAuthorization,
            _ => false,
        };
    }

    /// <summary>Whether a performer's time can count at all.</summary>
    public static bool Counts(PerformerRole role, PracticePolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return role switch
        {
            PerformerRole.BillingPractitioner or PerformerRole.ClinicalStaff => true,
            PerformerRole.MedicalAssistant => policy.CountMedicalAssistants,
            _ => false,
        };
    }

    private static void Bound(OpenEntry entry, TimeBounds bounds, PracticePolicy policy)
    {
        var log = entry.Log;
        if (log.Status != "completed")
        {
            entry.Exclude("CCM-T13", $"The log's status is '{log.Status}'; only completed work counts", entry.Rest);
        }
        if (!IsBillable(log.Activity, policy))
        {
            entry.Exclude("CCM-T08", $"Activity '{log.Activity}' is not billable", entry.Rest);
        }
        if (!Counts(log.Role, policy))
        {
            entry.Exclude(
                "CCM-T09",
                log.Role == PerformerRole.MedicalAssistant
                    ? "Medical assistants do not count under this practice's policy"
                    : "The performer is not clinical staff",
                entry.Rest
            );
        }
        if (log.CountedToward is { } program)
        {
            entry.Exclude("CCM-T12", $"The minutes belong to '{program}'", entry.Rest);
        }
        entry.Exclude(
            "CCM-T06",
            "Not yet over at the instant of this decision",
            entry.Rest.Without(Stretches.Of(new Stretch(Stretch.Always.Start, bounds.AsOf)))
        );
        if (bounds.Death is { } death)
        {
            entry.Exclude(
                "CCM-D01",
                "After death",
                entry.Rest.And(Stretches.Of(new Stretch(death, Stretch.Always.End)))
            );
        }
        if (bounds.ConsentEnded is { } ended)
        {
            entry.Exclude(
                "CCM-C03",
                "After the consent ended",
                entry.Rest.Without(bounds.Consented).And(Stretches.Of(new Stretch(ended, Stretch.Always.End))),
                bounds.ConsentReferences
            );
        }
        entry.Exclude("CCM-C02", "Before consent", entry.Rest.Without(bounds.Consented), bounds.ConsentReferences);
        foreach (var block in bounds.Blocks)
        {
            if (!block.StaffOnly || !entry.IsPractitioner)
            {
                entry.Exclude(block.Code, block.Text, entry.Rest.And(Stretches.Of(block.When)), [block.Reference]);
            }
        }
    }

    // A second counts once (rules T9, T10). It goes to the log that serves the fewest patients at once, so that a shared stretch never lowers
    // what counts; then to the practitioner's or the staff's (rules 2.1 step 4, a setting); then to the earlier log.
    private static void Assign(List<OpenEntry> open, bool practitionersFirst)
    {
        var taken = Stretches.None;
        foreach (
            var entry in open.OrderBy(entry => entry.Served).ThenBy(entry => entry.IsPractitioner != practitionersFirst)
        )
        {
            entry.Exclude("CCM-T03", "Another log counts for the same moment", entry.Rest.And(taken));
            taken = taken.Or(entry.Rest);
        }
    }

    // One person's stretch that served several patients is divided (CMS CCM FAQ: 30 minutes for three are 10 minutes each). What is left of
    // the division is carried on, so that nothing is lost or won by how the time was cut into logs; practitioners first, so that no
    // second of theirs comes from staff's fractions.
    private static void Share(List<OpenEntry> open)
    {
        if (open.TrueForAll(entry => entry.Served == 1))
        {
            return;
        }
        const decimal tiny = 0.000_000_001m;
        var sum = 0m;
        foreach (
            var group in open.GroupBy(entry => (entry.IsPractitioner, entry.Served))
                .OrderByDescending(group => group.Key.IsPractitioner)
                .ThenBy(group => group.Key.Served)
        )
        {
            var kept = new List<Stretch>();
            foreach (var part in Union(group))
            {
                var before = decimal.Floor(sum + tiny);
                sum += (decimal)part.Seconds / group.Key.Served;
                kept.Add(new Stretch(part.Start, part.Start + (long)(decimal.Floor(sum + tiny) - before)));
            }
            var share = Stretches.Of([.. kept]);
            foreach (var entry in group)
            {
                entry.Exclude(
                    "CCM-T14",
                    $"Shared by {group.Key.Served} patients: each gets an equal part",
                    entry.Rest.Without(share)
                );
            }
        }
    }

    private static Stretches Union(IEnumerable<OpenEntry> entries) =>
        Stretches.Of([.. entries.SelectMany(entry => entry.Rest)]);

    private sealed class OpenEntry(TimeLogFact log, Stretch logged)
    {
        public TimeLogFact Log => log;

        public Stretch Logged => logged;

        public int Served => Math.Max(1, log.PatientsServed);

        public bool IsPractitioner => log.Role == PerformerRole.BillingPractitioner;

        public Stretches Rest { get; private set; } = Stretches.Of(logged);

        public List<Exclusion> Excluded { get; } = [];

        public void Exclude(string code, string text, Stretches what, IReadOnlyList<string>? references = null)
        {
            if (what.Seconds > 0)
            {
                Excluded.Add(new Exclusion(code, text, what.Seconds, references ?? []));
                Rest = Rest.Without(what);
            }
        }
    }
}
