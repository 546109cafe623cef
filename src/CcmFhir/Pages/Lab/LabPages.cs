using System.Text;
using CcmFhir.Commands;
using CcmFhir.Fhir;
using CcmFhir.Profiles;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CcmFhir.Pages;

/// <summary>The validation bench. It reads what is pasted or chosen, answers, and forgets it.</summary>
/// <param name="gate">It is for everybody who is signed in.</param>
internal sealed class LabPages(PageGate gate)
{
    private const string Base = "http://ccmfhir.org/fhir/StructureDefinition/";
    private const int MostFiles = 200;
    private const string Sample = "typical";

    /// <summary>The bench, empty or with a valid sample to begin from.</summary>
    public async Task<IResult> ShowAsync(HttpContext http)
    {
        if (await gate.RefuseAsync(http, null, PageRight.Enter) is { } refused)
        {
            return refused;
        }
        var profile = Known(http.Request.Query["profile"].ToString());
        var sample =
            profile is not null && http.Request.Query["sample"].ToString() is { Length: > 0 } kind
                ? ProfileExamples.Read(profile, kind)
                : null;
        return Page(sample ?? "", profile, []);
    }

    /// <summary>One profile as a tree, with the rule behind each constraint.</summary>
    public async Task<IResult> ProfileAsync(HttpContext http, string id)
    {
        if (await gate.RefuseAsync(http, null, PageRight.Enter) is { } refused)
        {
            return refused;
        }
        return ProfileText.Show(id) is { } text
            ? new RazorComponentResult<LabProfilePage>(
                new Dictionary<string, object?>
                {
                    ["Id"] = id,
                    ["Text"] = text,
                    ["Kinds"] = ProfileExamples.Kinds(id),
                }
            )
            : PagesRoom.Problem(
                404,
                "No such profile",
                $"The package holds {string.Join(", ", ProfileText.Ids())}.",
                ("The bench", "/lab")
            );
    }

    /// <summary>The bench with what was found, or that as a file.</summary>
    public async Task<IResult> ValidateAsync(HttpContext http)
    {
        if (await gate.RefuseAsync(http, null, PageRight.Enter) is { } refused)
        {
            return refused;
        }
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        var profile = Known(form["profile"].ToString());
        var canonical = profile is null ? null : Base + profile;
        var pasted = form["source"].ToString();
        var documents = new List<LabDocument>();
        if (pasted.Trim().Length > 0)
        {
            documents.Add(LabDocument.Check("pasted", pasted, canonical));
        }
        foreach (var file in form.Files.Where(file => file.Length > 0).Take(MostFiles))
        {
            using var reader = new StreamReader(file.OpenReadStream(), Encoding.UTF8);
            documents.Add(
                LabDocument.Check(Named(file.FileName), await reader.ReadToEndAsync(http.RequestAborted), canonical)
            );
        }
        var passed = form.Files.Count(file => file.Length > 0) - MostFiles;
        return form["as"].ToString() switch
        {
            "sarif" when documents.Count > 0 => await SarifAsync(documents),
            "outcome" when documents.Count > 0 => Results.File(
                OutcomeWriter.ToBytes([.. documents.SelectMany(document => document.Report.Issues)]),
                "application/fhir+json",
                "validation-outcome.json"
            ),
            _ => Page(pasted, profile, documents, Math.Max(0, passed)),
        };
    }

    private static async Task<IResult> SarifAsync(IReadOnlyList<LabDocument> documents)
    {
        await using var text = new StringWriter();
        var sarif = new ValidationSarif(text);
        foreach (var document in documents)
        {
            await sarif.WriteAsync(sarif.Prepare(document.ToResult()));
        }
        await sarif.EndAsync();
        return Results.File(Encoding.UTF8.GetBytes(text.ToString()), "application/sarif+json", "validation.sarif");
    }

    // A browser's file name is somebody's words: no path that leads anywhere.
    private static string Named(string name) =>
        string.Join('/', name.Split('/', '\\').Where(part => part is not ("" or "." or "..")));

    private static string? Known(string profile)
    {
        var id = profile.StartsWith(Base, StringComparison.Ordinal) ? profile[Base.Length..] : profile;
        return ProfileText.Ids().Contains(id, StringComparer.Ordinal) ? id : null;
    }

    private static IResult Page(
        string source,
        string? profile,
        IReadOnlyList<LabDocument> documents,
        int passedOver = 0
    ) =>
        new RazorComponentResult<LabPage>(
            new Dictionary<string, object?>
            {
                ["Source"] = source,
                ["Profile"] = profile,
                ["Profiles"] = ProfileText.Ids(),
                ["Documents"] = documents,
                ["PassedOver"] = passedOver,
                ["SampleOf"] = (Func<string, string?>)(id => ProfileExamples.Read(id, Sample)),
            }
        );
}
