using System.Text.RegularExpressions;

namespace CcmFhir.Validation.Rules;

/// <summary>Regular expressions that profiles set on primitives (extension <c>regex</c>); matched in linear time.</summary>
internal sealed class TextPattern : Rule
{
    private static readonly TimeSpan MostTime = TimeSpan.FromMilliseconds(250);

    public override void Compile(ElementScope scope, ElementChecks into)
    {
        if (scope.Base is null || scope.IsRoot)
        {
            return;
        }
        foreach (var type in scope.Element.Types)
        {
            if (type.Regex is { } pattern && !scope.Base.Element.Types.Any(other => other.Regex == pattern))
            {
                into.OfValue.Add(new Matches(Parse(pattern, scope), pattern, scope.Profile));
            }
        }
    }

    private static Regex Parse(string pattern, ElementScope scope)
    {
        try
        {
            return new Regex(
                $@"\A(?:{pattern})\z",
                RegexOptions.NonBacktracking | RegexOptions.CultureInvariant,
                MostTime
            );
        }
        catch (Exception fail) when (fail is ArgumentException or NotSupportedException)
        {
            throw new Definitions.UnreadableDefinitionException(
                scope.Node.Structure.Origin,
                scope.Element.Id,
                $"the regular expression {pattern} cannot be matched in linear time: {fail.Message}"
            );
        }
    }

    private sealed class Matches(Regex regex, string pattern, string? profile) : ValueCheck
    {
        public override void Check(Walk walk, in Spot spot)
        {
            if (spot.Value.Text is not { } text)
            {
                return;
            }
            bool isMatch;
            try
            {
                isMatch = regex.IsMatch(text);
            }
            catch (RegexMatchTimeoutException)
            {
                walk.NotChecked($"A text against the regular expression {pattern}: it took too long.");
                return;
            }
            if (!isMatch)
            {
                walk.Add(
                    Severity.Error,
                    "value",
                    "regex",
                    spot.Value,
                    $"The text does not match the profile's pattern {pattern}.",
                    profile
                );
            }
        }
    }
}
