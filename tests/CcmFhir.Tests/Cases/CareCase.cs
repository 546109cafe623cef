using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using CcmFhir.Access;
using CcmFhir.Domain;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.MonthEnd;
using CcmFhir.Options;

namespace CcmFhir.Tests.Cases;

/// <summary>One case as an EHR would send it: practice A with Dr A in New York, patient P with diabetes and hypertension, a visit, a consent and a
/// plan in September 2026, time logged in October. A test changes what it is about, and asks <c>ccmfhir close</c>.</summary>
internal sealed class CareCase
{
    public const string Base = "http://ccmfhir.org/fhir";
    public const string Cpt = "http://www.ama-assn.org/go/cpt";
    public const string Hcpcs = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets";

    private readonly SortedDictionary<string, JsonObject> resources = new(StringComparer.Ordinal);
    private readonly JsonObject practice = Parse(
        """
        {
          "slug": "a", "name": "Practice A", "npi": "1234567893", "tin": "12-3456789",
          "timeZone": "America/New_York", "placeOfService": "11", "policy": "medicare-current",
          "practitioners": [ { "ref": "Practitioner/dr-a", "npi": "1245319599", "name": "Dr A", "credential": "MD" } ],
          "organization": "Organization/a"
        }
        """
    );
    private int logs;

    private CareCase() { }

    public string Month { get; set; } = "2026-10";

    public string AsOf { get; set; } = "2026-11-23T00:00:00Z";

    /// <summary>Everything in place, no time logged. Dates lie relative to September 2026, moved by whole years where another is given.</summary>
    public static CareCase Usual(int year = 2026)
    {
        var made = new CareCase { Month = $"{year}-10", AsOf = $"{year}-11-23T00:00:00Z" };
        var y = year.ToString(CultureInfo.InvariantCulture);
        made.Put(
            """
            {"resourceType":"Patient","id":"p","identifier":[{"system":"http://hl7.org/fhir/sid/us-mbi","value":"1EG4TE5MK73"}],
             "name":[{"family":"Muster","given":["Pat"]}],"gender":"female","birthDate":"1944-02-03"}
            """
        );
        made.Condition("dm", "E11.9").Condition("ht", "I10");
        made.Visit("visit", $"{y}-09-15T09:30:00-04:00", $"{y}-09-15T10:00:00-04:00", "99214", discussed: true);
        made.Consent($"{y}-09-15T10:00:00-04:00");
        made.Put(
            $$"""
            {"resourceType":"Goal","id":"goal","lifecycleStatus":"active","description":{"text":"HbA1c below 7.5 %"},"subject":{"reference":"Patient/p"},
             "target":[{"measure":{"coding":[{"system":"http://loinc.org","code":"4548-4"}]},"detailQuantity":{"value":7.5,"unit":"%","system":"http://unitsofmeasure.org","code":"%"},"dueDate":"{{year
                + 1}}-03-01"}]}
            """
        );
        made.Put(
            $$"""
            {"resourceType":"CarePlan","id":"plan",
             "extension":[{"url":"{{Base}}/StructureDefinition/copy-given","valueDateTime":"{{y}}-09-16T15:00:00-04:00"},{"url":"{{Base}}/StructureDefinition/review-by","valueDate":"{{year
                + 1}}-03-16"}],
             "status":"active","intent":"plan","category":[{"coding":[{"system":"http://hl7.org/fhir/us/core/CodeSystem/careplan-category","code":"assess-plan"}]}],
             "subject":{"reference":"Patient/p"},"period":{"start":"{{y}}-09-16"},"author":{"reference":"Practitioner/dr-a"},
             "addresses":[{"reference":"Condition/dm"},{"reference":"Condition/ht"}],"goal":[{"reference":"Goal/goal"}],
             "activity":[{"detail":{"kind":"ServiceRequest","status":"in-progress","description":"Monthly call, medication review"} }]}
            """
        );
        made.Put(
            """
            {"resourceType":"Coverage","id":"coverage","status":"active","type":{"text":"Medicare Part B"},"subscriberId":"1EG4TE5MK73",
             "beneficiary":{"reference":"Patient/p"},"relationship":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/subscriber-relationship","code":"self"}]},
             "period":{"start":"2010-01-01"},"payor":[{"display":"Medicare Part B"}]}
            """
        );
        return made;
    }

