using System.Globalization;

namespace CcmFhir.Tests.Access;

/// <summary>Every interaction with every kind of scope, on what it reaches and what it must not reach: own patient, other patient, what a search-restricted
/// scope leaves out, other practice. What is right is worked out here from the scope's words alone (SMART App Launch 2.2, Scopes).</summary>
public class ScopeMatrixTest(ScopeMatrixTest.Filled smart) : IClassFixture<ScopeMatrixTest.Filled>
{
    private static int numbers;

    /// <summary>Where a resource is.</summary>
    private enum Place
    {
        Own,
        OwnLaboratory,
        Other,
        Elm,
    }

    public static TheoryData<string, string?, string?> Scopes() =>
        new()
        {
            { "system/Observation.read", null, null },
            { "system/Observation.write", null, null },
            { "system/Observation.*", null, null },
            { "system/*.read", null, null },
            { "system/*.cruds", null, null },
            { "system/Observation.c", null, null },
            { "system/Observation.r", null, null },
            { "system/Observation.u", null, null },
            { "system/Observation.d", null, null },
            { "system/Observation.s", null, null },
            { "system/Observation.rs", null, null },
            { "system/Task.cruds", null, null },
            { "openid fhirUser", null, null },
            { "user/Observation.read", null, "Practitioner/doc" },
            { "user/Observation.cruds", null, "Practitioner/doc" },
            { "user/*.*", null, "Practitioner/doc" },
            { "patient/Observation.read", "own", null },
            { "patient/Observation.write", "own", null },
            { "patient/*.cruds", "own", null },
            { "patient/Observation.rs", "own", "Patient/own" },
            { "patient/Observation.cud", "own", null },
            { "patient/*.cruds", null, null },
            { "system/Observation.cruds?category=vital-signs", null, null },
            { "user/Observation.rs?category=vital-signs", null, "Practitioner/doc" },
            { "patient/Observation.cruds?category=vital-signs", "own", null },
        };

