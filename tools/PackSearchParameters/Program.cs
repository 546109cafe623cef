using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

// Reduces R4's SearchParameters to what the server reads: one line a parameter and type, with the JSON paths its values stand at; and
// the elements of each resource type that are in its summary, and that it must have.
//   dotnet run --project tools/PackSearchParameters -- PACKAGE_FOLDER src/CcmFhir/Fhir/Search
// PACKAGE_FOLDER is the `package` folder of npm's hl7.fhir.r4.examples 4.0.1 (CC0). Composite and special parameters, and expressions
// over extensions, are left out: what is not in the file is not declared.
if (args.Length != 2)
{
    await Console.Error.WriteLineAsync("usage: PackSearchParameters PACKAGE_FOLDER OUTPUT_FOLDER");
    return 2;
}
var summaries = new SortedDictionary<string, (List<string> Summary, List<string> Required)>(StringComparer.Ordinal);
var choices = new Dictionary<string, string[]>(StringComparer.Ordinal);
foreach (var file in Directory.EnumerateFiles(args[0], "StructureDefinition-*.json"))
{
    using var definition = JsonDocument.Parse(await File.ReadAllBytesAsync(file));
    if (
        !definition.RootElement.TryGetProperty("snapshot", out var snapshot)
        || (
            definition.RootElement.TryGetProperty("derivation", out var derivation)
            && derivation.GetString() != "specialization"
        )
    )
    {
        continue;
    }
    foreach (var element in snapshot.GetProperty("element").EnumerateArray())
    {
        var path = element.GetProperty("path").GetString()!;
        var isResource =
            definition.RootElement.GetProperty("kind").GetString() == "resource"
            && !definition.RootElement.GetProperty("abstract").GetBoolean();
        if (isResource && path.Count(letter => letter == '.') == 1)
        {
            Summarize(path, element);
        }
        if (path.EndsWith("[x]", StringComparison.Ordinal))
        {
            choices[path[..^3]] =
            [
                .. element.GetProperty("type").EnumerateArray().Select(type => type.GetProperty("code").GetString()!),
            ];
        }
    }
}
var lines = new SortedDictionary<string, (string Kind, SortedSet<string> Paths, SortedSet<string> Targets)>(
    StringComparer.Ordinal
);
var left = 0;
foreach (var file in Directory.EnumerateFiles(args[0], "SearchParameter-*.json"))
{
    using var document = JsonDocument.Parse(await File.ReadAllBytesAsync(file));
    var parameter = document.RootElement;
    var kind = parameter.GetProperty("type").GetString()!;
    if (kind is "composite" or "special" || !parameter.TryGetProperty("expression", out var expression))
    {
        continue;
    }
    var code = parameter.GetProperty("code").GetString()!;
    string[] targets = parameter.TryGetProperty("target", out var target)
        ? [.. target.EnumerateArray().Select(type => type.GetString()!)]
        : [];
    foreach (var type in parameter.GetProperty("base").EnumerateArray().Select(type => type.GetString()!))
    {
        if (type is "Resource" or "DomainResource")
        {
            continue;
        }
        var paths = expression
            .GetString()!
            .Split('|')
            .Select(part => part.Trim())
            .Where(part => Regex.IsMatch(part, $@"^\(?{type}\.", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)))
            .Select(part => Paths(type, part))
            .ToList();
        if (paths.Count == 0 || paths.Contains(null))
        {
            left++;
            continue;
        }
        if (!lines.TryGetValue($"{type}|{code}", out var line))
        {
            line = (kind, new(StringComparer.Ordinal), new(StringComparer.Ordinal));
            lines.Add($"{type}|{code}", line);
        }
        line.Paths.UnionWith(paths.SelectMany(path => path!));
        line.Targets.UnionWith(targets);
    }
}
await File.WriteAllTextAsync(
    Path.Combine(args[1], "summary-elements.txt"),
    string.Concat(
        summaries.Select(type =>
            $"{type.Key}|{string.Join(',', type.Value.Summary)}|{string.Join(',', type.Value.Required)}\n"
        )
    ),
    new UTF8Encoding(false)
);
await File.WriteAllTextAsync(
    Path.Combine(args[1], "search-parameters.txt"),
    string.Concat(lines.Select(Line)),
    new UTF8Encoding(false)
);
Console.WriteLine(FormattableString.Invariant($"{lines.Count} parameters written, {left} left out."));
return 0;

