using System.Text.Json.Nodes;
using CcmFhir.Commands;
using CcmFhir.Domain;
using CcmFhir.Options;

namespace CcmFhir.Tests.Options;

/// <summary>A practice file that is wrong stops the start and names the setting; one that is right says what the practice wants.</summary>
public sealed class PracticeFileTest
{
    private const string Good = """
        {
          "slug": "a", "name": "Practice A", "npi": "1234567893", "tin": "12-3456789", "timeZone": "America/New_York",
          "practitioners": [ { "ref": "Practitioner/dr-a", "npi": "1245319599", "name": "Dr A", "credential": "MD" } ],
          "organization": "Organization/a"
        }
        """;

    [Theory]
    [InlineData("npi", null, "npi")]
    [InlineData("npi", "\"1234567890\"", "npi")]
    [InlineData("npi", "\"12345\"", "npi")]
    [InlineData("npi", "1234567893", "npi")]
    [InlineData("slug", null, "slug")]
    [InlineData("slug", "\"Practice A\"", "slug")]
    [InlineData("name", null, "name")]
    [InlineData("timeZone", null, "timeZone")]
    [InlineData("timeZone", "\"America/Gotham\"", "timeZone")]
    [InlineData("timeZone", "\"\"", "timeZone")]
    [InlineData("policy", "\"generous\"", "policy")]
    [InlineData("charges", """{"99490":-1}""", "charges.99490")]
    [InlineData("charges", """{"99490":"60"}""", "charges.99490")]
    [InlineData("charges", "[]", "charges")]
    [InlineData("practitioners", null, "practitioners")]
    [InlineData("practitioners", "[]", "practitioners")]
    [InlineData(
        "practitioners",
        """[{"ref":"Practitioner/x","npi":"1245319598","name":"X"}]""",
        "practitioners[0].npi"
    )]
    [InlineData("practitioners", """[{"ref":"dr-x","npi":"1245319599","name":"X"}]""", "practitioners[0].ref")]
    [InlineData("organization", "\"a\"", "organization")]
    [InlineData("countMedicalAssistants", "\"yes\"", "countMedicalAssistants")]
    [InlineData("distinctBy", "\"chapter\"", "distinctBy")]
    [InlineData("dosPolicy", "\"tomorrow\"", "dosPolicy")]
    [InlineData("emDayPolicy", "\"exclude\"", "emDayPolicy")]
    [InlineData("tcmSameMonth", "\"maybe\"", "tcmSameMonth")]
    [InlineData("g0181SameMonth", "true", "g0181SameMonth")]
    [InlineData("rpmSameMonth", "\"warn\"", "rpmSameMonth")]
    [InlineData("complexNeedsPlanRevision", "\"no\"", "complexNeedsPlanRevision")]
    [InlineData("billBeforeMonthEnd", "1", "billBeforeMonthEnd")]
    [InlineData("caps99437", "0", "caps99437")]
    [InlineData("caps99489", "\"many\"", "caps99489")]
    [InlineData("maxTaskHours", "0", "maxTaskHours")]
    [InlineData("maxTaskHours", "25", "maxTaskHours")]
    [InlineData("gpci", "-1", "gpci")]
    [InlineData("countMedicalAssistant", "true", "countMedicalAssistant")]
    public async Task A_setting_that_is_wrong_is_named(string setting, string? json, string named)
    {
        var file = JsonNode.Parse(Good)!.AsObject();
        file[setting] = json is null ? null : JsonNode.Parse(json);
        if (json is null)
        {
            file.Remove(setting);
        }

        await WithFileAsync(
            file.ToJsonString(),
            async path =>
            {
                Should.Throw<InvalidDataException>(() => PracticeFile.Read(path)).Message.ShouldContain(named);
                await using var error = new StringWriter();
                (await CloseAsync(path, "2026-10", error)).ShouldBe(2);
                error.ToString().ShouldContain(named);
            }
        );
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("{")]
    public Task What_is_no_practice_file_is_refused(string text) =>
        WithFileAsync(
            text,
            path =>
            {
                Should.Throw<InvalidDataException>(() => PracticeFile.Read(path));
                return Task.CompletedTask;
            }
        );

