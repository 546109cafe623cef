using System.Text;
using CcmFhir.Intake;
using CcmFhir.Validation;
using CcmFhir.Validation.Definitions;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CcmFhir.Pages;

/// <summary>The validation bench. It reads what is pasted, answers, and forgets it.</summary>
/// <param name="gate">It is for everybody who is signed in.</param>
internal sealed class LabPages(PageGate gate)
{
    private static readonly Lazy<IReadOnlyList<(string Canonical, string Name)>> Profiles = new(() =>
        [
            .. CcmPackage
                .Files.Where(file => file.StartsWith("StructureDefinition-ccm-", StringComparison.Ordinal))
                .Select(CcmPackage.Read)
                .Where(profile => !profile["type"u8].Is("Extension"u8))
                .Select(profile => (profile["url"u8].Text!, profile["title"u8].Text ?? profile["name"u8].Text!))
                .OrderBy(profile => profile.Item2, StringComparer.Ordinal),
        ]
    );

    /// <summary>The empty bench.</summary>
    public async Task<IResult> ShowAsync(HttpContext http) =>
        await gate.RefuseAsync(http, null, PageRight.Enter) ?? Page("", "", null);

    /// <summary>The bench with what was found.</summary>
    public async Task<IResult> ValidateAsync(HttpContext http)
    {
        if (await gate.RefuseAsync(http, null, PageRight.Enter) is { } refused)
        {
            return refused;
        }
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        var source = form["source"].ToString();
        var profile = form["profile"].ToString();
        return source.Trim().Length == 0
            ? Page("", profile, null)
            : Page(
                source,
                profile,
                Check(source, Profiles.Value.Any(one => one.Canonical == profile) ? profile : null)
            );
    }

    private static Report Check(string source, string? profile)
    {
        var bytes = Encoding.UTF8.GetBytes(source.Trim('\uFEFF'));
        var document = FhirXml.Looks(bytes) ? FhirXml.Parse(bytes, out var fault) : FhirJson.Parse(bytes, out fault);
        if (document is null)
        {
            var issue = new Issue
            {
                Severity = Severity.Fatal,
                Type = "structure",
                Rule = fault!.Rule,
                Expression = "",
                Text = fault.Text,
                Line = fault.Line,
                Column = fault.Column,
            };
            return new Report([issue], []);
        }
        var ours =
            profile
            ?? (document.Root["resourceType"u8].Text is { } type ? ProfileChoice.Of(type, document.Root) : null);
        return ProfileSet.Default.Validate(document, ours is null ? null : [ours]);
    }

    private static IResult Page(string source, string profile, Report? report) =>
        new RazorComponentResult<LabPage>(
            new Dictionary<string, object?>
            {
                ["Source"] = source,
                ["Profile"] = profile,
                ["Profiles"] = Profiles.Value,
                ["Report"] = report,
            }
        );
}