// A choice stands under all the names that JSON gives it.
void Summarize(string path, JsonElement element)
{
    var dot = path.IndexOf('.', StringComparison.Ordinal);
    var (type, name) = (path[..dot], path[(dot + 1)..]);
    if (!summaries.TryGetValue(type, out var lists))
    {
        summaries.Add(type, lists = ([], []));
    }
    string[] names = name.EndsWith("[x]", StringComparison.Ordinal)
        ?
        [
            .. element
                .GetProperty("type")
                .EnumerateArray()
                .Select(of => of.GetProperty("code").GetString()!)
                .Select(of => name[..^3] + char.ToUpperInvariant(of[0]) + of[1..]),
        ]
        : [name];
    if (element.TryGetProperty("isSummary", out var isSummary) && isSummary.GetBoolean())
    {
        lists.Summary.AddRange(names);
    }
    if (element.GetProperty("min").GetInt32() > 0)
    {
        lists.Required.AddRange(names);
    }
}

// A parameter that may point at anything names no targets.
static string Line(KeyValuePair<string, (string Kind, SortedSet<string> Paths, SortedSet<string> Targets)> line) =>
    $"{line.Key}|{line.Value.Kind}|{string.Join(';', line.Value.Paths)}|{(line.Value.Targets.Count > 40 ? "" : string.Join(',', line.Value.Targets))}\n";

// JSON paths of one expression: `a.b`, a filter on a sibling as `a[system=phone].b`, the type of a reference's target as `a@Patient`.
string[]? Paths(string type, string expression)
{
    var text = expression;
    string? cast = null;
    text = Regex.Replace(
        text,
        @"\.where\(resolve\(\) is (?<t>\w+)\)",
        "@${t}",
        RegexOptions.ExplicitCapture,
        TimeSpan.FromSeconds(1)
    );
    text = Regex.Replace(
        text,
        @"\.where\((?<n>\w+)='(?<v>[\w-]+)'\)",
        "[${n}=${v}]",
        RegexOptions.ExplicitCapture,
        TimeSpan.FromSeconds(1)
    );
    text = Regex.Replace(
        text,
        @"^\((?<a>.+) as (?<t>\w+)\)(?<rest>.*)$",
        "${a}~${t}${rest}",
        RegexOptions.ExplicitCapture,
        TimeSpan.FromSeconds(1)
    );
    text = Regex.Replace(text, @"\.as\((?<t>\w+)\)", "~${t}", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));
    if (text.StartsWith('(') && text.EndsWith(')'))
    {
        text = text[1..^1];
    }
    if (Regex.IsMatch(text, @"[()!' ]|entry\[0\]|extension", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)))
    {
        return null;
    }
    var at = type;
    var paths = new List<string> { "" };
    foreach (var segment in text.Split('.').Skip(1))
    {
        var match = Regex.Match(
            segment,
            @"^(?<name>\w+)(?<cast>~\w+)?(?<filter>\[[\w=-]+\])?(?<target>@\w+)?$",
            RegexOptions.ExplicitCapture,
            TimeSpan.FromSeconds(1)
        );
        if (!match.Success)
        {
            return null;
        }
        var name = match.Groups["name"].Value;
        cast = match.Groups["cast"].Success ? match.Groups["cast"].Value[1..] : null;
        at += "." + name;
        string[] names = choices.TryGetValue(at, out var types)
            ?
            [
                .. types
                    .Where(of => cast is null || of == cast)
                    .Select(of => name + char.ToUpperInvariant(of[0]) + of[1..]),
            ]
            : [name];
        var rest = match.Groups["filter"].Value + match.Groups["target"].Value;
        paths = [.. paths.SelectMany(path => names.Select(one => (path.Length == 0 ? "" : path + ".") + one + rest))];
    }
    return [.. paths];
}
