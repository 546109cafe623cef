using System.Text.RegularExpressions;

namespace CcmFhir.Validation.FhirPath;

/// <summary>Regular expressions of definitions and expressions: in linear time where the pattern allows it, else given up after a while.</summary>
internal static class Patterns
{
    private const int LongestPattern = 4000;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);

    /// <summary>Steps that a match which was given up counts for: about as many as are made in that time.</summary>
    private const int GivenUp = 5_000_000;

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
    public static bool IsMatch(Regex regex, string text, EvaluationContext context)
    {
        try
        {
            return regex.IsMatch(text);
        }
        catch (RegexMatchTimeoutException fault)
        {
            throw TooLong(regex, text, context, fault);
        }
    }

    /// <summary>Replaces every match.</summary>
    /// <exception cref="FhirPathException">It takes too long, or makes too long a text.</exception>
    public static string Replace(Regex regex, string text, string substitution, EvaluationContext context)
    {
        // A group of the match is no longer than the text; $_, $` and $' bring the text again and again.
        var each = substitution.AsSpan().ContainsAny("_`'") && substitution.Contains('$', StringComparison.Ordinal);
        TextLength.Check((text.Length + 1L) * (substitution.Length + 1L) * (each ? text.Length + 1L : 1L));
        try
        {
            // Each match may look at all the rest of the text before it ends where it began: a square, even where one match is linear.
            return regex.Replace(
                text,
                match =>
                {
                    context.Step(1 + ((text.Length - match.Index) / 16));
                    return match.Result(substitution);
                }
            );
        }
        catch (RegexMatchTimeoutException fault)
        {
            throw TooLong(regex, text, context, fault);
        }
    }

    private static FhirPathException TooLong(
        Regex regex,
        string text,
        EvaluationContext context,
        RegexMatchTimeoutException fault
    )
    {
        context.Spend(GivenUp);
        return new FhirPathException(
            $"The regular expression '{regex}' takes too long on a text of {text.Length} characters.",
            fault
        );
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
            frame.Context.Step(pattern is ConstantNode ? 1 : 2_000);
            regex = Patterns.Compile(whole ? $@"\A(?:{written})\z" : written);
            if (pattern is ConstantNode)
            {
                constant = regex;
            }
        }
        if (substitution is null)
        {
            value = FhirPathValue.Of(Patterns.IsMatch(regex, text, frame.Context));
            return true;
        }
        if (substitution.Text(frame) is not { } by)
        {
            return false;
        }
        value = FhirPathValue.Of(Patterns.Replace(regex, text, by, frame.Context));
        return true;
    }
}
