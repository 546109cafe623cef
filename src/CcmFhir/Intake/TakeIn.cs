using CcmFhir.Fhir;
using CcmFhir.MonthEnd;
using CcmFhir.Validation;

namespace CcmFhir.Intake;

/// <summary>Takes a document in as the server would: a Bundle by its type, a search result or history as a collection, a single resource as an update
/// by its id, or a create where it has none.</summary>
/// <param name="receive">The intake.</param>
internal sealed class TakeIn(ReceiveBundle receive)
{
    /// <summary>Takes it in.</summary>
    /// <returns>What was refused.</returns>
    public async Task<IReadOnlyList<RefusedResource>> RunAsync(
        Arrival arrival,
        FolderDocument document,
        CancellationToken cancel
    )
    {
        if (document.Refusal is { } unreadable)
        {
            return [new RefusedResource(document.Name, null, unreadable.Issues)];
        }
        if (Read(document.Root, arrival, out var refusal) is not { } request)
        {
            return [new RefusedResource(document.Name, null, refusal!.Issues)];
        }
        var whole = await receive.RunAsync(arrival, request, cancel);
        var refused = request
            .Entries.Where(entry => entry.Refused)
            .Select(entry => Refused(document.Name, entry))
            .ToList();
        if (whole is not null && refused.Count == 0)
        {
            refused.Add(new RefusedResource(document.Name, null, whole.Issues));
        }
        return refused;
    }

    private static BundleRequest? Read(FhirElement root, Arrival arrival, out Refusal? refusal)
    {
        refusal = null;
        if (!root["resourceType"u8].Is("Bundle"u8))
        {
            return Single(root);
        }
        if (root["type"u8].Is("searchset"u8) || root["type"u8].Is("history"u8) || root["type"u8].Is("document"u8))
        {
            var entries = new List<Entry>();
            foreach (var element in root["entry"u8].Items)
            {
                if (element["resource"u8].Exists)
                {
                    entries.Add(Put(element["resource"u8], entries.Count, element["fullUrl"u8].Text));
                }
            }
            return new BundleRequest(BundleKind.Batch, entries);
        }
        return BundleRequest.Read(root, arrival.Bases, out refusal);
    }

    private static BundleRequest Single(FhirElement resource) => new(BundleKind.Batch, [Put(resource, null, null)]);

    private static Entry Put(FhirElement resource, int? index, string? fullUrl)
    {
        var name = resource["resourceType"u8].Text ?? "";
        var entry = new Entry
        {
            Index = index,
            FullUrl = fullUrl,
            Type = ResourceTypes.Find(name) ?? "",
            Id = resource["id"u8].Text,
            Resource = resource,
        };
        entry.Verb = entry.Id is null ? Verb.Post : Verb.Put;
        if (entry.Type.Length == 0)
        {
            entry.Refuse(
                400,
                "structure",
                "resource-type",
                BundleRequest.UnknownType(name),
                entry.ResourcePath,
                resource
            );
        }
        return entry;
    }

    private static RefusedResource Refused(string document, Entry entry)
    {
        var id = entry.Id ?? (entry.Resource.Exists ? entry.Resource["id"u8].Text : null);
        var type = entry.Type.Length > 0 ? entry.Type : document;
        string? patient = null;
        foreach (var name in (string[])["for", "subject", "patient", "beneficiary"])
        {
            patient ??= entry.Resource.Exists ? entry.Resource[name]["reference"u8].Text : null;
        }
        if (entry.Type == "Patient" && id is not null)
        {
            patient = $"Patient/{id}";
        }
        var prefix = entry.ResourcePath;
        // The reader of a folder knows the resource, not its place in a Bundle.
        var issues = entry.Issues.Select(issue =>
            entry.Index is not null && issue.Expression.StartsWith(prefix, StringComparison.Ordinal)
                ? issue with
                {
                    Expression = type + issue.Expression[prefix.Length..],
                }
                : issue
        );
        return new RefusedResource(
            id is null
                ? entry.FullUrl is { } url
                    ? $"{type} ({url})"
                    : type
                : $"{type}/{id}",
            patient is { } reference && reference.Contains("Patient/", StringComparison.Ordinal)
                ? reference[reference.LastIndexOf("Patient/", StringComparison.Ordinal)..]
                : null,
            [.. issues]
        );
    }
}
