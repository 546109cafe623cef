namespace CcmFhir.Domain;

/// <summary>The consent that a month rests on.</summary>
/// <param name="Windows">When consent was in force.</param>
/// <param name="Given">Consents that name the practice and were given before the month's end.</param>
/// <param name="Main">The one that was given last of those in force in the month; null where there is none.</param>
/// <param name="Ended">When the last of them ends, in the month or later; null where none was in force.</param>
internal sealed record ConsentState(
    Stretches Windows,
    IReadOnlyList<ConsentFact> Given,
    ConsentFact? Main,
    long? Ended
);

/// <summary>Which program the patient consented to, and when (rules C1 to C8).</summary>
internal static class ConsentStep
{
    private const string Source = "CMS CCM FAQ; 42 CFR 410.26 (rules C1 to C8)";
    private const int WrittenUntil = 2016;

    /// <summary>The program of the consent that was given last of those in force in the month and that name the practice: ccm where there is none.</summary>
    public static string Program(Matter matter)
    {
        var program = "ccm";
        foreach (
            var consent in matter
                .Ledger.Consents.Where(consent => consent.Window.Overlaps(matter.Bounds))
                .OrderBy(consent => Eligibility.Names(consent, matter.Practice))
                .ThenBy(consent => consent.Window.Start)
        )
        {
            program =
                consent.Programs.Contains("apcm") && matter.Rules.Exists("G0556", matter.Month.LastDay) ? "apcm"
                : consent.Programs.Contains("ccm") ? "ccm"
                : consent.Programs.Contains("pcm") ? "pcm"
                : program;
        }
        return program;
    }

    public static ConsentState Take(Matter matter, string program)
    {
        var mine = Eligibility.Consents(matter.Ledger, program, matter.Practice);
        var given = mine.Where(consent => consent.Window.Start < matter.Bounds.End).ToList();
        var windows = Stretches.Of([.. given.Select(consent => consent.Window)]);
        if (windows.And(Stretches.Of(matter.Bounds)).Count == 0)
        {
            return Nothing(matter, program, mine, given);
        }
        var main = given
            .Where(consent => consent.Window.Overlaps(matter.Bounds))
            .MaxBy(consent => consent.Window.Start)!;
        var ended = windows[^1].End;
        if (matter.Own.CountAfterRevocation)
        {
            windows = windows.Or(Stretches.Of(new Stretch(windows[^1].Start, matter.Bounds.End)));
        }
        matter.Asked("consent in force", Source, RuleAnswer.Yes, $"given {matter.Local(main.Window.Start)}");
        Documented(matter, main);
        return new ConsentState(windows, given, main, ended);
    }

    private static ConsentState Nothing(
        Matter matter,
        string program,
        IReadOnlyList<ConsentFact> mine,
        List<ConsentFact> given
    )
    {
        if (given.Count > 0)
        {
            var last = given.MaxBy(consent => consent.Window.End)!;
            matter.Deny(
                "CCM-C03",
                $"The consent ended on {matter.Local(last.Window.End)}, before this month; a new consent is needed for months after it",
                given.Select(consent => consent.Reference)
            );
            matter.Asked("consent in force", Source, RuleAnswer.No, "ended in an earlier month");
            return new ConsentState(Stretches.None, given, null, null);
        }
        var foreign = Eligibility.ForeignConsents(matter.Ledger, program, matter.Practice);
        if (foreign.Count > 0 && mine.Count == 0)
        {
            if (foreign.All(consent => consent.Organizations.Count + consent.OrganizationNpis.Count == 0))
            {
                matter.Hold(
                    "CCM-C04",
                    $"The consent names no practice; name {matter.Practice.Organization} as its organization if it was given to this one",
                    foreign.Select(consent => consent.Reference)
                );
                matter.Asked("consent in force", Source, RuleAnswer.NotKnown, "names no practice");
                return new ConsentState(Stretches.None, [], null, null);
            }
            matter.Deny(
                "CCM-C04",
                $"The consent names another practice than {matter.Practice.Organization}; a new consent is needed when the billing practitioner changes",
                foreign.Select(consent => consent.Reference)
            );
            matter.Asked("consent in force", Source, RuleAnswer.No, "names another practice");
            return new ConsentState(Stretches.None, [], null, null);
        }
        if (mine.Count > 0)
        {
            matter.Deny(
                "CCM-C01",
                "The consent was given after this month ended; only time after consent counts",
                mine.Select(consent => consent.Reference)
            );
            matter.Asked("consent in force", Source, RuleAnswer.No, "given after the month");
            return new ConsentState(Stretches.None, [], null, null);
        }
        matter.Hold(
            "CCM-C01",
            $"No consent to '{program}' was received; send the Consent that was given before the service"
        );
        matter.Asked("consent in force", Source, RuleAnswer.No, "none received for this month");
        return new ConsentState(Stretches.None, [], null, null);
    }

    private static void Documented(Matter matter, ConsentFact main)
    {
        if (matter.Month.Year <= WrittenUntil && main.Mode != "written")
        {
            matter.Hold(
                "CCM-C05",
                $"Until {WrittenUntil} consent had to be written; this one does not say that it was",
                main.Reference
            );
        }
        else if (main.Mode is null)
        {
            matter.Warn("CCM-C06", "The consent does not say whether it was verbal or written", main.Reference);
        }
        string[] told = ["service-availability", "cost-sharing", "single-practitioner", "right-to-stop"];
        var untold = told.Except(main.Disclosures, StringComparer.Ordinal).ToList();
        if (untold.Count > 0)
        {
            matter.Warn(
                "CCM-C07",
                $"The consent does not record that the patient was told of: {string.Join(", ", untold)}",
                main.Reference
            );
        }
    }
}
