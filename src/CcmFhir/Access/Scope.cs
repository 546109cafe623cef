using System.Diagnostics.CodeAnalysis;

namespace CcmFhir.Access;

/// <summary>What a client may do with resources of a type: SMART's <c>cruds</c>.</summary>
[Flags]
internal enum Interactions
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>c: create.</summary>
    Create = 1,

    /// <summary>r: read, vread, history of an instance.</summary>
    Read = 2,

    /// <summary>u: update and patch (an update that creates is one too).</summary>
    Update = 4,

    /// <summary>d: delete.</summary>
    Delete = 8,

    /// <summary>s: search, history of a type.</summary>
    Search = 16,

    /// <summary>All of them.</summary>
    All = Create | Read | Update | Delete | Search,
}

/// <summary>Whose data a scope speaks of.</summary>
internal enum ScopeContext
{
    /// <summary>The practice's, without a user (Backend Services).</summary>
    System,

    /// <summary>What the user may see.</summary>
    User,

    /// <summary>The one patient of the launch.</summary>
    Patient,
}

/// <summary>One SMART scope for FHIR resources, v1 (<c>system/Task.read</c>) or v2 (<c>patient/Observation.rs?category=laboratory</c>).</summary>
/// <param name="Context">Whose data.</param>
/// <param name="Type">Resource type, or <c>*</c>.</param>
/// <param name="Allowed">What may be done.</param>
/// <param name="Query">Search parameters that a resource must match (v2), name and value; empty for all.</param>
/// <param name="Text">As asked for and granted.</param>
/// <remarks>SMART App Launch 2.2, Scopes: letters stand in the order c r u d s; v1 <c>.read</c> is <c>.rs</c>, <c>.write</c> is <c>.cud</c>.</remarks>
internal sealed record Scope(
    ScopeContext Context,
    string Type,
    Interactions Allowed,
    IReadOnlyList<KeyValuePair<string, string>> Query,
    string Text
)
{
    /// <summary>Who looked at what is for those alone who are named for it: a star does not cover it.</summary>
    private const string Privileged = "AuditEvent";

    private const string Letters = "cruds";

    /// <summary>Reads one scope; false for one that does not speak of FHIR resources or is not well formed.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out Scope? scope)
    {
        scope = null;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        if (slash < 1 || dot < slash + 2)
        {
            return false;
        }
        ScopeContext? context = text[..slash] switch
        {
            "system" => ScopeContext.System,
            "user" => ScopeContext.User,
            "patient" => ScopeContext.Patient,
            _ => null,
        };
        var type = text[(slash + 1)..dot];
        var question = text.IndexOf('?', StringComparison.Ordinal);
        if (question >= 0 && question < dot)
        {
            return false;
        }
        var rights = text[(dot + 1)..(question < 0 ? text.Length : question)];
        var query = question < 0 ? "" : text[(question + 1)..];
        if (
            context is null
            || (type != "*" && !type.All(char.IsAsciiLetter))
            || Rights(rights, v2: question >= 0) is not { } allowed
        )
        {
            return false;
        }
        var pairs = new List<KeyValuePair<string, string>>();
        foreach (var part in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1)
            {
                return false;
            }
            pairs.Add(new(Uri.UnescapeDataString(part[..equals]), Uri.UnescapeDataString(part[(equals + 1)..])));
        }
        if (question >= 0 && pairs.Count == 0)
        {
            return false;
        }
        scope = new Scope(context.Value, type, allowed, pairs, text);
        return true;
    }

    /// <summary>The scope speaks of that type and allows all of these interactions.</summary>
    public bool Covers(string type, Interactions wanted) => Speaks(type) && (Allowed & wanted) == wanted;

    /// <summary>Everything that the other scope allows is allowed by this one too.</summary>
    public bool Includes(Scope other) =>
        Context == other.Context
        && Speaks(other.Type)
        && (Allowed & other.Allowed) == other.Allowed
        && (Query.Count == 0 || Query.SequenceEqual(other.Query));

    private bool Speaks(string type) => Type == type || (Type == "*" && type != Privileged);

    private static Interactions? Rights(string rights, bool v2)
    {
        switch (rights)
        {
            case "read" when !v2:
                return Interactions.Read | Interactions.Search;
            case "write" when !v2:
                return Interactions.Create | Interactions.Update | Interactions.Delete;
            case "*" when !v2:
                return Interactions.All;
            default:
                break;
        }
        var (allowed, last) = (Interactions.None, -1);
        foreach (var letter in rights)
        {
            var at = Letters.IndexOf(letter, StringComparison.Ordinal);
            if (at <= last)
            {
                return null;
            }
            (allowed, last) = (allowed | (Interactions)(1 << at), at);
        }
        return allowed == Interactions.None ? null : allowed;
    }
}
