using CcmFhir.Validation;

namespace CcmFhir.Ehr;

/// <summary>What an EHR's CapabilityStatement declares, as far as deliveries ask.</summary>
/// <param name="Types">Each resource type with what may be done with it.</param>
/// <param name="Transaction">Transactions are taken.</param>
internal sealed record EhrCapabilities(IReadOnlyDictionary<string, TypeCapability> Types, bool Transaction)
{
    /// <summary>What may be done with a type; nothing when it is not named.</summary>
    public TypeCapability this[string type] => Types.GetValueOrDefault(type) ?? TypeCapability.None;

    /// <summary>Reads a CapabilityStatement; null when it is none of a server.</summary>
    public static EhrCapabilities? Read(EhrAnswer answer)
    {
        if (answer.Problem is not null || answer.Status != 200 || answer.ResourceType != "CapabilityStatement")
        {
            return null;
        }
        foreach (var rest in answer.Json!.Root["rest"u8].Items)
        {
            if (!rest["mode"u8].Is("server"u8))
            {
                continue;
            }
            var types = new Dictionary<string, TypeCapability>(StringComparer.Ordinal);
            foreach (var type in rest["resource"u8].Items)
            {
                if (type["type"u8].Text is { } name)
                {
                    types[name] = new TypeCapability(
                        Words(type["interaction"u8], "code"),
                        Words(type["searchParam"u8], "name"),
                        Words(type["operation"u8], "name"),
                        type["conditionalCreate"u8].Kind == JsonKind.True
                    );
                }
            }
            return new EhrCapabilities(types, Words(rest["interaction"u8], "code").Contains("transaction"));
        }
        return null;
    }

    private static HashSet<string> Words(FhirElement items, string property)
    {
        var words = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in items.Items)
        {
            if (item[property].Text is { } word)
            {
                words.Add(word.TrimStart('$'));
            }
        }
        return words;
    }
}

/// <summary>What may be done with a resource type.</summary>
/// <param name="Interactions">read, create, search-type ...</param>
/// <param name="SearchParameters">Names.</param>
/// <param name="Operations">Names without the dollar sign.</param>
/// <param name="ConditionalCreate">If-None-Exist is declared.</param>
internal sealed record TypeCapability(
    IReadOnlySet<string> Interactions,
    IReadOnlySet<string> SearchParameters,
    IReadOnlySet<string> Operations,
    bool ConditionalCreate
)
{
    /// <summary>Nothing.</summary>
    public static TypeCapability None { get; } =
        new(new HashSet<string>(), new HashSet<string>(), new HashSet<string>(), false);

    /// <summary>Resources of the type can be created.</summary>
    public bool Create => Interactions.Contains("create");

    /// <summary>Resources of the type can be found by identifier.</summary>
    public bool FindByIdentifier => Interactions.Contains("search-type") && SearchParameters.Contains("identifier");
}

/// <summary>The capabilities of one EHR, kept for a day.</summary>
internal sealed class CapabilityCache
{
    private static readonly TimeSpan Kept = TimeSpan.FromDays(1);
    private readonly Lock turn = new();
    private EhrCapabilities? known;
    private DateTimeOffset until;

    /// <summary>The capabilities; null, with the answer that says why, when the EHR does not tell.</summary>
    public async Task<(EhrCapabilities? Known, EhrAnswer? Answer)> GetAsync(EhrSession ehr, CancellationToken cancel)
    {
        lock (turn)
        {
            if (known is not null && until > ehr.Clock.GetUtcNow())
            {
                return (known, null);
            }
        }
        // It is open to all by the specification [capabilitystatement.html]; some EHRs ask for a token all the same.
        var answer = await ehr.SendAsync(HttpMethod.Get, "metadata", null, [], cancel, open: true);
        if (answer.Status is 401 or 403)
        {
            answer = await ehr.SendAsync(HttpMethod.Get, "metadata", null, [], cancel);
        }
        var read = EhrCapabilities.Read(answer);
        if (read is null)
        {
            return (null, answer);
        }
        lock (turn)
        {
            (known, until) = (read, ehr.Clock.GetUtcNow() + Kept);
        }
        return (read, answer);
    }
}