    [Theory]
    [MemberData(nameof(Scopes))]
    public async Task A_scope_lets_in_what_it_says_and_nothing_else(string scope, string? patient, string? user)
    {
        var token = smart.Token(scope, patient, user);
        var wrong = new List<string>();
        foreach (var place in Enum.GetValues<Place>())
        {
            foreach (var letter in "crudsphtv")
            {
                var right = Expected(scope, patient, letter, place);
                var alone = await AloneAsync(token, letter, place);
                if (alone != right)
                {
                    wrong.Add($"{Name(letter)} {place}: {alone} in place of {right}");
                }
                if (letter is 'h' or 't')
                {
                    continue;
                }
                var inBatch = await InBatchAsync(token, letter, place);
                if (inBatch != right)
                {
                    wrong.Add($"batch, {Name(letter)} {place}: {inBatch} in place of {right}");
                }
            }
        }
        wrong.ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Scopes))]
    public async Task What_is_taken_along_needs_its_own_scope(string scope, string? patient, string? user)
    {
        var token = smart.Token(scope, patient, user);
        var searches = Right(scope, patient, "Observation", 's');

        var found = await smart.AskAsync(
            token,
            "GET",
            "Observation?_id=own-1,other-1&_include=Observation:subject&_revinclude=Provenance:target"
        );

        found.Status.ShouldBe(searches ? 200 : 403);
        if (!searches)
        {
            return;
        }
        List<string> right = ["Observation/own-1"];
        if (!scope.StartsWith("patient/", StringComparison.Ordinal))
        {
            right.Add("Observation/other-1");
        }
        foreach (var type in (string[])["Patient", "Provenance"])
        {
            if (Right(scope, patient, type, 'r'))
            {
                right.AddRange(
                    right
                        .Where(one => one.StartsWith("Observation/", StringComparison.Ordinal))
                        .Select(one =>
                            type == "Patient" ? $"Patient/{one["Observation/".Length..^2]}" : $"{type} of {one}"
                        )
                        .ToList()
                );
            }
        }
        found
            .Entries.Select(entry => entry!["resource"]!)
            .Select(one =>
                one["target"]?[0]!["reference"] is { } target
                    ? $"Provenance of {((string)target!).Split("/_history")[0]}"
                    : $"{one["resourceType"]}/{one["id"]}"
            )
            .Order(StringComparer.Ordinal)
            .ShouldBe(right.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Scopes))]
    public async Task Operations_need_what_they_show_and_do(string scope, string? patient, string? user)
    {
        var token = smart.Token(scope, patient, user);
        bool reads(string type) => Right(scope, patient, type, 'r') && !scope.Contains('?', StringComparison.Ordinal);
        var sees = reads("Patient") && reads("Task") && reads("Claim");
        var launched = scope.StartsWith("patient/", StringComparison.Ordinal);
        bool claims(char letter) => !launched && Right(scope, patient, "Claim", letter);

        (await smart.AskAsync(token, "GET", "Patient/own/$ccm-status?month=2026-10")).Status.ShouldBe(sees ? 200 : 403);
        (await smart.AskAsync(token, "GET", "Patient/other/$ccm-status?month=2026-10")).Status.ShouldBe(
            !sees ? 403
            : launched ? 404
            : 200
        );
        (await smart.AskAsync(token, "POST", "$ccm-close?month=2026-10&dryRun=true")).Status.ShouldBe(
            claims('c') ? 200 : 403
        );
        (await smart.AskAsync(token, "POST", "$ccm-close?month=2026-10")).Status.ShouldBe(claims('c') ? 200 : 403);
        (await smart.AskAsync(token, "GET", "$ccm-claims?month=2026-10")).Status.ShouldBe(claims('u') ? 200 : 403);
        (await smart.AskAsync(token, "POST", "Claim/none/$ccm-resend")).Status.ShouldBe(claims('u') ? 404 : 403);
        (await smart.AskAsync(token, "POST", "Observation/$validate", Filled.Observation("x", "own"))).Status.ShouldBe(
            200,
            "what is only looked at and not kept takes a token and no scope"
        );
        (await smart.AskAsync(token, "GET", "Observation/other-1/$validate")).Status.ShouldBe(
            !Right(scope, patient, "Observation", 'r') ? 403
            : launched ? 404
            : 200
        );
    }

    [Theory]
    [InlineData("system/Observation.cruds", null, "Patient", "system/Patient.u")]
    [InlineData("patient/Observation.cruds", "own", "Patient", "patient/Patient.u")]
    [InlineData("user/Observation.rs", null, "Observation", "system/Observation.u")]
    public async Task One_forbidden_entry_forbids_a_transaction_and_the_missing_scope_is_named(
        string scope,
        string? patient,
        string type,
        string missing
    )
    {
        var (id, token) = (Next(), smart.Token(scope, patient));

        var refused = await smart.AskAsync(
            token,
            "POST",
            "",
            $$"""
            {"resourceType":"Bundle","type":"transaction","entry":[
              {"resource":{{Filled.Observation(id, "own")}},"request":{"method":"PUT","url":"Observation/{{id}}"} },
              {"resource":{"resourceType":"Patient","id":"own","active":true},"request":{"method":"PUT","url":"Patient/own"} }]}
            """
        );

        refused.ShouldRefuse(403, "scope");
        refused.Text.ShouldContain($"The token lacks the scope {missing}.");
        refused.Expressions.ShouldContain(type == "Patient" ? "Bundle.entry[1]" : "Bundle.entry[0]");
        (await smart.AskAsync(smart.Admin, "GET", $"Observation/{id}")).Status.ShouldBe(404);
    }

    [Fact]
    public async Task A_403_carries_the_scope_in_its_challenge()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "Observation/own-1");
        request.Headers.Authorization = new("Bearer", smart.Token("system/Task.rs"));
        using var answer = await smart.Server.Http.SendAsync(request);

        var challenge = answer.Headers.WwwAuthenticate.ShouldHaveSingleItem();
        challenge.Scheme.ShouldBe("Bearer");
        challenge.Parameter!.ShouldContain("error=\"insufficient_scope\"");
        challenge.Parameter!.ShouldContain("scope=\"system/Observation.r\"");
    }

    [Fact]
    public async Task A_token_of_one_practice_is_none_at_another()
    {
        var elm = smart.Server.Base.Replace("/oak/", "/elm/", StringComparison.Ordinal);
        foreach (
            var url in (string[])
                ["Observation/elm-1", "Observation?patient=Patient/elm-p", "Patient/elm-p/_history", "AuditEvent"]
        )
        {
            (
                await smart.AskAsync(smart.Token("system/*.cruds system/AuditEvent.rs"), "GET", $"{elm}/{url}")
            ).ShouldRefuse(401, "token");
        }
    }

    private static string Next() =>
        string.Create(CultureInfo.InvariantCulture, $"m{Interlocked.Increment(ref numbers)}");

    private static string Name(char letter) =>
        letter switch
        {
            'c' => "create",
            'r' => "read",
            'u' => "update",
            'd' => "delete",
            's' => "search",
            'p' => "patch",
            'h' => "history",
            't' => "history of the type",
            _ => "vread",
        };

    // The scope's own words: rights of its type.
    private static bool Right(string scope, string? patient, string type, char letter)
    {
        if (scope.StartsWith("openid", StringComparison.Ordinal))
        {
            return false;
        }
        var (context, rest) = (scope.Split('/')[0], scope.Split('/')[1]);
        var rights = rest.Split('?')[0].Split('.')[1] switch
        {
            "read" => "rs",
            "write" => "cud",
            "*" => "cruds",
            var letters => letters,
        };
        return rest.Split('.')[0] is var named
            && (named == "*" || named == type)
            && rights.Contains(letter, StringComparison.Ordinal)
            && (context != "patient" || patient is not null);
    }

    private static string Expected(string scope, string? patient, char letter, Place place)
    {
        var needed = letter switch
        {
            'v' or 'h' => 'r',
            'p' => 'u',
            't' => 's',
            _ => letter,
        };
        if (!Right(scope, patient, "Observation", needed))
        {
            return "403";
        }
        var reached =
            place == Place.Elm ? false
            : place == Place.OwnLaboratory ? !scope.Contains('?', StringComparison.Ordinal)
            : place == Place.Own || !scope.StartsWith("patient/", StringComparison.Ordinal);
        // What lives in another practice is as if it were nowhere: its id is free here.
        var free = place == Place.Elm && !scope.StartsWith("patient/", StringComparison.Ordinal);
        return letter switch
        {
            'c' => reached || free ? "201" : "403",
            'u' => reached ? "200"
            : free ? "201"
            : "403",
            'd' => reached ? "204 gone" : "204 there",
            's' or 't' => reached ? "200 found" : "200 none",
            _ => reached ? "200" : "404",
        };
    }

    private async Task<string> AloneAsync(string token, char letter, Place place)
    {
        var (id, method, url, body) = await CaseAsync(letter, place);
        var answer =
            letter == 'p'
                ? await smart.Server.AskAsync(
                    method,
                    url,
                    body,
                    ("Authorization", $"Bearer {token}"),
                    ("Content-Type", "application/json-patch+json")
                )
                : await smart.AskAsync(token, method, url, body);
        return await ToldAsync(
            letter,
            place,
            id,
            answer.Status,
            answer.Status == 200 && letter is 's' or 't' ? answer.Text : ""
        );
    }

    private async Task<string> InBatchAsync(string token, char letter, Place place)
    {
        var (id, method, url, body) = await CaseAsync(letter, place);
        var resource =
            letter == 'p'
                ? $$"""{"resourceType":"Binary","contentType":"application/json-patch+json","data":"{{Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(body!))}}"}"""
                : body;
        var answer = await smart.AskAsync(
            token,
            "POST",
            "",
            $$"""
            {"resourceType":"Bundle","type":"batch","entry":[
              { {{(
                resource is null ? "" : $"\"resource\":{resource},"
            )}}"request":{"method":"{{method}}","url":"{{url}}"} }]}
            """
        );
        answer.Status.ShouldBe(200, answer.Text);
        var entry = answer.Entries[0]!;
        var status = int.Parse(((string)entry["response"]!["status"]!)[..3], CultureInfo.InvariantCulture);
        return await ToldAsync(letter, place, id, status, entry["resource"]?.ToJsonString() ?? "");
    }

    private async Task<string> ToldAsync(char letter, Place place, string id, int status, string text)
    {
        var told = status.ToString(CultureInfo.InvariantCulture);
        switch (letter)
        {
            case 'd' when status == 204:
                var (admin, prefix) = place == Place.Elm ? (smart.ElmAdmin, smart.Elm + "/") : (smart.Admin, "");
                var there = await smart.AskAsync(admin, "GET", $"{prefix}Observation/{id}");
                return there.Status == 410 ? "204 gone" : "204 there";
            case 's' or 't' when status == 200:
                return text.Contains($"\"{id}\"", StringComparison.Ordinal) ? "200 found" : "200 none";
            default:
                return told;
        }
    }

    private async Task<(string Id, string Method, string Url, string? Body)> CaseAsync(char letter, Place place)
    {
        var id = Next();
        var (patient, category) = place switch
        {
            Place.Own => ("own", "vital-signs"),
            Place.OwnLaboratory => ("own", "laboratory"),
            Place.Other => ("other", "vital-signs"),
            _ => ("elm-p", "vital-signs"),
        };
        var body = Filled.Observation(id, patient, category);
        if (letter != 'c')
        {
            var (admin, prefix) = place == Place.Elm ? (smart.ElmAdmin, smart.Elm + "/") : (smart.Admin, "");
            (await smart.AskAsync(admin, "PUT", $"{prefix}Observation/{id}", body)).Status.ShouldBe(201);
        }
        return letter switch
        {
            'c' => (id, "POST", "Observation", body),
            'r' => (id, "GET", $"Observation/{id}", null),
            'v' => (id, "GET", $"Observation/{id}/_history/1", null),
            'h' => (id, "GET", $"Observation/{id}/_history", null),
            't' => (id, "GET", "Observation/_history?_count=1000", null),
            's' => (id, "GET", $"Observation?patient=Patient/{patient}&_count=1000", null),
            'u' => (id, "PUT", $"Observation/{id}", body.Replace("final", "amended", StringComparison.Ordinal)),
            'p' => (id, "PATCH", $"Observation/{id}", """[{"op":"replace","path":"/status","value":"amended"}]"""),
            _ => (id, "DELETE", $"Observation/{id}", null),
        };
    }

    /// <summary>The server with two patients in oak and one in elm.</summary>
    public sealed class Filled : SmartServer
    {
        /// <summary>Sees and does everything in oak.</summary>
        public string Admin => Token("system/*.cruds");

        /// <summary>Sees and does everything in elm.</summary>
        public string ElmAdmin => Token("system/*.cruds", practice: "elm");

        /// <summary>Address of elm.</summary>
        public string Elm => Server.Base.Replace("/oak/", "/elm/", StringComparison.Ordinal);

        /// <summary>An Observation.</summary>
        public static string Observation(string id, string patient, string category = "vital-signs") =>
            $$"""
                {"resourceType":"Observation","id":"{{id}}","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"{{category}}"}]}],
                 "code":{"text":"x"},"subject":{"reference":"Patient/{{patient}}"} }
                """;

        protected override async Task SetUpAsync()
        {
            foreach (
                var (admin, prefix, patient) in new[]
                {
                    (Admin, "", "own"),
                    (Admin, "", "other"),
                    (ElmAdmin, Elm + "/", "elm-p"),
                }
            )
            {
                (
                    await AskAsync(
                        admin,
                        "PUT",
                        $"{prefix}Patient/{patient}",
                        $$"""{"resourceType":"Patient","id":"{{patient}}","identifier":[{"system":"urn:mrn","value":"{{patient}}"}],"name":[{"family":"Test","given":["A"]}],"gender":"female","birthDate":"1950-01-01"}"""
                    )
                ).Status.ShouldBe(201);
                (
                    await AskAsync(
                        admin,
                        "PUT",
                        $"{prefix}Observation/{(patient == "elm-p" ? "elm" : patient)}-1",
                        Observation($"{(patient == "elm-p" ? "elm" : patient)}-1", patient)
                    )
                ).Status.ShouldBe(201);
            }
        }
    }
}
