using CcmFhir.Validation;

namespace CcmFhir.Intake;

/// <summary>How a reference stands in a resource.</summary>
internal enum SiteKind
{
    /// <summary><c>Reference.reference</c>.</summary>
    Reference,

    /// <summary>A uri, url, oid, uuid or canonical: only what the Bundle itself names is rewritten there.</summary>
    Uri,

    /// <summary>A narrative's XHTML with <c>href</c> or <c>src</c>.</summary>
    Narrative,
}

/// <summary>A place in a resource where something is referred to.</summary>
/// <param name="Value">The string.</param>
/// <param name="Kind">How it stands there.</param>
internal readonly record struct ReferenceSite(FhirElement Value, SiteKind Kind)
{
    /// <summary>Finds the places, in document order, those in contained resources, extensions and narrative included.</summary>
    public static void Collect(FhirElement resource, List<ReferenceSite> sites)
    {
        // A stored Bundle refers within itself: its references are its own.
        if (resource["resourceType"u8].Is("Bundle"u8))
        {
            return;
        }
        Walk(resource, default, sites);
    }

    private static void Walk(FhirElement value, ReadOnlySpan<byte> name, List<ReferenceSite> sites)
    {
        switch (value.Kind)
        {
            case JsonKind.Object:
                foreach (var child in value.Children)
                {
                    Walk(child, child.NameUtf8, sites);
                }
                return;
            case JsonKind.Array:
                foreach (var item in value.Children)
                {
                    Walk(item, name, sites);
                }
                return;
            case JsonKind.String:
                break;
            default:
                return;
        }
        if (name.SequenceEqual("reference"u8))
        {
            sites.Add(new ReferenceSite(value, SiteKind.Reference));
        }
        else if (name.SequenceEqual("div"u8))
        {
            if (value.Raw.IndexOf("href"u8) >= 0 || value.Raw.IndexOf("src"u8) >= 0)
            {
                sites.Add(new ReferenceSite(value, SiteKind.Narrative));
            }
        }
        else if (
            (value.Raw.StartsWith("\"urn:"u8) || value.Raw.StartsWith("\"http"u8))
            && value.Raw.Length > 12
            && IsUri(name)
        )
        {
            sites.Add(new ReferenceSite(value, SiteKind.Uri));
        }
    }

    // Strings and codes may look like a URL without being one; these names are never of a uri type, or name what is no instance.
    private static bool IsUri(ReadOnlySpan<byte> name) =>
        !name.SequenceEqual("system"u8)
        && !name.SequenceEqual("value"u8)
        && !name.SequenceEqual("display"u8)
        && !name.SequenceEqual("text"u8)
        && !name.SequenceEqual("profile"u8)
        && !name.SequenceEqual("code"u8)
        && !name.SequenceEqual("id"u8)
        && !name.SequenceEqual("valueString"u8)
        && !name.SequenceEqual("valueMarkdown"u8)
        && !name.SequenceEqual("valueCode"u8);
}
