using CcmFhir.Validation.Definitions;

namespace CcmFhir.Pages;

/// <summary>Short names of reasons, from our code system.</summary>
internal static class ReasonNames
{
    private const string System = "http://ccmfhir.org/fhir/CodeSystem/ccm-reason";

    private static readonly Lazy<Dictionary<string, string>> Names = new(() =>
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        if (CcmPackage.Definitions.FirstOrDefault(one => one.Url == System) is { } known)
        {
            foreach (var concept in known.Json["concept"u8].Items)
            {
                names[concept["code"u8].Text!] = concept["display"u8].Text!;
            }
        }
        return names;
    });

    /// <summary><c>CCM-T01 Below the threshold</c>; the code alone where it has no name.</summary>
    public static string Of(string code) => Names.Value.TryGetValue(code, out var name) ? $"{code} {name}" : code;
}
