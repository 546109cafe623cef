using CcmFhir.Domain;
using CcmFhir.Validation;

namespace CcmFhir.Fhir.Readers;

/// <summary>How the readers look into a resource: codes by system, extensions by url, references and times as the domain wants them.</summary>
/// <param name="practice">For its time zone.</param>
/// <param name="bases">Base addresses whose references mean the same as relative ones.</param>
internal sealed class ElementReading(Practice practice, IReadOnlyList<string> bases)
{
    /// <summary>The practice.</summary>
    public Practice Practice => practice;

    /// <summary>The first code of a system in a CodeableConcept, or in any of several; null when there is none.</summary>
    public static string? Code(FhirElement concepts, params ReadOnlySpan<string> systems)
    {
        foreach (var concept in concepts.Items)
        {
            foreach (var coding in concept["coding"u8].Items)
            {
                if (Fits(coding, systems))
                {
                    return coding["code"u8].Text;
                }
            }
        }
        return null;
    }

    /// <summary>All codes of these systems, each once, in document order.</summary>
    public static List<string> AllCodes(FhirElement concepts, params ReadOnlySpan<string> systems)
    {
        var codes = new List<string>();
        foreach (var concept in concepts.Items)
        {
            foreach (var coding in concept["coding"u8].Items)
            {
                if (Fits(coding, systems) && coding["code"u8].Text is { } code && !codes.Contains(code))
                {
                    codes.Add(code);
                }
            }
        }
        return codes;
    }

    /// <summary>CPT and HCPCS codes.</summary>
    public static List<string> ServiceCodes(FhirElement concepts) =>
        AllCodes(concepts, Codes.Cpt, Codes.Hcpcs, Codes.HcpcsHttps);

    /// <summary>The first extension of ours of that name; the value that is not there when there is none.</summary>
    public static FhirElement Extension(FhirElement element, string name)
    {
        var url = Codes.Extension(name);
        foreach (var extension in element["extension"u8].Items)
        {
            if (extension["url"u8].Text == url)
            {
                return extension;
            }
        }
        return default;
    }

    /// <summary>All values of extensions of ours of that name.</summary>
    public static List<string> ExtensionCodes(FhirElement element, string name)
    {
        var url = Codes.Extension(name);
        var codes = new List<string>();
        foreach (var extension in element["extension"u8].Items)
        {
            if (extension["url"u8].Text == url && extension["valueCode"u8].Text is { } code)
            {
                codes.Add(code);
            }
        }
        return codes;
    }

    /// <summary>true, false, or null where it is not said.</summary>
    public static bool? Flag(FhirElement value) =>
        value.Kind switch
        {
            JsonKind.True => true,
            JsonKind.False => false,
            _ => null,
        };

    /// <summary>A reference as <c>Type/id</c>, whichever known base it has and without its version; null where there is none.</summary>
    public string? Reference(FhirElement reference)
    {
        if (reference["reference"u8].Text is not { Length: > 0 } text)
        {
            return null;
        }
        foreach (var root in bases)
        {
            if (text.StartsWith(root, StringComparison.Ordinal) && text.Length > root.Length)
            {
                text = text[root.Length..].TrimStart('/');
                break;
            }
        }
        var history = text.IndexOf("/_history/", StringComparison.Ordinal);
        return history < 0 ? text : text[..history];
    }

    /// <summary>References of several elements, each once.</summary>
    public List<string> References(FhirElement references)
    {
        var found = new List<string>();
        foreach (var reference in references.Items)
        {
            if (Reference(reference) is { } one && !found.Contains(one))
            {
                found.Add(one);
            }
        }
        return found;
    }

    /// <summary>NPIs that references carry as identifiers.</summary>
    public static List<string> Npis(FhirElement references)
    {
        var found = new List<string>();
        foreach (var reference in references.Items)
        {
            if (
                reference["identifier"u8]["system"u8].Is("http://hl7.org/fhir/sid/us-npi"u8)
                && reference["identifier"u8]["value"u8].Text is { } npi
            )
            {
                found.Add(npi);
            }
        }
        return found;
    }

    /// <summary>A dateTime; null where there is none, or it cannot be read.</summary>
    public FhirTime? Time(FhirElement value) => value.Text is { } text ? FhirTime.Read(text, practice.TimeZone) : null;

    /// <summary>A local day; null where there is none.</summary>
    public DateOnly? Day(FhirElement value) =>
        Time(value) is { } time
            ? ServiceMonth.LocalDay(DateTimeOffset.FromUnixTimeSeconds(time.First), practice.TimeZone)
            : null;

    private static bool Fits(FhirElement coding, ReadOnlySpan<string> systems)
    {
        var system = coding["system"u8].Text;
        foreach (var wanted in systems)
        {
            if (system == wanted)
            {
                return true;
            }
        }
        return false;
    }
}