    [Theory]
    [InlineData("2027-01", "2027: no rule set; latest 2026")]
    [InlineData("2014-12", "2014: no rule set; earliest 2015")]
    [InlineData("2026-13", "--month is '2026-13'")]
    [InlineData("October", "--month is 'October'")]
    public Task A_month_without_rules_is_refused_with_what_is_known(string month, string said) =>
        WithFileAsync(
            Good,
            async path =>
            {
                await using var error = new StringWriter();
                (await CloseAsync(path, month, error)).ShouldBe(2);
                error.ToString().ShouldContain(said);
            }
        );

    [Fact]
    public Task What_is_not_said_has_the_default_of_the_rules() =>
        WithFileAsync(
            Good,
            path =>
            {
                var practice = PracticeFile.Read(path).Practice;
                practice.PlaceOfService.ShouldBe("11");
                practice.Policy.ShouldBe(new PracticePolicy());
                practice.Policy.Name.ShouldBe("medicare-current");
                practice.Charges.ShouldBeEmpty();
                return Task.CompletedTask;
            }
        );

    [Fact]
    public Task What_is_said_is_what_counts() =>
        WithFileAsync(
            Good.TrimEnd().TrimEnd('}')
                + """
                , "placeOfService": "22", "policy": "conservative", "countMedicalAssistants": true, "countPriorAuthorization": true,
                  "countAfterRevocation": true, "carePlanStrict": true, "distinctBy": "code", "qhpOverlapTo": "staff",
                  "familyOrder": "highestAllowed", "dosPolicy": "thresholdDate", "emDayPolicy": "exclude-overlap",
                  "tcmSameMonth": "deny-unless-period-ended", "g0181SameMonth": "deny same practitioner, warn other", "rpmSameMonth": "deny",
                  "complexNeedsPlanRevision": false, "billBeforeMonthEnd": true, "caps99437": "none", "caps99489": 4, "maxTaskHours": 8,
                  "initiatingVisitDays": 180, "gpci": 1.05, "qualifyingApmParticipant": true, "facility": "FQHC",
                  "facilityBillsG0511In2025": true, "charges": { "99490": 0, "99439": 55.5 }
                }
                """,
            path =>
            {
                var practice = PracticeFile.Read(path).Practice;
                practice.PlaceOfService.ShouldBe("22");
                practice.Charges["99490"].ShouldBe(0m);
                practice.Charges["99439"].ShouldBe(55.5m);
                practice.Policy.ShouldBe(
                    new PracticePolicy
                    {
                        Name = "conservative",
                        CountMedicalAssistants = true,
                        CountPriorAuthorization = true,
                        CountAfterRevocation = true,
                        CarePlanStrict = true,
                        DistinctByCode = true,
                        OverlapToStaff = true,
                        FamilyOrder = FamilyOrder.HighestAllowed,
                        DateOfService = DateOfServicePolicy.ThresholdDate,
                        EmDay = EmDayPolicy.ExcludeOverlap,
                        TcmSameMonth = TcmPolicy.DenyUnlessEnded,
                        G0181SameMonth = HomeHealthPolicy.DenySame,
                        RpmDenies = true,
                        ComplexNeedsPlanRevision = false,
                        BillBeforeMonthEnd = true,
                        Cap99437 = 0,
                        Cap99489 = 4,
                        MaxTaskHours = 8,
                        InitiatingVisitDays = 180,
                        Gpci = 1.05m,
                        QualifyingApmParticipant = true,
                        Facility = FacilityKind.Fqhc,
                        FacilityBillsG0511In2025 = true,
                    }
                );
                return Task.CompletedTask;
            }
        );

    private static async Task WithFileAsync(string text, Func<string, Task> use)
    {
        var path = Path.Combine(Path.GetTempPath(), $"ccmfhir-practice-{Guid.NewGuid():N}.json");
        await File.WriteAllTextAsync(path, text);
        try
        {
            await use(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static async Task<int> CloseAsync(string practice, string month, TextWriter error)
    {
        await using var output = new StringWriter();
        return await CloseCommand
            .Build(TimeProvider.System)
            .Parse([
                "--input",
                Path.GetTempPath(),
                "--practice",
                practice,
                "--month",
                month,
                "--dry-run",
                "--as-of",
                "2026-11-23T00:00:00Z",
            ])
            .InvokeAsync(new() { Output = output, Error = error });
    }
}