    public CareCase Put(string json)
    {
        var resource = Parse(json);
        resources[$"{resource["resourceType"]}/{resource["id"]}"] = resource;
        return this;
    }

    public CareCase Change(string reference, Action<JsonObject> change)
    {
        change(resources[reference]);
        return this;
    }

    public CareCase Set(string reference, string element, string json) =>
        Change(reference, resource => resource[element] = JsonNode.Parse(json));

    public CareCase Without(string reference)
    {
        resources.Remove(reference).ShouldBeTrue(reference);
        return this;
    }

    public CareCase Practice(string setting, string json)
    {
        practice[setting] = JsonNode.Parse(json);
        return this;
    }

    /// <summary>Everything is about another patient, with this Medicare number.</summary>
    public CareCase Person(string patient, string mbi)
    {
        foreach (var (reference, resource) in resources.ToList())
        {
            var text = resource
                .ToJsonString()
                .Replace("\"Patient/p\"", $"\"Patient/{patient}\"", StringComparison.Ordinal)
                .Replace("1EG4TE5MK73", mbi, StringComparison.Ordinal);
            resources.Remove(reference);
            var other = Parse(text);
            var id =
                reference == "Patient/p" ? patient : reference.Split('/')[1] + (patient == "p" ? "" : "-" + patient);
            other["id"] = id;
            resources[$"{other["resourceType"]}/{id}"] = other;
        }
        return this;
    }

    public CareCase Condition(string id, string icd) =>
        Put(
            $$"""
            {"resourceType":"Condition","id":"{{id}}",
             "extension":[{"url":"{{Base}}/StructureDefinition/expected-duration","valueCode":"12-months-or-longer"},{"url":"{{Base}}/StructureDefinition/significant-risk","valueBoolean":true}],
             "clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},
             "verificationStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"confirmed"}]},
             "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-category","code":"problem-list-item"}]}],
             "code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"{{icd}}"}]},
             "subject":{"reference":"Patient/p"},"onsetDateTime":"2012-05-01"}
            """
        );

    public CareCase Consent(
        string given,
        string practice = "Organization/a",
        string? ended = null,
        string program = "ccm",
        string id = "consent"
    ) =>
        Put(
            $$"""
            {"resourceType":"Consent","id":"{{id}}",
             "extension":[{"url":"{{Base}}/StructureDefinition/consent-mode","valueCode":"written"},
              {"url":"{{Base}}/StructureDefinition/disclosure","valueCode":"service-availability"},{"url":"{{Base}}/StructureDefinition/disclosure","valueCode":"cost-sharing"},
              {"url":"{{Base}}/StructureDefinition/disclosure","valueCode":"single-practitioner"},{"url":"{{Base}}/StructureDefinition/disclosure","valueCode":"right-to-stop"}],
             "status":"{{(ended is null ? "active" : "inactive")}}","scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"treatment"}]},
             "category":[{"coding":[{"system":"{{Base}}/CodeSystem/ccm-program","code":"{{program}}"}]}],
             "patient":{"reference":"Patient/p"},"dateTime":"{{given}}","organization":[{"reference":"{{practice}}"}],
             "policyRule":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"OPTIN"}]},
             "provision":{"type":"permit"{{(
                ended is null ? "" : $$""","period":{"end":"{{ended}}"}"""
            )}} } }
            """
        );

    public CareCase Visit(
        string id,
        string start,
        string end,
        string code,
        bool? discussed = null,
        bool planning = false,
        string practitioner = "Practitioner/dr-a",
        string organization = "Organization/a"
    )
    {
        var extensions = new List<string>();
        if (discussed is { } told)
        {
            extensions.Add(
                $$"""{"url":"{{Base}}/StructureDefinition/ccm-discussed","valueBoolean":{{(told ? "true" : "false")}} }"""
            );
        }
        if (planning)
        {
            extensions.Add($$"""{"url":"{{Base}}/StructureDefinition/extensive-planning","valueBoolean":true}""");
        }
        return Put(
            $$"""
            {"resourceType":"Encounter","id":"{{id}}",{{(
                extensions.Count == 0 ? "" : $"\"extension\":[{string.Join(',', extensions)}],"
            )}}
             "status":"finished","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},
             "type":[{"coding":[{"system":"{{(char.IsAsciiLetter(code[0]) ? Hcpcs : Cpt)}}","code":"{{code}}"}]}],
             "subject":{"reference":"Patient/p"},"participant":[{"individual":{"reference":"{{practitioner}}"} }],
             "period":{"start":"{{start}}","end":"{{end}}"},"serviceProvider":{"reference":"{{organization}}"} }
            """
        );
    }

