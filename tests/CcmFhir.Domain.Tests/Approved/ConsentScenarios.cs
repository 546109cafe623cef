using static CcmFhir.Domain.Tests.PatientMonth;

namespace CcmFhir.Domain.Tests.Approved;

/// <summary>Consent: given, named, told, ended.</summary>
internal static class ConsentScenarios
{
    private const string Given = "2026-09-15T10:00:00-04:00";

    public static IEnumerable<Scenario> All =>
        [
            new("no consent", Complete().Without<ConsentFact>().Log(2700)),
            new("no consent and too little time", Complete().Without<ConsentFact>().Log(600)),
            new("the consent names another practice", Only(Foreign("Consent/c")).Log(1200)),
            new("the consent names no practice", Only(Nameless("Consent/c")).Log(1200)),
            new(
                "a consent that names nobody and one that names another",
                Only(Nameless("Consent/a"), Foreign("Consent/b")).Log(1200)
            ),
            new(
                "another's consent to another program, and one for here that came later",
                Only(
                        Foreign("Consent/a") with
                        {
                            Programs = ["pcm"],
                        },
                        Foreign("Consent/b") with
                        {
                            Window = new Stretch(Unix("2027-01-01T00:00:00Z"), Stretch.Always.End),
                        },
                        Consent("2026-12-01T00:00:00Z")
                    )
                    .Log(1800)
            ),
            new(
                "the consent of the practice named by NPI",
                Complete()
                    .With<ConsentFact>(consent =>
                        consent with
                        {
                            Organizations = [],
                            OrganizationNpis = ["1234567893"],
                        }
                    )
                    .Log(1200)
            ),
            new("given after the month", Only(Consent("2026-11-05T10:00:00-05:00")).Log(1200)),
            new("given in the month's last second", Only(Consent("2026-11-01T03:59:59Z")).Log(1200)),
            new("given as the month ends", Only(Consent("2026-11-01T04:00:00Z")).Log(1200)),
            new(
                "given in the month: time before it does not count",
                Only(Consent("2026-10-03T14:10:00Z")).Log(1200).Log(900)
            ),
            new(
                "given in the month, but no plan: at stake is what consent covers",
                Only(Consent("2026-10-03T14:10:00Z")).Without<CarePlanFact>().Log(1200).Log(900)
            ),
            new("ended before the month", Only(Ends(Consent(Given), "2026-09-20T12:00:00Z")).Log(1200)),
            new(
                "two that ended before the month",
                Only(
                        Ends(Consent(Given), "2026-09-20T12:00:00Z"),
                        Ends(Consent(Given), "2026-09-25T12:00:00Z") with
                        {
                            Reference = "Consent/d",
                        }
                    )
                    .Log(1200)
            ),
            new("ended as the month began", Only(Ends(Consent(Given), "2026-10-01T04:00:00Z")).Log(1200)),
            new("ended in the month", Ended("2026-10-04T14:10:00Z").Log(1200).Log(1200).Log(600)),
            new("ended in the month's last second", Ended("2026-11-01T03:59:59Z").Log(1200)),
            new("ended as the month ended", Ended("2026-11-01T04:00:00Z").Log(1200)),
            new(
                "ended in the month, under a policy that counts on",
                Ended("2026-10-04T14:10:00Z")
                    .With(new PracticePolicy { CountAfterRevocation = true })
                    .Log(1200)
                    .Log(1200)
                    .Log(600)
            ),
            new(
                "ended in the month and given anew",
                Only(
                        Ends(Consent(Given), "2026-10-03T14:10:00Z"),
                        Consent("2026-10-04T14:10:00Z") with
                        {
                            Reference = "Consent/again",
                        }
                    )
                    .Log(1200)
                    .Log(1200)
            ),
            new(
                "neither verbal nor written, nothing told",
                Complete().With<ConsentFact>(consent => consent with { Mode = null, Disclosures = [] }).Log(1200)
            ),
            new("verbal in 2016", In(2016, 6).Log(1200)),
            new(
                "nothing said in 2016",
                In(2016, 6).With<ConsentFact>(consent => consent with { Mode = null }).Log(1200)
            ),
            new(
                "written in 2016",
                In(2016, 6).With<ConsentFact>(consent => consent with { Mode = "written" }).Log(1200)
            ),
            new("verbal in 2017", In(2017, 1).Log(1200)),
            new(
                "a later consent to something else",
                Complete()
                    .Add(Consent("2026-09-20T12:00:00Z") with { Reference = "Consent/other", Programs = ["research"] })
                    .Log(1200)
            ),
            new(
                "a later consent to principal care",
                Complete()
                    .Add(Consent("2026-09-20T12:00:00Z") with { Reference = "Consent/later", Programs = ["pcm"] })
                    .Log(1800)
            ),
            new(
                "a later consent to principal care at another practice",
                Complete()
                    .Add(
                        Foreign("Consent/later") with
                        {
                            Programs = ["pcm"],
                            Window = new Stretch(Unix("2026-09-20T12:00:00Z"), Stretch.Always.End),
                        }
                    )
                    .Log(1800)
            ),
        ];

    private static PatientMonth Only(params ConsentFact[] consents) =>
        Complete().Without<ConsentFact>().Add([.. consents]);

    private static PatientMonth Ended(string end) => Only(Ends(Consent(Given), end));

    private static ConsentFact Ends(ConsentFact consent, string end) =>
        consent with
        {
            Window = new Stretch(consent.Window.Start, Unix(end)),
            Ends = true,
        };

    private static ConsentFact Foreign(string reference) =>
        Consent(Given) with
        {
            Reference = reference,
            Organizations = [PracticeB],
        };

    private static ConsentFact Nameless(string reference) => Foreign(reference) with { Organizations = [] };
}
