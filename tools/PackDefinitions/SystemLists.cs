using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace CcmFhir.Tools.PackDefinitions;

/// <summary>Code systems that FHIR uses and no FHIR package holds, from the npm packages that carry their registries.</summary>
internal static partial class SystemLists
{
    /// <summary>ISO 4217 codes given out after R4's own list of 2018 was made.</summary>
    private static readonly string[] NewCurrencies = ["MRU", "STN", "SLE", "UYW", "VED", "VES", "XCG", "ZWG"];

    /// <param name="registry">Folder of language-subtag-registry (IANA's registry, CC0).</param>
    public static JsonObject Languages(string registry)
    {
        var entries = JsonNode.Parse(File.ReadAllBytes(Path.Combine(registry, "data/json/registry.json")))!.AsArray();
        return System(
            "urn:ietf:bcp:47",
            caseSensitive: false,
            from entry in entries
            let type = (string)entry["Type"]!
            // Redundant tags follow the syntax anyway; extended languages are only checked by syntax.
            where type is "language" or "region" or "script" or "variant" or "grandfathered"
            let subtag = (string?)entry["Subtag"] ?? (string)entry["Tag"]!
            // A range (qaa..qtz) is for private use, which the syntax knows.
            where !subtag.Contains("..", StringComparison.Ordinal)
            select $"{type} {subtag}"
        );
    }

    /// <param name="units">Folder of @lhncbc/ucum-lhc: UCUM's table, with units of LOINC beside it that are left out here.</param>
    public static JsonObject Units(string units)
    {
        var table = JsonNode.Parse(File.ReadAllBytes(Path.Combine(units, "data/ucumDefs.min.json")))!["units"]!;
        var columns = table["config"]!
            .AsArray()
            .Select((column, index) => ((string)(column is JsonArray pair ? pair[0]! : column)!, index))
            .ToDictionary(pair => pair.Item1, pair => pair.index, StringComparer.Ordinal);
        return System(
            "http://unitsofmeasure.org",
            caseSensitive: true,
            from row in table["data"]!.AsArray()
            where (string?)row[columns["source_"]] == "UCUM"
            let code = (string)row[columns["csCode_"]]!
            // Base units take prefixes; the table does not say so.
            let metric = (bool)row[columns["isMetric_"]]! || code is "m" or "s" or "g" or "rad" or "K" or "C" or "cd"
            select $"{(metric ? "metric" : "plain")} {code}"
        );
    }

    /// <param name="countries">Folder of iso-3166 (MIT).</param>
    public static IEnumerable<JsonObject> Countries(string countries)
    {
        var assigned = File.ReadAllText(Path.Combine(countries, "1.js"));
        yield return System(
            "urn:iso:std:iso:3166",
            caseSensitive: true,
            CountryCode().Matches(assigned).Select(match => match.Groups["code"].Value)
        );
        var subdivisions = File.ReadAllText(Path.Combine(countries, "2.js"));
        yield return System(
            "urn:iso:std:iso:3166:-2",
            caseSensitive: true,
            SubdivisionCode().Matches(subdivisions).Select(match => match.Groups["code"].Value)
        );
    }

    /// <param name="expansion">R4's expansion of its ValueSet currencies, the whole of ISO 4217 in 2018.</param>
    public static JsonObject Currencies(JsonObject expansion) =>
        System(
            "urn:iso:std:iso:4217",
            caseSensitive: true,
            expansion["expansion"]!["contains"]!
                .AsArray()
                .Select(entry => (string)entry!["code"]!)
                .Concat(NewCurrencies)
                .Distinct()
        );

    private static JsonObject System(string url, bool caseSensitive, IEnumerable<string> codes) =>
        new()
        {
            ["resourceType"] = "CodeSystem",
            ["url"] = url,
            ["caseSensitive"] = caseSensitive,
            ["content"] = "complete",
            ["concept"] = new JsonArray([.. codes.Select(code => new JsonObject { ["code"] = code })]),
        };

    [GeneratedRegex("(?:alpha2|alpha3|numeric): '(?<code>[A-Z0-9]{2,3})'", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex CountryCode();

    [GeneratedRegex("code: '(?<code>[A-Z]{2}-[A-Z0-9]{1,3})'", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex SubdivisionCode();
}
