namespace CcmFhir.Fhir;

/// <summary>How resources are written on the wire.</summary>
internal enum FhirFormat
{
    /// <summary><c>application/fhir+json</c>.</summary>
    Json,

    /// <summary><c>application/fhir+xml</c>.</summary>
    Xml,
}

/// <summary>Content negotiation [http.html#mime-type].</summary>
internal static class FhirFormats
{
    /// <summary>The format that a client wants: <c>_format</c> before <c>Accept</c>. Null when it wants what we cannot give (406).</summary>
    /// <param name="format">The <c>_format</c> parameter; null for none.</param>
    /// <param name="accept">The Accept headers.</param>
    public static FhirFormat? Wanted(string? format, IReadOnlyList<string?> accept)
    {
        if (!string.IsNullOrEmpty(format))
        {
            // A plus sign that was not escaped arrives as a blank.
            return OfType(format.Replace(' ', '+'));
        }
        FhirFormat? best = null;
        var (weight, any) = (0.0, false);
        foreach (var header in accept)
        {
            foreach (var range in header?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [])
            {
                any = true;
                var (type, quality) = Read(range);
                FhirFormat? offered = type is "*/*" or "application/*" or "text/*" ? FhirFormat.Json : OfType(range);
                if (offered is not null && quality > weight)
                {
                    (best, weight) = (offered, quality);
                }
            }
        }
        return any ? best : FhirFormat.Json;
    }

    /// <summary>The format of a media type, or of a short name such as <c>json</c>; null when it is neither, or of another FHIR version
    /// or character set.</summary>
    public static FhirFormat? OfType(string mediaType)
    {
        var parts = mediaType.Split(';');
        foreach (var parameter in parts.Skip(1))
        {
            var equals = parameter.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0)
            {
                continue;
            }
            var (name, value) = (
                parameter[..equals].Trim().ToLowerInvariant(),
                parameter[(equals + 1)..].Trim().Trim('"').ToLowerInvariant()
            );
            if (
                (name == "fhirversion" && value is not ("4.0" or "4.0.1"))
                || (name == "charset" && value is not ("utf-8" or "utf8" or "us-ascii"))
            )
            {
                return null;
            }
        }
        return parts[0].Trim().ToLowerInvariant() switch
        {
            "application/fhir+json" or "application/json" or "text/json" or "application/json+fhir" or "json" =>
                FhirFormat.Json,
            "application/fhir+xml" or "application/xml" or "text/xml" or "application/xml+fhir" or "xml" =>
                FhirFormat.Xml,
            _ => null,
        };
    }

    /// <summary>The media type that an answer bears.</summary>
    public static string MediaType(FhirFormat format) =>
        format == FhirFormat.Json ? "application/fhir+json; charset=utf-8" : "application/fhir+xml; charset=utf-8";

    private static (string Type, double Quality) Read(string range)
    {
        var parts = range.Split(';');
        var quality = 1.0;
        foreach (var parameter in parts.Skip(1))
        {
            var text = parameter.Trim();
            if (
                text.StartsWith("q=", StringComparison.OrdinalIgnoreCase)
                && double.TryParse(
                    text.AsSpan(2),
                    System.Globalization.NumberStyles.AllowDecimalPoint,
                    System.Globalization.CultureInfo.InvariantCulture,
                    out var given
                )
            )
            {
                quality = given;
            }
        }
        return (parts[0].Trim().ToLowerInvariant(), quality);
    }
}
