using System.Text.Json;
using CcmFhir.Access;
using CcmFhir.Domain;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.MonthEnd;
using CcmFhir.Options;
using CcmFhir.Validation;

namespace CcmFhir.Tests.MonthEnd;

/// <summary>A claim that may not leave the house stops nobody else's.</summary>
public sealed class ClosingFaultTest : IDisposable
{
    private static readonly DateTimeOffset AsOf = new(2026, 11, 23, 0, 0, 0, TimeSpan.Zero);
    private static readonly ServiceMonth October = new(2026, 10);

    private readonly string folder = Directory.CreateTempSubdirectory("ccmfhir-fault-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_claim_that_breaks_our_own_profile_is_named_and_held_back_and_the_other_fourteen_are_issued()
    {
        var file = PracticeFile.Read(Repository.At("profiles", "practices", "maple-street.json"));
        await using var store = SqliteJournalStore.Open(Path.Combine(folder, "ccm.db"));
        var records = new StreamRecords(store);
        await TakeSamplesAsync(file, records);

        var one = await Close(records, Broken).RunAsync(file, October, AsOf, null, Cancel);

        one.Issued.Count.ShouldBe(14);
        one.Decisions.Count.ShouldBe(20);
        var fault = one.Faults.ShouldHaveSingleItem();
        fault.Patient.ShouldBe("Patient/maplewood");
        fault.Text.ShouldContain("was not issued: it breaks test-1 at Claim.item[0]");
        using var answer = JsonDocument.Parse(MonthParameters.Closed(October, AsOf, one));
        var told = answer
            .RootElement.GetProperty("parameter")
            .EnumerateArray()
            .Single(parameter => parameter.GetProperty("name").GetString() == "fault")
            .GetProperty("part");
        told[0].GetProperty("valueReference").GetProperty("reference").GetString().ShouldBe("Patient/maplewood");
        told[1].GetProperty("valueString").GetString().ShouldBe(fault.Text);

        var again = await Close(records, HouseDoor.CheckClaim).RunAsync(file, October, AsOf, null, Cancel);

        (again.Issued.Count, again.Standing, again.Faults.Count).ShouldBe((1, 14, 0));
    }

    private static CloseMonth Close(StreamRecords records, Func<FhirElement, Report> check) =>
        new(records, RuleSet.Medicare, check);

    private static Report Broken(FhirElement claim) =>
        claim["patient"]["reference"].Text == "Patient/maplewood"
            ? new Report(
                [
                    new Issue
                    {
                        Severity = Severity.Error,
                        Type = "invariant",
                        Rule = "test-1",
                        Expression = "Claim.item[0]",
                        Text = "A line is wrong.",
                    },
                ],
                []
            )
            : HouseDoor.CheckClaim(claim);

    private static async Task TakeSamplesAsync(PracticeFile file, StreamRecords records)
    {
        var take = new TakeIn(new ReceiveBundle(records, HouseDoor.Open(), TimeProvider.System));
        var arrival = new Arrival(
            Receiver.Of(file),
            AccessContext.Unrestricted(file.Practice.Slug, "test"),
            Arrival.ToMillisecond(AsOf)
        );
        var samples = Repository.At("profiles", "samples");
        foreach (var path in ReadFolder.Files(samples))
        {
            foreach (var document in ReadFolder.Documents(samples, path))
            {
                await take.RunAsync(arrival, document, Cancel);
            }
        }
    }
}
