using CcmFhir.Validation;

namespace CcmFhir.Fhir.Search;

/// <summary>One condition of a query: a parameter with its modifier, and values of which one must match.</summary>
/// <param name="Parameter">What is compared.</param>
/// <param name="Modifier">Without the colon; empty for none.</param>
/// <param name="Values">As written, split at commas, escapes kept.</param>
internal abstract record Criterion(SearchParameter Parameter, string Modifier, IReadOnlyList<string> Values)
{
    /// <summary>Reads one condition; null, with the reason, when it makes no sense.</summary>
    public static Criterion? Parse(
        SearchParameter parameter,
        string modifier,
        string value,
        TimeZoneInfo zone,
        out string? fault
    )
    {
        var values = SearchQuery.Split(value, ',');
        fault = null;
        if (modifier == "missing")
        {
            if (value is "true" or "false")
            {
                return new MissingCriterion(parameter, value == "true");
            }
            fault = ":missing is true or false.";
            return null;
        }
        return parameter.Kind switch
        {
            SearchKind.Token => TokenCriterion.Read(parameter, modifier, values, out fault),
            SearchKind.String => StringCriterion.Read(parameter, modifier, values, out fault),
            SearchKind.Reference => ReferenceCriterion.Read(parameter, modifier, values, out fault),
            SearchKind.Date => DateCriterion.Read(parameter, modifier, values, zone, out fault),
            SearchKind.Uri => UriCriterion.Read(parameter, modifier, values, out fault),
            _ => NumberCriterion.Read(parameter, modifier, values, out fault),
        };
    }

