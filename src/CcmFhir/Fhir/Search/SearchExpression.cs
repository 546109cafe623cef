using System.Text.RegularExpressions;

namespace CcmFhir.Fhir.Search;

/// <summary>Turns the FHIRPath of R4's search parameters into the JSON paths that their values stand at. The expressions of R4 are paths with
/// casts and filters; the few that are more are not turned.</summary>
internal static partial class SearchExpression
{
    /// <summary>The paths of a union's parts that speak of a type: <c>a.b</c>, a filter on a property beside as <c>a[system=phone].b</c>, the
    /// type of a reference's target as <c>a@Patient</c>. Null when one of them cannot be turned.</summary>
    public static IReadOnlyList<string>? Paths(string type, string expression)
    {
        var paths = new List<string>();
        foreach (var part in expression.Split('|', StringSplitOptions.TrimEntries))
        {
            if (!Speaks(part, type))
            {
                continue;
            }
            if (One(type, part) is not { } found)
            {
                return null;
            }
            foreach (var path in found)
            {
                if (!paths.Contains(path))
                {
                    paths.Add(path);
                }
            }
        }
        return paths;
    }

    private static bool Speaks(string part, string type)
    {
        var text = part.AsSpan().TrimStart('(');
        return text.Length > type.Length && text.StartsWith(type, StringComparison.Ordinal) && text[type.Length] == '.';
    }

    private static IEnumerable<string>? One(string type, string expression)
    {
        var text = TargetFilter().Replace(expression, "@${type}");
        text = ValueFilter().Replace(text, "[${name}=${value}]");
        text = Cast().Replace(text, "${path}~${type}${rest}");
        text = CastCall().Replace(text, "~${type}");
        if (text.StartsWith('(') && text.EndsWith(')'))
        {
            text = text[1..^1];
        }
        if (text.AsSpan().ContainsAny("()!' ") || text.Contains("extension", StringComparison.Ordinal))
        {
            return null;
        }
        var content = type;
        IEnumerable<string> paths = [""];
        foreach (var segment in text.Split('.').Skip(1))
        {
            var step = Step().Match(segment);
            if (!step.Success)
            {
                return null;
            }
            var name = step.Groups["name"].Value;
            var shape = ElementShape.Below(content).FirstOrDefault(each => each.Name == name);
            if (shape is null)
            {
                return null;
            }
            var cast = step.Groups["cast"].Value;
            string[] names = shape.IsChoice
                ? [.. shape.Types.Where(of => cast.Length == 0 || of == cast).Select(shape.NameOf)]
                : [name];
            var filters = step.Groups["filter"].Value + step.Groups["target"].Value;
            paths =
            [
                .. paths.SelectMany(path => names.Select(one => (path.Length == 0 ? "" : path + ".") + one + filters)),
            ];
            content = cast.Length > 0 ? cast : shape.Content;
        }
        return paths;
    }

    [GeneratedRegex(@"\.where\(resolve\(\) is (?<type>\w+)\)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex TargetFilter();

    [GeneratedRegex(@"\.where\((?<name>\w+)='(?<value>[\w-]+)'\)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ValueFilter();

    [GeneratedRegex(@"^\((?<path>.+) as (?<type>\w+)\)(?<rest>.*)$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Cast();

    [GeneratedRegex(@"\.as\((?<type>\w+)\)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex CastCall();

    [GeneratedRegex(
        @"^(?<name>\w+)(~(?<cast>\w+))?(?<filter>\[\w+=[\w-]+\])?(?<target>@\w+)?$",
        RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex Step();
}
