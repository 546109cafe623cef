using System.Text.RegularExpressions;
using CcmFhir.Validation.FhirPath;

namespace CcmFhir.Validation.Rules;

/// <summary>Regular expressions that profiles set on primitives (extension <c>regex</c>); matched in linear time where the
/// pattern allows it, else given up after a while.</summary>
internal sealed class TextPattern : Rule
{
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
            return Patterns.Compile($@"\A(?:{pattern})\z");
        }
        catch (FhirPathException fail)
        {
            throw new Definitions.UnreadableDefinitionException(
                scope.Node.Structure.Origin,
                scope.Element.Id,
                fail.Message
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
                isMatch = walk.IsMatch(regex, text);
            }
            catch (FhirPathException fail)
            {
                walk.NotAnswered("regex", spot.At, fail);
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