    public CareCase Stay(string type, string start, string? end) =>
        Put(
            $$"""
            {"resourceType":"Encounter","id":"stay-{{type}}","status":"{{(end is null ? "in-progress" : "finished")}}",
             "class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"{{(
                type == "hospice" ? "HH" : "IMP"
            )}}"},"type":[{"coding":[{"system":"{{Base}}/CodeSystem/ccm-stay","code":"{{type}}"}]}],
             "subject":{"reference":"Patient/p"},"period":{"start":"{{start}}"{{(
                end is null ? "" : $",\"end\":\"{end}\""
            )}} } }
            """
        );

    public CareCase Charge(string code, string day, bool own = true, string status = "billed", string? id = null) =>
        Put(
            $$"""
            {"resourceType":"ChargeItem","id":"{{id ?? "charge-" + code.ToLowerInvariant()}}","status":"{{status}}",
             "code":{"coding":[{"system":"{{(char.IsAsciiLetter(code[0]) ? Hcpcs : Cpt)}}","code":"{{code}}"}]},
             "subject":{"reference":"Patient/p"},"occurrenceDateTime":"{{day}}",
             "performer":[{"actor":{"reference":"Practitioner/{{(own ? "dr-a" : "dr-b")}}"} }],
             "performingOrganization":{"reference":"Organization/{{(own ? "a" : "b")}}"} }
            """
        );

    public CareCase Mdm(string level, string at, string by = "Practitioner/dr-a") =>
        Put(
            $$"""
            {"resourceType":"Observation","id":"mdm","status":"final","code":{"coding":[{"system":"{{Base}}/CodeSystem/ccm-observation","code":"mdm-level"}]},
             "subject":{"reference":"Patient/p"},"effectiveDateTime":"{{at}}","performer":[{"reference":"{{by}}"}],
             "valueCodeableConcept":{"coding":[{"system":"{{Base}}/CodeSystem/ccm-mdm-level","code":"{{level}}"}]} }
            """
        );

    /// <summary>A time log of so many seconds, on a day of its own from ten in the morning unless a start is given.</summary>
    public CareCase Log(
        int seconds,
        string? start = null,
        string role = "clinical-staff",
        string activity = "care-coordination",
        string status = "completed",
        int served = 1,
        string? toward = null,
        string owner = "Practitioner/rn-1",
        string? id = null
    )
    {
        logs++;
        var from = start is not null
            ? DateTimeOffset.Parse(start, CultureInfo.InvariantCulture)
            : new DateTimeOffset(
                int.Parse(Month.AsSpan(0, 4), CultureInfo.InvariantCulture),
                int.Parse(Month.AsSpan(5), CultureInfo.InvariantCulture),
                4 + logs,
                10,
                0,
                0,
                TimeSpan.FromHours(-4)
            );
        return Task(
            id ?? string.Create(CultureInfo.InvariantCulture, $"t{logs}"),
            Text(from),
            Text(from.AddSeconds(seconds)),
            role,
            activity,
            status,
            served,
            toward,
            owner
        );
    }

