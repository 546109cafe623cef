using System.Text.RegularExpressions;

namespace CcmFhir.Validation.FhirPath;

/// <summary>Regular expressions of definitions and expressions: in linear time where the pattern allows it, else given up after a while.</summary>
internal static class Patterns
{
    private const int LongestPattern = 4000;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);

    /// <summary>Compiles a pattern.</summary>
    /// <exception cref="FhirPathException">It is not a regular expression.</exception>
    public static Regex Compile(string pattern)
    {
        if (pattern.Length > LongestPattern)
        {
            throw new FhirPathException(
                $"A regular expression of {pattern.Length} characters is not tried; at most {LongestPattern} are."
            );
        }
        const RegexOptions Options = RegexOptions.CultureInvariant | RegexOptions.Singleline;
        try
        {
            return new Regex(pattern, Options | RegexOptions.NonBacktracking, Patience);
        }
        catch (NotSupportedException)
        {
            return new Regex(pattern, Options, Patience);
        }
        catch (ArgumentException fault)
        {
            throw new FhirPathException($"'{pattern}' is not a regular expression: {fault.Message}", fault);
        }
    }

    /// <summary>Whether the pattern is found in the text.</summary>
    /// <exception cref="FhirPathException">It takes too long.</exception>
    public static bool IsMatch(Regex regex, string text)
    {
        try
        {
            return regex.IsMatch(text);
        }
        catch (RegexMatchTimeoutException fault)
        {
            throw new FhirPathException(
                $"The regular expression '{regex}' takes too long on a text of {text.Length} characters.",
                fault
            );
        }
    }

    /// <summary>Replaces every match.</summary>
    /// <exception cref="FhirPathException">It takes too long.</exception>
    public static string Replace(Regex regex, string text, string substitution)
    {
        try
        {
            return regex.Replace(text, substitution);
        }
        catch (RegexMatchTimeoutException fault)
        {
            throw new FhirPathException(
                $"The regular expression '{regex}' takes too long on a text of {text.Length} characters.",
                fault
            );
        }
    }
}

/// <summary><c>matches</c>, <c>matchesFull</c> and <c>replaceMatches</c>; a constant pattern is compiled once, when it is first needed.</summary>
internal sealed class PatternNode(Node focus, Node pattern, Node? substitution, bool whole) : SingleNode
{
    private Regex? constant;

    public override bool TryOne(in Frame frame, out FhirPathValue value)
    {
        value = default;
        if (!focus.TryOne(frame, out var one) || one.AsString() is not { } text)
        {
            return false;
        }
        frame.Context.Step(1 + (text.Length / 16));
        if (constant is not { } regex)
        {
            if (pattern.Text(frame) is not { } written)
            {
                return false;
            }
            regex = Patterns.Compile(whole ? $@"\A(?:{written})\z" : written);
            if (pattern is ConstantNode)
            {
                constant = regex;
            }
        }
        if (substitution is null)
        {
            value = FhirPathValue.Of(Patterns.IsMatch(regex, text));
            return true;
        }
        if (substitution.Text(frame) is not { } by)
        {
            return false;
        }
        value = FhirPathValue.Of(Patterns.Replace(regex, text, by));
        return true;
    }
}
