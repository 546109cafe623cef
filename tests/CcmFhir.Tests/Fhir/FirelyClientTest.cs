using Hl7.Fhir.Model;
using Hl7.Fhir.Rest;

namespace CcmFhir.Tests.Fhir;

/// <summary>A client that we did not write, the Firely SDK's, drives the server: JSON and XML.</summary>
public class FirelyClientTest(FhirServer server) : IClassFixture<FhirServer>
{
    private FhirClient Client(ResourceFormat format = ResourceFormat.Json) =>
        new(
            server.Base,
            new FhirClientSettings
            {
                PreferredFormat = format,
                VerifyFhirVersion = true,
                ReturnPreference = ReturnPreference.Representation,
            }
        );

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async System.Threading.Tasks.Task It_creates_reads_updates_searches_and_deletes()
    {
        using var client = Client();
        var made = await client.CreateAsync(
            new Patient
            {
                Identifier = [new Identifier("urn:mrn", "firely-1")],
                Name = [new HumanName { Family = "Firely", Given = ["Fay"] }],
                Gender = AdministrativeGender.Female,
                BirthDate = "1950-02-03",
            },
            Cancel
        );
        var observations = new List<string>();
        for (var number = 0; number < 5; number++)
        {
            var observation = await client.CreateAsync(
                new Observation
                {
                    Status = ObservationStatus.Final,
                    Code = new CodeableConcept("http://loinc.org", "8867-4"),
                    Subject = new ResourceReference($"Patient/{made!.Id}"),
                    Value = new Quantity(60 + number, "/min"),
                },
                Cancel
            );
            observations.Add(observation!.Id!);
        }

        var read = await client.ReadAsync<Patient>($"Patient/{made!.Id}", ct: Cancel);
        read!.Name[0].Family = "Changed";
        var changed = await client.UpdateAsync(read, versionAware: true, ct: Cancel);
        changed!.VersionId.ShouldBe("2");
        var old = await client.ReadAsync<Patient>($"Patient/{made.Id}/_history/1", ct: Cancel);
        old!.Name[0].Family.ShouldBe("Firely");
        var history = await client.HistoryAsync($"Patient/{made.Id}", ct: Cancel);
        history!.Entry.Count.ShouldBe(2);

        var found = new List<string>();
        var page = await client.SearchAsync<Observation>([$"patient=Patient/{made.Id}"], pageSize: 2, ct: Cancel);
        while (page is not null)
        {
            found.AddRange(page.Entry.Select(entry => entry.Resource!.Id!));
            page = await client.ContinueAsync(page, ct: Cancel);
        }
        found.ShouldBe(observations, ignoreOrder: true);

        await client.DeleteAsync($"Patient/{made.Id}", ct: Cancel);
        var gone = await Should.ThrowAsync<FhirOperationException>(() =>
            client.ReadAsync<Patient>($"Patient/{made.Id}", ct: Cancel)
        );
        gone.Status.ShouldBe(System.Net.HttpStatusCode.Gone);
        gone.Outcome!.Issue[0].Details!.Text!.ShouldContain("was deleted");
    }

    [Fact]
    public async System.Threading.Tasks.Task It_sends_transactions_and_conditional_interactions()
    {
        using var client = Client();
        var patient = new Patient
        {
            Identifier = [new Identifier("urn:mrn", "firely-2")],
            Name = [new HumanName { Family = "Two" }],
            Gender = AdministrativeGender.Male,
            BirthDate = "1951-01-01",
        };
        var bundle = new Bundle
        {
            Type = Bundle.BundleType.Transaction,
            Entry =
            [
                new Bundle.EntryComponent
                {
                    FullUrl = "urn:uuid:" + Guid.NewGuid(),
                    Resource = patient,
                    Request = new Bundle.RequestComponent
                    {
                        Method = Bundle.HTTPVerb.POST,
                        Url = "Patient",
                        IfNoneExist = "identifier=urn:mrn|firely-2",
                    },
                },
            ],
        };
        bundle.Entry.Add(
            new Bundle.EntryComponent
            {
                FullUrl = "urn:uuid:" + Guid.NewGuid(),
                Resource = new Observation
                {
                    Status = ObservationStatus.Final,
                    Code = new CodeableConcept { Text = "x" },
                    Subject = new ResourceReference(bundle.Entry[0].FullUrl),
                },
                Request = new Bundle.RequestComponent { Method = Bundle.HTTPVerb.POST, Url = "Observation" },
            }
        );

        var answer = await client.TransactionAsync(bundle, Cancel);
        answer!.Entry.Select(entry => entry.Response!.Status).ShouldBe(["201 Created", "201 Created"]);

        patient.Name[0].Family = "Renamed";
        var updated = await client.ConditionalUpdateAsync(
            patient,
            new SearchParams("identifier", "urn:mrn|firely-2"),
            ct: Cancel
        );
        updated!.VersionId.ShouldBe("2");
        var created = await client.ConditionalCreateAsync(
            patient,
            new SearchParams("identifier", "urn:mrn|firely-2"),
            Cancel
        );
        created!.Id.ShouldBe(updated.Id);
        var withObservations = await client.SearchAsync<Patient>(
            new SearchParams("identifier", "urn:mrn|firely-2").ReverseInclude("Observation:patient"),
            Cancel
        );
        withObservations!
            .Entry.Select(entry => entry.Search!.Mode)
            .ShouldBe([Bundle.SearchEntryMode.Match, Bundle.SearchEntryMode.Include]);
    }

    [Fact]
    public async System.Threading.Tasks.Task It_patches_by_FHIRPath_Patch_and_validates()
    {
        using var client = Client();
        await client.UpdateAsync(
            new Basic
            {
                Id = "firely-3",
                Code = new CodeableConcept { Text = "a" },
            },
            ct: Cancel
        );
        var patch = new Parameters();
        patch.AddReplacePatchParameter("Basic.code", new CodeableConcept { Text = "b" });

        var patched = await client.PatchAsync<Basic>("firely-3", patch, ct: Cancel);

        patched!.Code!.Text.ShouldBe("b");
        var outcome = await client.ValidateResourceAsync(patched);
        outcome!.Success.ShouldBeTrue();
    }

    [Fact]
    public async System.Threading.Tasks.Task It_reads_the_statement_and_resources_as_XML()
    {
        using var client = Client();
        await client.UpdateAsync(
            new Basic
            {
                Id = "firely-4",
                Code = new CodeableConcept { Text = "ä <&>" },
            },
            ct: Cancel
        );
        using var xml = Client(ResourceFormat.Xml);

        (await xml.CapabilityStatementAsync(ct: Cancel))!.FhirVersion.ShouldBe(FHIRVersion.N4_0_1);
        (await xml.ReadAsync<Basic>("Basic/firely-4", ct: Cancel))!.Code!.Text.ShouldBe("ä <&>");
    }
}
