namespace CcmFhir.Journal;

/// <summary>One version of one resource, as it was received (references rewritten, id and meta as we assigned them).</summary>
/// <param name="Type">Resource type.</param>
/// <param name="Id">Logical id.</param>
/// <param name="VersionId">Version: "1" for the first.</param>
/// <param name="LastUpdated">When we took it, UTC.</param>
/// <param name="Json">FHIR JSON; empty where the version is a deletion.</param>
public sealed record StoredResource(
    string Type,
    string Id,
    string VersionId,
    DateTimeOffset LastUpdated,
    ReadOnlyMemory<byte> Json
)
{
    /// <summary>The version is a deletion.</summary>
    public bool Deleted => Json.IsEmpty;

    /// <summary><c>Type/id</c>.</summary>
    public string Reference => $"{Type}/{Id}";

    /// <summary>When a version counts as made: when it came in, but never before the version that it follows, so that a clock that was set
    /// back puts no version before an older one.</summary>
    /// <param name="at">When it came in.</param>
    /// <param name="before">The version that it follows; null for the first.</param>
    public static DateTimeOffset Made(DateTimeOffset at, StoredResource? before) =>
        before is not null && before.LastUpdated > at ? before.LastUpdated : at;
}
