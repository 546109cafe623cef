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

    // The elements of R4 resources whose type is uri, url, oid, uuid or canonical, and that may name an instance. Strings and codes may
    // look like a URL without being one.
    private static readonly HashSet<string> UriNames = new(StringComparer.Ordinal)
    {
        "url",
        "uri",
        "valueUri",
        "valueUrl",
        "valueOid",
        "valueUuid",
        "valueCanonical",
        "address",
        "authority",
        "definition",
        "definitionCanonical",
        "definitionUri",
        "detail",
        "endpoint",
        "eventUri",
        "instantiates",
        "instantiatesCanonical",
        "instantiatesUri",
        "issuer",
        "library",
        "location",
        "measure",
        "moduleUri",
        "onlineInformation",
        "partOf",
        "policy",
        "protocol",
        "questionnaire",
        "source",
        "sourceUri",
        "target",
        "targetUri",
    };

    private static readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> UriNamesBySpan =
        UriNames.GetAlternateLookup<ReadOnlySpan<char>>();

    private static bool IsUri(ReadOnlySpan<byte> name)
    {
        Span<char> text = stackalloc char[32];
        return name.Length <= text.Length
            && UriNamesBySpan.Contains(text[..System.Text.Encoding.Latin1.GetChars(name, text)]);
    }
}
