using System.Text.Json;
using CcmFhir.Fhir;
using CcmFhir.Options;

namespace CcmFhir.Ehr.Receiving;

/// <summary>The <c>pull</c> part of an EHR connection: how changes are read from an EHR that cannot push. Immutable.</summary>
internal sealed record PullSettings
{
    /// <summary>Types that are read when none are named: what decisions are made of.</summary>
    public static IReadOnlyList<string> DefaultTypes { get; } =
    [
        "Condition",
        "Consent",
        "CarePlan",
        "Task",
        "Encounter",
        "Observation",
        "Coverage",
        "ChargeItem",
        "Claim",
        "ClaimResponse",
        "ExplanationOfBenefit",
    ];

    /// <summary>Pause between two rounds; zero for rounds only when asked for.</summary>
    public TimeSpan Every { get; init; }

    /// <summary>Types beside Patient.</summary>
    public IReadOnlyList<string> Types { get; init; } = DefaultTypes;

    /// <summary>Search for the patients at the EHR, such as <c>Patient?organization=Organization/1</c>; null for those that we know already.</summary>
    public string? Patients { get; init; }

    /// <summary>Id of the Group that is exported in bulk; null for a search per patient.</summary>
    public string? Group { get; init; }

    /// <summary>Origins beside the EHR's own that exported files may be fetched from.</summary>
    public IReadOnlyList<Uri> FileHosts { get; init; } = [];

    /// <summary>Reads the <c>pull</c> property of an <c>ehr</c> object.</summary>
    /// <exception cref="InvalidDataException">A property is unknown or cannot be understood.</exception>
    public static PullSettings Read(JsonElement pull)
    {
        var settings = new SettingsObject(pull, "ehr.pull");
        var types = new List<string>();
        foreach (var type in settings.Array("types")?.EnumerateArray() ?? default)
        {
            types.Add(
                type.ValueKind == JsonValueKind.String && ResourceTypes.Find(type.GetString()) is { } known
                    ? known
                    : throw settings.Wrong("types", $"holds {type}, which is no resource type")
            );
        }
        var hosts = new List<Uri>();
        foreach (var host in settings.Array("fileHosts")?.EnumerateArray() ?? default)
        {
            hosts.Add(settings.Address("fileHosts", host.ValueKind == JsonValueKind.String ? host.GetString()! : ""));
        }
        var read = new PullSettings
        {
            Every = TimeSpan.FromMinutes(settings.Whole("everyMinutes", 0, 0, 7 * 24 * 60)),
            Types = types.Count > 0 ? types : DefaultTypes,
            Patients = settings.Text("patients"),
            Group = settings.Text("group"),
            FileHosts = hosts,
        };
        if (read.Patients is { } search && !search.StartsWith("Patient?", StringComparison.Ordinal))
        {
            throw settings.Wrong(
                "patients",
                $"is '{search}'; it must be a search such as Patient?organization=Organization/1"
            );
        }
        if (read.Group is { } group && !LogicalId.IsValid(group))
        {
            throw settings.Wrong("group", $"is '{group}'; it must be the id of a Group at the EHR");
        }
        settings.RefuseUnknown();
        return read;
    }
}