    /// <summary>The resource meets it.</summary>
    public virtual bool Matches(FhirElement resource)
    {
        var found = new List<FhirElement>();
        foreach (var path in Parameter.Paths)
        {
            path.Collect(resource, found);
        }
        foreach (var element in found)
        {
            if (MatchesValue(element))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>One value of the resource meets it.</summary>
    protected abstract bool MatchesValue(FhirElement element);

    /// <summary>Why a modifier is refused.</summary>
    protected static string NoModifier(SearchParameter parameter, string modifier, string known) =>
        $"':{modifier}' is not supported for {parameter.Code}, a {parameter.Kind.ToString().ToLowerInvariant()} parameter. Supported: {known}.";
}

/// <summary><c>:missing</c>.</summary>
internal sealed record MissingCriterion(SearchParameter Parameter, bool Missing) : Criterion(Parameter, "missing", [])
{
    /// <inheritdoc/>
    public override bool Matches(FhirElement resource) => base.Matches(resource) != Missing;

    /// <inheritdoc/>
    protected override bool MatchesValue(FhirElement element) => true;
}

/// <summary>Token: <c>code</c>, <c>system|code</c>, <c>|code</c>, <c>system|</c>; <c>:not</c>, <c>:text</c>.</summary>
internal sealed record TokenCriterion(
    SearchParameter Parameter,
    string Modifier,
    IReadOnlyList<string> Values,
    IReadOnlyList<Token> Tokens
) : Criterion(Parameter, Modifier, Values)
{
    /// <summary>Reads it.</summary>
    public static TokenCriterion? Read(
        SearchParameter parameter,
        string modifier,
        List<string> values,
        out string? fault
    )
    {
        fault = modifier is "" or "not" or "text" ? null : NoModifier(parameter, modifier, ":not, :text, :missing");
        return fault is null ? new TokenCriterion(parameter, modifier, values, [.. values.Select(Token.Parse)]) : null;
    }

    /// <inheritdoc/>
    public override bool Matches(FhirElement resource) => base.Matches(resource) != (Modifier == "not");

    /// <inheritdoc/>
    protected override bool MatchesValue(FhirElement element)
    {
        if (Modifier == "text")
        {
            return HasText(element);
        }
        foreach (var token in Tokens)
        {
            if (token.Matches(element))
            {
                return true;
            }
        }
        return false;
    }

    private bool HasText(FhirElement element)
    {
        var texts = new List<string?> { element["text"u8].Text, element["display"u8].Text };
        foreach (var coding in element["coding"u8].Items)
        {
            texts.Add(coding["display"u8].Text);
        }
        return texts.Exists(text =>
            text is not null && Tokens.Any(token => FoldedText.StartsWith(text, token.Code ?? ""))
        );
    }
}

/// <summary>One token of a query.</summary>
/// <param name="System">Null: any; empty: none.</param>
/// <param name="Code">Null: any of the system.</param>
internal sealed record Token(string? System, string? Code)
{
    /// <summary>Reads <c>code</c>, <c>system|code</c>, <c>|code</c> or <c>system|</c>.</summary>
    public static Token Parse(string text)
    {
        var parts = SearchQuery.Split(text, '|');
        return parts.Count == 1
            ? new Token(null, SearchQuery.Unescape(parts[0]))
            : new Token(
                SearchQuery.Unescape(parts[0]),
                parts[1].Length == 0 ? null : SearchQuery.Unescape(string.Join('|', parts.Skip(1)))
            );
    }

    /// <summary>A code, Coding, CodeableConcept, Identifier, ContactPoint, boolean or string equals it.</summary>
    public bool Matches(FhirElement element)
    {
        if (element.Kind != JsonKind.Object)
        {
            // A code's system is implied by its element, so one that is named is not held against it.
            return Code is not null && element.Text == Code;
        }
        var codings = element["coding"u8];
        if (codings.Exists)
        {
            foreach (var coding in codings.Items)
            {
                if (Matches(coding["system"u8].Text, coding["code"u8].Text))
                {
                    return true;
                }
            }
            return false;
        }
        var value = element["value"u8];
        if (value.Exists)
        {
            // The system of a ContactPoint (phone, email) is no code system.
            return Parameterless(element)
                ? Code is not null && value.Text == Code
                : Matches(element["system"u8].Text, value.Text);
        }
        return Matches(element["system"u8].Text, element["code"u8].Text);
    }

    private static bool Parameterless(FhirElement contact) =>
        contact["system"u8].Text is "phone" or "fax" or "email" or "pager" or "url" or "sms" or "other";

    private bool Matches(string? system, string? code) =>
        (Code is null ? code is not null || system is not null : code == Code)
        && (System is null || (System.Length == 0 ? system is null : system == System));
}

/// <summary>String: starts with, case and accents aside; <c>:exact</c>, <c>:contains</c>.</summary>
internal sealed record StringCriterion(SearchParameter Parameter, string Modifier, IReadOnlyList<string> Values)
    : Criterion(Parameter, Modifier, Values)
{
    private readonly string[] wanted = [.. Values.Select(SearchQuery.Unescape)];

    /// <summary>Reads it.</summary>
    public static StringCriterion? Read(
        SearchParameter parameter,
        string modifier,
        List<string> values,
        out string? fault
    )
    {
        fault = modifier is "" or "exact" or "contains"
            ? null
            : NoModifier(parameter, modifier, ":exact, :contains, :missing");
        return fault is null ? new StringCriterion(parameter, modifier, values) : null;
    }

    /// <inheritdoc/>
    protected override bool MatchesValue(FhirElement element)
    {
        if (element.Kind == JsonKind.Object || element.Kind == JsonKind.Array)
        {
            // HumanName and Address: any of their parts; codes such as use, and periods, are no text.
            foreach (var child in element.Children)
            {
                if (
                    !child.NameUtf8.SequenceEqual("use"u8)
                    && !child.NameUtf8.SequenceEqual("type"u8)
                    && child.Kind is JsonKind.String or JsonKind.Array
                    && MatchesValue(child)
                )
                {
                    return true;
                }
            }
            return false;
        }
        if (element.Text is not { } text)
        {
            return false;
        }
        foreach (var value in wanted)
        {
            if (
                Modifier switch
                {
                    "exact" => text == value,
                    "contains" => FoldedText.Contains(text, value),
                    _ => FoldedText.StartsWith(text, value),
                }
            )
            {
                return true;
            }
        }
        return false;
    }
}

/// <summary>Reference: <c>id</c>, <c>Type/id</c>, a URL; <c>:Type</c>, <c>:identifier</c>.</summary>
internal sealed record ReferenceCriterion(
    SearchParameter Parameter,
    string Modifier,
    IReadOnlyList<string> Values,
    IReadOnlyList<string> Wanted
) : Criterion(Parameter, Modifier, Values)
{
    private readonly Token[] identifiers = Modifier == "identifier" ? [.. Values.Select(Token.Parse)] : [];

    /// <summary>Reads it.</summary>
    public static ReferenceCriterion? Read(
        SearchParameter parameter,
        string modifier,
        List<string> values,
        out string? fault
    )
    {
        fault = null;
        var wanted = values.ConvertAll(SearchQuery.Unescape);
        if (modifier.Length > 0 && modifier != "identifier")
        {
            if (ResourceTypes.Find(modifier) is not { } type)
            {
                fault = NoModifier(parameter, modifier, ":identifier, :missing, or a resource type");
                return null;
            }
            wanted = wanted.ConvertAll(value =>
                value.Contains('/', StringComparison.Ordinal) ? value : $"{type}/{value}"
            );
        }
        return new ReferenceCriterion(parameter, modifier, values, wanted);
    }

    /// <summary>Ids of patients that it asks for; empty when it may be another type.</summary>
    public IEnumerable<string> PatientIds()
    {
        if (Modifier is not ("" or "Patient"))
        {
            yield break;
        }
        foreach (var value in Wanted)
        {
            if (value.StartsWith("Patient/", StringComparison.Ordinal))
            {
                yield return value["Patient/".Length..];
            }
            else if (!value.Contains('/', StringComparison.Ordinal))
            {
                yield return value;
            }
        }
    }

    /// <summary>The same with URLs of ours made relative.</summary>
    public ReferenceCriterion Localized(Func<string, string> localize) =>
        this with
        {
            Wanted = [.. Wanted.Select(localize)],
        };

    /// <inheritdoc/>
    protected override bool MatchesValue(FhirElement element)
    {
        if (Modifier == "identifier")
        {
            var identifier = element["identifier"u8];
            return identifier.Exists && Array.Exists(identifiers, token => token.Matches(identifier));
        }
        var reference = element.Kind == JsonKind.Object ? element["reference"u8].Text : element.Text;
        if (reference is null)
        {
            return false;
        }
        var version = reference.IndexOf("/_history/", StringComparison.Ordinal);
        var target = version < 0 ? reference.AsSpan() : reference.AsSpan(0, version);
        foreach (var value in Wanted)
        {
            if (
                target.SequenceEqual(value)
                || reference == value
                || (
                    !value.Contains('/', StringComparison.Ordinal)
                    && target.Length > value.Length
                    && target[^(value.Length + 1)] == '/'
                    && target.EndsWith(value, StringComparison.Ordinal)
                    && !target.Contains("://", StringComparison.Ordinal)
                )
            )
            {
                return true;
            }
        }
        return false;
    }
}

/// <summary>URI: the same; <c>:below</c> (starts with), <c>:above</c>.</summary>
internal sealed record UriCriterion(SearchParameter Parameter, string Modifier, IReadOnlyList<string> Values)
    : Criterion(Parameter, Modifier, Values)
{
    /// <summary>Reads it.</summary>
    public static UriCriterion? Read(SearchParameter parameter, string modifier, List<string> values, out string? fault)
    {
        fault = modifier is "" or "below" or "above"
            ? null
            : NoModifier(parameter, modifier, ":below, :above, :missing");
        return fault is null ? new UriCriterion(parameter, modifier, values.ConvertAll(SearchQuery.Unescape)) : null;
    }

    /// <inheritdoc/>
    protected override bool MatchesValue(FhirElement element)
    {
        if (element.Text is not { } text)
        {
            return false;
        }
        foreach (var value in Values)
        {
            if (
                Modifier switch
                {
                    "below" => text == value || Below(text, value),
                    "above" => text == value || Below(value, text),
                    _ => text == value,
                }
            )
            {
                return true;
            }
        }
        return false;
    }

    private static bool Below(string text, string root) =>
        text.StartsWith(root, StringComparison.Ordinal) && (root.EndsWith('/') || text[root.Length] is '/' or '|');
}