    public CareCase Task(
        string id,
        string start,
        string end,
        string role = "clinical-staff",
        string activity = "care-coordination",
        string status = "completed",
        int served = 1,
        string? toward = null,
        string owner = "Practitioner/rn-1"
    )
    {
        var extensions = new List<string>();
        if (served > 1)
        {
            extensions.Add(
                $$"""{"url":"{{Base}}/StructureDefinition/patients-served","valuePositiveInt":{{served}} }"""
            );
        }
        if (toward is not null)
        {
            extensions.Add($$"""{"url":"{{Base}}/StructureDefinition/counted-toward","valueCode":"{{toward}}"}""");
        }
        return Put(
            $$"""
            {"resourceType":"Task","id":"{{id}}",{{(
                extensions.Count == 0 ? "" : $"\"extension\":[{string.Join(',', extensions)}],"
            )}}
             "status":"{{status}}","intent":"order","code":{"coding":[{"system":"{{Base}}/CodeSystem/ccm-activity","code":"{{activity}}"}]},
             "for":{"reference":"Patient/p"},"executionPeriod":{"start":"{{start}}","end":"{{end}}"},"authoredOn":"{{end}}",
             "performerType":[{"coding":[{"system":"{{Base}}/CodeSystem/ccm-performer-role","code":"{{role}}"}]}],
             "owner":{"reference":"{{owner}}"} }
            """
        );
    }

    /// <summary>The decision on patient P.</summary>
    public async System.Threading.Tasks.Task<Decided> CloseAsync() => new(await TextAsync());

