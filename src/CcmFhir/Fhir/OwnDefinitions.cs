using System.Collections.Frozen;
using System.Globalization;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.Validation.Definitions;

namespace CcmFhir.Fhir;

/// <summary>What the product itself defines (measures, profiles, operations, codes: the package <c>org.ccmfhir.ccm</c>), as resources that every
/// practice has: read and searched like stored ones, written by nobody. They form a stream that is in no journal.</summary>
internal static class OwnDefinitions
{
    /// <summary>Name of their stream.</summary>
    public const string Stream = "definitions";

    private static readonly FrozenSet<string> References = CcmPackage
        .Files.Select(file => string.Join('/', Name(file)))
        .ToFrozenSet(StringComparer.Ordinal);

    private static readonly Lazy<StreamRecord> Loaded = new(() =>
        StreamRecord.Of(Stream, CcmPackage.Files.Select(Read), "CcmFhir")
    );

    /// <summary>Their types, in alphabetical order.</summary>
    public static IReadOnlyList<string> Types { get; } =
    [.. CcmPackage.Files.Select(file => Name(file)[0]).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>All of them, each in its one version, as of the day that it is dated.</summary>
    public static StreamRecord Record => Loaded.Value;

    /// <summary>It is one of them.</summary>
    public static bool Holds(string type, string id) => References.Contains($"{type}/{id}");

    // A file is named Type-id.json, and no type has a hyphen.
    private static string[] Name(string file) => file[..^".json".Length].Split('-', 2);

    private static StoredResource Read(string file)
    {
        var resource = CcmPackage.Read(file);
        var (type, id) = (Name(file)[0], Name(file)[1]);
        var at = new DateTimeOffset(
            DateOnly.Parse(resource["date"u8].Text!, CultureInfo.InvariantCulture),
            TimeOnly.MinValue,
            TimeSpan.Zero
        );
        return new StoredResource(type, id, "1", at, ResourceBytes.Build(resource, [], id, 1, at));
    }
}
