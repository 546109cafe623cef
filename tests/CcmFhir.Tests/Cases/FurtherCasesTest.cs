using System.Text.Json.Nodes;

namespace CcmFhir.Tests.Cases;

/// <summary>Cases of the kind of the worked ones: other resources that say the same, other dates, zones, people and programs.</summary>
public sealed class FurtherCasesTest
{
    private const string Time = "99439x1, 99490x1";

    private static readonly Dictionary<string, (Func<CareCase> Make, string Lines, long Counted, string Reason)> Cases =
        new(StringComparer.Ordinal)
        {
            // Somebody else's claim, whatever resource says so.
            ["another practice's claim"] = (
                () => Billed("Claim", "99490", "b", "2026-10-31"),
                "none",
                2700,
                "CCM-K01 deny"
            ),
            ["another practice's add-on only"] = (
                () => Billed("Claim", "99439", "b", "2026-10-31"),
                "none",
                2700,
                "CCM-K01 deny"
            ),
            ["another practice's paid claim"] = (
                () => Billed("ExplanationOfBenefit", "99487", "b", "2026-10-02"),
                "none",
                2700,
                "CCM-K01 deny"
            ),
            ["another practice's claim of September"] = (
                () => Billed("Claim", "99490", "b", "2026-09-30"),
                Time,
                2700,
                ""
            ),
            ["another practice's claim that was cancelled"] = (
                () => Billed("Claim", "99490", "b", "2026-10-31").Set("Claim/theirs", "status", "\"cancelled\""),
                Time,
                2700,
                ""
            ),
            ["another practice's estimate"] = (
                () => Billed("Claim", "99490", "b", "2026-10-31").Set("Claim/theirs", "use", "\"predetermination\""),
                Time,
                2700,
                ""
            ),
            ["our own claim that came back from the EHR"] = (
                () =>
                    Billed("Claim", "99490", "a", "2026-10-31")
                        .Set(
                            "Claim/theirs",
                            "identifier",
                            $$"""[{"system":"{{CareCase.Base}}/claim","value":"a-2026-10-p-1"}]"""
                        ),
                Time,
                2700,
                ""
            ),
            ["our own supervision on a claim"] = (
                () => Billed("Claim", "G0181", "a", "2026-10-15"),
                "none",
                2700,
                "CCM-K02 deny"
            ),
            ["anothers supervision on a claim"] = (
                () => Billed("Claim", "G0181", "b", "2026-10-15"),
                Time,
                2700,
                "CCM-K02 warn"
            ),
            ["a dialysis month as a procedure"] = (() => Procedure("90960", "dr-a"), "none", 2700, "CCM-K02 deny"),
            ["a nephrologist's dialysis month"] = (() => Procedure("90960", "dr-b"), Time, 2700, ""),
            ["a procedure that was not done"] = (
                () => Procedure("90960", "dr-a").Set("Procedure/theirs", "status", "\"not-done\""),
                Time,
                2700,
                ""
            ),
            ["a charge that was aborted"] = (
                () => CareCase.Usual().Charge("99490", "2026-10-12", own: false, status: "aborted").Log(2700),
                Time,
                2700,
                ""
            ),
            ["a charge entered in error"] = (
                () => CareCase.Usual().Charge("G0557", "2026-10-12", status: "entered-in-error").Log(2700),
                Time,
                2700,
                ""
            ),
            ["a charge that is only planned"] = (
                () => CareCase.Usual().Charge("G0181", "2026-10-28", status: "planned").Log(2700),
                Time,
                2700,
                "CCM-K02 warn"
            ),
            ["principal care by another specialist"] = (
                () => CareCase.Usual().Charge("99426", "2026-10-12", own: false).Log(2700),
                Time,
                2700,
                ""
            ),
            ["remote monitoring with distinct minutes"] = (
                () => CareCase.Usual().Charge("99457", "2026-10-12").Log(2700),
                Time,
                2700,
                "CCM-K04 warn"
            ),
            ["behavioral integration"] = (
                () => CareCase.Usual().Charge("99484", "2026-10-12").Log(2700),
                Time,
                2700,
                "CCM-K04 warn"
            ),
            // Transitional care.
            ["transitional care as a visit, in 2026"] = (
                () =>
                    CareCase
                        .Usual()
                        .Stay("inpatient", "2026-09-28T10:00:00-04:00", "2026-10-02T12:00:00-04:00")
                        .Visit("tcm", "2026-10-07T10:00:00-04:00", "2026-10-07T10:30:00-04:00", "99495")
                        .Log(2700, "2026-10-20T10:00:00-04:00"),
                Time,
                2700,
                "CCM-K03 info"
            ),
            ["transitional care in 2018 whose period ended"] = (
                () => CareCase.Usual(2018).Charge("99495", "2018-09-05").Log(1200, "2018-10-20T10:00:00-04:00"),
                "99490x1",
                1200,
                "CCM-K03 info"
            ),
            ["transitional care under the conservative policy"] = (
                () => CareCase.Usual().Practice("policy", "\"conservative\"").Charge("99496", "2026-10-02").Log(2700),
                "none",
                2700,
                "CCM-K03 deny"
            ),
            ["another's supervision under the conservative policy"] = (
                () =>
                    CareCase
                        .Usual()
                        .Practice("policy", "\"conservative\"")
                        .Charge("G0181", "2026-10-02", own: false)
                        .Log(2700),
                "none",
                2700,
                "CCM-K02 deny"
            ),
            ["a setting over the policy"] = (
                () =>
                    CareCase
                        .Usual()
                        .Practice("policy", "\"conservative\"")
                        .Practice("tcmSameMonth", "\"allow-no-double-count\"")
                        .Charge("99496", "2026-10-02")
                        .Log(2700),
                Time,
                2700,
                "CCM-K03 info"
            ),
            // Sessions of other services.
            ["a billed session takes its minutes"] = (
                () =>
                    CareCase
                        .Usual()
                        .Charge("99457", "2026-10-07")
                        .Change(
                            "ChargeItem/charge-99457",
                            charge =>
                            {
                                charge.Remove("occurrenceDateTime");
                                charge["occurrencePeriod"] = JsonNode.Parse(
                                    """{"start":"2026-10-07T10:00:00-04:00","end":"2026-10-07T10:15:00-04:00"}"""
                                );
                            }
                        )
                        .Log(2700, "2026-10-07T10:00:00-04:00"),
                "99490x1",
                1800,
                "CCM-T12 info"
            ),
            ["minutes counted toward monitoring"] = (
                () => CareCase.Usual().Log(1200).Log(1200, toward: "rpm"),
                "99490x1",
                1200,
                "CCM-T12 info"
            ),
            ["an office visit on the day takes its own minutes only"] = (
                () =>
                    CareCase
                        .Usual()
                        .Visit("em", "2026-10-07T10:00:00-04:00", "2026-10-07T10:20:00-04:00", "99213")
                        .Log(1200, "2026-10-07T10:10:00-04:00")
                        .Log(900, "2026-10-07T16:00:00-04:00"),
                "99490x1",
                1500,
                "CCM-T12 info"
            ),
            ["an office visit takes the day where the practice says so"] = (
                () =>
                    CareCase
                        .Usual()
                        .Practice("emDayPolicy", "\"exclude-day\"")
                        .Visit("em", "2026-10-07T10:00:00-04:00", "2026-10-07T10:20:00-04:00", "99213")
                        .Log(1200, "2026-10-07T16:00:00-04:00")
                        .Log(1199, "2026-10-08T16:00:00-04:00"),
                "none",
                1199,
                "CCM-T01 deny"
            ),
            // Stays.
            ["in hospital by class alone"] = (
                () =>
                    CareCase
                        .Usual()
                        .Put(
                            """
                            {"resourceType":"Encounter","id":"ward","status":"in-progress","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"IMP"},
                             "subject":{"reference":"Patient/p"},"period":{"start":"2026-10-10T08:00:00-04:00"} }
                            """
                        )
                        .Log(1200, "2026-10-05T10:00:00-04:00")
                        .Log(1200, "2026-10-15T10:00:00-04:00"),
                "99490x1",
                1200,
                "CCM-F01 info"
            ),
            ["an hour in the emergency room does not matter"] = (
                () =>
                    CareCase
                        .Usual()
                        .Put(
                            """
                            {"resourceType":"Encounter","id":"er","status":"finished","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"EMER"},
                             "subject":{"reference":"Patient/p"},"period":{"start":"2026-10-07T09:00:00-04:00","end":"2026-10-07T23:00:00-04:00"} }
                            """
                        )
                        .Log(1200, "2026-10-07T10:00:00-04:00"),
                "99490x1",
                1200,
                ""
            ),
            ["a stay that was cancelled"] = (
                () =>
                    CareCase
                        .Usual()
                        .Stay("inpatient", "2026-10-01", "2026-10-31")
                        .Set("Encounter/stay-inpatient", "status", "\"cancelled\"")
                        .Log(1200),
                "99490x1",
                1200,
                ""
            ),
            ["discharged on the day"] = (
                () =>
                    CareCase
                        .Usual()
                        .Stay("inpatient", "2026-10-01T10:00:00-04:00", "2026-10-07T10:10:00-04:00")
                        .Log(1800, "2026-10-07T10:00:00-04:00"),
                "99490x1",
                1200,
                "CCM-F01 info"
            ),
            // Death.
            ["time after death"] = (
                () =>
                    CareCase
                        .Usual()
                        .Set("Patient/p", "deceasedDateTime", "\"2026-10-15T12:00:00-04:00\"")
                        .Log(1200, "2026-10-10T10:00:00-04:00")
                        .Log(1200, "2026-10-16T10:00:00-04:00"),
                "99490x1",
                1200,
                "CCM-D01 info"
            ),
            ["the threshold was not met by death"] = (
                () =>
                    CareCase
                        .Usual()
                        .Set("Patient/p", "deceasedDateTime", "\"2026-10-15T12:00:00-04:00\"")
                        .Log(1199, "2026-10-10T10:00:00-04:00")
                        .Log(1200, "2026-10-15T12:00:00-04:00"),
                "none",
                1199,
                "CCM-T01 deny"
            ),
            // Consent.
            ["consent of a day counts from the next"] = (
                () =>
                    CareCase
                        .Usual()
                        .Consent("2026-10-15")
                        .Log(1200, "2026-10-15T18:00:00-04:00")
                        .Log(1200, "2026-10-16T00:00:00-04:00"),
                "99490x1",
                1200,
                "CCM-C02 info"
            ),
            ["revoked with a day still counts that day"] = (
                () =>
                    CareCase
                        .Usual()
                        .Consent("2026-09-15T10:00:00-04:00", ended: "2026-10-18")
                        .Log(1200, "2026-10-18T18:00:00-04:00")
                        .Log(1200, "2026-10-19T00:00:00-04:00"),
                "99490x1",
                1200,
                "CCM-C03 info"
            ),
            ["time after revocation counts where the practice says so"] = (
                () =>
                    CareCase
                        .Usual()
                        .Practice("countAfterRevocation", "true")
                        .Consent("2026-09-15T10:00:00-04:00", ended: "2026-10-18T12:00:00-04:00")
                        .Log(2400, "2026-10-20T10:00:00-04:00"),
                Time,
                2400,
                ""
            ),
            ["consent was refused"] = (
                () => CareCase.Usual().Set("Consent/consent", "status", "\"rejected\"").Log(2700),
                "none",
                0,
                "CCM-C01 hold"
            ),
            ["consent is only proposed"] = (
                () => CareCase.Usual().Set("Consent/consent", "status", "\"proposed\"").Log(2700),
                "none",
                0,
                "CCM-C01 hold"
            ),
            ["consent was entered in error"] = (
                () => CareCase.Usual().Set("Consent/consent", "status", "\"entered-in-error\"").Log(2700),
                "none",
                0,
                "CCM-C01 hold"
            ),
            ["consent to another program only"] = (
                () => CareCase.Usual().Consent("2026-09-15T10:00:00-04:00", program: "pcm").Log(1799),
                "none",
                1799,
                "CCM-T01 deny"
            ),
            ["consents of two practices"] = (
                () => CareCase.Usual().Consent("2026-09-20T10:00:00-04:00", "Organization/b", id: "theirs").Log(2700),
                Time,
                2700,
                ""
            ),
            ["consent after the month"] = (
                () => CareCase.Usual().Consent("2026-11-02T10:00:00-05:00").Log(2700),
                "none",
                0,
                "CCM-C01 deny"
            ),
            ["a disclosure is missing"] = (
                () =>
                    CareCase
                        .Usual()
                        .Change("Consent/consent", consent => consent["extension"]!.AsArray().RemoveAt(4))
                        .Log(2700),
                Time,
                2700,
                "CCM-C07 warn"
            ),
            // Conditions.
            ["resolved in mid month"] = (() => Resolved("2026-10-12"), Time, 2700, ""),
            ["resolved in the month before"] = (() => Resolved("2026-09-20"), "none", 2700, "CCM-E01 deny"),
            ["not a significant risk"] = (() => Flagged(risk: false), "none", 2700, "CCM-E01 deny"),
            ["not said to be a significant risk"] = (() => Flagged(risk: null), "none", 2700, "CCM-E01 hold"),
            ["three conditions, one of them refuted"] = (
                () =>
                    CareCase
                        .Usual()
                        .Condition("copd", "J44.9")
                        .Set(
                            "Condition/copd",
                            "verificationStatus",
                            """{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"refuted"}]}"""
                        )
                        .Log(2700),
                Time,
                2700,
                ""
            ),
            ["diabetes and its kidney disease"] = (
                () => CareCase.Usual().Without("Condition/ht").Condition("dm2", "E11.22").Log(2700),
                "none",
                2700,
                "CCM-E01 deny"
            ),
            ["hypertension twice"] = (
                () => CareCase.Usual().Without("Condition/dm").Condition("ht2", "I11.9").Log(2700),
                "none",
                2700,
                "CCM-E01 deny"
            ),
            ["a code that the list does not name"] = (
                () => CareCase.Usual().Without("Condition/ht").Condition("rare", "Q87.40").Log(2700),
                Time,
                2700,
                "CCM-E02 warn"
            ),
            ["no condition at all"] = (
                () => CareCase.Usual().Without("Condition/ht").Without("Condition/dm").Log(2700),
                "none",
                2700,
                "CCM-E01 deny"
            ),
            // Plan.
            ["a plan that was completed before the month"] = (
                () =>
                    CareCase
                        .Usual()
                        .Set("CarePlan/plan", "status", "\"completed\"")
                        .Set("CarePlan/plan", "period", """{"start":"2026-01-01","end":"2026-09-30"}""")
                        .Log(2700),
                "none",
                2700,
                "CCM-P01 hold"
            ),
            ["a plan that was completed in the month"] = (
                () =>
                    CareCase
                        .Usual()
                        .Set("CarePlan/plan", "status", "\"completed\"")
                        .Set("CarePlan/plan", "period", """{"start":"2026-01-01","end":"2026-10-15"}""")
                        .Log(2700),
                Time,
                2700,
                ""
            ),
            ["a plan that is a draft"] = (
                () => CareCase.Usual().Set("CarePlan/plan", "status", "\"draft\"").Log(2700),
                "none",
                2700,
                "CCM-P01 hold"
            ),
            ["no copy was given"] = (
                () =>
                    CareCase
                        .Usual()
                        .Change("CarePlan/plan", plan => plan["extension"]!.AsArray().RemoveAt(0))
                        .Log(2700),
                Time,
                2700,
                "CCM-P02 warn"
            ),
            ["no activity in a strict practice"] = (
                () =>
                    CareCase
                        .Usual()
                        .Practice("carePlanStrict", "true")
                        .Change("CarePlan/plan", plan => plan.Remove("activity"))
                        .Log(2700),
                "none",
                2700,
                "CCM-P02 deny"
            ),
            // Visit.
            ["a visit more than a year before"] = (
                () =>
                    CareCase
                        .Usual()
                        .Visit("visit", "2025-09-15T09:30:00-04:00", "2025-09-15T10:00:00-04:00", "99214", true)
                        .Log(2700),
                "none",
                2700,
                "CCM-I01 deny"
            ),
            ["a nurse visit"] = (
                () =>
                    CareCase
                        .Usual()
                        .Visit("visit", "2026-09-15T09:30:00-04:00", "2026-09-15T10:00:00-04:00", "99211", true)
                        .Log(2700),
                "none",
                2700,
                "CCM-I01 deny"
            ),
            ["a wellness visit"] = (
                () =>
                    CareCase
                        .Usual()
                        .Visit("visit", "2026-09-15T09:30:00-04:00", "2026-09-15T10:00:00-04:00", "G0438", true)
                        .Log(2700),
                Time,
                2700,
                ""
            ),
            ["care management was not discussed"] = (
                () =>
                    CareCase
                        .Usual()
                        .Visit("visit", "2026-09-15T09:30:00-04:00", "2026-09-15T10:00:00-04:00", "99214", false)
                        .Log(2700),
                "none",
                2700,
                "CCM-I01 deny"
            ),
            ["a visit at another practice"] = (
                () =>
                    CareCase
                        .Usual()
                        .Visit(
                            "visit",
                            "2026-09-15T09:30:00-04:00",
                            "2026-09-15T10:00:00-04:00",
                            "99214",
                            true,
                            practitioner: "Practitioner/dr-b",
                            organization: "Organization/b"
                        )
                        .Log(2700),
                "none",
                2700,
                "CCM-I01 deny"
            ),
            ["care management that the practice billed before"] = (
                () => CareCase.Usual().Without("Encounter/visit").Charge("99490", "2026-09-30").Log(2700),
                Time,
                2700,
                ""
            ),
            // Complex.
            ["complex attested in another month"] = (
                () => CareCase.Usual().Mdm("high", "2026-09-30T11:00:00-04:00").Log(3600),
                "99439x2, 99490x1",
                3600,
                ""
            ),
            ["complex attested by a nurse"] = (
                () => CareCase.Usual().Mdm("high", "2026-10-20T11:00:00-04:00", "Practitioner/rn-1").Log(3600),
                "99439x2, 99490x1",
                3600,
                "CCM-X01 info"
            ),
            ["low complexity"] = (
                () => CareCase.Usual().Mdm("low", "2026-10-20T11:00:00-04:00").Log(3600),
                "99439x2, 99490x1",
                3600,
                "CCM-X01 info"
            ),
            ["practitioner and staff together reach complex"] = (
                () =>
                    CareCase
                        .Usual()
                        .Mdm("high", "2026-10-20T11:00:00-04:00")
                        .Log(1800, role: "billing-practitioner", owner: "Practitioner/dr-a")
                        .Log(3600),
                "99487x1, 99489x1",
                5400,
                ""
            ),
            ["a long complex month"] = (
                () => CareCase.Usual().Mdm("high", "2026-10-20T11:00:00-04:00").Log(7199).Log(1801),
                "99487x1, 99489x3",
                9000,
                ""
            ),
            ["two further half hours are the most of a conservative practice"] = (
                () =>
                    CareCase
                        .Usual()
                        .Practice("policy", "\"conservative\"")
                        .Mdm("high", "2026-10-20T11:00:00-04:00")
                        .Log(1800, activity: "care-plan-revision")
                        .Log(9000),
                "99487x1, 99489x2",
                10800,
                "CCM-T02 info"
            ),
            // Who.
            ["practitioner time below half an hour is staff time"] = (
                () => CareCase.Usual().Log(1799, role: "billing-practitioner", owner: "Practitioner/dr-a"),
                "99490x1",
                1799,
                ""
            ),
            ["practitioner and staff at the same moment"] = (
                () =>
                    CareCase
                        .Usual()
                        .Log(
                            1800,
                            "2026-10-07T10:00:00-04:00",
                            role: "billing-practitioner",
                            owner: "Practitioner/dr-a"
                        )
                        .Log(1800, "2026-10-07T10:00:00-04:00"),
                "99491x1",
                1800,
                "CCM-T03 info"
            ),
            ["practitioner and staff at the same moment, set to staff"] = (
                () =>
                    CareCase
                        .Usual()
                        .Practice("qhpOverlapTo", "\"staff\"")
                        .Log(
                            1800,
                            "2026-10-07T10:00:00-04:00",
                            role: "billing-practitioner",
                            owner: "Practitioner/dr-a"
                        )
                        .Log(1800, "2026-10-07T10:00:00-04:00"),
                "99490x1",
                1800,
                "CCM-T03 info"
            ),
            ["a log that also names a billing code"] = (
                () =>
                    CareCase
                        .Usual()
                        .Log(1800)
                        .Change(
                            "Task/t1",
                            task =>
                                task["code"]!["coding"]!
                                    .AsArray()
                                    .Add(JsonNode.Parse($$"""{"system":"{{CareCase.Cpt}}","code":"99491"}"""))
                        ),
                "99490x1",
                1800,
                ""
            ),
            ["prior authorization"] = (
                () => CareCase.Usual().Log(1200, activity: "prior-authorization"),
                "none",
                0,
                "CCM-T08 info"
            ),
            ["prior authorization where the practice counts it"] = (
                () =>
                    CareCase
                        .Usual()
                        .Practice("countPriorAuthorization", "true")
                        .Log(1200, activity: "prior-authorization"),
                "99490x1",
                1200,
                ""
            ),
            // Zones and clocks.
            ["the same stretch in another zone is one day earlier"] = (
                () =>
                    CareCase
                        .Usual()
                        .Practice("timeZone", "\"America/Los_Angeles\"")
                        .Task("t", "2026-11-01T00:10:00-04:00", "2026-11-01T00:40:00-04:00"),
                "99490x1",
                1800,
                ""
            ),
            ["the zone of UTC cuts elsewhere"] = (
                () =>
                    CareCase
                        .Usual()
                        .Practice("timeZone", "\"Etc/UTC\"")
                        .Task("t", "2026-10-31T19:50:00-04:00", "2026-10-31T20:30:00-04:00"),
                "none",
                600,
                "CCM-T10 info"
            ),
            ["written with another offset it is the same instant"] = (
                () => CareCase.Usual().Task("t", "2026-10-07T16:00:00+02:00", "2026-10-07T14:20:00Z"),
                "99490x1",
                1200,
                ""
            ),
            // Programs.
            ["principal care by staff"] = (
                () =>
                    CareCase
                        .Usual()
                        .Without("Condition/ht")
                        .Consent("2026-09-15T10:00:00-04:00", program: "pcm")
                        .Log(3600),
                "99426x1, 99427x1",
                3600,
                ""
            ),
            ["principal care by the practitioner"] = (
                () =>
                    CareCase
                        .Usual()
                        .Without("Condition/ht")
                        .Consent("2026-09-15T10:00:00-04:00", program: "pcm")
                        .Log(1800, role: "billing-practitioner", owner: "Practitioner/dr-a"),
                "99424x1",
                1800,
                ""
            ),
            ["advanced primary care"] = (
                () => CareCase.Usual().Consent("2026-09-15T10:00:00-04:00", program: "apcm").Log(600),
                "G0557x1",
                600,
                ""
            ),
            ["advanced primary care with one condition"] = (
                () =>
                    CareCase
                        .Usual()
                        .Without("Condition/ht")
                        .Consent("2026-09-15T10:00:00-04:00", program: "apcm")
                        .Log(600),
                "G0556x1",
                600,
                ""
            ),
            // Years.
            ["three quarters of an hour in 2019"] = (() => CareCase.Usual(2019).Log(2700), "99490x1", 2700, ""),
            ["three quarters of an hour in 2020"] = (
                () => CareCase.Usual(2020).Log(2700),
                "99490x1, G2058x1",
                2700,
                ""
            ),
            ["three quarters of an hour in 2021"] = (() => CareCase.Usual(2021).Log(2700), Time, 2700, ""),
            ["an hour of the practitioner in 2018"] = (
                () => CareCase.Usual(2018).Log(3600, role: "billing-practitioner", owner: "Practitioner/dr-a"),
                "99490x1",
                3600,
                ""
            ),
            ["an hour of the practitioner in 2020"] = (
                () => CareCase.Usual(2020).Log(3600, role: "billing-practitioner", owner: "Practitioner/dr-a"),
                "99491x1",
                3600,
                ""
            ),
            ["a rural clinic in 2023"] = (
                () => CareCase.Usual(2023).Practice("facility", "\"rhc\"").Log(5400),
                "G0511x1",
                5400,
                "CCM-R01 info"
            ),
        };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task It_comes_out(string name)
    {
        var (make, lines, counted, reason) = Cases[name];

        var decided = await make().CloseAsync();

        decided.Refused.ShouldBeEmpty();
        decided.Lines.ShouldBe(lines, decided.Json);
        decided.Counted.ShouldBe(counted);
        (decided.Counted + decided.Seconds("excluded")).ShouldBe(decided.Seconds("logged"));
        if (reason.Length > 0)
        {
            decided.Reasons.ShouldContain(reason, decided.Json);
        }
        else if (lines != "none")
        {
            decided.Reasons.ShouldAllBe(
                one =>
                    one.StartsWith("CCM-B0", StringComparison.Ordinal)
                    || one.EndsWith(" info", StringComparison.Ordinal),
                decided.Json
            );
        }
        (decided.Stops.Length == 0).ShouldBe(lines != "none", decided.Json);
    }