    /// <summary>What <c>ccmfhir close --format json</c> prints, over one file for each resource.</summary>
    public async System.Threading.Tasks.Task<string> TextAsync()
    {
        var folder = Directory.CreateTempSubdirectory("ccmfhir-case-").FullName;
        try
        {
            foreach (var (reference, resource) in resources)
            {
                await File.WriteAllTextAsync(
                    Path.Combine(folder, reference.Replace('/', '-') + ".json"),
                    resource.ToJsonString()
                );
            }
            return await RunAsync(folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The same over files that the test writes into the folder.</summary>
    public async System.Threading.Tasks.Task<string> TextAsync(Action<string, IReadOnlyList<JsonObject>> write)
    {
        var folder = Directory.CreateTempSubdirectory("ccmfhir-case-").FullName;
        try
        {
            write(folder, [.. resources.Values]);
            return await RunAsync(folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The claim that closing the month issues, as journalled; none issued is a failure of the test.</summary>
    public async System.Threading.Tasks.Task<JsonElement> ClaimAsync() =>
        (await ClaimsAsync(static _ => { }))[0].ShouldNotBeNull();

    /// <summary>Closes the month after each stage, over one journal: what each close issued, null for nothing.</summary>
    public async System.Threading.Tasks.Task<IReadOnlyList<JsonElement?>> ClaimsAsync(
        params IReadOnlyList<Action<CareCase>> stages
    )
    {
        var folder = Directory.CreateTempSubdirectory("ccmfhir-case-").FullName;
        try
        {
            var file = Path.Combine(folder, "practice.json");
            await File.WriteAllTextAsync(file, practice.ToJsonString());
            await using var store = SqliteJournalStore.Open(Path.Combine(folder, "case.db"));
            var records = new StreamRecords(store);
            var sent = new Dictionary<string, string>(StringComparer.Ordinal);
            var claims = new List<JsonElement?>();
            foreach (var stage in stages)
            {
                stage(this);
                await File.WriteAllTextAsync(file, practice.ToJsonString());
                var read = PracticeFile.Read(file);
                await SendAsync(folder, read, records, sent);
                ServiceMonth.TryParse(Month, out var month).ShouldBeTrue();
                var close = new CloseMonth(records, RuleSet.Medicare, HouseDoor.CheckClaim);
                var now = DateTimeOffset.Parse(AsOf, CultureInfo.InvariantCulture);
                var result = await close.RunAsync(read, month, now, null, CancellationToken.None);
                var record = await records.ReadAsync(
                    JournalNames.PatientStream(read.Practice.Slug, "p"),
                    CancellationToken.None
                );
                if (result.Issued.Count == 0)
                {
                    claims.Add(null);
                    continue;
                }
                using var claim = JsonDocument.Parse(record.Claim(result.Issued.ShouldHaveSingleItem())!.Json);
                claims.Add(claim.RootElement.Clone());
            }
            return claims;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Sends everything into a journal.</summary>
    /// <param name="records">The journal.</param>
    /// <param name="folder">Where the practice file, which is the answer, and the resources may lie meanwhile.</param>
    public async System.Threading.Tasks.Task<string> SendAsync(StreamRecords records, string folder)
    {
        var file = Path.Combine(folder, $"{practice["slug"]}.json");
        await File.WriteAllTextAsync(file, practice.ToJsonString());
        await SendAsync(folder, PracticeFile.Read(file), records, new(StringComparer.Ordinal));
        return file;
    }

    // What was sent before and has not changed is not sent again.
    private async System.Threading.Tasks.Task SendAsync(
        string folder,
        PracticeFile file,
        StreamRecords records,
        Dictionary<string, string> sent
    )
    {
        var take = new TakeIn(new ReceiveBundle(records, HouseDoor.Open(), TimeProvider.System));
        var arrival = new Arrival(
            Receiver.Of(file),
            AccessContext.Unrestricted(file.Practice.Slug, "test"),
            Arrival.ToMillisecond(DateTimeOffset.Parse(AsOf, CultureInfo.InvariantCulture))
        );
        foreach (var (reference, resource) in resources)
        {
            var text = resource.ToJsonString();
            if (sent.TryGetValue(reference, out var before) && before == text)
            {
                continue;
            }
            sent[reference] = text;
            var path = Path.Combine(folder, reference.Replace('/', '-') + ".json");
            await File.WriteAllTextAsync(path, text);
            foreach (var document in ReadFolder.Documents(folder, path))
            {
                (await take.RunAsync(arrival, document, CancellationToken.None)).ShouldBeEmpty();
            }
        }
    }

    private async System.Threading.Tasks.Task<string> RunAsync(string folder)
    {
        var file = Path.Combine(Path.GetTempPath(), $"ccmfhir-practice-{Guid.NewGuid():N}.json");
        await File.WriteAllTextAsync(file, practice.ToJsonString());
        try
        {
            return await ClosedFolder.JsonAsync(folder, file, Month, AsOf);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static JsonObject Parse(string json) => JsonNode.Parse(json)!.AsObject();

    private static string Text(DateTimeOffset at) =>
        at.ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture);
}

/// <summary>The answer on patient P.</summary>
internal sealed class Decided
{
    private readonly JsonElement decision;

    public Decided(string json)
    {
        Json = json;
        using var document = JsonDocument.Parse(json);
        decision = document
            .RootElement.GetProperty("decisions")
            .EnumerateArray()
            .Single(one => one.GetProperty("patient").GetString() == "Patient/p")
            .Clone();
    }

    public string Json { get; }

    /// <summary>The lines as <c>99490x1, 99439x2</c> in code order, or <c>none</c>.</summary>
    public string Lines
    {
        get
        {
            var lines = decision.GetProperty("lines").EnumerateArray().ToList();
            decision.GetProperty("outcome").GetString().ShouldBe(lines.Count > 0 ? "claim" : "none");
            return lines.Count == 0
                ? "none"
                : string.Join(", ", lines.Select(line => $"{line.GetProperty("code")}x{line.GetProperty("units")}"));
        }
    }

    public decimal Total => decision.GetProperty("total").GetDecimal();

    public long Counted => Seconds("counted");

    public long Seconds(string name) => decision.GetProperty("seconds").GetProperty(name).GetInt64();

    public JsonElement Line(int at) => decision.GetProperty("lines")[at];

    /// <summary>Reasons as <c>CCM-T01 deny</c>.</summary>
    public IReadOnlyList<string> Reasons =>
        [
            .. decision
                .GetProperty("reasons")
                .EnumerateArray()
                .Select(reason => $"{reason.GetProperty("code")} {reason.GetProperty("severity")}"),
        ];

    /// <summary>Refused resources as <c>Task/t1 CCM-T04 Task.executionPeriod</c>.</summary>
    public IReadOnlyList<string> Refused =>
        [
            .. decision
                .GetProperty("refused")
                .EnumerateArray()
                .SelectMany(one =>
                    one.GetProperty("issues")
                        .EnumerateArray()
                        .Select(issue =>
                            $"{one.GetProperty("resource")} {issue.GetProperty("code")} {issue.GetProperty("expression")}"
                        )
                ),
        ];

    /// <summary>Every reason code that denies or holds.</summary>
    public string Stops =>
        string.Join(
            ' ',
            Reasons
                .Where(reason =>
                    reason.EndsWith(" deny", StringComparison.Ordinal)
                    || reason.EndsWith(" hold", StringComparison.Ordinal)
                )
                .Select(reason => reason[..7])
                .Distinct(StringComparer.Ordinal)
        );
}
