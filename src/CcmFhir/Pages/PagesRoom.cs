using System.Globalization;
using System.Text;
using CcmFhir.Access;
using CcmFhir.Domain;
using CcmFhir.Fhir;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.MonthEnd;
using CcmFhir.Options;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CcmFhir.Pages;

/// <summary>The pages: made on the server, without script. In development mode they are open to this machine; otherwise they ask for a token that
/// may read what they show.</summary>
internal static class PagesRoom
{
    // No script, no style but our own sheet, no other host, in nobody's frame.
    private const string ContentSecurityPolicy =
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    /// <summary>Adds what they need.</summary>
    public static void AddPages(this WebApplicationBuilder builder)
    {
        builder.Services.AddRazorComponents();
        builder.Services.AddSingleton<MonthPages>();
        builder.Services.AddSingleton<LabPages>();
    }

    /// <summary>Adds the routes.</summary>
    public static void MapPages(this WebApplication app)
    {
        var pages = app.MapGroup("")
            .AddEndpointFilter(
                async (context, next) =>
                {
                    var headers = context.HttpContext.Response.Headers;
                    headers.ContentSecurityPolicy = ContentSecurityPolicy;
                    headers.XContentTypeOptions = "nosniff";
                    headers["Referrer-Policy"] = "no-referrer";
                    headers.CacheControl = "no-store";
                    return await next(context);
                }
            );
        pages.MapGet("/", (MonthPages month, CancellationToken cancel) => month.StartAsync(cancel));
        pages.MapGet(
            "/{practice}/months/{month}",
            (HttpContext http, MonthPages months, string practice, string month) =>
                months.WorklistAsync(http, practice, month)
        );
        pages.MapGet(
            "/{practice}/patients/{id}/{month}",
            (HttpContext http, MonthPages months, string practice, string id, string month) =>
                months.PatientAsync(http, practice, id, month)
        );
        pages.MapGet("/lab", (LabPages lab) => lab.Show());
        pages.MapPost("/lab", (HttpContext http, LabPages lab) => lab.ValidateAsync(http));
        app.MapGet("/assets/{name}", Asset);
    }

    /// <summary>A page that says what is the matter.</summary>
    public static IResult Problem(int status, string heading, string explanation) =>
        new RazorComponentResult<ProblemPage>(
            new Dictionary<string, object?> { ["Heading"] = heading, ["Explanation"] = explanation }
        )
        {
            StatusCode = status,
        };

    private static IResult Asset(HttpContext http, string name)
    {
        var type = Path.GetExtension(name) switch
        {
            ".css" => "text/css; charset=utf-8",
            ".svg" => "image/svg+xml",
            _ => null,
        };
        var stream = type is null
            ? null
            : typeof(PagesRoom).Assembly.GetManifestResourceStream($"CcmFhir.Pages.Assets.{name}");
        if (stream is null)
        {
            return Results.NotFound();
        }
        http.Response.Headers.CacheControl = "public, max-age=3600";
        http.Response.Headers.XContentTypeOptions = "nosniff";
        return Results.Stream(stream, type);
    }
}

