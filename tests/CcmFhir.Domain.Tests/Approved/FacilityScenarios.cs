using static CcmFhir.Domain.Tests.PatientMonth;

namespace CcmFhir.Domain.Tests.Approved;

/// <summary>Rural health clinics and federally qualified health centers, by year.</summary>
internal static class FacilityScenarios
{
    public static IEnumerable<Scenario> All =>
        [
            new("a clinic in 2015", At(2015, 6).Log(1200)),
            new(
                "a clinic in 2015, the consent names nobody",
                At(2015, 6).With<ConsentFact>(consent => consent with { Organizations = [] }).Log(1200)
            ),
            new("a clinic in 2017: 99490 alone", At(2017, 6).Log(3600, PerformerRole.BillingPractitioner)),
            new("a health center in 2018: G0511", At(2018, 6, FacilityKind.Fqhc).Log(1200)),
            new("a clinic in 2018: one second short", At(2018, 6).Log(1199)),
            new("a clinic in 2024: G0511 whatever the time", At(2024, 6).Log(7200)),
            new("a clinic in 2025 that still bills G0511", At(2025, 9, bundled: true).Log(2400)),
            new("a clinic in 2025 that bills the codes", At(2025, 9).Log(2400)),
            new("a clinic in October 2025: the codes", At(2025, 10, bundled: true).Log(2400)),
            new("a clinic in 2026: the amounts outside a facility", InPlace(At(2026, 6), "22").Log(2400)),
            new("a practice in a hospital's outpatient department", InPlace(In(2026, 6), "22").Log(2400)),
            new(
                "transitional care at a clinic in December 2021",
                At(2021, 12).Add(Service("99495", "2021-12-20")).Log(2400)
            ),
            new(
                "transitional care at a clinic in January 2022",
                At(2022, 1).Add(Service("99495", "2022-01-20")).Log(2400)
            ),
        ];

    private static PatientMonth At(int year, int month, FacilityKind kind = FacilityKind.Rhc, bool bundled = false) =>
        In(year, month)
            .With<ConsentFact>(consent => consent with { Mode = "written" })
            .With(new PracticePolicy { Facility = kind, FacilityBillsG0511In2025 = bundled });

    private static PatientMonth InPlace(PatientMonth month, string place)
    {
        month.Practice = month.Practice with { PlaceOfService = place };
        return month;
    }
}