    private static CareCase Billed(string type, string code, string practice, string day)
    {
        var system = char.IsAsciiLetter(code[0]) ? CareCase.Hcpcs : CareCase.Cpt;
        var benefit = type == "ExplanationOfBenefit";
        return CareCase
            .Usual()
            .Put(
                $$"""
                {"resourceType":"{{type}}","id":"theirs","status":"active","type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/claim-type","code":"professional"}]},
                 "use":"claim","patient":{"reference":"Patient/p"},"created":"{{day}}","insurer":{"display":"Medicare"},
                 "provider":{"reference":"Organization/{{practice}}"},{{(
                    benefit
                        ? "\"outcome\":\"complete\","
                        : "\"priority\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/processpriority\",\"code\":\"normal\"}]},"
                )}}
                 "careTeam":[{"sequence":1,"provider":{"reference":"Practitioner/dr-{{practice}}"} }],
                 "insurance":[{ {{(
                    benefit ? "" : "\"sequence\":1,"
                )}} "focal":true,"coverage":{"reference":"Coverage/coverage"} }],
                 "item":[{"sequence":1,"productOrService":{"coding":[{"system":"{{system}}","code":"{{code}}"}]},"servicedDate":"{{day}}"}]}
                """
            )
            .Log(2700);
    }

    private static CareCase Procedure(string code, string by) =>
        CareCase
            .Usual()
            .Put(
                $$"""
                {"resourceType":"Procedure","id":"theirs","status":"completed","code":{"coding":[{"system":"{{CareCase.Cpt}}","code":"{{code}}"}]},
                 "subject":{"reference":"Patient/p"},"performedPeriod":{"start":"2026-10-01","end":"2026-10-31"},
                 "performer":[{"actor":{"reference":"Practitioner/{{by}}"} }]}
                """
            )
            .Log(2700);

    private static CareCase Resolved(string day) =>
        CareCase
            .Usual()
            .Set(
                "Condition/ht",
                "clinicalStatus",
                """{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"resolved"}]}"""
            )
            .Set("Condition/ht", "abatementDateTime", $"\"{day}\"")
            .Log(2700);

    private static CareCase Flagged(bool? risk) =>
        CareCase
            .Usual()
            .Change(
                "Condition/ht",
                condition =>
                {
                    var extensions = condition["extension"]!.AsArray();
                    if (risk is { } said)
                    {
                        extensions[1]!["valueBoolean"] = said;
                    }
                    else
                    {
                        extensions.RemoveAt(1);
                    }
                }
            )
            .Log(2700);
}