/// <summary>The pages of a month.</summary>
internal sealed class MonthPages(
    CloseMonth close,
    StreamRecords records,
    Practices practices,
    RuleSet rules,
    AccessGate gate,
    AccessSettings access,
    TimeProvider clock
)
{
    /// <summary>The start page.</summary>
    public async Task<IResult> StartAsync(CancellationToken cancel)
    {
        var shown = new List<StartPage.StartPractice>();
        // Who practices here is for those who may come in; without sign-in only this machine may.
        foreach (var file in access.Open ? practices.All : [])
        {
            var patients = await CountAsync($"month/{file.Practice.Slug}/", cancel);
            var claims = await CountAsync($"claim/{file.Practice.Slug}/", cancel);
            shown.Add(
                new StartPage.StartPractice(
                    file.Practice.Slug,
                    file.Practice.Name,
                    [
                        .. patients
                            .Reverse()
                            .Take(12)
                            .Select(month => new StartPage.StartMonth(
                                month.Key,
                                ServiceMonth.TryParse(month.Key, out var parsed)
                                    ? Shown.Month(parsed.Year, parsed.Month)
                                    : month.Key,
                                month.Value,
                                claims.GetValueOrDefault(month.Key)
                            )),
                    ]
                )
            );
        }
        return new RazorComponentResult<StartPage>(
            new Dictionary<string, object?> { ["Practices"] = shown, ["OpenMode"] = access.Open }
        );
    }

    /// <summary>The worklist, as a page or, where the address ends in <c>.csv</c>, as a table.</summary>
    public async Task<IResult> WorklistAsync(HttpContext http, string practice, string month)
    {
        var csv = month.EndsWith(".csv", StringComparison.Ordinal);
        var (file, serviceMonth, problem) = await AdmitAsync(http, practice, csv ? month[..^4] : month, patient: null);
        if (problem is not null)
        {
            return problem;
        }
        var cancel = http.RequestAborted;
        var now = clock.GetUtcNow();
        var rows = new List<WorklistRow>();
        foreach (var patient in await close.PatientsAsync(practice, serviceMonth, cancel))
        {
            var record = await records.ReadAsync(JournalNames.PatientStream(practice, patient), cancel);
            rows.Add(
                WorklistRows.Of(await close.ReadAsync(file!, record, serviceMonth, now, cancel), Name(record, patient))
            );
        }
        var query = WorklistQuery.Read(http.Request.Query);
        var fitting = query.Apply(rows);
        if (csv)
        {
            return Results.Text(WorklistCsv.Write(fitting), "text/csv; charset=utf-8", Encoding.UTF8);
        }
        var address = $"/{practice}/months/{serviceMonth}";
        return new RazorComponentResult<WorklistPage>(
            new Dictionary<string, object?>
            {
                ["PracticeName"] = file!.Practice.Name,
                ["Month"] = Shown.Month(serviceMonth.Year, serviceMonth.Month),
                ["Standing"] = Standing(file, serviceMonth, now),
                ["Address"] = address,
                ["Previous"] = $"/{practice}/months/{serviceMonth.Previous}",
                ["Following"] = $"/{practice}/months/{serviceMonth.Next}",
                ["PatientAddress"] =
                    (Func<string, string>)(id => $"/{practice}/patients/{Uri.EscapeDataString(id)}/{serviceMonth}"),
                ["Query"] = query,
                ["All"] = rows,
                ["Fitting"] = fitting,
            }
        );
    }

    /// <summary>One patient's month.</summary>
    public async Task<IResult> PatientAsync(HttpContext http, string practice, string id, string month)
    {
        var (file, serviceMonth, problem) = await AdmitAsync(http, practice, month, id);
        if (problem is not null)
        {
            return problem;
        }
        var record = LogicalId.IsValid(id)
            ? await records.ReadAsync(JournalNames.PatientStream(practice, id), http.RequestAborted)
            : StreamRecord.Empty("");
        if (record.Position == 0)
        {
            return PagesRoom.Problem(
                404,
                "No such patient",
                "This practice has received nothing of a patient with that id. Go to the month's worklist and choose from there."
            );
        }
        var found = await close.ReadAsync(file!, record, serviceMonth, clock.GetUtcNow(), http.RequestAborted);
        return new RazorComponentResult<PatientMonthPage>(
            new Dictionary<string, object?>
            {
                ["Name"] = Name(record, id),
                ["PracticeName"] = file!.Practice.Name,
                ["Month"] = Shown.Month(serviceMonth.Year, serviceMonth.Month),
                ["Address"] = http.Request.Path.Value,
                ["WorklistAddress"] = $"/{practice}/months/{serviceMonth}",
                ["Decision"] = found.Decision,
                ["Zone"] = file.Practice.TimeZone,
                ["Claims"] = found.Claims.Select(claim => Words(claim, file.Practice.TimeZone)).ToList(),
            }
        );
    }

    private static (string Text, IReadOnlyList<string> Steps) Words(IssuedClaim claim, TimeZoneInfo zone)
    {
        var lines =
            claim.Lines.Count == 0
                ? "takes the claim back"
                : string.Join(", ", claim.Lines.Select(DecisionText.Line))
                    + ", "
                    + Shown.Money(claim.Lines.Sum(line => line.Net));
        return (
            string.Create(CultureInfo.InvariantCulture, $"Claim/{claim.Id}, revision {claim.Revision}: {lines}"),
            [
                .. claim.Journey.Events.Select(step =>
                    $"{TimeZoneInfo.ConvertTime(step.At, zone).ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture)} {Step(step.Kind)}"
                ),
            ]
        );
    }

    private static string Step(RecordKind kind) =>
        kind switch
        {
            RecordKind.ClaimIssued => "issued",
            RecordKind.ClaimSent => "sent to the EHR",
            RecordKind.ClaimAccepted => "accepted by the EHR",
            RecordKind.ClaimRefused => "refused by the EHR",
            RecordKind.ClaimUnanswered => "not answered; it will be tried again",
            _ => kind.ToString(),
        };

    private static string Standing(PracticeFile file, ServiceMonth month, DateTimeOffset now)
    {
        var today = ServiceMonth.LocalDay(now, file.Practice.TimeZone);
        return today > month.LastDay ? "The month is over."
            : today < month.FirstDay ? "The month has not begun."
            : string.Create(CultureInfo.InvariantCulture, $"{month.LastDay.DayNumber - today.DayNumber} days left.");
    }

    private static string Name(StreamRecord record, string id)
    {
        if (record.Find("Patient", id)?.Current is not { Deleted: false } patient)
        {
            return id;
        }
        foreach (var name in PracticeRecords.Parse(patient)["name"u8].Items)
        {
            var given = new List<string>();
            foreach (var one in name["given"u8].Items)
            {
                given.Add(one.Text ?? "");
            }
            var family = name["family"u8].Text;
            if (family is not null || given.Count > 0)
            {
                return string.Join(
                    ", ",
                    new[] { family, string.Join(' ', given) }.Where(part => !string.IsNullOrEmpty(part))
                );
            }
        }
        return id;
    }

    private async Task<SortedDictionary<string, int>> CountAsync(string prefix, CancellationToken cancel)
    {
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        await foreach (var entry in records.Store.ListAsync(prefix, null, cancel))
        {
            var month = entry.Key[prefix.Length..entry.Key.IndexOf('/', prefix.Length)];
            counts[month] = counts.GetValueOrDefault(month) + 1;
        }
        return counts;
    }

    private async Task<(PracticeFile? File, ServiceMonth Month, IResult? Problem)> AdmitAsync(
        HttpContext http,
        string practice,
        string month,
        string? patient
    )
    {
        if (practices.Find(practice) is not { } file)
        {
            return (
                null,
                default,
                PagesRoom.Problem(
                    404,
                    "No such practice",
                    "There is no practice of that name here. The start page lists those that are."
                )
            );
        }
        var admitted = await gate.AdmitAsync(http, practice, file.Issuers);
        if (admitted.Context is not { } context)
        {
            AccessGate.Challenge(http.Response, "invalid_token", admitted.Fault!);
            return (null, default, PagesRoom.Problem(401, "Sign-in is needed", admitted.Fault!));
        }
        var allowed =
            context.Missing("Patient", Interactions.Read) is null
            && (
                patient is null
                    ? context.Patient is null && context.Missing("Claim", Interactions.Read) is null
                    : context.Allows("Patient", Interactions.Read, patient, _ => false)
            );
        if (!allowed)
        {
            return (
                null,
                default,
                PagesRoom.Problem(403, "Not for this sign-in", "What was signed in with may not see this page.")
            );
        }
        if (!ServiceMonth.TryParse(month, out var parsed) || rules.NameFor(parsed) is null)
        {
            return (
                null,
                default,
                PagesRoom.Problem(
                    404,
                    "No such month",
                    $"'{month}' is no month that can be decided: write it as yyyy-MM, from {rules.First:yyyy-MM} to {rules.Last:yyyy-MM}."
                )
            );
        }
        return (file, parsed, null);
    }
}
