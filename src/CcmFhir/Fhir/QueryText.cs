using System.Text;

namespace CcmFhir.Fhir;

/// <summary>Query strings, read in order: repeated names matter in FHIR.</summary>
internal static class QueryText
{
    /// <summary>Names and values, percent signs and plus signs resolved; a name without a value has an empty one.</summary>
    /// <param name="query">Without the question mark.</param>
    public static List<KeyValuePair<string, string>> Parse(string query)
    {
        var pairs = new List<KeyValuePair<string, string>>();
        foreach (var part in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            pairs.Add(equals < 0 ? new(Decode(part), "") : new(Decode(part[..equals]), Decode(part[(equals + 1)..])));
        }
        return pairs;
    }

    /// <summary>The same pairs as a query string.</summary>
    public static string Format(IEnumerable<KeyValuePair<string, string>> pairs)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in pairs)
        {
            if (text.Length > 0)
            {
                text.Append('&');
            }
            text.Append(Encode(name)).Append('=').Append(Encode(value));
        }
        return text.ToString();
    }

    // What FHIR queries are made of stays readable; everything else is escaped.
    private static string Encode(string text) =>
        Uri.EscapeDataString(text)
            .Replace("%3A", ":", StringComparison.Ordinal)
            .Replace("%2F", "/", StringComparison.Ordinal)
            .Replace("%7C", "|", StringComparison.Ordinal)
            .Replace("%2C", ",", StringComparison.Ordinal);

    private static string Decode(string text) =>
        Uri.UnescapeDataString(text.Contains('+', StringComparison.Ordinal) ? text.Replace('+', ' ') : text);
}
