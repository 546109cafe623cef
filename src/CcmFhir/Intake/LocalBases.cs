namespace CcmFhir.Intake;

/// <summary>The base URLs whose references mean the same as relative ones: our own for the practice, and the practice's EHR.</summary>
/// <param name="Urls">Base URLs; a slash at the end makes no difference, nor does <c>http</c> against <c>https</c>.</param>
internal sealed record LocalBases(IReadOnlyList<string> Urls)
{
    private readonly string[] bases = [.. Urls.Select(url => Bare(url.AsSpan().TrimEnd('/')).ToString())];

    /// <summary>The part after one of the bases, or null for a URL of elsewhere and for a relative one.</summary>
    public string? Relative(string url)
    {
        if (!url.StartsWith("http", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }
        var bare = Bare(url);
        foreach (var known in bases)
        {
            if (
                bare.Length > known.Length
                && bare[known.Length] == '/'
                && bare.StartsWith(known, StringComparison.OrdinalIgnoreCase)
            )
            {
                return bare[(known.Length + 1)..].ToString();
            }
        }
        return null;
    }

    private static ReadOnlySpan<char> Bare(ReadOnlySpan<char> url)
    {
        var at = url.IndexOf("://");
        return at < 0 ? url : url[(at + 3)..];
    }
}
