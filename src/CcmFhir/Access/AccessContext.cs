namespace CcmFhir.Access;

/// <summary>Who asks, and what they may do. Every interaction asks it, those inside batches, includes, histories and operations too.</summary>
/// <param name="Practice">Slug of the practice that the token is good for.</param>
/// <param name="Client">Client id, as it stands in journal and audit.</param>
/// <param name="Scopes">Granted scopes that speak of resources.</param>
/// <param name="Patient">Logical id of the launch patient; null without one.</param>
/// <param name="User">The user's reference or subject; null for Backend Services.</param>
internal sealed record AccessContext(
    string Practice,
    string Client,
    IReadOnlyList<Scope> Scopes,
    string? Patient = null,
    string? User = null
)
{
    private static readonly Scope[] Everything =
    [
        new(ScopeContext.System, "*", Interactions.All, [], "system/*.cruds"),
        new(ScopeContext.System, "AuditEvent", Interactions.Read | Interactions.Search, [], "system/AuditEvent.rs"),
    ];

    /// <summary>Development mode on loopback, and our own commands: everything in one practice.</summary>
    public static AccessContext Unrestricted(string practice, string client) => new(practice, client, Everything);

    /// <summary>Whether the interaction may be asked for at all, by type. Null when it may; else the scope that is missing.</summary>
    /// <param name="type">Resource type.</param>
    /// <param name="interaction">What is to be done.</param>
    public string? Missing(string type, Interactions interaction)
    {
        foreach (var scope in Scopes)
        {
            if (scope.Covers(type, interaction) && (scope.Context != ScopeContext.Patient || Patient is not null))
            {
                return null;
            }
        }
        var context =
            Patient is not null ? "patient"
            : User is not null ? "user"
            : "system";
        return $"{context}/{type}.{Letters(interaction)}";
    }

    /// <summary>Whether this one resource may be seen or changed. A resource that may not be seen is answered as if it were not there.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="interaction">What is to be done.</param>
    /// <param name="patient">Logical id of the patient whose compartment holds it; null for the practice's directory.</param>
    /// <param name="matches">Whether the resource matches a search query, for scopes that hold one; asked only for those.</param>
    public bool Allows(
        string type,
        Interactions interaction,
        string? patient,
        Func<IReadOnlyList<KeyValuePair<string, string>>, bool> matches
    )
    {
        foreach (var scope in Scopes)
        {
            if (!scope.Covers(type, interaction))
            {
                continue;
            }
            // A patient's own app reads the directory (who treats me, where), and changes nothing there.
            var inReach =
                scope.Context != ScopeContext.Patient
                || (
                    Patient is not null
                    && (
                        patient == Patient
                        || (
                            patient is null
                            && (interaction & ~(Interactions.Read | Interactions.Search)) == Interactions.None
                        )
                    )
                );
            if (inReach && (scope.Query.Count == 0 || matches(scope.Query)))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>The interaction is allowed with every resource of the type in the practice: what operations over all patients need.</summary>
    /// <param name="type">Resource type.</param>
    /// <param name="interaction">What is to be done.</param>
    public bool AllowsAll(string type, Interactions interaction) =>
        Patient is null
        && Scopes.Any(scope =>
            scope.Context != ScopeContext.Patient && scope.Query.Count == 0 && scope.Covers(type, interaction)
        );

    private static string Letters(Interactions interaction) =>
        string.Concat("cruds".Where((_, at) => interaction.HasFlag((Interactions)(1 << at))));
}
