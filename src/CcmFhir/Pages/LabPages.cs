using System.Text;
using CcmFhir.Access;
using CcmFhir.Intake;
using CcmFhir.Validation;
using CcmFhir.Validation.Definitions;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CcmFhir.Pages;

/// <summary>The validation bench. It reads what is pasted, answers, and forgets it.</summary>
/// <param name="access">Without sign-in it is open to this machine alone.</param>
internal sealed class LabPages(AccessSettings access)
{
    private const int MaxForm = 24 * 1024 * 1024;

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
    public IResult Show() => access.Open ? Page("", "", null) : Closed();

    /// <summary>The bench with what was found.</summary>
    public async Task<IResult> ValidateAsync(HttpContext http)
    {
        if (!access.Open)
        {
            return Closed();
        }
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = MaxForm;
        }
        IFormCollection form;
        try
        {
            form = await http.Request.ReadFormAsync(
                new FormOptions
                {
                    BufferBodyLengthLimit = MaxForm,
                    ValueLengthLimit = MaxForm,
                    KeyLengthLimit = 64,
                    ValueCountLimit = 8,
                },
                http.RequestAborted
            );
        }
        catch (Exception fault)
            when (fault is InvalidDataException or BadHttpRequestException or InvalidOperationException)
        {
            return PagesRoom.Problem(
                413,
                "That is too much for the bench",
                "The bench takes pastes of up to about 20 MB. For larger files and folders use 'ccmfhir validate' at a prompt: it has no such limit and shows progress."
            );
        }
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

    private static IResult Closed() =>
        PagesRoom.Problem(
            401,
            "Sign-in is needed",
            "Without sign-in the bench is open to this machine alone. POST to /{practice}/fhir/$validate with a token does the same."
        );
}
